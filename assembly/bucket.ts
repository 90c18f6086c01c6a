/**
 * Buckets: the rows of a tuple that share a hash, as entries in order (memory.ts shows one).
 *
 * An entry holds all that most rows are asked, so that a look-up touches no row that it will not offer. A bucket of one
 * entry is one cache line long.
 *
 * Readers come by a slot and go on to the entry that is flagged the last. The writer appends by flagging a further entry,
 * empties an entry when its row has passed its grace period, and otherwise swings the slot to a copy. A row knows its
 * entry (ROW_PLACE), an entry its number in the bucket and its tuple's in the index.
 */
import { ROW_BORN, ROW_DIED, ROW_ORDER, ROW_PLACE } from "../src/blob/layout";
import {
  BUCKET_LARGEST,
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
  SLOT_BUCKET,
  TUPLE_LANES,
} from "../src/blob/tuple-space";
import { arenaAllocateAligned } from "./arena";
import { linking } from "./chunk";
import { dismiss } from "./slots";
import { note32, own32, put32, wrote } from "./store";
import {
  demand,
  LANES_IPV4,
  leastPorts,
  maskHigh,
  maskLow,
  mostPorts,
  rowAddressBytes,
  valueHigh,
  valueLow,
} from "./tuple";
import { rowIsPlain } from "./words";

/** Entries of the bucket, emptied ones included; 0 without a bucket. */
export function bucketLength(bucket: usize): u32 {
  if (!bucket) return 0;
  let count: u32 = 1;
  for (let entry = bucket; !(load<u32>(entry, ENTRY_FLAGS) & ENTRY_LAST); entry += ENTRY_SIZE) count++;
  return count;
}

/** Adds `row` to the bucket that `slot` names. `number` is its tuple's. False without memory. */
export function bucketInsert(arena: usize, tuple: usize, number: u32, slot: usize, row: usize): bool {
  const bucket: usize = load<u32>(slot, SLOT_BUCKET);
  const used = bucketLength(bucket);
  const order = load<u64>(row, ROW_ORDER);
  if (used && used < capacityOf(bucket) && load<u64>(entryAt(bucket, used - 1), ENTRY_ORDER) < order) {
    const last = entryAt(bucket, used - 1);
    fill(entryAt(bucket, used), tuple, number, used, row);
    put32(last + ENTRY_FLAGS, load<u32>(last, ENTRY_FLAGS) & ~ENTRY_LAST);
    return true;
  }
  let live: u32 = 1;
  for (let i: u32 = 0; i < used; i++) if (load<u32>(entryAt(bucket, i), ENTRY_ROW)) live++;
  const capacity = roomFor(live);
  const fresh = arenaAllocateAligned(arena, capacity * ENTRY_SIZE, 0);
  if (!fresh) return false;
  let at: u32 = 0;
  let placed = false;
  for (let i: u32 = 0; i < used; i++) {
    const from = entryAt(bucket, i);
    if (!placed && load<u64>(from, ENTRY_ORDER) > order) {
      fill(entryAt(fresh, at), tuple, number, at, row);
      at++;
      placed = true;
    }
    if (load<u32>(from, ENTRY_ROW)) move(from, entryAt(fresh, at), at++);
  }
  if (!placed) fill(entryAt(fresh, at), tuple, number, at++, row);
  for (let i: u32 = 0; i < at; i++) {
    const entry = entryAt(fresh, i);
    const flags = load<u32>(entry, ENTRY_FLAGS) & ~(ENTRY_LAST | 0xff000000);
    store<u32>(entry, flags | (i + 1 == at ? ENTRY_LAST : 0) | (i ? 0 : capacity << 24), ENTRY_FLAGS);
  }
  wrote(at * ENTRY_SIZE);
  put32(slot + SLOT_BUCKET, <u32>fresh);
  return !bucket || dismiss(arena, bucket, capacityOf(bucket) * ENTRY_SIZE);
}

/** Empties the entry of a row that has passed its grace period. Whether that was the bucket's last row. */
export function bucketRemove(entry: usize): bool {
  put32(entry + ENTRY_DIED, 0);
  put32(entry + ENTRY_ROW, 0);
  let other = bucketOf(entry);
  while (!load<u32>(other, ENTRY_ROW)) {
    if (load<u32>(other, ENTRY_FLAGS) & ENTRY_LAST) return true;
    other += ENTRY_SIZE;
  }
  return false;
}

/** Frees a bucket without rows, which no slot names any more. */
export function bucketDismiss(arena: usize, bucket: usize): void {
  dismiss(arena, bucket, capacityOf(bucket) * ENTRY_SIZE);
}

/** The bucket that `entry` stands in. */
export function bucketOf(entry: usize): usize {
  return entry - ((load<u32>(entry, ENTRY_FLAGS) >>> 8) & 0xff) * ENTRY_SIZE;
}

/** Number of the tuple that `entry` belongs to. */
export function entryTuple(entry: usize): u32 {
  return (load<u32>(entry, ENTRY_FLAGS) >>> 16) & 0xff;
}

/** Tells a row's entry that it dies with `generation`; rows that have none do not mind. */
export function entryDied(row: usize, generation: u32): void {
  const place: usize = load<u32>(row, ROW_PLACE);
  if (place & 1) note32(place - 1 + ENTRY_DIED, generation);
}

function entryAt(bucket: usize, i: u32): usize {
  return bucket + i * ENTRY_SIZE;
}

function capacityOf(bucket: usize): u32 {
  return load<u32>(bucket, ENTRY_FLAGS) >>> 24;
}

/** Powers of two up to eight, then eights. */
function roomFor(count: u32): u32 {
  const room = count <= 2 ? count : count <= 4 ? 4 : (count + 7) & ~7;
  return room > <u32>BUCKET_LARGEST ? BUCKET_LARGEST : room;
}

/** Writes the entry of `row` as the last of its bucket. */
function fill(entry: usize, tuple: usize, number: u32, at: u32, row: usize): void {
  const lanes = load<u32>(tuple, TUPLE_LANES);
  demand(row, lanes);
  store<u64>(entry, valueLow, ENTRY_VALUE);
  store<u64>(entry, valueHigh, ENTRY_VALUE + 8);
  store<u64>(entry, maskLow, ENTRY_MASK);
  store<u64>(entry, maskHigh, ENTRY_MASK + 8);
  store<u32>(entry, leastPorts, ENTRY_LEAST);
  store<u32>(entry, mostPorts, ENTRY_MOST);
  store<u64>(entry, load<u64>(row, ROW_ORDER), ENTRY_ORDER);
  store<u32>(entry, <u32>row, ENTRY_ROW);
  store<u32>(entry, load<u32>(row, ROW_BORN), ENTRY_BORN);
  store<u32>(entry, load<u32>(row, ROW_DIED), ENTRY_DIED);
  let flags = ENTRY_LAST | (at << 8) | (number << 16);
  if (isRange()) flags |= ENTRY_RANGE;
  const bytes = rowAddressBytes(row);
  if (bytes == 4 && lanes == LANES_IPV4 && rowIsPlain(row, bytes)) flags |= ENTRY_WHOLE;
  store<u32>(entry, flags, ENTRY_FLAGS);
  name(row, entry);
  wrote(ENTRY_SIZE);
}

/** Whether the ports that demand found are not told by value and mask alone. */
function isRange(): bool {
  const ports = <u32>maskHigh;
  const source = ports & 0xffff;
  const destination = ports >>> 16;
  const spreadSource = (mostPorts & 0xffff) - (leastPorts & 0xffff);
  const spreadDestination = (mostPorts >>> 16) - (leastPorts >>> 16);
  return spreadSource != (~source & 0xffff) || spreadDestination != (~destination & 0xffff);
}

function move(from: usize, to: usize, at: u32): void {
  memory.copy(to, from, ENTRY_SIZE);
  store<u32>(to, (load<u32>(from, ENTRY_FLAGS) & ~0xff00) | (at << 8), ENTRY_FLAGS);
  name(load<u32>(from, ENTRY_ROW), to);
}

function name(row: usize, entry: usize): void {
  if (linking) store<u32>(row, <u32>(entry + 1), ROW_PLACE);
  else own32(row + ROW_PLACE, <u32>(entry + 1));
}
