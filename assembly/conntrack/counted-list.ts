/**
 * Networks whose connections rules of connlimit count (nf_conncount.c): of each a list of tuples, the oldest first.
 *
 * A packet of a connection that is assured is not added; it has the list looked over, and where nothing remains, it counts
 * none. Any other is looked for from the oldest on; what has gone or is closed on the way to it is given up, which ends
 * behind 64, and who is not found is added. A list that was looked over in this millisecond is not looked over again for a
 * connection that begins, so one that is begun twice within it counts twice, as within a jiffy of Linux's.
 *
 * What another reader has added a moment ago and is not in the table may not be confirmed yet, and stays. A list without
 * connections stays, too, until memory is asked for and there is none.
 *
 * All of a network is read and changed under the lock of its stripe.
 */
import {
  CONNECTION_ORIGINAL,
  CONNECTION_STATE,
  CONNECTIONS_CAPACITY,
  CONNECTIONS_COUNTED,
  CONNECTIONS_COUNTED_FREE,
  CONNECTIONS_COUNTED_LOCK,
  CONNECTIONS_COUNTED_RECORDS,
  CONNECTIONS_COUNTED_TOP,
  CONNECTIONS_SEED,
  CONNECTION_TUPLE_SIZE,
  COUNTED_ADDRESS,
  COUNTED_COLLECTED,
  COUNTED_COUNT,
  COUNTED_COUNT_THEN,
  COUNTED_FIRST,
  COUNTED_LAST,
  COUNTED_PER_CONNECTION,
  COUNTED_READER,
  COUNTED_RULE,
  COUNTED_SIZE,
  COUNTED_TIME,
  COUNTED_TUPLE,
  COUNTED_ZONE,
  COUNTED_ZONE_REPLY,
  NODE_HASH,
  NODE_NEXT,
  NODE_TUPLE,
  STATUS_ASSURED,
  STATUS_CONFIRMED,
  TCP_CLOSE,
  TCP_TIME_WAIT,
  TUPLE_PROTOCOL,
  TUPLE_ZONE,
} from "../../src/blob/connections";
import { reader } from "../packet";
import {
  bucketOf,
  chainLink,
  chainsCount,
  chainsGrow,
  chainUnlink,
  stripeLock,
  stripeOf,
  stripeUnlock,
} from "./chains";
import { connections, lock, recordOf, release, unlock } from "./pool";
import { findInZones } from "./table";
import { TCP, tupleEqual, tupleHash, tupleSameEnds } from "./tuple";

/** What `countNetwork` says where there is no memory. */
export const NO_ROOM: u32 = 0xffffffff;
/** How many are given up in one go (CONNCOUNT_GC_MAX_COLLECT). */
const COLLECT_MOST: u32 = 64;
/** Milliseconds that another reader's packet may be on its way. */
const UNDER_WAY: u32 = 2;
/** Records that a sweep looks at. */
const SWEEP_COUNT: u32 = 256;

/** What has become of a connection. */
const GONE: u32 = 0;
const MAYBE: u32 = 1;
const THERE: u32 = 2;
const OWN: u32 = 3;

/**
 * How many connections a network has: `network` is its masked address 16, the rule 4 four times, and the zone 8. The packet's
 * own has the tuple `own`, the zone `reply` for answers, and a status, 0 where it is no connection. 0: the packet is to be
 * dropped.
 */
export function countNetwork(network: usize, own: usize, reply: u16, status: u32, now: u32): u32 {
  const table = connections();
  const chains = table + CONNECTIONS_COUNTED;
  const hash = tupleHash(network, load<u32>(table, CONNECTIONS_SEED));
  const stripe = stripeOf(chains, hash);
  stripeLock(stripe);
  const count = countUnderLock(table, hash, network, own, reply, status, now);
  stripeUnlock(stripe);
  chainsGrow(chains);
  return count;
}

/** Gives up what the rule has kept. */
export function forgetRule(rule: u32): void {
  const table = connections();
  const chains = table + CONNECTIONS_COUNTED;
  const top = load<u32>(table, CONNECTIONS_COUNTED_TOP);
  let head: usize = load<u32>(table, CONNECTIONS_COUNTED_RECORDS);
  for (let i: u32 = 0; i < top; i++, head += COUNTED_SIZE) {
    if (load<u32>(head, COUNTED_RULE) != rule) continue;
    const stripe = stripeOf(chains, load<u32>(head, NODE_HASH));
    stripeLock(stripe);
    if (load<u32>(head, COUNTED_RULE) == rule) {
      while (load<u32>(head, COUNTED_FIRST)) unlink(table, head, 0, load<u32>(head, COUNTED_FIRST));
      unlinkNetwork(table, head);
    }
    stripeUnlock(stripe);
  }
}

/** Where the next sweep begins. */
let hand: u32 = 0;

/** Looks over networks, of any rule, and gives up those without connections: they may never be counted again. */
export function sweepNetworks(now: u32): void {
  const table = connections();
  const chains = table + CONNECTIONS_COUNTED;
  const top = load<u32>(table, CONNECTIONS_COUNTED_TOP);
  for (let looked: u32 = 0; looked < min(SWEEP_COUNT, top); looked++) {
    if (hand >= top) hand = 0;
    const head: usize = load<u32>(table, CONNECTIONS_COUNTED_RECORDS) + hand++ * COUNTED_SIZE;
    const hash = load<u32>(head, NODE_HASH);
    if (!atomic.load<u32>(head, COUNTED_RULE)) continue;
    const stripe = stripeOf(chains, hash);
    stripeLock(stripe);
    // A record has a rule as long as it is a linked network, and is unlinked under this lock.
    if (atomic.load<u32>(head, COUNTED_RULE) && load<u32>(head, NODE_HASH) == hash) {
      lookOver(table, head, 0, now);
      if (!load<u32>(head, COUNTED_COUNT)) unlinkNetwork(table, head);
    }
    stripeUnlock(stripe);
  }
}

function countUnderLock(table: usize, hash: u32, network: usize, own: usize, reply: u16, status: u32, now: u32): u32 {
  let head: usize = load<u32>(bucketOf(table + CONNECTIONS_COUNTED, hash));
  while (head && !isOf(head, hash, network)) head = load<u32>(head, NODE_NEXT);
  if (!head) {
    const fresh = recordOfPool(table);
    if (!fresh) return NO_ROOM;
    if (!add(table, fresh, own, reply, now)) {
      giveBack(table, fresh);
      return NO_ROOM;
    }
    linkNetwork(table, fresh, hash, network, now);
    return 1;
  }
  const count = load<u32>(head, COUNTED_COUNT);
  const collected = load<u32>(head, COUNTED_COLLECTED) == now;
  if ((status & (STATUS_CONFIRMED | STATUS_ASSURED)) == (STATUS_CONFIRMED | STATUS_ASSURED)) {
    if (count && !collected) lookOver(table, head, 0, now);
    return load<u32>(head, COUNTED_COUNT);
  }
  const few = count - load<u32>(head, COUNTED_COUNT_THEN) < COLLECT_MOST;
  const hurried = !(status & STATUS_CONFIRMED) && collected && few;
  if (!hurried && lookOver(table, head, own, now)) return load<u32>(head, COUNTED_COUNT);
  return add(table, head, own, reply, now) ? load<u32>(head, COUNTED_COUNT) : NO_ROOM;
}

/** Gives up what has gone, as far as the connection of tuple `own`, or everywhere where that is 0. True when `own` is there. */
function lookOver(table: usize, head: usize, own: usize, now: u32): bool {
  let given: u32 = 0;
  let before: usize = 0;
  let node: usize = load<u32>(head, COUNTED_FIRST);
  while (node && !(own && given > COLLECT_MOST)) {
    const next: usize = load<u32>(node, NODE_NEXT);
    const found = whatOf(node, own, now);
    if (found == OWN) return true;
    if (found == GONE) {
      unlink(table, head, before, node);
      given++;
    } else {
      if (found == THERE && given > COLLECT_MOST) break;
      before = node;
    }
    node = next;
  }
  store<u32>(head, now, COUNTED_COLLECTED);
  store<u32>(head, load<u32>(head, COUNTED_COUNT), COUNTED_COUNT_THEN);
  return false;
}

/** OWN only where `own` is its tuple, and the connection that is found by it began in the same zone as the packet's. */
function whatOf(node: usize, own: usize, now: u32): u32 {
  const tuple = node + COUNTED_TUPLE;
  const found = findInZones(tuple, load<u16>(node, COUNTED_ZONE_REPLY), now);
  if (!found) {
    if (load<u32>(node, COUNTED_READER) == <u32>reader || now - load<u32>(node, COUNTED_TIME) >= UNDER_WAY) return GONE;
    return own && tupleEqual(tuple, own) ? OWN : MAYBE;
  }
  const record = recordOf(found);
  const original = record + CONNECTION_ORIGINAL + NODE_TUPLE;
  const zone = load<u16>(original, TUPLE_ZONE);
  const state = load<u8>(record, CONNECTION_STATE);
  const tcp = load<u8>(original, TUPLE_PROTOCOL) == TCP;
  release(record);
  if (own && tupleSameEnds(tuple, own) && zone == load<u16>(own, TUPLE_ZONE)) return OWN;
  return tcp && (state == <u8>TCP_TIME_WAIT || state == <u8>TCP_CLOSE) ? GONE : THERE;
}

function add(table: usize, head: usize, own: usize, reply: u16, now: u32): bool {
  const fresh = recordOfPool(table);
  if (!fresh) return false;
  store<u32>(fresh, 0, NODE_NEXT);
  store<u32>(fresh, now, COUNTED_TIME);
  store<u16>(fresh, reply, COUNTED_ZONE_REPLY);
  store<u32>(fresh, <u32>reader, COUNTED_READER);
  memory.copy(fresh + COUNTED_TUPLE, own, CONNECTION_TUPLE_SIZE);
  const last: usize = load<u32>(head, COUNTED_LAST);
  store<u32>(last ? last + NODE_NEXT : head + COUNTED_FIRST, <u32>fresh);
  store<u32>(head, <u32>fresh, COUNTED_LAST);
  store<u32>(head, load<u32>(head, COUNTED_COUNT) + 1, COUNTED_COUNT);
  return true;
}

/** Takes a connection out of its network's list, where it comes behind `before`. */
function unlink(table: usize, head: usize, before: usize, node: usize): void {
  store<u32>(before ? before + NODE_NEXT : head + COUNTED_FIRST, load<u32>(node, NODE_NEXT));
  if (load<u32>(head, COUNTED_LAST) == <u32>node) store<u32>(head, <u32>before, COUNTED_LAST);
  store<u32>(head, load<u32>(head, COUNTED_COUNT) - 1, COUNTED_COUNT);
  giveBack(table, node);
}

function isOf(head: usize, hash: u32, network: usize): bool {
  return (
    load<u32>(head, NODE_HASH) == hash &&
    load<u32>(head, COUNTED_RULE) == load<u32>(network, 16) &&
    load<u32>(head, COUNTED_ZONE) == load<u32>(network, 32) &&
    !v128.any_true(v128.xor(v128.load(head, COUNTED_ADDRESS), v128.load(network)))
  );
}

function linkNetwork(table: usize, head: usize, hash: u32, network: usize, now: u32): void {
  store<u32>(head, load<u32>(network, 32), COUNTED_ZONE);
  v128.store(head, v128.load(network), COUNTED_ADDRESS);
  store<u32>(head, now, COUNTED_COLLECTED);
  store<u32>(head, 0, COUNTED_COUNT_THEN);
  chainLink(table + CONNECTIONS_COUNTED, head, hash);
  // Last: who sweeps takes a record with a rule for one that is linked.
  atomic.store<u32>(head, load<u32>(network, 16), COUNTED_RULE);
  chainsCount(table + CONNECTIONS_COUNTED, 1);
}

function unlinkNetwork(table: usize, head: usize): void {
  if (chainUnlink(table + CONNECTIONS_COUNTED, head)) chainsCount(table + CONNECTIONS_COUNTED, -1);
  atomic.store<u32>(head, 0, COUNTED_RULE);
  giveBack(table, head);
}

/** A record without anything; 0 when there is none. */
function recordOfPool(table: usize): usize {
  lock(table + CONNECTIONS_COUNTED_LOCK);
  let at: usize = load<u32>(table, CONNECTIONS_COUNTED_FREE);
  const top = load<u32>(table, CONNECTIONS_COUNTED_TOP);
  if (at) store<u32>(table, load<u32>(at, NODE_NEXT), CONNECTIONS_COUNTED_FREE);
  else if (top < load<u32>(table, CONNECTIONS_CAPACITY) * COUNTED_PER_CONNECTION) {
    at = load<u32>(table, CONNECTIONS_COUNTED_RECORDS) + top * COUNTED_SIZE;
    store<u32>(table, top + 1, CONNECTIONS_COUNTED_TOP);
  }
  unlock(table + CONNECTIONS_COUNTED_LOCK);
  if (at) memory.fill(at, 0, COUNTED_SIZE);
  return at;
}

function giveBack(table: usize, at: usize): void {
  lock(table + CONNECTIONS_COUNTED_LOCK);
  store<u32>(at, load<u32>(table, CONNECTIONS_COUNTED_FREE), NODE_NEXT);
  store<u32>(table, <u32>at, CONNECTIONS_COUNTED_FREE);
  unlock(table + CONNECTIONS_COUNTED_LOCK);
}
