/**
 * recent (xt_recent.c with its default parameters), on the packets' virtual clock. A list is found by name when a rule is
 * linked; readers change it under its spin lock. It holds at most 100 addresses; a further one takes the place of the least
 * recently touched.
 */
import {
  PACKET_DESTINATION,
  PACKET_FLAG_SOCKET,
  PACKET_FLAGS,
  PACKET_INPUT,
  PACKET_OUTPUT,
  PACKET_SOURCE,
  PACKET_TIME,
  PACKET_TTL,
} from "../../src/blob/layout";
import {
  CONTROL_ADDRESS,
  CONTROL_ARENA,
  CONTROL_OBJECTS,
  ENTRY_ADDRESS,
  ENTRY_STAMP_COUNT,
  ENTRY_STAMP_NEXT,
  ENTRY_STAMPS,
  ENTRY_TOUCHED,
  ENTRY_TTL,
  LIST_CLOCK,
  LIST_COUNT,
  LIST_ENTRIES,
  LIST_ENTRIES_COUNT,
  LIST_LOCK,
  LIST_MASK,
  LIST_NAME,
  LIST_NEXT,
  LIST_REFERENCES,
  LIST_SIZE,
  LIST_STAMPS,
  RETIRED_MEMORY,
} from "../../src/blob/memory";
import {
  RECENT_CHECK,
  RECENT_HITCOUNT,
  RECENT_INVERT,
  RECENT_MASK,
  RECENT_NAME,
  RECENT_NAME_BYTES,
  RECENT_OBJECT,
  RECENT_SECONDS,
  RECENT_SIDE,
} from "../../src/blob/payloads";
import { arenaAllocate, arenaFree } from "../arena";
import { packet } from "../packet";
import { retire } from "../retire";
import { put32 } from "../store";

const CHECK: u8 = 1;
const SET: u8 = 2;
const UPDATE: u8 = 4;
const REMOVE: u8 = 8;
const TTL: u8 = 16;
const REAP: u8 = 32;
/** Stamps that a rule without a hit count asks for. */
const STAMPS: u32 = 32;

let address: v128 = v128.splat<u32>(0);

/** Makes the record's rule share the list that it names. False without memory. */
export function recentJoin(record: usize): bool {
  const arena: usize = load<u32>(CONTROL_ADDRESS, CONTROL_ARENA);
  const wanted = stampsNeeded(record);
  let list: usize = load<u32>(CONTROL_ADDRESS, CONTROL_OBJECTS);
  while (list && memory.compare(list + LIST_NAME, record + RECENT_NAME, RECENT_NAME_BYTES))
    list = load<u32>(list, LIST_NEXT);
  if (!list) {
    list = arenaAllocate(arena, LIST_SIZE);
    if (!list) return false;
    memory.fill(list, 0, LIST_SIZE);
    memory.copy(list + LIST_NAME, record + RECENT_NAME, RECENT_NAME_BYTES);
    memory.copy(list + LIST_MASK, record + RECENT_MASK, 16);
    store<u32>(list, load<u32>(CONTROL_ADDRESS, CONTROL_OBJECTS), LIST_NEXT);
    put32(CONTROL_ADDRESS + CONTROL_OBJECTS, <u32>list);
  }
  if (load<u32>(list, LIST_STAMPS) < wanted && !widen(arena, list, wanted)) return false;
  put32(list + LIST_REFERENCES, load<u32>(list, LIST_REFERENCES) + 1);
  store<u32>(record, <u32>list, RECENT_OBJECT);
  return true;
}

/** The record's rule is gone, and no reader sees it; the last one takes the list along. */
export function recentLeave(record: usize): void {
  const list: usize = load<u32>(record, RECENT_OBJECT);
  const left = load<u32>(list, LIST_REFERENCES) - 1;
  put32(list + LIST_REFERENCES, left);
  if (left) return;
  let link: usize = CONTROL_ADDRESS + CONTROL_OBJECTS;
  while (load<u32>(link) != <u32>list) link = <usize>load<u32>(link) + LIST_NEXT;
  put32(link, load<u32>(list, LIST_NEXT));
  const arena: usize = load<u32>(CONTROL_ADDRESS, CONTROL_ARENA);
  arenaFree(arena, load<u32>(list, LIST_ENTRIES), LIST_ENTRIES_COUNT * entryBytes(load<u32>(list, LIST_STAMPS)));
  arenaFree(arena, list, LIST_SIZE);
}

export function matchRecent(record: usize): bool {
  const list: usize = load<u32>(record, RECENT_OBJECT);
  const side = load<u8>(record, RECENT_SIDE) ? PACKET_DESTINATION : PACKET_SOURCE;
  address = v128.and(v128.load(packet + side), v128.load(list + LIST_MASK));
  while (atomic.cmpxchg<i32>(list, 0, 1, LIST_LOCK) != 0) {}
  const matched = look(record, list);
  atomic.store<i32>(list, 0, LIST_LOCK);
  return matched;
}

/** The match itself, under the list's lock. */
function look(record: usize, list: usize): bool {
  const check = load<u8>(record, RECENT_CHECK);
  const yes = load<u8>(record, RECENT_INVERT) == 0;
  const now = load<u32>(packet, PACKET_TIME);
  const ttl = arrivalTtl();
  const entry = find(list, check & TTL ? ttl : 0);
  if (!entry) {
    if (!(check & SET)) return !yes;
    add(list, now, ttl);
    return yes;
  }
  if (check & SET) {
    touch(list, entry, now, ttl);
    return yes;
  }
  if (check & REMOVE) {
    remove(list, entry);
    return yes;
  }
  if (!(check & (CHECK | UPDATE))) return !yes;
  const seconds = load<u32>(record, RECENT_SECONDS);
  const horizon = <i64>now - <i64>seconds * 1000;
  const hits = hitsSince(entry, seconds != 0, horizon);
  const needed = load<u32>(record, RECENT_HITCOUNT);
  const enough = hits >= (needed ? needed : 1);
  const matched = enough ? yes : !yes;
  const touches = (check & UPDATE) != 0 && matched;
  const kept = check & REAP ? reap(list, horizon, entry, touches) : true;
  if (touches && kept) touch(list, entry, now, ttl);
  return matched;
}

/** The TTL as the packet arrived with it: Linux adds the one that forwarding took off. */
function arrivalTtl(): u8 {
  const sent =
    !load<u8>(packet, PACKET_INPUT) &&
    load<u8>(packet, PACKET_OUTPUT) != 0 &&
    !(load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_SOCKET);
  return load<u8>(packet, PACKET_TTL) + (sent ? 1 : 0);
}

function hitsSince(entry: usize, timed: bool, horizon: i64): u32 {
  const count = load<u32>(entry, ENTRY_STAMP_COUNT);
  if (!timed) return count;
  let hits: u32 = 0;
  for (let i: u32 = 0; i < count; i++) if (<i64>load<u32>(entry + ENTRY_STAMPS + (i << 2)) >= horizon) hits++;
  return hits;
}

function find(list: usize, ttl: u8): usize {
  const bytes = entryBytes(load<u32>(list, LIST_STAMPS));
  let entry: usize = load<u32>(list, LIST_ENTRIES);
  for (let left = load<u32>(list, LIST_COUNT); left; left--, entry += bytes) {
    if (v128.any_true(v128.xor(v128.load(entry + ENTRY_ADDRESS), address))) continue;
    const has = load<u8>(entry, ENTRY_TTL);
    if (has == ttl || ttl == 0 || has == 0) return entry;
  }
  return 0;
}

function add(list: usize, now: u32, ttl: u8): void {
  if (load<u32>(list, LIST_COUNT) == LIST_ENTRIES_COUNT) remove(list, oldest(list));
  const count = load<u32>(list, LIST_COUNT);
  const entry = <usize>load<u32>(list, LIST_ENTRIES) + count * entryBytes(load<u32>(list, LIST_STAMPS));
  store<u32>(list, count + 1, LIST_COUNT);
  v128.store(entry + ENTRY_ADDRESS, address);
  store<u32>(entry, 0, ENTRY_STAMP_COUNT);
  store<u32>(entry, 0, ENTRY_STAMP_NEXT);
  touch(list, entry, now, ttl);
}

function touch(list: usize, entry: usize, now: u32, ttl: u8): void {
  const kept = load<u32>(list, LIST_STAMPS);
  const at = load<u32>(entry, ENTRY_STAMP_NEXT) & (kept - 1);
  store<u32>(entry + ENTRY_STAMPS + (at << 2), now);
  store<u32>(entry, at + 1, ENTRY_STAMP_NEXT);
  if (at >= load<u32>(entry, ENTRY_STAMP_COUNT)) store<u32>(entry, at + 1, ENTRY_STAMP_COUNT);
  store<u8>(entry, ttl, ENTRY_TTL);
  const clock = load<u32>(list, LIST_CLOCK) + 1;
  store<u32>(list, clock, LIST_CLOCK);
  store<u32>(entry, clock, ENTRY_TOUCHED);
}

/** The last entry takes the free place: order is kept by ENTRY_TOUCHED, not by place. */
function remove(list: usize, entry: usize): void {
  const bytes = entryBytes(load<u32>(list, LIST_STAMPS));
  const count = load<u32>(list, LIST_COUNT) - 1;
  store<u32>(list, count, LIST_COUNT);
  const last = <usize>load<u32>(list, LIST_ENTRIES) + count * bytes;
  if (last != entry) memory.copy(entry, last, bytes);
}

/** Takes the oldest entry away when its last stamp is behind the horizon, unless it is about to be stamped. False when it was `entry`. */
function reap(list: usize, horizon: i64, entry: usize, touches: bool): bool {
  const first = oldest(list);
  if (first == entry && touches) return true;
  if (<i64>load<u32>(first + ENTRY_STAMPS + ((load<u32>(first, ENTRY_STAMP_NEXT) - 1) << 2)) >= horizon) return true;
  // The entry in hand may be the one that moves into the free place; it is not used again unless it is touched.
  const moved =
    entry ==
    <usize>load<u32>(list, LIST_ENTRIES) + (load<u32>(list, LIST_COUNT) - 1) * entryBytes(load<u32>(list, LIST_STAMPS));
  if (moved && touches) {
    touch(list, entry, load<u32>(packet, PACKET_TIME), arrivalTtl());
    remove(list, first);
    return false;
  }
  remove(list, first);
  return first != entry;
}

function oldest(list: usize): usize {
  const bytes = entryBytes(load<u32>(list, LIST_STAMPS));
  let entry: usize = load<u32>(list, LIST_ENTRIES);
  let found = entry;
  for (let left = load<u32>(list, LIST_COUNT); left; left--, entry += bytes)
    if (load<u32>(entry, ENTRY_TOUCHED) < load<u32>(found, ENTRY_TOUCHED)) found = entry;
  return found;
}

function stampsNeeded(record: usize): u32 {
  const hits = load<u32>(record, RECENT_HITCOUNT);
  if (!hits) return STAMPS;
  let kept: u32 = 1;
  while (kept < hits) kept <<= 1;
  return kept;
}

function entryBytes(stamps: u32): u32 {
  return (ENTRY_STAMPS + 4 * stamps + 15) & ~15;
}

/** Gives the list's entries room for more stamps, while readers wait. */
function widen(arena: usize, list: usize, stamps: u32): bool {
  const bytes = entryBytes(stamps);
  const fresh = arenaAllocate(arena, LIST_ENTRIES_COUNT * bytes);
  if (!fresh) return false;
  memory.fill(fresh, 0, LIST_ENTRIES_COUNT * bytes);
  while (atomic.cmpxchg<i32>(list, 0, 1, LIST_LOCK) != 0) {}
  const old: usize = load<u32>(list, LIST_ENTRIES);
  const oldStamps = load<u32>(list, LIST_STAMPS);
  const oldBytes = entryBytes(oldStamps);
  for (let i: u32 = 0; i < load<u32>(list, LIST_COUNT); i++)
    memory.copy(fresh + i * bytes, old + i * oldBytes, oldBytes);
  put32(list + LIST_ENTRIES, <u32>fresh);
  put32(list + LIST_STAMPS, stamps);
  atomic.store<i32>(list, 0, LIST_LOCK);
  return !old || retire(RETIRED_MEMORY, <u32>old, arena, LIST_ENTRIES_COUNT * oldBytes);
}
