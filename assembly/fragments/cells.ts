/**
 * Where fragments wait: cells of one size, and datagrams in buckets. Readers cannot allocate, so all cells are reserved when
 * the engine is made. Whoever calls holds the lock; fragments are rare.
 */
import {
  CELL_NEXT,
  CELL_SIZE,
  CELLS_COUNT,
  DATAGRAM_BYTES,
  DATAGRAM_EXPIRES,
  DATAGRAM_FRAGMENTS,
  DATAGRAM_ID,
  DATAGRAM_MISSED,
  DATAGRAM_SOURCE,
  FRAGMENT_MORE,
  FRAGMENTS_BUCKETS,
  FRAGMENTS_BUCKETS_COUNT,
  FRAGMENTS_CELLS,
  FRAGMENTS_FREE,
  FRAGMENTS_HEADER_SIZE,
  FRAGMENTS_SWEPT,
  FRAGMENTS_TOP,
  WHOLE_SIZE,
} from "../../src/blob/fragments";
import {
  CONTROL_ADDRESS,
  CONTROL_FRAGMENTS,
  CONTROL_READERS,
  READER_SIZE,
  READER_WHOLE,
  READERS_ADDRESS,
} from "../../src/blob/memory";
import { heapReserve } from "../heap";

/** Bytes of the key, which two datagrams never share. */
export const KEY_BYTES: usize = 64;
/** Milliseconds between two searches for datagrams that have waited too long. */
const SWEEP_EVERY: i32 = 1000;

/** Makes room for them, and for what each reader puts together. False without memory. */
export function fragmentsInit(): bool {
  const readers = load<u32>(CONTROL_ADDRESS, CONTROL_READERS);
  const wholes = heapReserve(WHOLE_SIZE * readers);
  const table = wholes ? heapReserve(FRAGMENTS_HEADER_SIZE + CELL_SIZE * CELLS_COUNT) : 0;
  if (!table) return false;
  memory.fill(table, 0, FRAGMENTS_HEADER_SIZE);
  store<u32>(table, <u32>table + FRAGMENTS_HEADER_SIZE, FRAGMENTS_CELLS);
  for (let i: u32 = 0; i < readers; i++)
    store<u32>(READERS_ADDRESS + i * READER_SIZE, <u32>wholes + i * WHOLE_SIZE, READER_WHOLE);
  store<u32>(CONTROL_ADDRESS, <u32>table, CONTROL_FRAGMENTS);
  return true;
}

/** Where they wait. */
export function fragments(): usize {
  return load<u32>(CONTROL_ADDRESS, CONTROL_FRAGMENTS);
}

/**
 * The datagram with the key at `key`, in the form of DATAGRAM_ID and what follows; 0 where none waits. Others of the same
 * source have missed a fragment.
 */
export function datagramFind(key: usize, now: u32): usize {
  const source = v128.load(key, DATAGRAM_SOURCE - DATAGRAM_ID);
  let found: usize = 0;
  for (let at: usize = load<u32>(bucketOf(key)); at; at = load<u32>(at, CELL_NEXT)) {
    if (v128.any_true(v128.xor(source, v128.load(at, DATAGRAM_SOURCE)))) continue;
    if (load<u32>(at, DATAGRAM_ID) == load<u32>(key) && !memory.compare(at + DATAGRAM_ID, key, KEY_BYTES)) found = at;
    else {
      const missed = load<u16>(at, DATAGRAM_MISSED);
      if (missed < 0xffff) store<u16>(at, missed + 1, DATAGRAM_MISSED);
    }
  }
  if (!found || !hasExpired(found, now)) return found;
  datagramForget(found);
  return 0;
}

/** One that begins with its key; 0 where no room is left. */
export function datagramBegin(key: usize, expires: u32, now: u32): usize {
  const at = cellTake(now);
  if (!at) return 0;
  memory.fill(at, 0, DATAGRAM_BYTES);
  memory.copy(at + DATAGRAM_ID, key, KEY_BYTES);
  store<u32>(at, expires, DATAGRAM_EXPIRES);
  const bucket = bucketOf(key);
  store<u32>(at, load<u32>(bucket), CELL_NEXT);
  store<u32>(bucket, <u32>at);
  return at;
}

/** It is whole, or never will be. */
export function datagramForget(datagram: usize): void {
  let link = bucketOf(datagram + DATAGRAM_ID);
  while (load<u32>(link) != <u32>datagram) link = <usize>load<u32>(link) + CELL_NEXT;
  store<u32>(link, load<u32>(datagram, CELL_NEXT));
  for (let at: usize = load<u32>(datagram, DATAGRAM_FRAGMENTS); at; ) {
    const next: usize = load<u32>(at, CELL_NEXT);
    cellsGive(at);
    at = next;
  }
  cellGive(datagram);
}

/** A cell; datagrams that have waited too long make room. 0 where there is none. */
export function cellTake(now: u32): usize {
  const cell = cellNext();
  return cell || !sweep(now) ? cell : cellNext();
}

/** Gives back a fragment's cells. */
export function cellsGive(fragment: usize): void {
  while (fragment) {
    const more: usize = load<u32>(fragment, FRAGMENT_MORE);
    cellGive(fragment);
    fragment = more;
  }
}

function cellNext(): usize {
  const table = fragments();
  const free: usize = load<u32>(table, FRAGMENTS_FREE);
  if (free) {
    store<u32>(table, load<u32>(free, CELL_NEXT), FRAGMENTS_FREE);
    return free;
  }
  const top = load<u32>(table, FRAGMENTS_TOP);
  if (top == CELLS_COUNT) return 0;
  store<u32>(table, top + 1, FRAGMENTS_TOP);
  return load<u32>(table, FRAGMENTS_CELLS) + top * CELL_SIZE;
}

function cellGive(cell: usize): void {
  const table = fragments();
  store<u32>(cell, load<u32>(table, FRAGMENTS_FREE), CELL_NEXT);
  store<u32>(table, <u32>cell, FRAGMENTS_FREE);
}

/** False when nothing was found, or someone has looked just now. */
function sweep(now: u32): bool {
  const table = fragments();
  const last = load<u32>(table, FRAGMENTS_SWEPT);
  if (last && <i32>(now - last) < SWEEP_EVERY) return false;
  store<u32>(table, now ? now : 1, FRAGMENTS_SWEPT);
  let found = false;
  for (let i: u32 = 0; i < <u32>FRAGMENTS_BUCKETS_COUNT; i++) {
    let at: usize = load<u32>(table + FRAGMENTS_BUCKETS + (i << 2));
    while (at) {
      const next: usize = load<u32>(at, CELL_NEXT);
      if (hasExpired(at, now)) {
        datagramForget(at);
        found = true;
      }
      at = next;
    }
  }
  return found;
}

function hasExpired(datagram: usize, now: u32): bool {
  return <i32>(load<u32>(datagram, DATAGRAM_EXPIRES) - now) <= 0;
}

function bucketOf(key: usize): usize {
  const source = key + DATAGRAM_SOURCE - DATAGRAM_ID;
  let hash: u32 = 0x9e3779b1;
  for (let at: usize = 0; at < 16; at += 4) hash = (hash ^ load<u32>(source + at)) * 0x85ebca6b;
  return fragments() + FRAGMENTS_BUCKETS + ((hash >> 24) << 2);
}
