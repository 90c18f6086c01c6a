/** The reader's side of a tuple-space index: which row to offer next (see tuple-space.ts). */
import {
  PACKET_DESTINATION,
  PACKET_FAMILY,
  PACKET_FRAGMENT_OFFSET,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  ROW_BORN,
  ROW_DIED,
  ROW_ORDER,
} from "../src/blob/layout";
import { CHUNK_NEXT } from "../src/blob/memory";
import {
  ENTRY_BORN,
  ENTRY_DIED,
  ENTRY_FLAGS,
  ENTRY_LAST,
  ENTRY_LEAST,
  ENTRY_MASK,
  ENTRY_MOST,
  ENTRY_ORDER,
  ENTRY_RANGE,
  ENTRY_ROW,
  ENTRY_SIZE,
  ENTRY_VALUE,
  ENTRY_WHOLE,
  INDEX_ASCENDS,
  INDEX_REST_ORDER,
  INDEX_TUPLE_COUNT,
  INDEX_TUPLES,
  SLOT_BUCKET,
  TUPLE_DIRECTORY,
  TUPLE_LANES,
  TUPLE_MAX_ORDER,
  TUPLE_MIN_ORDER,
} from "../src/blob/tuple-space";
import { chunkHits, chunkRow } from "./chunk";
import { slotFind } from "./slots";
import { chunkCompared, counting, entryCompared, tupleProbed } from "./effort";
import { pruneFor } from "./prune";
import { LANES_IPV4, tupleHash } from "./tuple";

export const NO_ORDER: u64 = 0xffffffffffffffff;
/** Up to so many tuples are probed without asking which are worth it. */
const FEW_TUPLES: u32 = 2;

/** Where the scan of rows outside of tuples stands: in and out of indexNext, so that it never starts over. */
export let restChunk: usize = 0;
/** Whether the row that indexNext offered needs no further check. */
export let proven: bool = false;

/**
 * The row with the least order above `after` that the index offers for `packet` in generation `at`; 0 for none.
 * `rest` is the chunk of rows outside of tuples to start at; restChunk tells the next call's.
 */
export function indexNext(index: usize, packet: usize, after: u64, at: u32, rest: usize): usize {
  const ports = load<u32>(packet, PACKET_SOURCE_PORT);
  const low = lowIpv4(packet);
  const high = highIpv4(packet);
  let best: usize = 0;
  let bestOrder = NO_ORDER;
  const count = load<u32>(index, INDEX_TUPLE_COUNT);
  let bits: u32 = count ? 0xffffffff >>> (32 - count) : 0;
  if (count > FEW_TUPLES) bits &= pruneFor(index, packet);
  for (; bits; bits &= bits - 1) {
    const tuple: usize = load<u32>(index + ((<u32>ctz(bits)) << 2), INDEX_TUPLES);
    if (load<u64>(tuple, TUPLE_MIN_ORDER) >= bestOrder) {
      if (load<u32>(index, INDEX_ASCENDS)) break;
      continue;
    }
    if (load<u64>(tuple, TUPLE_MAX_ORDER) <= after) continue;
    if (counting) tupleProbed();
    const lanes = load<u32>(tuple, TUPLE_LANES);
    const standard = lanes == LANES_IPV4;
    const first = standard ? low : twoWords(packet, lanes);
    const second = standard ? high : twoWords(packet, lanes >>> 16);
    const slot = slotFind(load<u32>(tuple, TUPLE_DIRECTORY), tupleHash(tuple, first, second));
    let entry: usize = load<u32>(slot, SLOT_BUCKET);
    if (!entry) continue;
    entry = entryFor(entry, first, second, ports, after, bestOrder, at);
    if (!entry) continue;
    best = entry;
    bestOrder = load<u64>(entry, ENTRY_ORDER);
  }
  proven = false;
  if (best) {
    proven = (load<u32>(best, ENTRY_FLAGS) & ENTRY_WHOLE) != 0 && !load<u16>(packet, PACKET_FRAGMENT_OFFSET);
    best = load<u32>(best, ENTRY_ROW);
  }
  restChunk = rest;
  if (bestOrder <= load<u64>(index, INDEX_REST_ORDER)) return best;
  for (let chunk = rest; chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    if (counting) chunkCompared();
    let bits = chunkHits(chunk, packet);
    let passed = true;
    while (bits) {
      const row = chunkRow(chunk, <u32>ctz(bits));
      bits &= bits - 1;
      if (!row) continue;
      const order = load<u64>(row, ROW_ORDER);
      if (order <= after || load<u32>(row, ROW_BORN) > at || at >= load<u32>(row, ROW_DIED)) continue;
      passed = false;
      if (order < bestOrder) {
        best = row;
        proven = false;
      }
      break;
    }
    if (!passed) break;
    restChunk = load<u32>(chunk, CHUNK_NEXT);
  }
  return best;
}

/** The hash that the packet has in `tuple`. */
export function hashIn(tuple: usize, packet: usize): u32 {
  const lanes = load<u32>(tuple, TUPLE_LANES);
  if (lanes == LANES_IPV4) return tupleHash(tuple, lowIpv4(packet), highIpv4(packet));
  return tupleHash(tuple, twoWords(packet, lanes), twoWords(packet, lanes >>> 16));
}

/** The first entry from `bucket` on that the packet satisfies, with an order between the two; 0 for none. */
function entryFor(bucket: usize, first: u64, second: u64, ports: u32, after: u64, before: u64, at: u32): usize {
  let entry = bucket;
  while (true) {
    if (counting) entryCompared();
    const differ =
      ((first & load<u64>(entry, ENTRY_MASK)) ^ load<u64>(entry, ENTRY_VALUE)) |
      ((second & load<u64>(entry, ENTRY_MASK + 8)) ^ load<u64>(entry, ENTRY_VALUE + 8));
    const flags = load<u32>(entry, ENTRY_FLAGS);
    if (!differ) {
      const order = load<u64>(entry, ENTRY_ORDER);
      if (order >= before) return 0;
      if (
        order > after &&
        load<u32>(entry, ENTRY_BORN) <= at &&
        at < load<u32>(entry, ENTRY_DIED) &&
        (!(flags & ENTRY_RANGE) || inRange(entry, ports))
      )
        return entry;
    }
    if (flags & ENTRY_LAST) return 0;
    entry += ENTRY_SIZE;
  }
}

/** What a packet has of LANES_IPV4: source and destination. */
export function lowIpv4(packet: usize): u64 {
  return <u64>load<u32>(packet, PACKET_SOURCE) | ((<u64>load<u32>(packet, PACKET_DESTINATION)) << 32);
}

/** Ports, and above them family, protocol and flags: both words lie side by side, the other way round. */
export function highIpv4(packet: usize): u64 {
  return rotl<u64>(load<u64>(packet, PACKET_FAMILY), 32);
}

/** The words at two offsets, the first of which is in the lowest byte, the second in the next. */
function twoWords(packet: usize, offsets: u32): u64 {
  return <u64>load<u32>(packet + (offsets & 0xff)) | ((<u64>load<u32>(packet + ((offsets >>> 8) & 0xff))) << 32);
}

function inRange(entry: usize, ports: u32): bool {
  const least = load<u32>(entry, ENTRY_LEAST);
  const most = load<u32>(entry, ENTRY_MOST);
  const source = ports & 0xffff;
  const destination = ports >>> 16;
  return (
    source >= (least & 0xffff) && source <= (most & 0xffff) && destination >= least >>> 16 && destination <= most >>> 16
  );
}
