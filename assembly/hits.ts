/**
 * Rules that packets have hit since this reader entered its section, to be counted together before it leaves.
 *
 * Problem. Counters of a large ruleset lie in memory that no cache near the processor holds. A packet that counts each rule
 * as it hits it waits for each one's cache line.
 * Idea. A hit is only noted. Counting the notes of many packets in one loop, none depends on another, so the processor waits
 * for many lines at once.
 * Cost. Whoever reads counters does not see the hits of packets that are still in hand; they count as if they came later. A
 * counter's number stays its rule's until the section ends, since rules are freed after a grace period.
 */
import { PACKET_LENGTH, ROW_COUNTER } from "../src/blob/layout";
import { COUNTER_BYTES, COUNTER_PACKETS, READER_COUNTERS, READER_HITS } from "../src/blob/memory";
import { counterSlot } from "./counters";
import { packet, reader } from "./packet";

/** A note: u32 number of the counter, u32 bytes of the packet. */
const HIT_SIZE: u32 = 8;
const HITS_COUNT: u32 = 512;
/** Bytes of a reader's notes. */
export const HITS_BYTES: u32 = HIT_SIZE * HITS_COUNT;

let first: usize = 0;
let next: usize = 0;
let end: usize = 0;

/** The reader enters its section. */
export function hitsBegin(): void {
  first = next = load<u32>(reader, READER_HITS);
  end = first + HITS_BYTES;
}

/** The packet being walked has hit `row`. */
export function hit(row: usize): void {
  store<u32>(next, load<u32>(row, ROW_COUNTER));
  store<u32>(next, load<u32>(packet, PACKET_LENGTH), 4);
  next += HIT_SIZE;
  if (next == end) hitsCount();
}

/** Counts all hits that are noted. */
export function hitsCount(): void {
  const counters: usize = load<u32>(reader, READER_COUNTERS);
  for (let at = first; at < next; at += HIT_SIZE) {
    const slot = counterSlot(counters, load<u32>(at));
    store<u64>(slot, load<u64>(slot, COUNTER_PACKETS) + 1, COUNTER_PACKETS);
    store<u64>(slot, load<u64>(slot, COUNTER_BYTES) + load<u32>(at, 4), COUNTER_BYTES);
  }
  next = first;
}
