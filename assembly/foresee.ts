/**
 * Where a packet will go from a chain of a few rules, told before its turn by what is known then: its addresses, its protocol
 * and what it will draw. A guess for ahead.ts; nothing is decided here.
 *
 * The last rule that leads on and may hit is taken, or the first that leaves it to chance and will: those in front mostly lead
 * to chains that come back. What asks for more than can be told does not hit.
 */
import {
  CHAIN_CHUNKS,
  CHAIN_RUN,
  CHAIN_SIZE,
  FAMILY_IPV4,
  PACKET_DESTINATION,
  PACKET_FAMILY,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  RECORD_TYPE,
  ROW_BORN,
  ROW_DIED,
  ROW_FLAG_INPUT,
  ROW_FLAG_OUTPUT,
  ROW_FLAGS,
  ROW_INVERT,
  ROW_INVERT_DESTINATION,
  ROW_INVERT_SOURCE,
  ROW_IPV4_SIZE,
  ROW_IPV6_SIZE,
  ROW_NEXT,
  ROW_PROTOCOL,
  ROW_SOURCE,
  ROW_TARGET,
} from "../src/blob/layout";
import { CHUNK_USED, RUN_MOST } from "../src/blob/memory";
import {
  JUMP_CHAIN,
  MATCH_STATISTIC,
  MATCH_UDP,
  STATISTIC_INVERT,
  STATISTIC_MODE,
  STATISTIC_PROBABILITY,
  TARGET_JUMP,
} from "../src/blob/payloads";
import { walkedIndex } from "./chain-index";
import { chunkRow } from "./chunk";
import { generationSeen } from "./packet";
import { randomAhead } from "./random";

/** Whether a rule hits. */
const NO: u32 = 0;
const YES: u32 = 1;
const BY_CHANCE: u32 = 2;

/** Numbers that the packet in hand is expected to have drawn. */
let draws: u32 = 0;

/** The chain that `packet`, whose turn comes behind `packets` others, will go to from the chain at `head`; 0 for none. */
export function foresee(head: usize, packet: usize, packets: u32): usize {
  draws = 0;
  let next: usize = 0;
  const chunk = chunkApart(head);
  let row = head + CHAIN_SIZE;
  for (let n: u32 = 0, count = rowsOf(head, chunk); n < count; n++) {
    if (chunk) row = chunkRow(chunk, n);
    const to = row ? callee(row) : 0;
    if (to) {
      const hit = willHit(row, packet, packets);
      if (hit) next = to;
      if (hit == BY_CHANCE) break;
    }
    if (!chunk) row += load<u16>(row, ROW_NEXT);
  }
  return next;
}

/** The chunk that lists the rules of a chain that is not walked as it lies, nor by an index; 0 for none. */
export function chunkApart(head: usize): usize {
  return load<u8>(head, CHAIN_RUN) || walkedIndex(head) ? 0 : <usize>load<u32>(head, CHAIN_CHUNKS);
}

/** Rules of a chain that are looked at, in `chunk` where there is one. */
export function rowsOf(head: usize, chunk: usize): u32 {
  return chunk ? min<u32>(load<u16>(chunk, CHUNK_USED), RUN_MOST) : <u32>load<u8>(head, CHAIN_RUN);
}

/** The chain that a row leads to, 0 for none. */
export function callee(row: usize): usize {
  const target = row + load<u16>(row, ROW_TARGET);
  return load<u16>(target, RECORD_TYPE) == TARGET_JUMP ? <usize>load<u32>(target, JUMP_CHAIN) : 0;
}

function willHit(row: usize, packet: usize, packets: u32): u32 {
  if (load<u32>(row, ROW_BORN) > generationSeen || generationSeen >= load<u32>(row, ROW_DIED)) return NO;
  const protocol = load<u8>(row, ROW_PROTOCOL);
  if (protocol && protocol != load<u8>(packet, PACKET_PROTOCOL)) return NO;
  if (load<u8>(row, ROW_FLAGS) & (ROW_FLAG_INPUT | ROW_FLAG_OUTPUT)) return NO;
  const short = load<u8>(packet, PACKET_FAMILY) == FAMILY_IPV4;
  const invert = load<u8>(row, ROW_INVERT);
  const width: usize = short ? 4 : 16;
  const source = inPrefix(packet + PACKET_SOURCE, row + ROW_SOURCE, short);
  if (source == ((invert & ROW_INVERT_SOURCE) != 0)) return NO;
  const destination = inPrefix(packet + PACKET_DESTINATION, row + ROW_SOURCE + 2 * width, short);
  if (destination == ((invert & ROW_INVERT_DESTINATION) != 0)) return NO;
  const target = row + load<u16>(row, ROW_TARGET);
  let hit = YES;
  for (let at = row + (short ? ROW_IPV4_SIZE : ROW_IPV6_SIZE); at < target; at += load<u16>(at)) {
    const type = <u32>load<u16>(at, RECORD_TYPE);
    if (type == MATCH_STATISTIC && !load<u8>(at, STATISTIC_MODE)) {
      const drawn = randomAhead(packets, draws++) >> 1;
      if (drawn < load<u32>(at, STATISTIC_PROBABILITY) == (load<u8>(at, STATISTIC_INVERT) != 0)) return NO;
      hit = BY_CHANCE;
    } else if (type > <u32>MATCH_UDP) return NO;
  }
  return hit;
}

/** An address, and behind it in the rule its mask. */
function inPrefix(address: usize, prefix: usize, short: bool): bool {
  if (short) return (load<u32>(address) & load<u32>(prefix, 4)) == load<u32>(prefix);
  return !v128.any_true(v128.xor(v128.and(v128.load(address), v128.load(prefix, 16)), v128.load(prefix)));
}
