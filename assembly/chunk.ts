/**
 * Chunks: a list of rows in order with one column of hints (see memory.ts for the record).
 *
 * A list belongs to a chain (all its rows but the policy) or to an index (its rows that fix no word); both keep the first
 * chunk at `list` and the last at `list + 4`. Readers follow CHUNK_NEXT only. The writer changes a linked chunk by
 * filling or emptying a slot, or replaces it by copies; a reader in the old chunk goes on there.
 */
import { GENERATION_NEVER, PACKET_DESTINATION, ROW_CHUNK, ROW_DIED, ROW_PLACE } from "../src/blob/layout";
import {
  CHUNK_CAPACITY,
  CHUNK_CHAIN,
  CHUNK_FREE_VALUE,
  CHUNK_LIVE,
  CHUNK_NEXT,
  CHUNK_NODE,
  CHUNK_PREVIOUS,
  CHUNK_ROW_SLOTS,
  CHUNK_USED,
  CHUNK_WORD,
  RETIRED_MEMORY,
} from "../src/blob/memory";
import { arenaAllocate, arenaFresh } from "./arena";
import { directoryCount, directoryRemove } from "./directory";
import { retire } from "./retire";
import { note32, own32, put16, put32, touched, wrote } from "./store";
import { rowWord, WORD_COUNT, wordMask, wordOffset, wordValue } from "./words";

/** Rows from which on choosing a chunk's word is worth the look. */
const CHOOSE_FROM: u32 = 5;
/** Asks chunkMake for the best word. */
export const ANY_WORD: u32 = 0xffff;

export function chunkBytes(capacity: u32): u32 {
  return CHUNK_ROW_SLOTS + 12 * capacity;
}

/** Row in slot `i`, 0 when it is free. */
export function chunkRow(chunk: usize, i: u32): usize {
  return load<u32>(chunk + CHUNK_ROW_SLOTS + (i << 2));
}

/** The slot of `row`, or the number of slots when it is not here. */
export function chunkSlot(chunk: usize, row: usize): u32 {
  const used = <u32>load<u16>(chunk, CHUNK_USED);
  for (let i: u32 = 0; i < used; i++) if (chunkRow(chunk, i) == row) return i;
  return used;
}

/**
 * A new chunk of `count` slots whose rows' addresses lie at `rows`, 0 for a free slot; not linked. 0 without memory. `wild`
 * tells which of a row's fields points back. `column` is its word's offset, ANY_WORD the one that suits these rows best.
 */
export function chunkMake(
  arena: usize,
  owner: usize,
  rows: usize,
  count: u32,
  capacity: u32,
  wild: bool,
  column: u32,
): usize {
  const chunk = arenaAllocate(arena, chunkBytes(capacity));
  if (!chunk) return 0;
  store<u32>(chunk, 0, CHUNK_NEXT);
  store<u32>(chunk, 0, CHUNK_PREVIOUS);
  store<u32>(chunk, <u32>owner, CHUNK_CHAIN);
  store<u16>(chunk, <u16>capacity, CHUNK_CAPACITY);
  store<u16>(chunk, <u16>count, CHUNK_USED);
  const word = column == ANY_WORD ? chooseWord(rows, count) : column;
  store<u16>(chunk, <u16>word, CHUNK_WORD);
  store<u32>(chunk, 0, CHUNK_NODE);
  const slots = chunk + CHUNK_ROW_SLOTS;
  const values = slots + (capacity << 2);
  const masks = values + (capacity << 2);
  let live: u16 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const row: usize = load<u32>(rows + (i << 2));
    if (!row) {
      freeSlot(slots, capacity, i);
      continue;
    }
    rowWord(row, word);
    store<u32>(slots + (i << 2), <u32>row);
    store<u32>(values + (i << 2), wordValue);
    store<u32>(masks + (i << 2), wordMask);
    if (load<u32>(row, ROW_DIED) == GENERATION_NEVER) live++;
    const back = row + (wild ? ROW_PLACE : ROW_CHUNK);
    if (linking) store<u32>(back, <u32>chunk);
    else own32(back, <u32>chunk);
  }
  for (let i = count; i < capacity; i++) freeSlot(slots, capacity, i);
  store<u16>(chunk, live, CHUNK_LIVE);
  wrote(chunkBytes(capacity));
  touched(1);
  return chunk;
}

function freeSlot(slots: usize, capacity: u32, i: u32): void {
  store<u32>(slots + (i << 2), 0);
  store<u32>(slots + ((capacity + i) << 2), CHUNK_FREE_VALUE);
  store<u32>(slots + ((2 * capacity + i) << 2), 0);
}

/** Links `chunk` behind `previous` (0: at the front) in the list at `list`. */
export function chunkLink(list: usize, chunk: usize, previous: usize): void {
  const next: usize = previous ? load<u32>(previous, CHUNK_NEXT) : load<u32>(list);
  store<u32>(chunk, <u32>next, CHUNK_NEXT);
  store<u32>(chunk, <u32>previous, CHUNK_PREVIOUS);
  if (linking && !next) {
    store<u32>(list + 4, <u32>chunk);
    return store<u32>(previous ? previous + CHUNK_NEXT : list, <u32>chunk);
  }
  if (next) own32(next + CHUNK_PREVIOUS, <u32>chunk);
  else own32(list + 4, <u32>chunk);
  if (previous) put32(previous + CHUNK_NEXT, <u32>chunk);
  else put32(list, <u32>chunk);
}

/** Empties the slot of `row`; an empty chunk leaves the list. The row must have passed its grace period. */
export function chunkRemove(arena: usize, list: usize, chunk: usize, row: usize): void {
  const i = chunkSlot(chunk, row);
  const capacity = <u32>load<u16>(chunk, CHUNK_CAPACITY);
  const slots = chunk + CHUNK_ROW_SLOTS;
  put32(slots + ((2 * capacity + i) << 2), 0);
  put32(slots + ((capacity + i) << 2), CHUNK_FREE_VALUE);
  put32(slots + (i << 2), 0);
  const used = <u32>load<u16>(chunk, CHUNK_USED);
  for (let k: u32 = 0; k < used; k++) if (chunkRow(chunk, k)) return;
  directoryRemove(chunk);
  unlink(list, chunk);
  retire(RETIRED_MEMORY, <u32>chunk, arena, chunkBytes(capacity));
}

/** One row fewer is in force in the writer's view. */
export function chunkDied(chunk: usize): void {
  put16(chunk + CHUNK_LIVE, load<u16>(chunk, CHUNK_LIVE) - 1);
  directoryCount(chunk, -1);
}

/** Bit n of the result: slot n's hint lets a packet pass. `packet` is the packet being walked. */
export function chunkHits(chunk: usize, packet: usize): u64 {
  const capacity = <u32>load<u16>(chunk, CHUNK_CAPACITY);
  const used = <u32>load<u16>(chunk, CHUNK_USED);
  const word = v128.splat<u32>(load<u32>(packet + load<u16>(chunk, CHUNK_WORD)));
  const values = chunk + CHUNK_ROW_SLOTS + (capacity << 2);
  const masks = values + (capacity << 2);
  let bits: u64 = 0;
  for (let i: u32 = 0; i < used; i += 4) {
    const same = v128.eq<i32>(v128.and(word, v128.load(masks + (i << 2))), v128.load(values + (i << 2)));
    bits |= (<u64>v128.bitmask<i32>(same)) << i;
  }
  return bits;
}

/** Bit n: slot n's column holds exactly this demand. Used to find a rule by its content. */
export function chunkSame(chunk: usize, value: u32, mask: u32): u64 {
  const capacity = <u32>load<u16>(chunk, CHUNK_CAPACITY);
  const used = <u32>load<u16>(chunk, CHUNK_USED);
  const values = chunk + CHUNK_ROW_SLOTS + (capacity << 2);
  const masks = values + (capacity << 2);
  const wantedValue = v128.splat<u32>(value);
  const wantedMask = v128.splat<u32>(mask);
  let bits: u64 = 0;
  for (let i: u32 = 0; i < used; i += 4) {
    const same = v128.and(
      v128.eq<i32>(wantedValue, v128.load(values + (i << 2))),
      v128.eq<i32>(wantedMask, v128.load(masks + (i << 2))),
    );
    bits |= (<u64>v128.bitmask<i32>(same)) << i;
  }
  return bits;
}

/** While a table is linked its memory is fresh: no log needs to restore it, no reader can be in it. */
export let linking = false;

/** Says that the table whose arena this is is being linked, 0: none is. */
export function chunkLinking(arena: usize): void {
  linking = arena != 0;
  arenaFresh(arena);
}

/** Puts a row into a free slot. */
export function chunkFill(chunk: usize, i: u32, row: usize, wild: bool): void {
  const capacity = <u32>load<u16>(chunk, CHUNK_CAPACITY);
  const slots = chunk + CHUNK_ROW_SLOTS;
  rowWord(row, load<u16>(chunk, CHUNK_WORD));
  put32(slots + (i << 2), <u32>row);
  note32(slots + ((capacity + i) << 2), wordValue);
  note32(slots + ((2 * capacity + i) << 2), wordMask);
  put16(chunk + CHUNK_LIVE, load<u16>(chunk, CHUNK_LIVE) + 1);
  directoryCount(chunk, 1);
  store<u32>(row + (wild ? ROW_PLACE : ROW_CHUNK), <u32>chunk);
  touched(1);
}

function unlink(list: usize, chunk: usize): void {
  const next: usize = load<u32>(chunk, CHUNK_NEXT);
  const previous: usize = load<u32>(chunk, CHUNK_PREVIOUS);
  if (previous) put32(previous + CHUNK_NEXT, <u32>next);
  else put32(list, <u32>next);
  if (next) own32(next + CHUNK_PREVIOUS, <u32>previous);
  else own32(list + 4, <u32>previous);
}

/** The packet word that splits these rows best: many rows demand it, with many values. */
function chooseWord(rows: usize, count: u32): u32 {
  if (count < CHOOSE_FROM) return PACKET_DESTINATION;
  let best: u32 = PACKET_DESTINATION;
  let bestScore: u32 = 0;
  for (let word: u32 = 0; word < WORD_COUNT; word++) {
    const offset = wordOffset(word);
    let seen: u64 = 0;
    let demanded: u32 = 0;
    for (let i: u32 = 0; i < count; i++) {
      const row: usize = load<u32>(rows + (i << 2));
      if (!row) continue;
      rowWord(row, offset);
      if (!wordMask) continue;
      demanded++;
      seen |= (<u64>1) << ((wordValue * 0x9e3779b1) >> 26);
    }
    const score = demanded ? demanded + 2 * <u32>popcnt(seen) : 0;
    if (score > bestScore) {
      bestScore = score;
      best = offset;
      if (demanded == count && <u32>popcnt(seen) * 2 >= count) break;
    }
  }
  return best;
}
