/**
 * Records of connections, and who holds them. A record is given back when nobody refers to it any more, and may be another
 * connection's at once: who comes by it without a reference has to take one and then look again whose it is.
 */
import {
  CONNECTION_MASTER,
  CONNECTION_REFERENCES,
  CONNECTION_REPLY,
  CONNECTION_SIZE,
  CONNECTIONS_CAPACITY,
  CONNECTIONS_COUNT,
  CONNECTIONS_FREE,
  CONNECTIONS_LIMIT,
  CONNECTIONS_POOL_LOCK,
  CONNECTIONS_RECORDS,
  CONNECTIONS_TOP,
} from "../../src/blob/connections";
import { CONTROL_ADDRESS, CONTROL_CONNECTIONS } from "../../src/blob/memory";

/** Address of the table; 0 when the engine tracks nothing. */
export function connections(): usize {
  return load<u32>(CONTROL_ADDRESS, CONTROL_CONNECTIONS);
}

let wanted = false;

/** The same for a rule that cannot do without them. */
export function wantsConnections(): bool {
  if (connections()) return true;
  wanted = true;
  return false;
}

/** Whether a rule that was refused wanted nothing but them. Asked once. */
export function wantedConnections(): bool {
  const only = wanted;
  wanted = false;
  return only;
}

export function lock(word: usize): void {
  while (atomic.cmpxchg<i32>(word, 0, 1) != 0) {}
}

export function unlock(word: usize): void {
  atomic.store<i32>(word, 0);
}

/** Makes room for one more connection in the count. False when there are as many as there may be. */
export function countUp(): bool {
  const table = connections();
  if (atomic.add<u32>(table, 1, CONNECTIONS_COUNT) < load<u32>(table, CONNECTIONS_LIMIT)) return true;
  atomic.sub<u32>(table, 1, CONNECTIONS_COUNT);
  return false;
}

export function countDown(): void {
  atomic.sub<u32>(connections(), 1, CONNECTIONS_COUNT);
}

/** A cleared record that nobody can refer to yet; 0 when there is none. */
export function recordTake(): usize {
  const table = connections();
  lock(table + CONNECTIONS_POOL_LOCK);
  let record: usize = load<u32>(table, CONNECTIONS_FREE);
  if (record) store<u32>(table, load<u32>(record, CONNECTION_MASTER), CONNECTIONS_FREE);
  else {
    const top = load<u32>(table, CONNECTIONS_TOP);
    if (top < load<u32>(table, CONNECTIONS_CAPACITY)) {
      record = load<u32>(table, CONNECTIONS_RECORDS) + top * CONNECTION_SIZE;
      store<u32>(table, top + 1, CONNECTIONS_TOP);
    }
  }
  unlock(table + CONNECTIONS_POOL_LOCK);
  if (!record) return 0;
  // A walk that has strayed here may read, and finds nothing.
  for (let at: usize = 0; at < <usize>CONNECTION_SIZE; at += 16) v128.store(record + at, v128.splat<u32>(0));
  return record;
}

/** The record is ready to be referred to; the caller holds the first reference. */
export function recordReady(record: usize): void {
  atomic.store<u32>(record, 1, CONNECTION_REFERENCES);
}

/** Takes a reference to a record that may be nobody's. False when it is. */
export function reference(record: usize): bool {
  let count = atomic.load<u32>(record, CONNECTION_REFERENCES);
  while (count) {
    const found = atomic.cmpxchg<u32>(record, count, count + 1, CONNECTION_REFERENCES);
    if (found == count) return true;
    count = found;
  }
  return false;
}

/** Gives a reference back; the last one frees the record, and gives back that to its master. */
export function release(record: usize): void {
  while (record) {
    if (atomic.sub<u32>(record, 1, CONNECTION_REFERENCES) != 1) return;
    const master: usize = load<u32>(record, CONNECTION_MASTER);
    const table = connections();
    lock(table + CONNECTIONS_POOL_LOCK);
    store<u32>(record, load<u32>(table, CONNECTIONS_FREE), CONNECTION_MASTER);
    store<u32>(table, <u32>record, CONNECTIONS_FREE);
    unlock(table + CONNECTIONS_POOL_LOCK);
    countDown();
    record = master;
  }
}

/** The record of a node, and its direction: records lie at multiples of their size. */
export function recordOf(node: usize): usize {
  return node & ~(<usize>CONNECTION_SIZE - 1);
}

export function directionOf(node: usize): u32 {
  return (node & <usize>CONNECTION_REPLY) != 0 ? 1 : 0;
}
