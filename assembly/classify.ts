/**
 * Which rule a packet would hit first in a table's chain at a hook: a classifier's question, asked of a batch. No target
 * acts and nothing is counted; matches that remember do so all the same.
 */
import {
  BLOB_ADDRESS_BYTES,
  BLOB_HOOK_ENTRY,
  CHAIN_CHUNKS,
  CHAIN_INDEX,
  PACKET_FLAG_ODD,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_SIZE,
  ROW_ORDER,
} from "../src/blob/layout";
import { CHUNK_NEXT } from "../src/blob/memory";
import { INDEX_CHUNKS, INDEX_TUPLE_COUNT, INDEX_TUPLES } from "../src/blob/tuple-space";
import { chunkRow } from "./chunk";
import { generationSeen, hotdrop, setAddressBytes, setHook, setPacket } from "./packet";
import { bucketAt, indexFirst, indexNext, proven, restChunk, UNKNOWN } from "./probe";
import { hits, rowHits } from "./walk";

/** Packets whose buckets are looked up before any of these is read: the processor waits for memory once, not for each. */
const AHEAD: u32 = 32;

/** Stores a row's address for each packet, 0 where none hits. */
export function classify(table: usize, hook: u32, packets: usize, rows: usize, count: u32): void {
  const base = load<u32>(table + BLOB_HOOK_ENTRY + (hook << 2));
  if (!base) return memory.fill(rows, 0, count << 2);
  setHook(hook);
  setAddressBytes(load<u32>(table, BLOB_ADDRESS_BYTES));
  const index: usize = load<u32>(table + base, CHAIN_INDEX);
  const only: usize = index && load<u32>(index, INDEX_TUPLE_COUNT) == 1 ? <usize>load<u32>(index, INDEX_TUPLES) : 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = packets + i * PACKET_SIZE;
    const into = rows + (i << 2);
    if (only && !(i & (AHEAD - 1))) aheadOf(only, at, into, min<u32>(count - i, AHEAD));
    setPacket(at, 0);
    const odd = (load<u8>(at, PACKET_FLAGS) & PACKET_FLAG_ODD) != 0 || load<u16>(at, PACKET_FRAGMENT_OFFSET) == 1;
    let row = UNKNOWN;
    if (!index || odd) row = firstListed(load<u32>(table + base, CHAIN_CHUNKS), odd);
    else if (only) row = indexFirst(index, load<u32>(into), at, generationSeen);
    if (row == UNKNOWN) row = firstIndexed(index, at);
    store<u32>(into, <u32>row);
  }
}

/** Stores a bucket's address for each packet, where its row's will be. */
function aheadOf(tuple: usize, packets: usize, buckets: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) store<u32>(buckets + (i << 2), <u32>bucketAt(tuple, packets + i * PACKET_SIZE));
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

function firstListed(first: usize, odd: bool): usize {
  for (let chunk = first; chunk; chunk = load<u32>(chunk, CHUNK_NEXT))
    for (let bits = hits(chunk, odd); bits; bits &= bits - 1) {
      const row = chunkRow(chunk, <u32>ctz(bits));
      if (row && rowHits(row)) return row;
      if (hotdrop) return 0;
    }
  return 0;
}
