/**
 * Which rule a packet would hit first in a table's chain at a hook: a classifier's question, asked of a batch. No target
 * acts and nothing is counted; matches that remember do so all the same.
 */
import {
  BLOB_ADDRESS_BYTES,
  BLOB_HOOK_ENTRY,
  CHAIN_CHUNKS,
  CHAIN_RUN,
  CHAIN_SIZE,
  PACKET_FLAGS,
  PACKET_FLAGS_DROPPED,
  PACKET_FRAGMENT_OFFSET,
  PACKET_SIZE,
  ROW_NEXT,
  ROW_ORDER,
} from "../src/blob/layout";
import { CHUNK_NEXT } from "../src/blob/memory";
import {
  ENTRY_BORN,
  ENTRY_DIED,
  ENTRY_FLAGS,
  ENTRY_MASK,
  ENTRY_ORDER,
  ENTRY_RANGE,
  ENTRY_ROW,
  ENTRY_VALUE,
  ENTRY_WHOLE,
  INDEX_CHUNKS,
  INDEX_REST_ORDER,
  INDEX_TUPLE_COUNT,
  INDEX_TUPLES,
  SLOT_BUCKET,
  TUPLE_DIRECTORY,
  TUPLE_LANES,
} from "../src/blob/tuple-space";
import { walkedIndex } from "./chain-index";
import { chunkRow } from "./chunk";
import { generationSeen, hotdrop, setAddressBytes, setHook, setPacket } from "./packet";
import { highIpv4, indexNext, lowIpv4, NO_ORDER, proven, restChunk } from "./probe";
import { slotFind } from "./slots";
import { LANES_IPV4, tupleHash } from "./tuple";
import { rowHits } from "./row-hits";
import { hits } from "./walk";

/** Packets whose buckets are looked up before any of these is read: the processor waits for memory once, not for each. */
const AHEAD: u32 = 32;

/** Stores a row's address for each packet, 0 where none hits. */
export function classify(table: usize, hook: u32, packets: usize, rows: usize, count: u32): void {
  const base = load<u32>(table + BLOB_HOOK_ENTRY + (hook << 2));
  if (!base) return memory.fill(rows, 0, count << 2);
  setHook(hook);
  setAddressBytes(load<u32>(table, BLOB_ADDRESS_BYTES));
  const head = table + base;
  const index = walkedIndex(head);
  if (index && load<u32>(index, INDEX_TUPLE_COUNT) == 1) {
    const tuple: usize = load<u32>(index, INDEX_TUPLES);
    if (load<u32>(tuple, TUPLE_LANES) == LANES_IPV4) {
      for (let i: u32 = 0; i < count; i += AHEAD)
        classifyAhead(head, tuple, packets + i * PACKET_SIZE, rows + (i << 2), min<u32>(count - i, AHEAD));
      return;
    }
  }
  for (let i: u32 = 0; i < count; i++) store<u32>(rows + (i << 2), <u32>first(head, packets + i * PACKET_SIZE));
}

/**
 * The same of a chain whose index has but one tuple, the usual one. Buckets are found for all packets first, and lie where the
 * rows will be. Then most packets are told by their bucket's first entry; who is not is asked one by one.
 */
function classifyAhead(head: usize, tuple: usize, packets: usize, rows: usize, count: u32): void {
  const directory: usize = load<u32>(tuple, TUPLE_DIRECTORY);
  const end = rows + (count << 2);
  let packet = packets;
  for (let at = rows; at < end; at += 4, packet += PACKET_SIZE)
    store<u32>(at, load<u32>(slotFind(directory, tupleHash(tuple, lowIpv4(packet), highIpv4(packet))), SLOT_BUCKET));
  const rest = load<u64>(walkedIndex(head), INDEX_REST_ORDER);
  const now = generationSeen;
  packet = packets;
  for (let at = rows; at < end; at += 4, packet += PACKET_SIZE) {
    const entry: usize = load<u32>(at);
    const high = highIpv4(packet);
    const odd = (<u32>(high >> 56) & PACKET_FLAGS_DROPPED) | load<u16>(packet, PACKET_FRAGMENT_OFFSET);
    if (!odd) {
      if (!entry) {
        if (rest == NO_ORDER) continue;
      } else {
        const differ =
          ((lowIpv4(packet) & load<u64>(entry, ENTRY_MASK)) ^ load<u64>(entry, ENTRY_VALUE)) |
          ((high & load<u64>(entry, ENTRY_MASK + 8)) ^ load<u64>(entry, ENTRY_VALUE + 8));
        if (
          !differ &&
          (load<u32>(entry, ENTRY_FLAGS) & (ENTRY_WHOLE | ENTRY_RANGE)) == ENTRY_WHOLE &&
          load<u32>(entry, ENTRY_BORN) <= now &&
          now < load<u32>(entry, ENTRY_DIED) &&
          load<u64>(entry, ENTRY_ORDER) < rest
        ) {
          store<u32>(at, load<u32>(entry, ENTRY_ROW));
          continue;
        }
      }
    }
    store<u32>(at, <u32>first(head, packet));
  }
}

/** The row that one packet hits first. */
function first(head: usize, packet: usize): usize {
  setPacket(packet, 0);
  const index = walkedIndex(head);
  const odd =
    (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAGS_DROPPED) != 0 || load<u16>(packet, PACKET_FRAGMENT_OFFSET) == 1;
  if (index && !odd) return firstIndexed(index, packet);
  const run = load<u8>(head, CHAIN_RUN);
  return run ? firstOfRun(head, run) : firstListed(load<u32>(head, CHAIN_CHUNKS), odd);
}

function firstIndexed(index: usize, packet: usize): usize {
  let after: u64 = 0;
  let rest: usize = load<u32>(index, INDEX_CHUNKS);
  while (true) {
    const row = indexNext(index, packet, after, generationSeen, rest);
    if (!row || proven || rowHits(row)) return row;
    if (hotdrop) return 0;
    after = load<u64>(row, ROW_ORDER);
    rest = restChunk;
  }
}

function firstOfRun(head: usize, run: u32): usize {
  let row = head + CHAIN_SIZE;
  for (let left = run; left; left--, row += load<u16>(row, ROW_NEXT)) {
    if (rowHits(row)) return row;
    if (hotdrop) return 0;
  }
  return 0;
}

function firstListed(first: usize, odd: bool): usize {
  for (let chunk = first; chunk; chunk = load<u32>(chunk, CHUNK_NEXT))
    for (let bits = hits(chunk, odd); bits; bits &= bits - 1) {
      const row = chunkRow(chunk, <u32>ctz(bits));
      if (row && rowHits(row)) return row;
      if (hotdrop) return 0;
    }
  return 0;
}
