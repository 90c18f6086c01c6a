/**
 * connlimit (xt_connlimit.c, nf_conncount.c): how many connections there are from, or to, the packet's network. A rule keeps
 * the tuples of the connections it has met, by network and zone, in chains that all rules share; those that have gone, or
 * that TCP has closed, are given up when their network is counted again.
 */
import {
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  CONNECTION_STATE,
  CONNECTIONS_CAPACITY,
  CONNECTIONS_COUNTED,
  CONNECTIONS_COUNTED_FREE,
  CONNECTIONS_COUNTED_LOCK,
  CONNECTIONS_COUNTED_RECORDS,
  CONNECTIONS_COUNTED_TOP,
  CONNECTIONS_COUNTERS,
  CONNECTIONS_SEED,
  COUNTED_ADDRESS,
  COUNTED_RULE,
  COUNTED_SIZE,
  COUNTED_TUPLE,
  COUNTED_ZONE,
  NODE_HASH,
  NODE_NEXT,
  NODE_TUPLE,
  TCP_CLOSE,
  TCP_TIME_WAIT,
  TUPLE_PROTOCOL,
  TUPLE_ZONE,
  CONNECTION_TUPLE_SIZE,
} from "../../src/blob/connections";
import { PACKET_DESTINATION, PACKET_SOURCE, PACKET_TIME, PACKET_ZONE } from "../../src/blob/layout";
import { CONNLIMIT_FLAGS, CONNLIMIT_LIMIT, CONNLIMIT_MASK, CONNLIMIT_OBJECT } from "../../src/blob/payloads";
import { packet, setHotdrop } from "../packet";
import { put32 } from "../store";
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
import { ANY, find } from "./table";
import { connection, scratchTuple } from "./track";
import { TCP, tupleEqual, tupleHash, tupleOfPacket } from "./tuple";

const UP_TO: u8 = 1;
const BY_DESTINATION: u8 = 2;

/** Gives a fresh rule a number of its own. */
export function countedJoin(record: usize): void {
  const table = connections();
  put32(table + CONNECTIONS_COUNTERS, load<u32>(table, CONNECTIONS_COUNTERS) + 1);
  store<u32>(record, load<u32>(table, CONNECTIONS_COUNTERS), CONNLIMIT_OBJECT);
}

/** The rule is gone, and no reader sees it; nor anything that it has kept. */
export function countedLeave(record: usize): void {
  const table = connections();
  const rule = load<u32>(record, CONNLIMIT_OBJECT);
  const top = load<u32>(table, CONNECTIONS_COUNTED_TOP);
  let at: usize = load<u32>(table, CONNECTIONS_COUNTED_RECORDS);
  for (let i: u32 = 0; i < top; i++, at += COUNTED_SIZE) {
    if (load<u32>(at, COUNTED_RULE) != rule) continue;
    const stripe = stripeOf(table + CONNECTIONS_COUNTED, load<u32>(at, NODE_HASH));
    stripeLock(stripe);
    if (load<u32>(at, COUNTED_RULE) == rule) give(table, at);
    stripeUnlock(stripe);
  }
}

export function matchConnlimit(record: usize): bool {
  const table = connections();
  const tuple = scratchTuple(6);
  if (connection) memory.copy(tuple, connection + CONNECTION_ORIGINAL + NODE_TUPLE, CONNECTION_TUPLE_SIZE);
  else tupleOfPacket(tuple, load<u16>(packet, PACKET_ZONE));
  const flags = load<u8>(record, CONNLIMIT_FLAGS);
  const address = v128.and(
    v128.load(packet + (flags & BY_DESTINATION ? PACKET_DESTINATION : PACKET_SOURCE)),
    v128.load(record, CONNLIMIT_MASK),
  );
  const rule = load<u32>(record, CONNLIMIT_OBJECT);
  // The zone's number, whichever direction it is of.
  const own = <u32>load<u16>(tuple, TUPLE_ZONE);
  const zone = own || !connection ? own : <u32>load<u16>(connection + CONNECTION_REPLY + NODE_TUPLE, TUPLE_ZONE);
  const key = scratchTuple(7);
  v128.store(key, address);
  v128.store(key, v128.splat<u32>(rule), 16);
  store<u64>(key, zone, 32);
  const hash = tupleHash(key, load<u32>(table, CONNECTIONS_SEED));
  const chains = table + CONNECTIONS_COUNTED;
  let count = countAndAdd(chains, hash, rule, zone, address, tuple);
  if (!count) {
    sweep(table);
    count = countAndAdd(chains, hash, rule, zone, address, tuple);
  }
  chainsGrow(chains);
  if (!count) {
    setHotdrop();
    return false;
  }
  return count > load<u32>(record, CONNLIMIT_LIMIT) != ((flags & UP_TO) != 0);
}

/** Records that a sweep looks at, and where the next one begins. */
const SWEEP_COUNT: u32 = 256;
let hand: u32 = 0;

/** Gives up what has gone, of any network: those that are never counted again would fill the pool for ever. */
function sweep(table: usize): void {
  const chains = table + CONNECTIONS_COUNTED;
  const top = load<u32>(table, CONNECTIONS_COUNTED_TOP);
  for (let looked: u32 = 0; looked < min(SWEEP_COUNT, top); looked++) {
    if (hand >= top) hand = 0;
    const at: usize = load<u32>(table, CONNECTIONS_COUNTED_RECORDS) + hand++ * COUNTED_SIZE;
    const hash = load<u32>(at, NODE_HASH);
    const stripe = stripeOf(chains, hash);
    stripeLock(stripe);
    // A record has a rule as long as it is linked, and is unlinked under this lock.
    if (atomic.load<u32>(at, COUNTED_RULE) && load<u32>(at, NODE_HASH) == hash && !isLive(at + COUNTED_TUPLE))
      give(table, at);
    stripeUnlock(stripe);
  }
}

function countAndAdd(chains: usize, hash: u32, rule: u32, zone: u32, address: v128, tuple: usize): u32 {
  const stripe = stripeOf(chains, hash);
  stripeLock(stripe);
  const count = countUnderLock(chains, hash, rule, zone, address, tuple);
  stripeUnlock(stripe);
  return count;
}

/**
 * How many there are, this packet's included; 0 without memory. As in Linux, only what is older than this connection's own
 * record is looked at, whether it is still there; everything where it has none yet.
 */
function countUnderLock(chains: usize, hash: u32, rule: u32, zone: u32, address: v128, tuple: usize): u32 {
  const table = connections();
  let own: usize = load<u32>(bucketOf(chains, hash));
  while (own && !(isOf(own, hash, rule, zone, address) && tupleEqual(own + COUNTED_TUPLE, tuple)))
    own = load<u32>(own, NODE_NEXT);
  if (own && !isThere(tuple)) own = 0;
  let count: u32 = 0;
  let older = !own;
  let node: usize = load<u32>(bucketOf(chains, hash));
  while (node) {
    const next: usize = load<u32>(node, NODE_NEXT);
    if (isOf(node, hash, rule, zone, address)) {
      if (older && !isLive(node + COUNTED_TUPLE)) give(table, node);
      else count++;
      if (node == own) older = true;
    }
    node = next;
  }
  if (own) return count;
  const fresh = counted(table);
  if (!fresh) return 0;
  store<u32>(fresh, zone, COUNTED_ZONE);
  v128.store(fresh, address, COUNTED_ADDRESS);
  memory.copy(fresh + COUNTED_TUPLE, tuple, CONNECTION_TUPLE_SIZE);
  chainLink(chains, fresh, hash);
  // Last: who sweeps takes a record with a rule for one that is linked.
  atomic.store<u32>(fresh, rule, COUNTED_RULE);
  chainsCount(chains, 1);
  return count + 1;
}

function isOf(node: usize, hash: u32, rule: u32, zone: u32, address: v128): bool {
  return (
    load<u32>(node, NODE_HASH) == hash &&
    load<u32>(node, COUNTED_RULE) == rule &&
    load<u32>(node, COUNTED_ZONE) == zone &&
    !v128.any_true(v128.xor(v128.load(node, COUNTED_ADDRESS), address))
  );
}

function isThere(tuple: usize): bool {
  const node = find(tuple, ANY, load<u32>(packet, PACKET_TIME));
  if (node) release(recordOf(node));
  return node != 0;
}

/** Whether the connection is there, and its TCP not closed. */
function isLive(tuple: usize): bool {
  const node = find(tuple, ANY, load<u32>(packet, PACKET_TIME));
  if (!node) return false;
  const state = load<u8>(recordOf(node), CONNECTION_STATE);
  release(recordOf(node));
  return load<u8>(tuple, TUPLE_PROTOCOL) != TCP || (state != <u8>TCP_TIME_WAIT && state != <u8>TCP_CLOSE);
}

function counted(table: usize): usize {
  lock(table + CONNECTIONS_COUNTED_LOCK);
  let at: usize = load<u32>(table, CONNECTIONS_COUNTED_FREE);
  const top = load<u32>(table, CONNECTIONS_COUNTED_TOP);
  if (at) store<u32>(table, load<u32>(at, NODE_NEXT), CONNECTIONS_COUNTED_FREE);
  else if (top < load<u32>(table, CONNECTIONS_CAPACITY)) {
    at = load<u32>(table, CONNECTIONS_COUNTED_RECORDS) + top * COUNTED_SIZE;
    store<u32>(table, top + 1, CONNECTIONS_COUNTED_TOP);
  }
  unlock(table + CONNECTIONS_COUNTED_LOCK);
  return at;
}

/** Takes a record out of its chain, under the lock of its stripe. */
function give(table: usize, at: usize): void {
  if (chainUnlink(table + CONNECTIONS_COUNTED, at)) chainsCount(table + CONNECTIONS_COUNTED, -1);
  atomic.store<u32>(at, 0, COUNTED_RULE);
  lock(table + CONNECTIONS_COUNTED_LOCK);
  store<u32>(at, load<u32>(table, CONNECTIONS_COUNTED_FREE), NODE_NEXT);
  store<u32>(table, <u32>at, CONNECTIONS_COUNTED_FREE);
  unlock(table + CONNECTIONS_COUNTED_LOCK);
}
