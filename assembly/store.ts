/**
 * Stores of the writer into memory that readers may be walking, logged so that a failed batch can be undone.
 *
 * Every in-place store of an update goes through here; memory that was allocated in the same update is written directly
 * and only counted. Undoing the log backwards restores every byte, the allocators' included.
 *
 * The log is a list of segments. Segments behind the first are bumped off the heap's top; a rollback lowers the top again,
 * a commit gives them to the heap's free list.
 *
 * Only the first old value of a word counts. What lies above the top that the heap had when the update began has none at all, and
 * the words that every edit stores, tops of arenas and counts of rows, are found in a small table of what was logged last: a batch
 * of thousands of edits logs a small part of what it stores.
 */
import { CONTROL_ADDRESS, CONTROL_HEAP_TOP, CONTROL_UNDO } from "../src/blob/memory";
import { heapGive, roomTo } from "./heap";

/** Segment: u32 next, u32 previous, u32 end of its entries, then entries (u32 address, u32 old value). */
const SEGMENT_BYTES: usize = 65536;
const SEGMENT_FIRST: usize = 16;
/** In front of the first segment's entries: u32 addresses that are in the log, each where its low bits say. */
const LOGGED_BYTES: usize = 256;
const LOGGED_MASK: usize = LOGGED_BYTES - 4;

let segment: usize = 0;
let cursor: usize = 0;
let end: usize = 0;
let logged: usize = 0;
/** The heap's top when the update began; 0 where nothing is logged. */
let topAtBegin: usize = 0;

/** Costs of the update that is being made: bytes stored, records changed, records looked at. */
export let bytesWritten: u32 = 0;
export let recordsTouched: u32 = 0;
export let recordsWalked: u32 = 0;

/** Stores the three at `into`: who calls from outside reads a global through the embedder's slow side, several times a change. */
export function countCosts(into: usize): void {
  store<u32>(into, bytesWritten);
  store<u32>(into, recordsTouched, 4);
  store<u32>(into, recordsWalked, 8);
}

export function logBegin(): void {
  segment = load<u32>(CONTROL_ADDRESS, CONTROL_UNDO);
  logged = segment + SEGMENT_FIRST;
  cursor = logged + LOGGED_BYTES;
  for (let at = logged; at < cursor; at += 16) v128.store(at, i32x4.splat(0));
  end = segment + SEGMENT_BYTES;
  topAtBegin = load<u32>(CONTROL_ADDRESS, CONTROL_HEAP_TOP);
  costsBegin();
}

/** Nothing is logged from here on: what is done cannot be undone. */
export function logNothing(): void {
  topAtBegin = 0;
  costsBegin();
}

function costsBegin(): void {
  bytesWritten = 0;
  recordsTouched = 0;
  recordsWalked = 0;
}

/** A word of the writer's own: no reader ever looks at it, so that it may be stored without a fence, which takes ten times as long. */
export function own32(address: usize, value: u32): void {
  remember(address);
  bytesWritten += 4;
  store<u32>(address, value);
}

/** A word that readers look at. */
export function put32(address: usize, value: u32): void {
  remember(address);
  bytesWritten += 4;
  atomic.store<u32>(address, value);
}

/**
 * A word that readers look at, and that says the same to them until the update is published, whether they see the store or not: the
 * root that is stored then makes them see it. Without a fence a line that a reader has is not waited for.
 */
export function note32(address: usize, value: u32): void {
  remember(address);
  bytesWritten += 4;
  store<u32>(address, value);
}

export function put64(address: usize, value: u64): void {
  remember(address);
  remember(address + 4);
  bytesWritten += 8;
  atomic.store<u64>(address, value);
}

export function put16(address: usize, value: u16): void {
  remember(address & ~3);
  bytesWritten += 2;
  store<u16>(address, value);
}

export function put8(address: usize, value: u8): void {
  remember(address & ~3);
  bytesWritten += 1;
  store<u8>(address, value);
}

/** Counts `bytes` that were written into fresh memory. */
export function wrote(bytes: u32): void {
  bytesWritten += bytes;
}

export function touched(records: u32): void {
  recordsTouched += records;
}

export function walked(records: u32): void {
  recordsWalked += records;
}

export function logCommit(): void {
  const first: usize = load<u32>(CONTROL_ADDRESS, CONTROL_UNDO);
  let extra: usize = load<u32>(first);
  store<u32>(first, 0);
  segment = first;
  cursor = first + SEGMENT_FIRST + LOGGED_BYTES;
  end = first + SEGMENT_BYTES;
  topAtBegin = 0;
  while (extra) {
    const next: usize = load<u32>(extra);
    heapGive(extra, <u32>SEGMENT_BYTES);
    extra = next;
  }
}

export function logRollback(): void {
  const first: usize = load<u32>(CONTROL_ADDRESS, CONTROL_UNDO);
  while (true) {
    const entries = segment + SEGMENT_FIRST + (segment == first ? LOGGED_BYTES : 0);
    while (cursor > entries) {
      cursor -= 8;
      atomic.store<u32>(load<u32>(cursor), load<u32>(cursor, 4));
    }
    if (segment == first) break;
    segment = load<u32>(segment, 4);
    cursor = load<u32>(segment, 8);
  }
  store<u32>(first, 0);
  store<u32>(CONTROL_ADDRESS, <u32>topAtBegin, CONTROL_HEAP_TOP);
}

/** Logs a word that its new owner may overwrite unlogged: the link in free memory that was just handed out. */
export function remember(address: usize): void {
  if (address >= topAtBegin) return;
  const cell = logged + (address & LOGGED_MASK);
  if (load<u32>(cell) == <u32>address) return;
  store<u32>(cell, <u32>address);
  if (cursor == end) extend();
  store<u32>(cursor, <u32>address);
  store<u32>(cursor, load<u32>(address), 4);
  cursor += 8;
}

/** Room for `entries` more: until they are used, the heap's top does not move under its user. */
export function reserveLog(entries: u32): void {
  if (end - cursor < (<usize>entries) << 3) extend();
}

function extend(): void {
  const fresh: usize = load<u32>(CONTROL_ADDRESS, CONTROL_HEAP_TOP);
  const top = fresh + SEGMENT_BYTES;
  // Without room for its own undoing an update must not go on; the trap reaches the writer, which gives up the engine.
  if (!roomTo(top)) unreachable();
  store<u32>(CONTROL_ADDRESS, <u32>top, CONTROL_HEAP_TOP);
  store<u32>(segment, <u32>fresh);
  store<u32>(segment, <u32>cursor, 8);
  store<u32>(fresh, 0);
  store<u32>(fresh, <u32>segment, 4);
  segment = fresh;
  cursor = fresh + SEGMENT_FIRST;
  end = fresh + SEGMENT_BYTES;
}
