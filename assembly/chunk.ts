/**
 * Chunks: a list of rows in order with one column of hints (see memory.ts for the record).
 *
 * A list belongs to a chain (all its rows but the policy) or to an index (its rows that fix no word); both keep the first
 * chunk at `list` and the last at `list + 4`. Readers follow CHUNK_NEXT only. The writer changes a linked chunk by
 * filling or emptying a slot, or replaces it by copies; a reader in the old chunk goes on there.
 */
import { GENERATION_NEVER, PACKET_DESTINATION, ROW_CHUNK, ROW_DIED, ROW_NEXT_SAME } from "../src/blob/layout";
import {
  CHUNK_CAPACITY,
  CHUNK_CHAIN,
  CHUNK_FREE_VALUE,
  CHUNK_LIVE,
  CHUNK_NEXT,
  CHUNK_PREVIOUS,
  CHUNK_ROW_SLOTS,
  CHUNK_ROWS,
  CHUNK_USED,
  CHUNK_WORD,
  RETIRED_MEMORY,
} from "../src/blob/memory";
import { arenaAllocate } from "./arena";
import { retire } from "./retire";
import { put16, put32, touched, walked, wrote } from "./store";
import { rowWord, WORD_COUNT, wordMask, wordOffset, wordValue } from "./words";

/** Rows from which on choosing a chunk's word is worth the look. */
const CHOOSE_FROM: u32 = 5;
/** Room at the end of a chunk that was copied to make room. */
const SLACK: u32 = 12;

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

/** A new chunk of `count` rows whose addresses lie at `rows`, not linked; 0 without memory. `wild` tells which of a row's fields points back. */
export function chunkMake(arena: usize, owner: usize, rows: usize, count: u32, capacity: u32, wild: bool): usize {
  const chunk = arenaAllocate(arena, chunkBytes(capacity));
  if (!chunk) return 0;
  store<u32>(chunk, 0, CHUNK_NEXT);
  store<u32>(chunk, 0, CHUNK_PREVIOUS);
  store<u32>(chunk, <u32>owner, CHUNK_CHAIN);
  store<u16>(chunk, <u16>capacity, CHUNK_CAPACITY);
  store<u16>(chunk, <u16>count, CHUNK_USED);
  const word = chooseWord(rows, count);
  store<u16>(chunk, <u16>word, CHUNK_WORD);
  const slots = chunk + CHUNK_ROW_SLOTS;
  const values = slots + (capacity << 2);
  const masks = values + (capacity << 2);
  let live: u16 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const row: usize = load<u32>(rows + (i << 2));
    rowWord(row, word);
    store<u32>(slots + (i << 2), <u32>row);
    store<u32>(values + (i << 2), wordValue);
    store<u32>(masks + (i << 2), wordMask);
    if (load<u32>(row, ROW_DIED) == GENERATION_NEVER) live++;
    const back = row + (wild ? ROW_NEXT_SAME : ROW_CHUNK);
    if (linking) store<u32>(back, <u32>chunk);
    else put32(back, <u32>chunk);
  }
  for (let i = count; i < capacity; i++) {
    store<u32>(slots + (i << 2), 0);
    store<u32>(values + (i << 2), CHUNK_FREE_VALUE);
    store<u32>(masks + (i << 2), 0);
  }
  store<u16>(chunk, live, CHUNK_LIVE);
  wrote(chunkBytes(capacity));
  touched(1);
  return chunk;
}

/** Links `chunk` behind `previous` (0: at the front) in the list at `list`. */
export function chunkLink(list: usize, chunk: usize, previous: usize): void {
  const next: usize = previous ? load<u32>(previous, CHUNK_NEXT) : load<u32>(list);
  store<u32>(chunk, <u32>next, CHUNK_NEXT);
  store<u32>(chunk, <u32>previous, CHUNK_PREVIOUS);
  if (next) put32(next + CHUNK_PREVIOUS, <u32>chunk);
  else put32(list + 4, <u32>chunk);
  if (previous) put32(previous + CHUNK_NEXT, <u32>chunk);
  else put32(list, <u32>chunk);
}

/**
 * Puts `row` in front of slot `slot` of `chunk`, or at the list's end when `chunk` is 0. False without memory.
 * Invariant kept: the rows of the list, free slots aside, stand in order.
 */
export function chunkInsert(
  arena: usize,
  owner: usize,
  list: usize,
  at: usize,
  slot: u32,
  row: usize,
  wild: bool,
): bool {
  let chunk = at;
  let i = slot;
  if (!chunk) {
    chunk = load<u32>(list, 4);
    if (!chunk) {
      const first = chunkMake(arena, owner, oneRow(row), 1, 4, wild);
      if (!first) return false;
      chunkLink(list, first, 0);
      return true;
    }
    i = load<u16>(chunk, CHUNK_USED);
  }
  if (i > 0 && chunkRow(chunk, i - 1) == 0) {
    fill(chunk, i - 1, row, wild);
    return true;
  }
  const used = <u32>load<u16>(chunk, CHUNK_USED);
  const capacity = <u32>load<u16>(chunk, CHUNK_CAPACITY);
  if (i == used && used < capacity) {
    put16(chunk + CHUNK_USED, <u16>(used + 1));
    fill(chunk, used, row, wild);
    return true;
  }
  if (i == used && used == CHUNK_ROWS && !load<u32>(chunk, CHUNK_NEXT)) {
    const last = chunkMake(arena, owner, oneRow(row), 1, CHUNK_ROWS / 2, wild);
    if (!last) return false;
    chunkLink(list, last, chunk);
    return true;
  }
  return copyWith(arena, owner, list, chunk, i, row, wild);
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
  unlink(list, chunk);
  retire(RETIRED_MEMORY, <u32>chunk, arena, chunkBytes(capacity));
}

/** One row fewer is in force in the writer's view. */
export function chunkDied(chunk: usize): void {
  put16(chunk + CHUNK_LIVE, load<u16>(chunk, CHUNK_LIVE) - 1);
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

/** While a table is linked its rows are fresh memory, which no log needs to restore. */
let linking = false;

export function chunkLinking(on: bool): void {
  linking = on;
}

let staged: usize = 0;

/** Address of a 65-word staging area for row addresses; allocated with the engine. */
export function chunkStaging(address: usize): void {
  staged = address;
}

function oneRow(row: usize): usize {
  store<u32>(staged, <u32>row);
  return staged;
}

function fill(chunk: usize, i: u32, row: usize, wild: bool): void {
  const capacity = <u32>load<u16>(chunk, CHUNK_CAPACITY);
  const slots = chunk + CHUNK_ROW_SLOTS;
  rowWord(row, load<u16>(chunk, CHUNK_WORD));
  put32(slots + (i << 2), <u32>row);
  put32(slots + ((capacity + i) << 2), wordValue);
  put32(slots + ((2 * capacity + i) << 2), wordMask);
  put16(chunk + CHUNK_LIVE, load<u16>(chunk, CHUNK_LIVE) + 1);
  store<u32>(row + (wild ? ROW_NEXT_SAME : ROW_CHUNK), <u32>chunk);
  touched(1);
}

/** Replaces `chunk` by one or two copies that hold `row` in front of slot `i`. */
function copyWith(arena: usize, owner: usize, list: usize, chunk: usize, i: u32, row: usize, wild: bool): bool {
  const used = <u32>load<u16>(chunk, CHUNK_USED);
  let count: u32 = 0;
  for (let k: u32 = 0; k <= used; k++) {
    if (k == i) store<u32>(staged + (count++ << 2), <u32>row);
    const old = k < used ? chunkRow(chunk, k) : 0;
    if (old) store<u32>(staged + (count++ << 2), <u32>old);
  }
  walked(count);
  const previous: usize = load<u32>(chunk, CHUNK_PREVIOUS);
  const half = count > <u32>CHUNK_ROWS ? count >> 1 : count;
  const first = chunkMake(arena, owner, staged, half, roomy(half), wild);
  if (!first) return false;
  let second: usize = 0;
  if (half < count) {
    second = chunkMake(arena, owner, staged + (half << 2), count - half, roomy(count - half), wild);
    if (!second) return false;
  }
  // The copies are complete before a reader can reach them: the last store swings the link in front.
  const next: usize = load<u32>(chunk, CHUNK_NEXT);
  const last = second ? second : first;
  store<u32>(first, <u32>previous, CHUNK_PREVIOUS);
  store<u32>(last, <u32>next, CHUNK_NEXT);
  if (second) {
    store<u32>(first, <u32>second, CHUNK_NEXT);
    store<u32>(second, <u32>first, CHUNK_PREVIOUS);
  }
  if (next) put32(next + CHUNK_PREVIOUS, <u32>last);
  else put32(list + 4, <u32>last);
  if (previous) put32(previous + CHUNK_NEXT, <u32>first);
  else put32(list, <u32>first);
  return retire(RETIRED_MEMORY, <u32>chunk, arena, chunkBytes(load<u16>(chunk, CHUNK_CAPACITY)));
}

function roomy(count: u32): u32 {
  const capacity = count + (count < 4 ? 4 : SLACK);
  return capacity > <u32>CHUNK_ROWS ? CHUNK_ROWS : (capacity + 3) & ~3;
}

function unlink(list: usize, chunk: usize): void {
  const next: usize = load<u32>(chunk, CHUNK_NEXT);
  const previous: usize = load<u32>(chunk, CHUNK_PREVIOUS);
  if (previous) put32(previous + CHUNK_NEXT, <u32>next);
  else put32(list, <u32>next);
  if (next) put32(next + CHUNK_PREVIOUS, <u32>previous);
  else put32(list + 4, <u32>previous);
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
      rowWord(load<u32>(rows + (i << 2)), offset);
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
