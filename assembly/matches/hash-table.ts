/**
 * Tables of hashlimit: who has one, and entries by key. A table is found by name and family when a rule is linked, takes
 * its settings from the rule that makes it, and is freed with the last rule that names it.
 *
 * All memory is taken when the table is made, since readers cannot allocate: as many entries as it may ever hold, which
 * stay untouched until they are needed. Linux collects expired entries by a timer; here the virtual clock is looked at when
 * an entry is met again, and all entries when the table is full, so that the same entries are there at any time.
 */
import { PACKET_DESTINATION, PACKET_SOURCE, PACKET_TIME } from "../../src/blob/layout";
import * as M from "../../src/blob/memory";
import {
  HASHLIMIT_BUCKETS,
  HASHLIMIT_COLLECT,
  HASHLIMIT_DESTINATION_PREFIX,
  HASHLIMIT_MAX,
  HASHLIMIT_MODE,
  HASHLIMIT_NAME,
  HASHLIMIT_NAME_BYTES,
  HASHLIMIT_OBJECT,
  HASHLIMIT_SIZE,
  HASHLIMIT_SOURCE_PREFIX,
} from "../../src/blob/payloads";
import { arenaAllocate, arenaFree } from "../arena";
import { packet } from "../packet";
import { put32 } from "../store";
import { findPorts, foundPorts } from "./ports";

/** Rate match and credit do not share entries: Linux refuses such rules beside each other. */
export const RATE_MATCH: u32 = 64;
const MEMORY_MAX: u64 = 0x7fffffff;
const BY_DESTINATION: u32 = 1;
const BY_DESTINATION_PORT: u32 = 2;
const BY_SOURCE: u32 = 4;
const BY_SOURCE_PORT: u32 = 8;

/** The key of the packet in hand. */
let keySource: v128 = v128.splat<u32>(0);
let keyDestination: v128 = v128.splat<u32>(0);
let keyPorts: u32 = 0;

/** Makes the rule share the table that it names. `address`: bytes of an address. False without memory. */
export function hashTableJoin(record: usize, address: u32): bool {
  let table: usize = load<u32>(M.CONTROL_ADDRESS, M.CONTROL_HASH_TABLES);
  while (table && !isNamed(table, record, address)) table = load<u32>(table, M.HASH_TABLE_NEXT);
  if (!table) table = make(record, address);
  if (!table) return false;
  put32(table + M.HASH_TABLE_REFERENCES, load<u32>(table, M.HASH_TABLE_REFERENCES) + 1);
  store<u32>(record, <u32>table, HASHLIMIT_OBJECT);
  return true;
}

/** The rule is gone, and no reader sees it. */
export function hashTableLeave(record: usize): void {
  const table: usize = load<u32>(record, HASHLIMIT_OBJECT);
  const left = load<u32>(table, M.HASH_TABLE_REFERENCES) - 1;
  put32(table + M.HASH_TABLE_REFERENCES, left);
  if (left) return;
  let link: usize = M.CONTROL_ADDRESS + M.CONTROL_HASH_TABLES;
  while (load<u32>(link) != <u32>table) link = <usize>load<u32>(link) + M.HASH_TABLE_NEXT;
  put32(link, load<u32>(table, M.HASH_TABLE_NEXT));
  arenaFree(load<u32>(M.CONTROL_ADDRESS, M.CONTROL_ARENA), table, load<u32>(table, M.HASH_TABLE_BYTES));
}

/** When the last collection was, at the packet's time: entries that expired by then are gone. */
export function collectedAt(table: usize): u32 {
  const now = load<u32>(packet, PACKET_TIME);
  return now - (now % load<u32>(table + M.HASH_TABLE_RECORD, HASHLIMIT_COLLECT));
}

/** Notes what of the packet the table counts by. False when that is not in the packet. */
export function findKey(table: usize): bool {
  const mode = load<u32>(table + M.HASH_TABLE_RECORD, HASHLIMIT_MODE);
  const nothing = v128.splat<u32>(0);
  keySource =
    mode & BY_SOURCE ? v128.and(v128.load(packet, PACKET_SOURCE), v128.load(table, M.HASH_TABLE_SOURCE_MASK)) : nothing;
  keyDestination =
    mode & BY_DESTINATION
      ? v128.and(v128.load(packet, PACKET_DESTINATION), v128.load(table, M.HASH_TABLE_DESTINATION_MASK))
      : nothing;
  keyPorts = 0;
  if (!(mode & (BY_SOURCE_PORT | BY_DESTINATION_PORT))) return true;
  if (!findPorts()) return false;
  keyPorts = foundPorts;
  if (!(mode & BY_SOURCE_PORT)) keyPorts &= 0xffff0000;
  if (!(mode & BY_DESTINATION_PORT)) keyPorts &= 0xffff;
  return true;
}

/** The entry of the noted key, expired or not; a new one, with HASH_ENTRY_EXPIRES 0, where there is none; 0 when the table is full. */
export function entryOfKey(table: usize): usize {
  const bucket = bucketOfKey(table);
  let entry: usize = load<u32>(bucket);
  while (entry) {
    const differs = v128.or(
      v128.xor(v128.load(entry, M.HASH_ENTRY_SOURCE), keySource),
      v128.xor(v128.load(entry, M.HASH_ENTRY_DESTINATION), keyDestination),
    );
    if (load<u32>(entry, M.HASH_ENTRY_PORTS) == keyPorts && !v128.any_true(differs)) return entry;
    entry = load<u32>(entry, M.HASH_ENTRY_NEXT);
  }
  entry = take(table);
  if (!entry) return 0;
  v128.store(entry, keySource, M.HASH_ENTRY_SOURCE);
  v128.store(entry, keyDestination, M.HASH_ENTRY_DESTINATION);
  store<u32>(entry, keyPorts, M.HASH_ENTRY_PORTS);
  store<u32>(entry, 0, M.HASH_ENTRY_EXPIRES);
  store<u32>(entry, load<u32>(bucket), M.HASH_ENTRY_NEXT);
  store<u32>(bucket, <u32>entry);
  store<u32>(table, load<u32>(table, M.HASH_TABLE_COUNT) + 1, M.HASH_TABLE_COUNT);
  return entry;
}

function isNamed(table: usize, record: usize, address: u32): bool {
  const own = table + M.HASH_TABLE_RECORD;
  return (
    load<u32>(table, M.HASH_TABLE_ADDRESS_BYTES) == address &&
    (load<u32>(own, HASHLIMIT_MODE) & RATE_MATCH) == (load<u32>(record, HASHLIMIT_MODE) & RATE_MATCH) &&
    memory.compare(own + HASHLIMIT_NAME, record + HASHLIMIT_NAME, HASHLIMIT_NAME_BYTES) == 0
  );
}

function make(record: usize, address: u32): usize {
  const given = load<u32>(record, HASHLIMIT_BUCKETS);
  const buckets: u32 = given ? given : M.HASH_TABLE_BUCKETS_DEFAULT;
  const wanted = <u64>load<u32>(record, HASHLIMIT_MAX);
  const most: u64 = wanted ? (wanted < buckets ? <u64>buckets : wanted) : <u64>buckets * M.HASH_TABLE_ENTRIES_A_BUCKET;
  const first = <u64>M.HASH_TABLE_SIZE + ((<u64>buckets * 4 + 7) & ~7);
  const bytes = first + most * M.HASH_ENTRY_SIZE;
  if (bytes > MEMORY_MAX) return 0;
  const table = arenaAllocate(load<u32>(M.CONTROL_ADDRESS, M.CONTROL_ARENA), <u32>bytes);
  if (!table) return 0;
  memory.fill(table, 0, <usize>first);
  store<u32>(table, address, M.HASH_TABLE_ADDRESS_BYTES);
  store<u32>(table, buckets, M.HASH_TABLE_BUCKETS);
  store<u32>(table, <u32>most, M.HASH_TABLE_MAX);
  store<u32>(table, load<u32>(M.CONTROL_ADDRESS, M.CONTROL_SEED), M.HASH_TABLE_SEED);
  store<u32>(table, <u32>bytes, M.HASH_TABLE_BYTES);
  store<u32>(table, <u32>table + <u32>first, M.HASH_TABLE_ENTRIES);
  memory.copy(table + M.HASH_TABLE_RECORD, record, HASHLIMIT_SIZE);
  putMask(table + M.HASH_TABLE_SOURCE_MASK, load<u8>(record, HASHLIMIT_SOURCE_PREFIX));
  putMask(table + M.HASH_TABLE_DESTINATION_MASK, load<u8>(record, HASHLIMIT_DESTINATION_PREFIX));
  store<u32>(table, load<u32>(M.CONTROL_ADDRESS, M.CONTROL_HASH_TABLES), M.HASH_TABLE_NEXT);
  put32(M.CONTROL_ADDRESS + M.CONTROL_HASH_TABLES, <u32>table);
  return table;
}

function putMask(at: usize, prefix: u32): void {
  for (let bit: u32 = 0; bit < prefix; bit++) {
    const byte = at + (bit >> 3);
    store<u8>(byte, <u8>(<u32>load<u8>(byte) | (0x80 >> (bit & 7))));
  }
}

/** A free entry; those that expired are looked for when there is none, once a collection. */
function take(table: usize): usize {
  if (load<u32>(table, M.HASH_TABLE_COUNT) >= load<u32>(table, M.HASH_TABLE_MAX)) {
    const collected = collectedAt(table);
    if (load<u32>(table, M.HASH_TABLE_SWEPT) != collected) sweep(table, collected);
    if (load<u32>(table, M.HASH_TABLE_COUNT) >= load<u32>(table, M.HASH_TABLE_MAX)) return 0;
  }
  const free: usize = load<u32>(table, M.HASH_TABLE_FREE);
  if (free) {
    store<u32>(table, load<u32>(free, M.HASH_ENTRY_NEXT), M.HASH_TABLE_FREE);
    return free;
  }
  const top = load<u32>(table, M.HASH_TABLE_TOP);
  store<u32>(table, top + 1, M.HASH_TABLE_TOP);
  return <usize>load<u32>(table, M.HASH_TABLE_ENTRIES) + top * M.HASH_ENTRY_SIZE;
}

function sweep(table: usize, collected: u32): void {
  store<u32>(table, collected, M.HASH_TABLE_SWEPT);
  let count = load<u32>(table, M.HASH_TABLE_COUNT);
  for (let i: u32 = 0; i < load<u32>(table, M.HASH_TABLE_BUCKETS); i++) {
    let link = table + M.HASH_TABLE_SIZE + (i << 2);
    let entry: usize = load<u32>(link);
    while (entry) {
      const next = load<u32>(entry, M.HASH_ENTRY_NEXT);
      if (load<u32>(entry, M.HASH_ENTRY_EXPIRES) <= collected) {
        store<u32>(link, next);
        store<u32>(entry, load<u32>(table, M.HASH_TABLE_FREE), M.HASH_ENTRY_NEXT);
        store<u32>(table, <u32>entry, M.HASH_TABLE_FREE);
        count--;
      } else link = entry + M.HASH_ENTRY_NEXT;
      entry = next;
    }
  }
  store<u32>(table, count, M.HASH_TABLE_COUNT);
}

/** The link word of the bucket that the noted key belongs to. */
function bucketOfKey(table: usize): usize {
  let hash = ((<u64>load<u32>(table, M.HASH_TABLE_SEED)) << 32) | keyPorts;
  hash = mix(hash ^ i64x2.extract_lane(keySource, 0));
  hash = mix(hash ^ i64x2.extract_lane(keySource, 1));
  hash = mix(hash ^ i64x2.extract_lane(keyDestination, 0));
  hash = mix(hash ^ i64x2.extract_lane(keyDestination, 1));
  const index = <u32>(((hash >> 32) * load<u32>(table, M.HASH_TABLE_BUCKETS)) >> 32);
  return table + M.HASH_TABLE_SIZE + (index << 2);
}

/** The finalizer of splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators"). */
function mix(word: u64): u64 {
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return word ^ (word >> 31);
}
