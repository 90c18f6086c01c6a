/**
 * Connections that are expected (nf_conntrack_expect.c): RELATED to the one that expects them when they come. Helpers read
 * what two ends agree on over a control connection (helper-read.ts), or whoever else reads it says so through the library.
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
  EXPECTED_ORDER,
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

/** What becomes of an expectation: noted; another connection expects the same; there is no room. */
export const EXPECTED: u32 = 0;
export const BUSY: u32 = 1;
const FULL: u32 = 2;

/**
 * Notes the expectation whose record, but for its master, lies at `from`; the tuple at `master` is one of the connection
 * that expects it. False where there is no such connection, another one expects the same, or there is no room.
 */
export function expect(master: usize, from: usize, now: u32): bool {
  const node = find(master, ANY, now);
  if (!node) return false;
  const noted = note(recordOf(node), from, now, 0) == EXPECTED;
  release(recordOf(node));
  return noted;
}

/** The same for the connection `master`, which expects no more than `most` at a time: the oldest is given up. 0: any number. */
export function note(master: usize, from: usize, now: u32, most: u32): u32 {
  const table = connections();
  lock(table + CONNECTIONS_EXPECTED_LOCK);
  const outcome = makePlace(table, master, from, now, most);
  if (outcome == EXPECTED) {
    let at: usize = load<u32>(table, CONNECTIONS_EXPECTED);
    while (load<u32>(at, EXPECTED_MASTER)) at += EXPECTED_SIZE;
    memory.copy(at, from, EXPECTED_SIZE);
    store<u32>(at, newest + 1, EXPECTED_ORDER);
    store<u32>(at, <u32>master, EXPECTED_MASTER);
    reference(master);
    atomic.add<u32>(table, 1, CONNECTIONS_EXPECTED_COUNT);
  }
  unlock(table + CONNECTIONS_EXPECTED_LOCK);
  return outcome;
}

/** The greatest order that makePlace has seen. */
let newest: u32 = 0;

/** Whether there is room for the expectation, once what it replaces and what has expired is given up (__nf_ct_expect_check). */
function makePlace(table: usize, master: usize, from: usize, now: u32, most: u32): u32 {
  let oldest: usize = 0;
  let count: u32 = 0;
  newest = 0;
  let at: usize = load<u32>(table, CONNECTIONS_EXPECTED);
  for (let i: u32 = 0; i < <u32>EXPECTED_MOST; i++, at += EXPECTED_SIZE) {
    const whose: usize = load<u32>(at, EXPECTED_MASTER);
    if (!whose) continue;
    newest = max(newest, load<u32>(at, EXPECTED_ORDER));
    const clash = clashes(at, from);
    if (<i32>(load<u32>(at, EXPECTED_EXPIRES) - now) <= 0 || (clash && whose == master && sameMasks(at, from)))
      free(table, at);
    else if (clash) return BUSY;
    else if (whose == master) {
      count++;
      if (!oldest || load<u32>(at, EXPECTED_ORDER) < load<u32>(oldest, EXPECTED_ORDER)) oldest = at;
    }
  }
  if (most && count >= most) free(table, oldest);
  return load<u32>(table, CONNECTIONS_EXPECTED_COUNT) < <u32>EXPECTED_MOST ? EXPECTED : FULL;
}

/** Whether a connection could be the one as well as the other. */
function clashes(one: usize, other: usize): bool {
  const mask = v128.and(v128.load(one, EXPECTED_MASK_SOURCE), v128.load(other, EXPECTED_MASK_SOURCE));
  const port = load<u16>(one, EXPECTED_MASK_SOURCE_PORT) & load<u16>(other, EXPECTED_MASK_SOURCE_PORT);
  return agrees(one + EXPECTED_TUPLE, other + EXPECTED_TUPLE, mask, port);
}

function sameMasks(one: usize, other: usize): bool {
  const address = v128.xor(v128.load(one, EXPECTED_MASK_SOURCE), v128.load(other, EXPECTED_MASK_SOURCE));
  const source = v128.xor(
    v128.load(one, EXPECTED_TUPLE + TUPLE_SOURCE),
    v128.load(other, EXPECTED_TUPLE + TUPLE_SOURCE),
  );
  return (
    !v128.any_true(v128.or(address, source)) &&
    load<u16>(one, EXPECTED_MASK_SOURCE_PORT) == load<u16>(other, EXPECTED_MASK_SOURCE_PORT)
  );
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
  return agrees(
    at + EXPECTED_TUPLE,
    tuple,
    v128.load(at, EXPECTED_MASK_SOURCE),
    load<u16>(at, EXPECTED_MASK_SOURCE_PORT),
  );
}

/** Whether tuples agree, of the source in what the mask has. */
function agrees(one: usize, other: usize, mask: v128, portMask: u16): bool {
  const far = v128.xor(v128.load(one, TUPLE_DESTINATION), v128.load(other, TUPLE_DESTINATION));
  const near = v128.xor(v128.load(one, TUPLE_SOURCE), v128.load(other, TUPLE_SOURCE));
  const port = load<u16>(one, TUPLE_SOURCE_PORT) ^ load<u16>(other, TUPLE_SOURCE_PORT);
  return (
    !v128.any_true(v128.or(far, v128.and(near, mask))) &&
    !(port & portMask) &&
    load<u16>(one, TUPLE_DESTINATION_PORT) == load<u16>(other, TUPLE_DESTINATION_PORT) &&
    load<u32>(one, TUPLE_PROTOCOL) == load<u32>(other, TUPLE_PROTOCOL)
  );
}
