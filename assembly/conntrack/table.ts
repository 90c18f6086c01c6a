/**
 * The table of connections: both directions' tuples in chains, found without a lock, changed under the locks of the two
 * stripes concerned.
 */
import {
  CONNECTION_EXPIRES,
  CONNECTION_INTERFACE,
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  CONNECTION_SIZE,
  CONNECTION_SOURCE_NODE,
  CONNECTION_STATUS,
  CONNECTIONS_RECORDS,
  CONNECTIONS_SEED,
  CONNECTIONS_SOURCES,
  CONNECTIONS_TOP,
  CONNECTIONS_TUPLES,
  NODE_HASH,
  NODE_NEXT,
  NODE_TUPLE,
  STATUS_CONFIRMED,
  STATUS_DYING,
  STATUS_NAT_CLASH,
  TUPLE_DESTINATION,
  TUPLE_ZONE,
  CONNECTIONS_EXPECTED_COUNT,
} from "../../src/blob/connections";
import { sameInterface } from "../interface";
import {
  bucketOf,
  chainLink,
  chainsCount,
  chainsGrow,
  chainUnlink,
  stripeLock,
  stripeOf,
  stripesLock,
  stripesUnlock,
  stripeUnlock,
} from "./chains";
import { forgetExpectations } from "./expect";
import { connections, directionOf, recordOf, reference, release } from "./pool";
import { tupleEqual, tupleHash } from "./tuple";

/** What `insert` found. */
export const INSERTED: usize = 0;

/** Directions to look for. Where they have zones of their own, each tuple belongs to one. */
export const ANY: u32 = 3;
export const ORIGINAL: u32 = 1;
export const REPLY: u32 = 2;

/**
 * The node of one of `directions` whose tuple is that at `tuple`, its connection's reference taken; 0 when there is none.
 * What has expired by `now` is taken out on the way.
 */
export function find(tuple: usize, directions: u32, now: u32): usize {
  const table = connections();
  const chains = table + CONNECTIONS_TUPLES;
  const hash = tupleHash(tuple, load<u32>(table, CONNECTIONS_SEED));
  const stripe = stripeOf(chains, hash);
  while (true) {
    const sequence = atomic.load<u32>(stripe);
    if (sequence & 1) continue;
    let node: usize = atomic.load<u32>(bucketOf(chains, hash));
    while (node && !isOf(node, tuple, hash, directions)) node = atomic.load<u32>(node, NODE_NEXT);
    if (node) {
      const record = recordOf(node);
      if (!reference(record)) continue;
      // Until there was a reference, the record could become another connection's.
      if (isOf(node, tuple, hash, directions)) {
        if (!isExpired(record, now)) return node;
        remove(record);
        release(record);
        return 0;
      }
      release(record);
    } else if (atomic.load<u32>(stripe) == sequence) return 0;
  }
}

/** The same where the other direction's zone is `reply`: each direction is looked for in its own. */
export function findInZones(tuple: usize, reply: u16, now: u32): usize {
  const original = load<u16>(tuple, TUPLE_ZONE);
  if (original == reply) return find(tuple, ANY, now);
  let node = find(tuple, ORIGINAL, now);
  if (node) return node;
  store<u16>(tuple, reply, TUPLE_ZONE);
  node = find(tuple, REPLY, now);
  store<u16>(tuple, original, TUPLE_ZONE);
  return node;
}

/**
 * Puts a connection into the table. INSERTED, or the node that has one of its tuples already, referred to: then nothing is
 * changed.
 */
export function insert(record: usize, now: u32): usize {
  const table = connections();
  const chains = table + CONNECTIONS_TUPLES;
  const seed = load<u32>(table, CONNECTIONS_SEED);
  const original = record + CONNECTION_ORIGINAL;
  const reply = record + CONNECTION_REPLY;
  const first = tupleHash(original + NODE_TUPLE, seed);
  const second = tupleHash(reply + NODE_TUPLE, seed);
  const a = stripeOf(chains, first);
  const b = stripeOf(chains, second);
  const apart = load<u16>(original + NODE_TUPLE, TUPLE_ZONE) != load<u16>(reply + NODE_TUPLE, TUPLE_ZONE);
  while (true) {
    stripesLock(a, b);
    let clash = holder(chains, original + NODE_TUPLE, first, apart ? ORIGINAL : ANY);
    if (!clash) clash = holder(chains, reply + NODE_TUPLE, second, apart ? REPLY : ANY);
    if (!clash) {
      reference(record);
      // Nobody else can have it yet.
      store<u32>(record, load<u32>(record, CONNECTION_STATUS) | STATUS_CONFIRMED, CONNECTION_STATUS);
      chainLink(chains, original, first);
      chainLink(chains, reply, second);
      stripesUnlock(a, b);
      chainsCount(chains, 2);
      chainsGrow(chains);
      return INSERTED;
    }
    const other = recordOf(clash);
    const held = reference(other);
    stripesUnlock(a, b);
    if (!held) continue;
    if (!isExpired(other, now)) return clash;
    remove(other);
    release(other);
  }
}

/** Puts a connection whose first tuple another has into the table by its reply alone. False when that is taken, too. */
export function insertReply(record: usize): bool {
  const table = connections();
  const chains = table + CONNECTIONS_TUPLES;
  const reply = record + CONNECTION_REPLY;
  const hash = tupleHash(reply + NODE_TUPLE, load<u32>(table, CONNECTIONS_SEED));
  const stripe = stripeOf(chains, hash);
  stripeLock(stripe);
  const free = !holder(chains, reply + NODE_TUPLE, hash, ANY);
  if (free) {
    reference(record);
    orStatus(record, STATUS_CONFIRMED | STATUS_NAT_CLASH);
    chainLink(chains, reply, hash);
    chainsCount(chains, 1);
  }
  stripeUnlock(stripe);
  return free;
}

/** Takes a connection out of the table. False when it was not there, or someone else has just done so. */
export function remove(record: usize): bool {
  const chains = connections() + CONNECTIONS_TUPLES;
  const original = record + CONNECTION_ORIGINAL;
  const reply = record + CONNECTION_REPLY;
  const b = stripeOf(chains, load<u32>(reply, NODE_HASH));
  const alone = (load<u32>(record, CONNECTION_STATUS) & STATUS_NAT_CLASH) != 0;
  const a = alone ? b : stripeOf(chains, load<u32>(original, NODE_HASH));
  stripesLock(a, b);
  const there = (load<u32>(record, CONNECTION_STATUS) & (STATUS_CONFIRMED | STATUS_DYING)) == STATUS_CONFIRMED;
  if (there) {
    orStatus(record, STATUS_DYING);
    if (!alone) chainUnlink(chains, original);
    chainUnlink(chains, reply);
  }
  stripesUnlock(a, b);
  if (!there) return false;
  chainsCount(chains, alone ? -1 : -2);
  forgetSource(record);
  if (atomic.load<u32>(connections(), CONNECTIONS_EXPECTED_COUNT)) forgetExpectations(false);
  release(record);
  return true;
}

/** Takes the connection out of the chains by source, where it is in one. */
export function forgetSource(record: usize): void {
  const sources = connections() + CONNECTIONS_SOURCES;
  const node = record + CONNECTION_SOURCE_NODE;
  if (!load<u32>(node, NODE_HASH)) return;
  const stripe = stripeOf(sources, load<u32>(node, NODE_HASH));
  stripeLock(stripe);
  if (chainUnlink(sources, node)) chainsCount(sources, -1);
  store<u32>(node, 0, NODE_HASH);
  stripeUnlock(stripe);
}

/** Takes everything out, for a table that is flushed. */
export function removeAll(): void {
  removeWhere(0, false);
}

/** Takes out what is masqueraded for an interface, by an address of it or, 0, by any. */
export function removeMasqueraded(name: usize, address: usize): void {
  const table = connections();
  const top = load<u32>(table, CONNECTIONS_TOP);
  let record: usize = load<u32>(table, CONNECTIONS_RECORDS);
  for (let i: u32 = 0; i < top; i++, record += CONNECTION_SIZE) {
    if (!reference(record)) continue;
    const given = record + CONNECTION_REPLY + NODE_TUPLE + TUPLE_DESTINATION;
    const same = !address || !v128.any_true(v128.xor(v128.load(given), v128.load(address)));
    if (same && sameInterface(record + CONNECTION_INTERFACE, name)) remove(record);
    release(record);
  }
}

/** Status bits are set by whoever holds a reference. */
export function orStatus(record: usize, bits: u32): void {
  atomic.or<u32>(record, bits, CONNECTION_STATUS);
}

/** Times wrap around after 49 days of the virtual clock. */
export function isExpired(record: usize, now: u32): bool {
  return <i32>(load<u32>(record, CONNECTION_EXPIRES) - now) <= 0;
}

function isOf(node: usize, tuple: usize, hash: u32, directions: u32): bool {
  return (
    load<u32>(node, NODE_HASH) == hash &&
    (directions >> directionOf(node)) & 1 &&
    tupleEqual(node + NODE_TUPLE, tuple) &&
    (load<u32>(recordOf(node), CONNECTION_STATUS) & (STATUS_CONFIRMED | STATUS_DYING)) == STATUS_CONFIRMED
  );
}

/** The node of one of `directions` in the chain that has the tuple, under its stripe's lock. */
function holder(chains: usize, tuple: usize, hash: u32, directions: u32): usize {
  let node: usize = load<u32>(bucketOf(chains, hash));
  while (node) {
    const same = load<u32>(node, NODE_HASH) == hash && tupleEqual(node + NODE_TUPLE, tuple);
    if (same && (directions >> directionOf(node)) & 1) return node;
    node = load<u32>(node, NODE_NEXT);
  }
  return 0;
}

/** Takes out all connections, or those that have expired. */
export function removeWhere(now: u32, expired: bool): bool {
  const table = connections();
  const top = load<u32>(table, CONNECTIONS_TOP);
  let any = false;
  let record: usize = load<u32>(table, CONNECTIONS_RECORDS);
  for (let i: u32 = 0; i < top; i++, record += CONNECTION_SIZE) {
    if (!reference(record)) continue;
    if ((!expired || isExpired(record, now)) && remove(record)) any = true;
    release(record);
  }
  return any;
}
