/**
 * The tuple-space index of a chain.
 *
 * Problem. A chain of n rules costs n looks a packet, though most rules fix the destination, the protocol, a port.
 * Idea (Srinivasan, Suri, Varghese, "Packet Classification using Tuple Space Search", 1999; Open vSwitch's classifier; Daly
 *   and Torng's TupleMerge, 2017). Rules that fix at least the bits of a tuple share a hash table; one probe finds those that
 *   may match. Tuples hash fewer bits than their rules fix (relax.ts), so a few tuples do for many shapes of rule; what
 *   a rule demands beyond stands in its entry (bucket.ts), beside the slot, and no row is touched before its entry passed.
 * Order. A chain is not a classifier: a rule that fires may return to the chain, so rules must be offered in chain order.
 *   Every row carries an order key; `indexNext` gives the least candidate behind the last one offered.
 *   Example: rules 1 LOG any, 2 dst A port 80, 3 dst A, 4 dst B. A packet to A:80 is offered 1, 2, 3 and never 4.
 * Build. At load for chains of INDEX_THRESHOLD rows, or when an edit makes a chain that long. Shapes that a quarter of the
 *   rows have get tuples of their own first; then every row goes where an insert would put it.
 * Insert. Into the finest tuple that fits and has room in the row's bucket, else into a new, coarser one; where neither can
 *   be, into a greater bucket, and in the end among the rows that are compared by columns, in chunks. Order keys have gaps;
 *   where one is used up the rows behind are replaced by copies with new keys, which is an edit like any other.
 * Match. Tuples whose rules do not know the packet's addresses (prune.ts), or all come behind the best rule found, are not
 *   probed. Tuples stand in the order in which their first rules do, so the best is found early.
 * Cost. At most 32 probes, some 8 bytes a row for the slot and 64 for the entry; a relaxed tuple compares a few entries.
 *   Rules that only a range or an inversion tells apart share a bucket up to BUCKET_LARGEST, then a column.
 * Threads. Readers see a bucket only through its slot, a segment through its directory, each changed by one store.
 */
import {
  BLOB_ARENA,
  CHAIN_CHUNKS,
  CHAIN_INDEX,
  CHAIN_LIVE_ROWS,
  CHAIN_TABLE,
  GENERATION_NEVER,
  ROW_ORDER,
  ROW_PLACE,
} from "../src/blob/layout";
import { CHUNK_NEXT, CHUNK_USED, RETIRED_MEMORY } from "../src/blob/memory";
import {
  BUCKET_LARGEST,
  BUCKET_WANTED,
  ENTRY_DIED,
  ENTRY_FLAGS,
  ENTRY_LAST,
  ENTRY_ORDER,
  ENTRY_ROW,
  ENTRY_SIZE,
  ENTRY_VALUE,
  INDEX_ASCENDS,
  INDEX_CHAIN,
  INDEX_CHUNKS,
  INDEX_LAST_CHUNK,
  INDEX_PRUNE,
  INDEX_REST_ORDER,
  INDEX_ROWS,
  INDEX_SIZE,
  INDEX_TUPLE_COUNT,
  INDEX_TUPLES,
  ORDER_GAP_BITS,
  PRUNE_THRESHOLD,
  SLOT_BUCKET,
  TUPLE_DIRECTORY,
  TUPLE_LANES,
  TUPLE_MAX_ORDER,
  TUPLE_MIN_ORDER,
  TUPLE_RANK,
  TUPLE_SIZE,
} from "../src/blob/tuple-space";
import { arenaAllocateAligned } from "./arena";
import { bucketDismiss, bucketInsert, bucketLength, bucketOf, bucketRemove, entryTuple } from "./bucket";
import { chunkRemove, chunkRow } from "./chunk";
import { chunkInsert } from "./chunk-insert";
import { sameRule } from "./content";
import { slotsRetire, slotFind, slotTake } from "./slots";
import { pruneAdd, pruneBytes, pruneMake } from "./prune";
import { shape, shapeHigh, shapeLanes, shapeLow, shapeOf, SHAPES } from "./relax";
import { retire } from "./retire";
import { own32, put32, put64, touched, walked, wrote } from "./store";
import { survey } from "./survey";
import {
  demand,
  demandForget,
  rowAddressBytes,
  tupleFits,
  tupleHash,
  tupleMake,
  tupleNumber,
  valueHigh,
  valueLow,
} from "./tuple";

const NO_ORDER: u64 = 0xffffffffffffffff;
const FIRST_ORDER: u64 = (<u64>1) << 56;

/** Builds the index of the chain at `head` over all rows in its chunks, and gives them order keys. False without memory. */
export function indexBuild(head: usize): bool {
  const arena: usize = load<u32>(load<u32>(head, CHAIN_TABLE), BLOB_ARENA);
  // Lines of its own: every packet looks at it, and the writer's words lie all around.
  const index = arenaAllocateAligned(arena, INDEX_SIZE, 0);
  if (!index) return false;
  memory.fill(index, 0, INDEX_SIZE);
  store<u32>(index, <u32>head, INDEX_CHAIN);
  store<u64>(index, NO_ORDER, INDEX_REST_ORDER);
  if (!survey(arena, index, head)) return false;
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
  store<u32>(index, <u32>ascends(index), INDEX_ASCENDS);
  wrote(INDEX_SIZE);
  put32(head + CHAIN_INDEX, <u32>index);
  return true;
}

/** Whether no tuple holds a row of lesser order than the tuples in front of it. */
function ascends(index: usize): bool {
  let least: u64 = 0;
  for (let i: u32 = 0; i < load<u32>(index, INDEX_TUPLE_COUNT); i++) {
    const order = load<u64>(load<u32>(index + (i << 2), INDEX_TUPLES), TUPLE_MIN_ORDER);
    if (order < least) return false;
    least = order;
  }
  return true;
}

/** Adds a row that has its order key. False without memory. */
export function indexInsert(arena: usize, index: usize, row: usize): bool {
  touched(1);
  demandForget();
  const fitting = fits(index, row);
  let number = roomiest(index, row, fitting, BUCKET_WANTED);
  if (number < 0) number = finer(arena, index, row);
  if (number < 0) number = roomiest(index, row, fitting, BUCKET_LARGEST);
  return number < 0 ? restInsert(arena, index, row) : join(arena, index, <u32>number, row);
}

/** Takes out a row that has passed its grace period. */
export function indexRemove(arena: usize, index: usize, row: usize): void {
  const place: usize = load<u32>(row, ROW_PLACE);
  if (!(place & 1)) return chunkRemove(arena, index + INDEX_CHUNKS, place, row);
  const entry = place - 1;
  const tuple: usize = load<u32>(index + (entryTuple(entry) << 2), INDEX_TUPLES);
  own32(index + INDEX_ROWS, load<u32>(index, INDEX_ROWS) - 1);
  if (!bucketRemove(entry)) return;
  const hash = tupleHash(tuple, load<u64>(entry, ENTRY_VALUE), load<u64>(entry, ENTRY_VALUE + 8));
  put32(slotFind(load<u32>(tuple, TUPLE_DIRECTORY), hash) + SLOT_BUCKET, 0);
  bucketDismiss(arena, bucketOf(entry));
}

/** The first rule in force in a tuple that says the same as `staged`, which knows its chain; 0 when there is none. */
export function indexFind(index: usize, staged: usize): usize {
  let best: usize = 0;
  demandForget();
  for (let bits = fits(index, staged); bits; bits &= bits - 1) {
    const bucket = bucketFor(load<u32>(index + ((<u32>ctz(bits)) << 2), INDEX_TUPLES), staged);
    if (!bucket) continue;
    for (let entry = bucket; ; entry += ENTRY_SIZE) {
      const row: usize = load<u32>(entry, ENTRY_ROW);
      walked(1);
      if (row && load<u32>(entry, ENTRY_DIED) == GENERATION_NEVER && sameRule(row, staged, false)) {
        if (!best || load<u64>(entry, ENTRY_ORDER) < load<u64>(best, ROW_ORDER)) best = row;
        break;
      }
      if (load<u32>(entry, ENTRY_FLAGS) & ENTRY_LAST) break;
    }
  }
  return best;
}

/** Retires an index whose rows are gone. */
export function indexRetire(arena: usize, index: usize): void {
  const count = load<u32>(index, INDEX_TUPLE_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const tuple: usize = load<u32>(index + (i << 2), INDEX_TUPLES);
    slotsRetire(arena, load<u32>(tuple, TUPLE_DIRECTORY));
    retire(RETIRED_MEMORY, <u32>tuple, arena, TUPLE_SIZE);
  }
  const prune = load<u32>(index, INDEX_PRUNE);
  if (prune) retire(RETIRED_MEMORY, prune, arena, pruneBytes(prune));
  retire(RETIRED_MEMORY, <u32>index, arena, INDEX_SIZE);
}

/** A bit for each tuple that the row may join. */
function fits(index: usize, row: usize): u32 {
  const count = load<u32>(index, INDEX_TUPLE_COUNT);
  let bits: u32 = 0;
  let lanes: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const tuple: usize = load<u32>(index + (i << 2), INDEX_TUPLES);
    if (load<u32>(tuple, TUPLE_LANES) != lanes) {
      lanes = load<u32>(tuple, TUPLE_LANES);
      demand(row, lanes);
    }
    if (tupleFits(tuple)) bits |= (<u32>1) << i;
  }
  return bits;
}

/** The number of the finest of these tuples where the row's bucket holds fewer than `limit` entries; -1 for none. */
function roomiest(index: usize, row: usize, fitting: u32, limit: u32): i32 {
  let bits = fitting;
  while (bits) {
    let finest: u32 = 0;
    let rank: i32 = -1;
    for (let left = bits; left; left &= left - 1) {
      const at = <i32>load<u32>(load<u32>(index + ((<u32>ctz(left)) << 2), INDEX_TUPLES), TUPLE_RANK);
      if (at <= rank) continue;
      rank = at;
      finest = <u32>ctz(left);
    }
    if (bucketLength(bucketFor(load<u32>(index + (finest << 2), INDEX_TUPLES), row)) < limit) return <i32>finest;
    bits &= ~((<u32>1) << finest);
  }
  return -1;
}

/** The number of a new tuple for the row, the coarsest that is not there yet; -1 when there is none. */
function finer(arena: usize, index: usize, row: usize): i32 {
  const count = load<u32>(index, INDEX_TUPLE_COUNT);
  shapeOf(row);
  for (let n: u32 = 0; n < SHAPES; n++) {
    if (!shape(row, n) || tupleNumber(index, shapeLanes, shapeLow, shapeHigh) < count) continue;
    return tupleMake(arena, index, shapeLanes, shapeLow, shapeHigh) ? <i32>count : -1;
  }
  return -1;
}

/** Puts the row into the tuple of this number. */
function join(arena: usize, index: usize, number: u32, row: usize): bool {
  const tuple: usize = load<u32>(index + (number << 2), INDEX_TUPLES);
  demand(row, load<u32>(tuple, TUPLE_LANES));
  const slot = slotTake(arena, tuple, tupleHash(tuple, valueLow, valueHigh));
  if (!slot) return restInsert(arena, index, row);
  if (!bucketInsert(arena, tuple, number, slot, row)) return false;
  const order = load<u64>(row, ROW_ORDER);
  if (order < load<u64>(tuple, TUPLE_MIN_ORDER)) {
    put64(tuple + TUPLE_MIN_ORDER, order);
    if (load<u32>(index, INDEX_ASCENDS) && !ascends(index)) put32(index + INDEX_ASCENDS, 0);
  }
  if (order > load<u64>(tuple, TUPLE_MAX_ORDER)) put64(tuple + TUPLE_MAX_ORDER, order);
  const rows = load<u32>(index, INDEX_ROWS) + 1;
  own32(index + INDEX_ROWS, rows);
  const prune: usize = load<u32>(index, INDEX_PRUNE);
  if (prune) pruneAdd(prune, number, row);
  else if (rows == PRUNE_THRESHOLD && rowAddressBytes(row) == 4) return makePrune(arena, index);
  return true;
}

/** The prune table of all rows that are in tuples, few yet. */
function makePrune(arena: usize, index: usize): bool {
  const head: usize = load<u32>(index, INDEX_CHAIN);
  const prune = pruneMake(arena, load<u32>(head, CHAIN_LIVE_ROWS));
  if (!prune) return false;
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    for (let i: u32 = 0; i < used; i++) {
      const row = chunkRow(chunk, i);
      const place: usize = row ? <usize>load<u32>(row, ROW_PLACE) : 0;
      if (place & 1) pruneAdd(prune, entryTuple(place - 1), row);
    }
  }
  put32(index + INDEX_PRUNE, <u32>prune);
  return true;
}

/** The bucket that the row shares in a tuple that it fits; 0 when it would be the first. */
function bucketFor(tuple: usize, row: usize): usize {
  demand(row, load<u32>(tuple, TUPLE_LANES));
  return load<u32>(slotFind(load<u32>(tuple, TUPLE_DIRECTORY), tupleHash(tuple, valueLow, valueHigh)), SLOT_BUCKET);
}

/** Puts the row among those that no tuple takes. */
function restInsert(arena: usize, index: usize, row: usize): bool {
  const order = load<u64>(row, ROW_ORDER);
  if (order < load<u64>(index, INDEX_REST_ORDER)) put64(index + INDEX_REST_ORDER, order);
  const list = index + INDEX_CHUNKS;
  let chunk: usize = load<u32>(index, INDEX_LAST_CHUNK);
  if (chunk && lastOrder(chunk) < order) return chunkInsert(arena, index, list, 0, 0, row, true);
  for (chunk = load<u32>(list); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    if (lastOrder(chunk) < order) continue;
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
