/**
 * Order keys: what tells rows of an indexed chain which of them comes first, without looking at the chain. There are gaps between
 * them for rows to come; where one is used up, the rows behind it are replaced by copies that are farther apart.
 */
import {
  BLOB_ARENA,
  CHAIN_CHUNKS,
  CHAIN_INDEX,
  ROW_BORN,
  ROW_CHAIN,
  ROW_CHUNK,
  ROW_MOVED,
  ROW_NEXT,
  ROW_ORDER,
} from "../src/blob/layout";
import { ORDER_GAP_BITS } from "../src/blob/tuple-space";
import { arenaAllocate } from "./arena";
import { chunkSlot } from "./chunk";
import { chunkInsert } from "./chunk-insert";
import { rowTable } from "./content";
import { generation } from "./retire";
import { rowEnds } from "./row-end";
import { lastRow, nextSlotRow, rowAfter, rowBefore } from "./row-neighbours";
import { put16, touched, wrote } from "./store";
import { indexInsert } from "./tuple-space";

/** Distance of the order keys of a run of rows at one place, as a power of two. */
const RUN_STEP_BITS: u64 = 12;

/** An order key between the neighbours'; where there is no room the rows behind get new ones. */
export function giveOrder(head: usize, before: usize, row: usize): bool {
  const previous = before ? rowBefore(before) : lastRow(head);
  const low: u64 = previous ? load<u64>(previous, ROW_ORDER) : 1;
  if (!before) {
    store<u64>(row, (previous ? low : (<u64>1) << 56) + ((<u64>1) << ORDER_GAP_BITS), ROW_ORDER);
    return true;
  }
  const high = load<u64>(before, ROW_ORDER);
  if (!previous && high > (<u64>2) << ORDER_GAP_BITS) {
    store<u64>(row, high - ((<u64>1) << ORDER_GAP_BITS), ROW_ORDER);
    return true;
  }
  if (high - low < 2) return renew(low, before, row);
  store<u64>(row, low + between(previous, before, high - low), ROW_ORDER);
  return true;
}

/**
 * Where in a gap a new row goes. Rows come in runs: the next one will most likely come between this one and the older of its
 * neighbours, so it stays close to the newer one.
 */
function between(previous: usize, before: usize, gap: u64): u64 {
  const step = (<u64>1) << RUN_STEP_BITS;
  const born = load<u32>(before, ROW_BORN);
  const bornBefore = previous ? load<u32>(previous, ROW_BORN) : 0;
  if (gap < 2 * step || bornBefore == born) return gap >> 1;
  return bornBefore > born ? step : gap - step;
}

/**
 * Spreads `row` and as many rows from `from` on as it takes over the gap behind `low`, by replacing those rows with copies.
 * The copies share counter and state with the rows they replace.
 */
function renew(low: u64, from: usize, row: usize): bool {
  let count: u64 = 1;
  let behind = from;
  let high: u64 = 0;
  while (true) {
    behind = rowAfter(behind);
    high = behind ? load<u64>(behind, ROW_ORDER) : low + ((count + 2) << ORDER_GAP_BITS);
    if (high - low > (count + 2) << 8) break;
    count++;
  }
  const step = (high - low) / (count + 2);
  let order = low + step;
  store<u64>(row, order, ROW_ORDER);
  let old = from;
  while (old != behind) {
    const next = rowAfter(old);
    order += step;
    if (!moveTo(old, order)) return false;
    old = next;
  }
  return true;
}

/** Replaces a row by a copy with another order key, right behind it. */
function moveTo(old: usize, order: u64): bool {
  const head: usize = load<u32>(old, ROW_CHAIN);
  const table = rowTable(old);
  const arena: usize = load<u32>(table, BLOB_ARENA);
  const size = <u32>load<u16>(old, ROW_NEXT);
  const row = arenaAllocate(arena, size);
  if (!row) return false;
  memory.copy(row, old, size);
  store<u32>(row, generation() + 1, ROW_BORN);
  store<u64>(row, order, ROW_ORDER);
  wrote(size);
  touched(1);
  const chunk: usize = load<u32>(old, ROW_CHUNK);
  const after = nextSlotRow(chunk, chunkSlot(chunk, old));
  const at: usize = after ? <usize>load<u32>(after, ROW_CHUNK) : 0;
  if (!chunkInsert(arena, head, head + CHAIN_CHUNKS, at, after ? chunkSlot(at, after) : 0, row, false)) return false;
  if (!indexInsert(arena, load<u32>(head, CHAIN_INDEX), row)) return false;
  put16(old + ROW_MOVED, 1);
  return rowEnds(old);
}
