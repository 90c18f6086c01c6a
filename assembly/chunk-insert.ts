/**
 * Finding a slot for a row in a list of chunks, so that the next row for the same place finds one as well.
 *
 * Rows come in runs: at the end, at the head (each in front of the last), or in front of one rule (-I CHAIN 1000, the
 * rule in front of the last). The next one comes between the new row and the older of its neighbours, so that is where a
 * chunk that is copied to make room gets its free slots, and of a run of free slots the other end is taken. A row costs one
 * store a column, a copy comes every dozen of rows.
 *
 * A linked chunk is changed by filling a slot that no row has, or replaced by copies; readers in the old chunk go on there.
 */
import { BLOB_ARENA, CHAIN_CHUNKS, CHAIN_RUN, CHAIN_SIZE, CHAIN_TABLE, ROW_BORN, ROW_NEXT } from "../src/blob/layout";
import {
  CHUNK_CAPACITY,
  CHUNK_NEXT,
  CHUNK_PREVIOUS,
  CHUNK_ROWS,
  CHUNK_USED,
  CHUNK_WORD,
  RETIRED_MEMORY,
} from "../src/blob/memory";
import { ANY_WORD, chunkBytes, chunkFill, chunkLink, chunkMake, chunkRow } from "./chunk";
import { directoryInsert, directoryReplace } from "./directory";
import { retire } from "./retire";
import { own32, put16, put32, put8, walked } from "./store";

/** Free slots that a copy gets. */
const SLACK: u32 = 16;
/** Rows from which on a chunk is cut in two where a row comes in between. */
const CUT_FROM: u32 = CHUNK_ROWS - SLACK + 1;
/** Rows up to which a chunk is copied to get a row in front of it; else that row begins a chunk of its own. */
const COPY_TO: u32 = 12;
/** Slots of a chunk for rows in front of another. */
const FRONT_SLOTS: u32 = CHUNK_ROWS / 2;
/** Rows from which on a copy keeps its column's word: those that a chunk had when it was small may not tell. */
const KEEP_FROM: u32 = 9;
const NO_SLOT: u32 = 0xffffffff;

let staged: usize = 0;

/** Address of a staging area for CHUNK_ROWS x 2 row addresses; allocated with the engine. */
export function chunkStaging(address: usize): void {
  staged = address;
}

/**
 * Puts `row` in front of slot `slot` of `chunk`, or at the list's end when `chunk` is 0. False without memory.
 * Invariant kept: the rows of the list, free slots aside, stand in order.
 */
export function chunkInsert(
  arena: usize,
  owner: usize,
  list: usize,
  chunk: usize,
  slot: u32,
  row: usize,
  wild: bool,
): bool {
  if (!chunk) return append(arena, owner, list, row, wild);
  const free = roomInFront(chunk, slot, chunkRow(chunk, slot));
  if (free != NO_SLOT) {
    chunkFill(chunk, free, row, wild);
    return true;
  }
  if (slot == 0) {
    const previous: usize = load<u32>(chunk, CHUNK_PREVIOUS);
    if (previous && fillEnd(previous, row, wild)) return true;
    if (<u32>load<u16>(chunk, CHUNK_USED) > COPY_TO) return addFront(arena, owner, list, chunk, row, wild);
  }
  return copyWith(arena, owner, list, chunk, slot, row, wild);
}

/**
 * Gives a chain chunks whose rules lie behind its head, as one of them will go or get a neighbour. A reader that goes along them may
 * go on: where they lie they stay until nobody can be there. False without memory.
 */
export function endRun(head: usize): bool {
  const count = <u32>load<u8>(head, CHAIN_RUN);
  if (!count) return true;
  let row = head + CHAIN_SIZE;
  for (let i: u32 = 0; i < count; i++, row += load<u16>(row, ROW_NEXT)) store<u32>(staged + (i << 2), <u32>row);
  const arena: usize = load<u32>(load<u32>(head, CHAIN_TABLE), BLOB_ARENA);
  const chunk = chunkMake(arena, head, staged, count, roomy(count), false, ANY_WORD);
  if (!chunk) return false;
  chunkLink(head + CHAIN_CHUNKS, chunk, 0);
  put8(head + CHAIN_RUN, 0);
  return true;
}

function append(arena: usize, owner: usize, list: usize, row: usize, wild: bool): bool {
  const last: usize = load<u32>(list, 4);
  if (last && fillEnd(last, row, wild)) return true;
  const used = last ? <u32>load<u16>(last, CHUNK_USED) : 0;
  if (last && used < <u32>CHUNK_ROWS) return copyWith(arena, owner, list, last, used, row, wild);
  store<u32>(staged, <u32>row);
  const capacity: u32 = last ? CHUNK_ROWS : 4;
  const fresh = chunkMake(arena, owner, staged, 1, capacity, wild, last ? load<u16>(last, CHUNK_WORD) : ANY_WORD);
  if (!fresh) return false;
  chunkLink(list, fresh, last);
  return directoryInsert(fresh);
}

/** A chunk in front of a full one, with room on either side of its row. */
function addFront(arena: usize, owner: usize, list: usize, chunk: usize, row: usize, wild: bool): bool {
  const middle = FRONT_SLOTS / 2;
  memory.fill(staged, 0, middle << 2);
  store<u32>(staged + (middle << 2), <u32>row);
  const fresh = chunkMake(arena, owner, staged, middle + 1, FRONT_SLOTS, wild, load<u16>(chunk, CHUNK_WORD));
  if (!fresh) return false;
  chunkLink(list, fresh, load<u32>(chunk, CHUNK_PREVIOUS));
  return directoryInsert(fresh);
}

/** Of the free slots right in front of slot `i`, where `before` is, the one to take; NO_SLOT when there is none. */
function roomInFront(chunk: usize, i: u32, before: usize): u32 {
  let first = i;
  while (first > 0 && !chunkRow(chunk, first - 1)) first--;
  if (first == i) return NO_SLOT;
  return first + freeInFront(first > 0 ? chunkRow(chunk, first - 1) : 0, before, i - first - 1);
}

/** How many of `slots` free slots belong in front of a row between `previous` (0: none) and `before`. */
function freeInFront(previous: usize, before: usize, slots: u32): u32 {
  const born = load<u32>(before, ROW_BORN);
  const bornBefore = previous ? load<u32>(previous, ROW_BORN) : 0;
  if (bornBefore == born) return slots >> 1;
  return bornBefore > born ? 0 : slots;
}

/** Puts a row behind the last one of a chunk that has room there. */
function fillEnd(chunk: usize, row: usize, wild: bool): bool {
  const used = <u32>load<u16>(chunk, CHUNK_USED);
  let end = used;
  while (end > 0 && !chunkRow(chunk, end - 1)) end--;
  if (end == <u32>load<u16>(chunk, CHUNK_CAPACITY)) return false;
  if (end == used) put16(chunk + CHUNK_USED, <u16>(used + 1));
  chunkFill(chunk, end, row, wild);
  return true;
}

/** Replaces `chunk` by one or two copies that hold `row` in front of slot `i`. */
function copyWith(arena: usize, owner: usize, list: usize, chunk: usize, i: u32, row: usize, wild: bool): bool {
  const used = <u32>load<u16>(chunk, CHUNK_USED);
  let inFront: u32 = 0;
  let behind: u32 = 0;
  for (let k: u32 = 0; k < i; k++) if (chunkRow(chunk, k)) inFront++;
  for (let k = i; k < used; k++) if (chunkRow(chunk, k)) behind++;
  const rows = inFront + behind + 1;
  walked(rows);
  const column: u32 = rows > KEEP_FROM ? <u32>load<u16>(chunk, CHUNK_WORD) : ANY_WORD;
  const cut = rows > CUT_FROM && behind > 0;
  // Of two copies the smaller gets the row, and all the room.
  const left = !cut || inFront < behind;
  const right = !cut || !left;
  const capacity = roomy(1 + (left ? inFront : 0) + (right ? behind : 0));
  const free = capacity - 1 - (left ? inFront : 0) - (right ? behind : 0);
  const gap = behind ? freeInFront(i ? chunkRow(chunk, i - 1) : 0, chunkRow(chunk, i), free) : 0;
  let count: u32 = 0;
  let first: usize = 0;
  if (cut && right && inFront) {
    count = stageRows(chunk, 0, i, 0);
    first = chunkMake(arena, owner, staged, count, roomy(count), wild, column);
    if (!first) return false;
  }
  count = left ? stageRows(chunk, 0, i, 0) : 0;
  count = stageFree(gap, count);
  store<u32>(staged + (count++ << 2), <u32>row);
  if (right && behind) count = stageRows(chunk, i, used, stageFree(free - gap, count));
  const own = chunkMake(arena, owner, staged, count, capacity, wild, column);
  if (!own) return false;
  if (first) return replace(arena, list, chunk, first, own);
  if (!cut) return replace(arena, list, chunk, own, 0);
  count = stageRows(chunk, i, used, 0);
  const second = chunkMake(arena, owner, staged, count, roomy(count), wild, column);
  return second && replace(arena, list, chunk, own, second);
}

/** Swings the list over from `chunk` to its copies, which are complete before a reader can reach them. */
function replace(arena: usize, list: usize, chunk: usize, first: usize, second: usize): bool {
  const previous: usize = load<u32>(chunk, CHUNK_PREVIOUS);
  const next: usize = load<u32>(chunk, CHUNK_NEXT);
  const last = second ? second : first;
  store<u32>(first, <u32>previous, CHUNK_PREVIOUS);
  store<u32>(last, <u32>next, CHUNK_NEXT);
  if (second) {
    store<u32>(first, <u32>second, CHUNK_NEXT);
    store<u32>(second, <u32>first, CHUNK_PREVIOUS);
  }
  if (next) own32(next + CHUNK_PREVIOUS, <u32>last);
  else own32(list + 4, <u32>last);
  if (previous) put32(previous + CHUNK_NEXT, <u32>first);
  else put32(list, <u32>first);
  directoryReplace(chunk, first);
  if (second && !directoryInsert(second)) return false;
  return retire(RETIRED_MEMORY, <u32>chunk, arena, chunkBytes(load<u16>(chunk, CHUNK_CAPACITY)));
}

/** Stages the rows of slots `from` to `to` as number `count` and on; how many are staged then. */
function stageRows(chunk: usize, from: u32, to: u32, count: u32): u32 {
  let end = count;
  for (let k = from; k < to; k++) {
    const row = chunkRow(chunk, k);
    if (row) store<u32>(staged + (end++ << 2), <u32>row);
  }
  return end;
}

function stageFree(slots: u32, count: u32): u32 {
  memory.fill(staged + (count << 2), 0, slots << 2);
  return count + slots;
}

function roomy(count: u32): u32 {
  const capacity = count + (count < 4 ? 4 : SLACK);
  return capacity > <u32>CHUNK_ROWS ? CHUNK_ROWS : (capacity + 3) & ~3;
}
