/**
 * Chance: a stream of numbers for each packet, told by the reader's seed, the packet's number and how many it has drawn.
 *
 * Counter-based (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011), so that what a packet will
 * draw can be told before its turn (ahead.ts), whatever those in front of it do.
 */
import { READER_RANDOM } from "../src/blob/memory";
import { reader } from "./packet";

/** Odd numbers that have nothing in common, nor with what seeds are multiplied by. */
const PACKET_STEP: u64 = 0xd1342543de82ef95;
const DRAW_STEP: u64 = 0xaf251af3b0f025b5;

/** How many numbers the packet being walked has drawn. */
let drawn: u32 = 0;

/** The next packet's turn. */
export function randomBegin(): void {
  store<u64>(reader, load<u64>(reader, READER_RANDOM) + PACKET_STEP, READER_RANDOM);
  drawn = 0;
}

/** 32 bits. */
export function random32(): u32 {
  return numberAt(load<u64>(reader, READER_RANDOM), drawn++);
}

/** What the packet whose turn comes behind `packets` others will draw behind `draws` others. */
export function randomAhead(packets: u32, draws: u32): u32 {
  return numberAt(load<u64>(reader, READER_RANDOM) + (<u64>packets + 1) * PACKET_STEP, draws);
}

/** Stafford's thirteenth mixing, as in Java's SplittableRandom. */
function numberAt(packet: u64, draws: u32): u32 {
  let mixed = packet + <u64>draws * DRAW_STEP;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return <u32>(mixed >> 32) ^ <u32>(mixed >> 63);
}
