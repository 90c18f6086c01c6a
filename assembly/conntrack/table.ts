/**
 * The table of connections: a hash table of nodes, two a connection, under striped spin locks; a pool of records.
 *
 * A packet holds a reference to its connection from looking it up to the end of its way, so a record that another thread
 * takes out of the table is not used again under its feet.
 */
import {
  CONNECTION_EXPIRES,
  CONNECTION_IN_USE,
  CONNECTION_ORIGINAL,
  CONNECTION_REFERENCES,
  CONNECTION_REPLY,
  CONNECTION_SIZE,
  CONNECTION_STATUS,
  CONNECTIONS_BUCKETS,
  CONNECTIONS_COUNT,
  CONNECTIONS_FREE,
  CONNECTIONS_HEADER_SIZE,
  CONNECTIONS_LIMIT,
  CONNECTIONS_LOCKS,
  CONNECTIONS_LOCKS_COUNT,
  CONNECTIONS_MASK,
  CONNECTIONS_POOL_LOCK,
  CONNECTIONS_RECORDS,
  CONNECTIONS_SEED,
  NODE_DIRECTION,
  NODE_NEXT,
  NODE_TUPLE,
  STATUS_ASSURED,
  STATUS_CONFIRMED,
  STATUS_DYING,
} from "../../src/blob/connections";
import { CONTROL_ADDRESS, CONTROL_CONNECTIONS } from "../../src/blob/memory";
import { tupleEqual, tupleHash } from "./tuple";

/** Buckets that are searched for a connection to give up when the table is full (NF_CT_EVICTION_RANGE). */
const EVICTION_RANGE: u32 = 8;

/** Address of the table; 0 when the engine tracks nothing. */
export function connections(): usize {
  return load<u32>(CONTROL_ADDRESS, CONTROL_CONNECTIONS);
}

/** Bytes of a table for `limit` connections. */
export function connectionsBytes(limit: u32): u32 {
  return CONNECTIONS_HEADER_SIZE + 4 * CONNECTIONS_LOCKS_COUNT + 4 * bucketCount(limit) + CONNECTION_SIZE * limit;
}

/** Lays out an empty table in zeroed memory. */
export function connectionsInit(table: usize, limit: u32, seed: u32): void {
  const buckets = bucketCount(limit);
  const locks = table + CONNECTIONS_HEADER_SIZE;
  const first = locks + 4 * CONNECTIONS_LOCKS_COUNT;
  const records = first + 4 * buckets;
  store<u32>(table, buckets - 1, CONNECTIONS_MASK);
  store<u32>(table, limit, CONNECTIONS_LIMIT);
  store<u32>(table, <u32>locks, CONNECTIONS_LOCKS);
  store<u32>(table, <u32>first, CONNECTIONS_BUCKETS);
  store<u32>(table, <u32>records, CONNECTIONS_RECORDS);
  store<u32>(table, seed * 0x9e3779b1 + 1, CONNECTIONS_SEED);
  for (let i: u32 = limit; i > 0; i--) {
    const record = records + (i - 1) * CONNECTION_SIZE;
    store<u32>(record, load<u32>(table, CONNECTIONS_FREE));
    store<u32>(table, <u32>record, CONNECTIONS_FREE);
  }
}

export function lock(word: usize): void {
  while (atomic.cmpxchg<i32>(word, 0, 1) != 0) {}
}

export function unlock(word: usize): void {
  atomic.store<i32>(word, 0);
}

/**
 * The node whose tuple is that at `tuple`, its connection's reference taken; 0 when there is none. What has expired by
 * `now` is taken out on the way.
 */
export function find(tuple: usize, now: u32): usize {
  const table = connections();
  const bucket = bucketOf(table, tuple);
  const word = lockOf(table, bucket);
  lock(word);
  let node: usize = load<u32>(bucket);
  let expired: usize = 0;
  while (node) {
    if (tupleEqual(node + NODE_TUPLE, tuple)) {
      const record = recordOf(node);
      if (isExpired(record, now)) expired = record;
      else atomic.add<u32>(record, 1, CONNECTION_REFERENCES);
      break;
    }
    node = load<u32>(node, NODE_NEXT);
  }
  unlock(word);
  if (!expired) return node;
  remove(expired);
  return 0;
}

/** Whether a connection other than `own` has this tuple. */
export function taken(tuple: usize, own: usize, now: u32): bool {
  const node = find(tuple, now);
  if (!node) return false;
  const record = recordOf(node);
  release(record);
  return record != own;
}

/** A zeroed record with one reference; 0 when the table is full and nothing near `tuple` may be given up. */
export function take(tuple: usize, now: u32): usize {
  const table = connections();
  let record = pop(table);
  if (!record && evict(table, tuple, now)) record = pop(table);
  if (!record) return 0;
  memory.fill(record, 0, CONNECTION_SIZE);
  store<u32>(record, 1, CONNECTION_REFERENCES);
  store<u32>(record, 1, CONNECTION_IN_USE);
  return record;
}

/** Puts a connection into the table for as long as it lives. False when one of its tuples is there already. */
export function insert(record: usize, now: u32): bool {
  const table = connections();
  const original = record + CONNECTION_ORIGINAL;
  const reply = record + CONNECTION_REPLY;
  store<u32>(reply, 1, NODE_DIRECTION);
  const first = bucketOf(table, original + NODE_TUPLE);
  const second = bucketOf(table, reply + NODE_TUPLE);
  lockBoth(table, first, second);
  const clash = holds(first, original + NODE_TUPLE, now) || holds(second, reply + NODE_TUPLE, now);
  if (!clash) {
    link(first, original);
    link(second, reply);
    atomic.add<u32>(record, 1, CONNECTION_REFERENCES);
    store<u32>(record, load<u32>(record, CONNECTION_STATUS) | STATUS_CONFIRMED, CONNECTION_STATUS);
  }
  unlockBoth(table, first, second);
  return !clash;
}

/** Takes a connection out of the table, once. */
export function remove(record: usize): void {
  const table = connections();
  const original = record + CONNECTION_ORIGINAL;
  const reply = record + CONNECTION_REPLY;
  const first = bucketOf(table, original + NODE_TUPLE);
  const second = bucketOf(table, reply + NODE_TUPLE);
  lockBoth(table, first, second);
  const status = load<u32>(record, CONNECTION_STATUS);
  const there = (status & (STATUS_CONFIRMED | STATUS_DYING)) == STATUS_CONFIRMED;
  if (there) {
    store<u32>(record, status | STATUS_DYING, CONNECTION_STATUS);
    unlink(first, original);
    unlink(second, reply);
  }
  unlockBoth(table, first, second);
  if (there) release(record);
}

/** Gives a reference back; the last one frees the record. */
export function release(record: usize): void {
  if (atomic.sub<u32>(record, 1, CONNECTION_REFERENCES) != 1) return;
  const table = connections();
  lock(table + CONNECTIONS_POOL_LOCK);
  store<u32>(record, 0, CONNECTION_IN_USE);
  store<u32>(record, load<u32>(table, CONNECTIONS_FREE));
  store<u32>(table, <u32>record, CONNECTIONS_FREE);
  store<u32>(table, load<u32>(table, CONNECTIONS_COUNT) - 1, CONNECTIONS_COUNT);
  unlock(table + CONNECTIONS_POOL_LOCK);
}

/** The record of a node. */
export function recordOf(node: usize): usize {
  return load<u32>(node, NODE_DIRECTION) ? node - CONNECTION_REPLY : node;
}

/** Takes everything out, for a table that is flushed. */
export function removeAll(): void {
  const table = connections();
  const limit = load<u32>(table, CONNECTIONS_LIMIT);
  for (let i: u32 = 0; i < limit; i++) {
    const record = <usize>load<u32>(table, CONNECTIONS_RECORDS) + i * CONNECTION_SIZE;
    if (load<u32>(record, CONNECTION_IN_USE)) remove(record);
  }
}

function bucketCount(limit: u32): u32 {
  let count: u32 = 64;
  while (count < limit) count <<= 1;
  return count;
}

function bucketOf(table: usize, tuple: usize): usize {
  const index = tupleHash(tuple, load<u32>(table, CONNECTIONS_SEED)) & load<u32>(table, CONNECTIONS_MASK);
  return <usize>load<u32>(table, CONNECTIONS_BUCKETS) + (index << 2);
}

function lockOf(table: usize, bucket: usize): usize {
  return <usize>load<u32>(table, CONNECTIONS_LOCKS) + (bucket & ((CONNECTIONS_LOCKS_COUNT - 1) << 2));
}

/** Always the lower lock first, so that two threads cannot wait for each other. */
function lockBoth(table: usize, first: usize, second: usize): void {
  const a = lockOf(table, first);
  const b = lockOf(table, second);
  lock(a < b ? a : b);
  if (a != b) lock(a < b ? b : a);
}

function unlockBoth(table: usize, first: usize, second: usize): void {
  const a = lockOf(table, first);
  const b = lockOf(table, second);
  unlock(a);
  if (a != b) unlock(b);
}

function holds(bucket: usize, tuple: usize, now: u32): bool {
  for (let node: usize = load<u32>(bucket); node; node = load<u32>(node, NODE_NEXT))
    if (tupleEqual(node + NODE_TUPLE, tuple)) return !isExpired(recordOf(node), now);
  return false;
}

function link(bucket: usize, node: usize): void {
  store<u32>(node, load<u32>(bucket), NODE_NEXT);
  store<u32>(bucket, <u32>node);
}

function unlink(bucket: usize, node: usize): void {
  let at = bucket;
  while (load<u32>(at) && load<u32>(at) != <u32>node) at = <usize>load<u32>(at) + NODE_NEXT;
  if (load<u32>(at)) store<u32>(at, load<u32>(node, NODE_NEXT));
}

function pop(table: usize): usize {
  lock(table + CONNECTIONS_POOL_LOCK);
  const record: usize = load<u32>(table, CONNECTIONS_FREE);
  if (record) {
    store<u32>(table, load<u32>(record), CONNECTIONS_FREE);
    store<u32>(table, load<u32>(table, CONNECTIONS_COUNT) + 1, CONNECTIONS_COUNT);
  }
  unlock(table + CONNECTIONS_POOL_LOCK);
  return record;
}

/** Takes out an expired or not yet assured connection of the buckets from the tuple's on (early_drop). */
function evict(table: usize, tuple: usize, now: u32): bool {
  const first = <usize>load<u32>(table, CONNECTIONS_BUCKETS);
  const mask = load<u32>(table, CONNECTIONS_MASK);
  let index = <u32>(bucketOf(table, tuple) - first) >> 2;
  for (let i: u32 = 0; i < EVICTION_RANGE; i++, index = (index + 1) & mask) {
    const bucket = first + (index << 2);
    const word = lockOf(table, bucket);
    let victim: usize = 0;
    lock(word);
    for (let node: usize = load<u32>(bucket); node && !victim; node = load<u32>(node, NODE_NEXT)) {
      const record = recordOf(node);
      if (isExpired(record, now) || !(load<u32>(record, CONNECTION_STATUS) & STATUS_ASSURED)) victim = record;
    }
    if (victim) atomic.add<u32>(victim, 1, CONNECTION_REFERENCES);
    unlock(word);
    if (!victim) continue;
    remove(victim);
    release(victim);
    return true;
  }
  return false;
}

/** Times wrap around after 49 days of the virtual clock. */
function isExpired(record: usize, now: u32): bool {
  return <i32>(load<u32>(record, CONNECTION_EXPIRES) - now) <= 0;
}
