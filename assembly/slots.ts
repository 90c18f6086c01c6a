/**
 * The hash table of a tuple: extendible hashing, so that no insert pays for a whole table.
 *
 * A directory maps the first bits of a hash to segments of at most SEGMENT_LARGEST slots. A full segment grows, then
 * splits in two by one more bit; when it was told by all bits the directory has, the directory is doubled first: four bytes
 * for some thirty slots. Example: 50,000 keys lie in some 1,700 segments of 528 bytes behind a directory of 8 KiB.
 *
 * Readers take the directory, a segment, a slot. A segment is replaced as a whole: its successors are complete before the
 * directory names them, and the old one stays as it was until its grace period is over. A slot is filled hash first, then
 * bucket. Reference: Fagin, Nievergelt, Pippenger, Strong, "Extendible Hashing", 1979.
 */
import { RETIRED_MEMORY } from "../src/blob/memory";
import {
  DIRECTORY_BYTES,
  DIRECTORY_DEPTH,
  DIRECTORY_SEGMENTS,
  DIRECTORY_SHIFT,
  GROUP_SIZE,
  GROUP_SLOTS_COUNT,
  SEGMENT_DEPTH,
  SEGMENT_GROUPS,
  SEGMENT_LARGEST,
  SEGMENT_MASK,
  SEGMENT_USED,
  SLOT_BUCKET,
  SLOT_HASH,
  TUPLE_DIRECTORY,
} from "../src/blob/tuple-space";
import { arenaAllocate, arenaAllocateAligned, arenaFree } from "./arena";
import { linking } from "./chunk";
import { retire } from "./retire";
import { own32, put32, touched, walked, wrote } from "./store";

const FIRST_SLOTS: u32 = 8;
/** Of a segment's address, which is a multiple of 16, the bits that tell its size. */
const NAME_MASK: u32 = 15;
/** A segment is full when five eighths of its slots are: most groups of four then have a free one. */
const FULL_OF: u32 = 5;
const FULL_PARTS: u32 = 8;

/** A directory of one segment; 0 without memory. */
export function slotsMake(arena: usize): usize {
  const directory = makeDirectory(arena, 1);
  const segment = directory ? makeSegment(arena, FIRST_SLOTS, 0) : 0;
  if (!segment) return 0;
  store<u32>(directory, nameOf(segment), DIRECTORY_SEGMENTS);
  store<u32>(directory, nameOf(segment), DIRECTORY_SEGMENTS + 4);
  return directory;
}

/** The group that is looked into first for `hash`. */
export function groupOf(directory: usize, hash: u32): usize {
  const name = load<u32>(directory + ((hash >>> load<u32>(directory, DIRECTORY_SHIFT)) << 2), DIRECTORY_SEGMENTS);
  const mask: u32 = ((<u32>1) << (name & NAME_MASK)) - 1;
  return <usize>(name & ~NAME_MASK) + SEGMENT_GROUPS + (hash & mask) * GROUP_SIZE;
}

/** The bucket of `hash` if it is in this group, else 0. */
export function bucketIn(group: usize, hash: u32): usize {
  const hits = v128.bitmask<i32>(v128.eq<i32>(v128.load(group), v128.splat<u32>(hash)));
  return hits ? <usize>load<u32>(group + (ctz(hits) << 2), SLOT_BUCKET) : 0;
}

/** The slot of `hash`, or the free one where it would go; its bucket is 0. */
export function slotFind(directory: usize, hash: u32): usize {
  const name = load<u32>(directory + ((hash >>> load<u32>(directory, DIRECTORY_SHIFT)) << 2), DIRECTORY_SEGMENTS);
  const groups = <usize>(name & ~NAME_MASK) + SEGMENT_GROUPS;
  const mask: u32 = ((<u32>1) << (name & NAME_MASK)) - 1;
  const wanted = v128.splat<u32>(hash);
  let i = hash & mask;
  while (true) {
    const group = groups + i * GROUP_SIZE;
    const hashes = v128.load(group);
    const free = v128.eq<i32>(hashes, v128.splat<u32>(0));
    // Free slots come last, so the first of either kind is the hash's if it is here.
    const hits = v128.bitmask<i32>(v128.or(v128.eq<i32>(hashes, wanted), free));
    if (hits) return group + (ctz(hits) << 2);
    i = (i + 1) & mask;
  }
}

/** The slot of `hash`, taken if it was free; 0 without memory, or where too many hashes begin alike. */
export function slotTake(arena: usize, tuple: usize, hash: u32): usize {
  while (true) {
    const directory: usize = load<u32>(tuple, TUPLE_DIRECTORY);
    const slot = slotFind(directory, hash);
    if (load<u32>(slot, SLOT_HASH)) return slot;
    const segment = segmentOf(directory, hash);
    const used = load<u32>(segment, SEGMENT_USED);
    if (used * FULL_PARTS < slotCount(segment) * FULL_OF) {
      put32(slot + SLOT_HASH, hash);
      own32(segment + SEGMENT_USED, used + 1);
      return slot;
    }
    if (!makeRoom(arena, tuple, segment, hash)) return 0;
  }
}

/** Calls `retire` for everything; the tuple's rows are gone. */
export function slotsRetire(arena: usize, directory: usize): void {
  const count: u32 = (<u32>1) << (32 - load<u32>(directory, DIRECTORY_SHIFT));
  let last: usize = 0;
  for (let i: u32 = 0; i < count; i++) {
    const segment: usize = load<u32>(directory + (i << 2), DIRECTORY_SEGMENTS) & ~NAME_MASK;
    if (segment != last) retire(RETIRED_MEMORY, <u32>segment, arena, segmentBytes(slotCount(segment)));
    last = segment;
  }
  retire(RETIRED_MEMORY, <u32>directory, arena, load<u32>(directory, DIRECTORY_BYTES));
}

/** Gives memory back that readers may still be in. */
export function dismiss(arena: usize, address: usize, bytes: u32): bool {
  if (!linking) return retire(RETIRED_MEMORY, <u32>address, arena, bytes);
  arenaFree(arena, address, bytes);
  return true;
}

function segmentOf(directory: usize, hash: u32): usize {
  return (
    load<u32>(directory + ((hash >>> load<u32>(directory, DIRECTORY_SHIFT)) << 2), DIRECTORY_SEGMENTS) & ~NAME_MASK
  );
}

/** What a directory says of a segment: where it is, and in the low bits how many groups it has, as a power of two. */
function nameOf(segment: usize): u32 {
  return <u32>segment | <u32>popcnt(load<u32>(segment, SEGMENT_MASK));
}

/** Replaces a full segment by one without emptied slots, a greater one, or two. */
function makeRoom(arena: usize, tuple: usize, segment: usize, hash: u32): bool {
  const slots = slotCount(segment);
  const depth = load<u32>(segment, SEGMENT_DEPTH);
  let live: u32 = 0;
  for (let i: u32 = 0; i < slots; i++) if (load<u32>(slotAt(segment, i), SLOT_BUCKET)) live++;
  walked(1);
  if (live * 2 <= slots || slots < <u32>SEGMENT_LARGEST) {
    const fresh = makeSegment(arena, live * 2 <= slots ? slots : slots * 2, depth);
    if (!fresh) return false;
    for (let i: u32 = 0; i < slots; i++) enter(fresh, slotAt(segment, i));
    swing(tuple, hash, depth, fresh);
  } else {
    if (depth == 32 - load<u32>(load<u32>(tuple, TUPLE_DIRECTORY), DIRECTORY_SHIFT) && !widen(arena, tuple))
      return false;
    const first = makeSegment(arena, slots, depth + 1);
    const second = first ? makeSegment(arena, slots, depth + 1) : 0;
    if (!second) return false;
    const bit: u32 = (<u32>1) << (31 - depth);
    for (let i: u32 = 0; i < slots; i++) {
      const slot = slotAt(segment, i);
      enter(load<u32>(slot, SLOT_HASH) & bit ? second : first, slot);
    }
    swing(tuple, hash & ~bit, depth + 1, first);
    swing(tuple, hash | bit, depth + 1, second);
  }
  return dismiss(arena, segment, segmentBytes(slots));
}

/** Names `segment` wherever the directory is asked for hashes that agree with `hash` in `depth` bits. */
function swing(tuple: usize, hash: u32, depth: u32, segment: usize): void {
  const directory: usize = load<u32>(tuple, TUPLE_DIRECTORY);
  const free = 32 - load<u32>(directory, DIRECTORY_SHIFT) - depth;
  const first = depth ? (hash >>> (32 - depth)) << free : 0;
  for (let i: u32 = 0; i < (<u32>1) << free; i++)
    put32(directory + DIRECTORY_SEGMENTS + ((first + i) << 2), nameOf(segment));
}

/** A directory that tells one bit more. */
function widen(arena: usize, tuple: usize): bool {
  const old: usize = load<u32>(tuple, TUPLE_DIRECTORY);
  const depth = 32 - load<u32>(old, DIRECTORY_SHIFT);
  if (depth == DIRECTORY_DEPTH) return false;
  const directory = makeDirectory(arena, depth + 1);
  if (!directory) return false;
  for (let i: u32 = 0; i < (<u32>1) << depth; i++) {
    const segment = load<u32>(old + (i << 2), DIRECTORY_SEGMENTS);
    store<u32>(directory + (i << 3), segment, DIRECTORY_SEGMENTS);
    store<u32>(directory + (i << 3), segment, DIRECTORY_SEGMENTS + 4);
  }
  put32(tuple + TUPLE_DIRECTORY, <u32>directory);
  return dismiss(arena, old, load<u32>(old, DIRECTORY_BYTES));
}

function makeDirectory(arena: usize, depth: u32): usize {
  const bytes: u32 = DIRECTORY_SEGMENTS + (4 << depth);
  const directory = arenaAllocate(arena, bytes);
  if (!directory) return 0;
  store<u32>(directory, 32 - depth, DIRECTORY_SHIFT);
  store<u32>(directory, bytes, DIRECTORY_BYTES);
  wrote(bytes);
  return directory;
}

function segmentBytes(slots: u32): u32 {
  return SEGMENT_GROUPS + (slots / GROUP_SLOTS_COUNT) * GROUP_SIZE;
}

function makeSegment(arena: usize, slots: u32, depth: u32): usize {
  const bytes = segmentBytes(slots);
  const segment = arenaAllocateAligned(arena, bytes, SEGMENT_GROUPS);
  if (!segment) return 0;
  memory.fill(segment, 0, bytes);
  store<u32>(segment, slots / GROUP_SLOTS_COUNT - 1, SEGMENT_MASK);
  store<u32>(segment, depth, SEGMENT_DEPTH);
  wrote(bytes);
  touched(1);
  return segment;
}

function slotCount(segment: usize): u32 {
  return (load<u32>(segment, SEGMENT_MASK) + 1) * GROUP_SLOTS_COUNT;
}

function slotAt(segment: usize, i: u32): usize {
  return segment + SEGMENT_GROUPS + (i >>> 2) * GROUP_SIZE + ((i & 3) << 2);
}

/** Copies a slot that has a bucket into a segment with room. */
function enter(segment: usize, from: usize): void {
  const hash = load<u32>(from, SLOT_HASH);
  if (!hash || !load<u32>(from, SLOT_BUCKET)) return;
  const last = slotCount(segment) - 1;
  let i = (hash & load<u32>(segment, SEGMENT_MASK)) * GROUP_SLOTS_COUNT;
  while (load<u32>(slotAt(segment, i), SLOT_HASH)) i = (i + 1) & last;
  const slot = slotAt(segment, i);
  store<u32>(slot, hash, SLOT_HASH);
  store<u32>(slot, load<u32>(from, SLOT_BUCKET), SLOT_BUCKET);
  store<u32>(segment, load<u32>(segment, SEGMENT_USED) + 1, SEGMENT_USED);
}
