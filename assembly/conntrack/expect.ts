/**
 * Connections that are expected (nf_conntrack_expect.c): RELATED to the one that expects them when they come. Whoever
 * reads what two ends agree on over a control connection says so through the library; nothing here reads it.
 */
import {
  CONNECTION_HELPER,
  CONNECTION_MARK,
  CONNECTION_MASTER,
  CONNECTION_STATUS,
  CONNECTIONS_EXPECTED,
  CONNECTIONS_EXPECTED_COUNT,
  CONNECTIONS_EXPECTED_LOCK,
  EXPECTED_EXPIRES,
  EXPECTED_FLAG_FOLLOWS,
  EXPECTED_FLAG_PERMANENT,
  EXPECTED_FLAG_REPLY,
  EXPECTED_FLAGS,
  EXPECTED_HELPER,
  EXPECTED_MASK_SOURCE,
  EXPECTED_MASK_SOURCE_PORT,
  EXPECTED_MASTER,
  EXPECTED_MOST,
  EXPECTED_PORT,
  EXPECTED_SIZE,
  EXPECTED_TUPLE,
  STATUS_CONFIRMED,
  STATUS_DYING,
  STATUS_EXPECTED,
  STATUS_HELPER,
  TUPLE_DESTINATION,
  TUPLE_DESTINATION_PORT,
  TUPLE_PROTOCOL,
  TUPLE_SOURCE,
  TUPLE_SOURCE_PORT,
} from "../../src/blob/connections";
import { natFollow } from "./nat";
import { connections, lock, recordOf, reference, release, unlock } from "./pool";
import { ANY, find, orStatus } from "./table";

/**
 * Notes the expectation whose record, but for its master, lies at `from`; the tuple at `master` is one of the connection
 * that expects it. False where there is no such connection, or no room.
 */
export function expect(master: usize, from: usize, now: u32): bool {
  const node = find(master, ANY, now);
  if (!node) return false;
  const table = connections();
  lock(table + CONNECTIONS_EXPECTED_LOCK);
  let at: usize = load<u32>(table, CONNECTIONS_EXPECTED);
  const end = at + EXPECTED_SIZE * EXPECTED_MOST;
  while (at < end && load<u32>(at, EXPECTED_MASTER)) {
    if (<i32>(load<u32>(at, EXPECTED_EXPIRES) - now) <= 0) free(table, at);
    else at += EXPECTED_SIZE;
  }
  if (at < end) {
    memory.copy(at, from, EXPECTED_SIZE);
    store<u32>(at, <u32>recordOf(node), EXPECTED_MASTER);
    atomic.add<u32>(table, 1, CONNECTIONS_EXPECTED_COUNT);
  }
  unlock(table + CONNECTIONS_EXPECTED_LOCK);
  if (at >= end) release(recordOf(node));
  return at < end;
}

/** Makes a fresh connection, the packet's, with `tuple` the child of the one that expects it. False when none does. */
export function claimExpectation(record: usize, tuple: usize, now: u32): bool {
  const table = connections();
  if (!atomic.load<u32>(table, CONNECTIONS_EXPECTED_COUNT)) return false;
  let claimed = false;
  let flags: u32 = 0;
  let port: u32 = 0;
  lock(table + CONNECTIONS_EXPECTED_LOCK);
  let at: usize = load<u32>(table, CONNECTIONS_EXPECTED);
  for (let i: u32 = 0; i < <u32>EXPECTED_MOST && !claimed; i++, at += EXPECTED_SIZE) {
    const master: usize = load<u32>(at, EXPECTED_MASTER);
    if (!master || !fits(at, tuple)) continue;
    const alive = (load<u32>(master, CONNECTION_STATUS) & (STATUS_CONFIRMED | STATUS_DYING)) == STATUS_CONFIRMED;
    if (!alive || <i32>(load<u32>(at, EXPECTED_EXPIRES) - now) <= 0) continue;
    claimed = reference(master);
    if (!claimed) continue;
    store<u32>(record, <u32>master, CONNECTION_MASTER);
    store<u32>(record, load<u32>(master, CONNECTION_MARK), CONNECTION_MARK);
    const helper = load<u8>(at, EXPECTED_HELPER);
    store<u8>(record, helper, CONNECTION_HELPER);
    orStatus(record, helper ? STATUS_EXPECTED | STATUS_HELPER : STATUS_EXPECTED);
    flags = load<u32>(at, EXPECTED_FLAGS);
    port = load<u16>(at, EXPECTED_PORT);
    if (!(flags & EXPECTED_FLAG_PERMANENT)) free(table, at);
  }
  unlock(table + CONNECTIONS_EXPECTED_LOCK);
  if (flags & EXPECTED_FLAG_FOLLOWS)
    natFollow(load<u32>(record, CONNECTION_MASTER), flags & EXPECTED_FLAG_REPLY ? 1 : 0, port);
  return claimed;
}

/** Gives up every expectation of connections that are gone or, with `all`, of any. */
export function forgetExpectations(all: bool): void {
  const table = connections();
  lock(table + CONNECTIONS_EXPECTED_LOCK);
  let at: usize = load<u32>(table, CONNECTIONS_EXPECTED);
  for (let i: u32 = 0; i < <u32>EXPECTED_MOST; i++, at += EXPECTED_SIZE) {
    const master: usize = load<u32>(at, EXPECTED_MASTER);
    if (master && (all || load<u32>(master, CONNECTION_STATUS) & STATUS_DYING)) free(table, at);
  }
  unlock(table + CONNECTIONS_EXPECTED_LOCK);
}

function free(table: usize, at: usize): void {
  const master: usize = load<u32>(at, EXPECTED_MASTER);
  store<u32>(at, 0, EXPECTED_MASTER);
  atomic.sub<u32>(table, 1, CONNECTIONS_EXPECTED_COUNT);
  release(master);
}

function fits(at: usize, tuple: usize): bool {
  const wanted = at + EXPECTED_TUPLE;
  const far = v128.xor(v128.load(wanted, TUPLE_DESTINATION), v128.load(tuple, TUPLE_DESTINATION));
  const near = v128.xor(v128.load(wanted, TUPLE_SOURCE), v128.load(tuple, TUPLE_SOURCE));
  const port = load<u16>(wanted, TUPLE_SOURCE_PORT) ^ load<u16>(tuple, TUPLE_SOURCE_PORT);
  return (
    !v128.any_true(v128.or(far, v128.and(near, v128.load(at, EXPECTED_MASK_SOURCE)))) &&
    !(port & load<u16>(at, EXPECTED_MASK_SOURCE_PORT)) &&
    load<u16>(wanted, TUPLE_DESTINATION_PORT) == load<u16>(tuple, TUPLE_DESTINATION_PORT) &&
    load<u32>(wanted, TUPLE_PROTOCOL) == load<u32>(tuple, TUPLE_PROTOCOL)
  );
}
