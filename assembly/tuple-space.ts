/**
 * The tuple-space index of a chain.
 *
 * Problem. A chain of n rules costs n looks a packet, though most rules fix the destination, the protocol, a port.
 * Idea (Srinivasan, Suri, Varghese, "Packet Classification using Tuple Space Search", 1999; Open vSwitch's classifier).
 *   Rules that fix the same bits of the same words form a tuple; one hash look-up finds all of a tuple's candidates. Rules
 *   that fix nothing are kept in chunks, in order.
 * Order. A chain is not a classifier: a rule that fires may return to the chain, so rules must be offered in chain order.
 *   Every row carries an order key; `indexNext` gives the least candidate behind the last one offered.
 *   Example: rules 1 LOG any, 2 dst A port 80, 3 dst A, 4 dst B. A packet to A:80 is offered 1, 2, 3 and never 4.
 * Build. At load for chains of INDEX_THRESHOLD rows, or when an edit makes a chain that long.
 * Insert. The row joins its group (rows of one key, by order); order keys have gaps, and where a gap is used up the
 *   rows behind are replaced by copies with new keys, which is an edit like any other.
 * Cost. A look-up a tuple for every rule offered, 8 to 16 bytes a slot, and a rebuilt hash table when one is 3/4 full.
 * Threads. Readers see a group only through its slot and NEXT_SAME links, each changed by one store; a hash table grows by
 *   building another and swinging TUPLE_SLOTS.
 */
import {
  CHAIN_CHUNKS,
  CHAIN_INDEX,
  CHAIN_TABLE,
  BLOB_ARENA,
  ROW_BORN,
  ROW_DIED,
  ROW_NEXT_SAME,
  ROW_ORDER,
} from "../src/blob/layout";
import {
  CHUNK_NEXT,
  CHUNK_USED,
  INDEX_CHAIN,
  INDEX_CHUNKS,
  INDEX_LAST_CHUNK,
  INDEX_SIZE,
  INDEX_TUPLE_COUNT,
  INDEX_TUPLES,
  ORDER_GAP_BITS,
  RETIRED_MEMORY,
  SLOT_SIZE,
  SLOTS_BYTES,
  SLOTS_FIRST,
  SLOTS_MASK,
  SLOTS_USED,
  TUPLE_MAX_ORDER,
  TUPLE_MIN_ORDER,
  TUPLE_NEXT,
  TUPLE_ROWS,
  TUPLE_SIZE,
  TUPLE_SLOTS,
  TUPLE_WORD_COUNT,
  TUPLE_WORDS,
} from "../src/blob/memory";
import { arenaAllocate } from "./arena";
import { chunkHits, chunkRemove, chunkRow } from "./chunk";
import { chunkInsert } from "./chunk-insert";
import { retire } from "./retire";
import { put32, put64, touched, wrote } from "./store";
import { rowWord, WORD_COUNT, wordMask, wordOffset, wordValue } from "./words";

const FIRST_ORDER: u64 = (<u64>1) << 56;
const FIRST_SLOTS: u32 = 16;
const NO_ORDER: u64 = 0xffffffffffffffff;

/** Builds the index of the chain at `head` over all rows in its chunks, and gives them order keys. False without memory. */
export function indexBuild(head: usize): bool {
  const arena: usize = load<u32>(load<u32>(head, CHAIN_TABLE), BLOB_ARENA);
  const index = arenaAllocate(arena, INDEX_SIZE);
  if (!index) return false;
  memory.fill(index, 0, INDEX_SIZE);
  store<u32>(index, <u32>head, INDEX_CHAIN);
  let order = FIRST_ORDER;
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    for (let i: u32 = 0; i < used; i++) {
      const row = chunkRow(chunk, i);
      if (!row) continue;
      order += (<u64>1) << ORDER_GAP_BITS;
      store<u64>(row, order, ROW_ORDER);
      if (!indexInsert(arena, index, row)) return false;
    }
  }
  wrote(INDEX_SIZE);
  put32(head + CHAIN_INDEX, <u32>index);
  return true;
}

/** Adds a row that has its order key. False without memory. */
export function indexInsert(arena: usize, index: usize, row: usize): bool {
  const tuple = tupleOf(arena, index, row, true);
  if (!tuple) return rowIsWild(row) && wildInsert(arena, index, row);
  const order = load<u64>(row, ROW_ORDER);
  if (order < load<u64>(tuple, TUPLE_MIN_ORDER)) put64(tuple + TUPLE_MIN_ORDER, order);
  if (order > load<u64>(tuple, TUPLE_MAX_ORDER)) put64(tuple + TUPLE_MAX_ORDER, order);
  const hash = rowHash(tuple, row);
  let slots: usize = load<u32>(tuple, TUPLE_SLOTS);
  let slot = findSlot(slots, hash);
  if (load<u32>(slot) == 0) {
    const mask = load<u32>(slots, SLOTS_MASK);
    if (load<u32>(slots, SLOTS_USED) * 4 >= (mask + 1) * 3) {
      slots = grow(arena, tuple, slots);
      if (!slots) return false;
      slot = findSlot(slots, hash);
    }
    store<u32>(row, 0, ROW_NEXT_SAME);
    put32(slot + 4, <u32>row);
    put32(slot, hash);
    put32(slots + SLOTS_USED, load<u32>(slots, SLOTS_USED) + 1);
  } else {
    let link = slot + 4;
    let next: usize = load<u32>(link);
    while (next && load<u64>(next, ROW_ORDER) < order) {
      link = next + ROW_NEXT_SAME;
      next = load<u32>(link);
    }
    store<u32>(row, <u32>next, ROW_NEXT_SAME);
    put32(link, <u32>row);
  }
  put32(tuple + TUPLE_ROWS, load<u32>(tuple, TUPLE_ROWS) + 1);
  touched(1);
  return true;
}

/** Takes out a row that has passed its grace period. */
export function indexRemove(arena: usize, index: usize, row: usize): void {
  const tuple = tupleOf(arena, index, row, false);
  if (!tuple) return chunkRemove(arena, index + INDEX_CHUNKS, load<u32>(row, ROW_NEXT_SAME), row);
  let link = findSlot(load<u32>(tuple, TUPLE_SLOTS), rowHash(tuple, row)) + 4;
  while (load<u32>(link) && load<u32>(link) != <u32>row) link = <usize>load<u32>(link) + ROW_NEXT_SAME;
  if (load<u32>(link)) put32(link, load<u32>(row, ROW_NEXT_SAME));
  put32(tuple + TUPLE_ROWS, load<u32>(tuple, TUPLE_ROWS) - 1);
}

/** First row of the group that `row`, a rule not in the index, would join; 0 for none. For wild rows use INDEX_CHUNKS. */
export function indexGroup(index: usize, row: usize): usize {
  const tuple = tupleOf(0, index, row, false);
  if (!tuple) return 0;
  const slot = findSlot(load<u32>(tuple, TUPLE_SLOTS), rowHash(tuple, row));
  return load<u32>(slot, 4);
}

/** Whether a row fixes no word at all. */
export function rowIsWild(row: usize): bool {
  for (let word: u32 = 0; word < WORD_COUNT; word++) {
    rowWord(row, wordOffset(word));
    if (wordMask) return false;
  }
  return true;
}

/** Where the scan of wild rows stands: in and out of indexNext, so that it never starts over. */
export let wildChunk: usize = 0;

/**
 * The row with the least order above `after` that the index offers for `packet` in generation `at`; 0 for none.
 * `wild` is the chunk of unindexed rows to start at; wildChunk tells the next call's.
 */
export function indexNext(index: usize, packet: usize, after: u64, at: u32, wild: usize): usize {
  let best: usize = 0;
  let bestOrder = NO_ORDER;
  for (let tuple: usize = load<u32>(index, INDEX_TUPLES); tuple; tuple = load<u32>(tuple, TUPLE_NEXT)) {
    if (load<u64>(tuple, TUPLE_MAX_ORDER) <= after || load<u64>(tuple, TUPLE_MIN_ORDER) >= bestOrder) continue;
    const slot = findSlot(atomic.load<u32>(tuple, TUPLE_SLOTS), packetHash(tuple, packet));
    if (!load<u32>(slot)) continue;
    for (let row: usize = load<u32>(slot, 4); row; row = load<u32>(row, ROW_NEXT_SAME)) {
      const order = load<u64>(row, ROW_ORDER);
      if (order >= bestOrder) break;
      if (order > after && load<u32>(row, ROW_BORN) <= at && at < load<u32>(row, ROW_DIED)) {
        best = row;
        bestOrder = order;
        break;
      }
    }
  }
  wildChunk = wild;
  for (let chunk = wild; chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    let bits = chunkHits(chunk, packet);
    let passed = true;
    while (bits) {
      const row = chunkRow(chunk, <u32>ctz(bits));
      bits &= bits - 1;
      if (!row) continue;
      const order = load<u64>(row, ROW_ORDER);
      if (order <= after || load<u32>(row, ROW_BORN) > at || at >= load<u32>(row, ROW_DIED)) continue;
      passed = false;
      if (order < bestOrder) best = row;
      break;
    }
    if (!passed) break;
    wildChunk = load<u32>(chunk, CHUNK_NEXT);
  }
  return best;
}

/** The tuple of `row`'s words, made when `make` and not there; 0 for a wild row, without memory, or when not found. */
function tupleOf(arena: usize, index: usize, row: usize, make: bool): usize {
  for (let tuple: usize = load<u32>(index, INDEX_TUPLES); tuple; tuple = load<u32>(tuple, TUPLE_NEXT))
    if (fits(tuple, row)) return tuple;
  if (!make || rowIsWild(row)) return 0;
  const tuple = arenaAllocate(arena, TUPLE_SIZE);
  if (!tuple) return 0;
  let words: u32 = 0;
  for (let word: u32 = 0; word < WORD_COUNT; word++) {
    const offset = wordOffset(word);
    rowWord(row, offset);
    if (!wordMask) continue;
    store<u32>(tuple + TUPLE_WORDS + (words << 3), offset);
    store<u32>(tuple + TUPLE_WORDS + (words << 3) + 4, wordMask);
    words++;
  }
  store<u32>(tuple, words, TUPLE_WORD_COUNT);
  store<u32>(tuple, 0, TUPLE_ROWS);
  store<u64>(tuple, NO_ORDER, TUPLE_MIN_ORDER);
  store<u64>(tuple, 0, TUPLE_MAX_ORDER);
  const slots = makeSlots(arena, FIRST_SLOTS);
  if (!slots) return 0;
  store<u32>(tuple, <u32>slots, TUPLE_SLOTS);
  store<u32>(tuple, load<u32>(index, INDEX_TUPLES), TUPLE_NEXT);
  wrote(TUPLE_SIZE);
  put32(index + INDEX_TUPLES, <u32>tuple);
  put32(index + INDEX_TUPLE_COUNT, load<u32>(index, INDEX_TUPLE_COUNT) + 1);
  return tuple;
}

/** Whether the row demands exactly the tuple's bits. */
function fits(tuple: usize, row: usize): bool {
  const count = load<u32>(tuple, TUPLE_WORD_COUNT);
  let at: u32 = 0;
  for (let word: u32 = 0; word < WORD_COUNT; word++) {
    const offset = wordOffset(word);
    rowWord(row, offset);
    const entry = tuple + TUPLE_WORDS + (at << 3);
    const here = at < count && load<u32>(entry) == offset;
    if ((here ? load<u32>(entry, 4) : 0) != wordMask) return false;
    if (here) at++;
  }
  return true;
}

function wildInsert(arena: usize, index: usize, row: usize): bool {
  const order = load<u64>(row, ROW_ORDER);
  const list = index + INDEX_CHUNKS;
  let chunk: usize = load<u32>(index, INDEX_LAST_CHUNK);
  if (chunk && lastOrder(chunk) < order) return chunkInsert(arena, index, list, 0, 0, row, true);
  for (chunk = load<u32>(list); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    for (let i: u32 = 0; i < used; i++) {
      const there = chunkRow(chunk, i);
      if (there && load<u64>(there, ROW_ORDER) > order) return chunkInsert(arena, index, list, chunk, i, row, true);
    }
  }
  return chunkInsert(arena, index, list, 0, 0, row, true);
}

function lastOrder(chunk: usize): u64 {
  for (let i = <u32>load<u16>(chunk, CHUNK_USED); i > 0; i--) {
    const row = chunkRow(chunk, i - 1);
    if (row) return load<u64>(row, ROW_ORDER);
  }
  return 0;
}

/** The slot of `hash`, or the empty one where it would go. A full table cannot be: it grows at 3/4. */
function findSlot(slots: usize, hash: u32): usize {
  const mask = load<u32>(slots, SLOTS_MASK);
  let i = hash & mask;
  let slot = slots + SLOTS_FIRST + i * SLOT_SIZE;
  while (load<u32>(slot) != hash && load<u32>(slot) != 0) {
    i = (i + 1) & mask;
    slot = slots + SLOTS_FIRST + i * SLOT_SIZE;
  }
  return slot;
}

function makeSlots(arena: usize, count: u32): usize {
  const bytes = SLOTS_FIRST + count * SLOT_SIZE;
  const slots = arenaAllocate(arena, bytes);
  if (!slots) return 0;
  memory.fill(slots, 0, bytes);
  store<u32>(slots, count - 1, SLOTS_MASK);
  store<u32>(slots, bytes, SLOTS_BYTES);
  wrote(bytes);
  return slots;
}

/** Twice the slots, or as many where half were emptied groups. Readers change over with one store. */
function grow(arena: usize, tuple: usize, old: usize): usize {
  const count = load<u32>(old, SLOTS_MASK) + 1;
  const rows = load<u32>(tuple, TUPLE_ROWS);
  const fresh = makeSlots(arena, rows * 2 > count ? count * 2 : count);
  if (!fresh) return 0;
  let used: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const from = old + SLOTS_FIRST + i * SLOT_SIZE;
    if (!load<u32>(from) || !load<u32>(from, 4)) continue;
    const to = findSlot(fresh, load<u32>(from));
    store<u32>(to, load<u32>(from));
    store<u32>(to, load<u32>(from, 4), 4);
    used++;
  }
  store<u32>(fresh, used, SLOTS_USED);
  put32(tuple + TUPLE_SLOTS, <u32>fresh);
  touched(1);
  return retire(RETIRED_MEMORY, <u32>old, arena, load<u32>(old, SLOTS_BYTES)) ? fresh : 0;
}

function mix(hash: u32, word: u32): u32 {
  const h = (hash ^ word) * 0x9e3779b1;
  return h ^ (h >>> 15);
}

function rowHash(tuple: usize, row: usize): u32 {
  const count = load<u32>(tuple, TUPLE_WORD_COUNT);
  let hash: u32 = 0x2545f491;
  for (let i: u32 = 0; i < count; i++) {
    rowWord(row, load<u32>(tuple + TUPLE_WORDS + (i << 3)));
    hash = mix(hash, wordValue);
  }
  return hash ? hash : 1;
}

function packetHash(tuple: usize, packet: usize): u32 {
  const count = load<u32>(tuple, TUPLE_WORD_COUNT);
  let hash: u32 = 0x2545f491;
  for (let i: u32 = 0; i < count; i++) {
    const entry = tuple + TUPLE_WORDS + (i << 3);
    hash = mix(hash, load<u32>(packet + load<u32>(entry)) & load<u32>(entry, 4));
  }
  return hash ? hash : 1;
}
