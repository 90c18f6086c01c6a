/**
 * Connections whose source NAT rewrites, by that source: another connection from there is given the same one where that is
 * possible (find_appropriate_src). What keeps its source is never asked for, so it is not kept here.
 */
import {
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  CONNECTION_SOURCE_NODE,
  CONNECTIONS_SEED,
  CONNECTIONS_SOURCES,
  NODE_HASH,
  NODE_NEXT,
  NODE_TUPLE,
  TUPLE_DESTINATION,
  TUPLE_DESTINATION_PORT,
  TUPLE_PROTOCOL,
  TUPLE_SOURCE,
  TUPLE_SOURCE_PORT,
  TUPLE_ZONE,
} from "../../src/blob/connections";
import { bucketOf, chainLink, chainsCount, chainsGrow, stripeLock, stripeOf, stripeUnlock } from "./chains";
import { sourceInRange } from "./nat";
import { connections } from "./pool";
import { tupleHash, tupleInvert } from "./tuple";

/** A node's hash is never 0: that it is in no chain. */
const LINKED: u32 = 0x80000000;

/** Notes a connection by what its first packet came from. `key` is scratch for a tuple. */
export function noteSource(record: usize, key: usize): void {
  const node = record + CONNECTION_SOURCE_NODE;
  if (load<u32>(node, NODE_HASH)) return;
  const sources = connections() + CONNECTIONS_SOURCES;
  const hash = sourceHash(record + CONNECTION_ORIGINAL + NODE_TUPLE, key);
  const stripe = stripeOf(sources, hash);
  stripeLock(stripe);
  chainLink(sources, node, hash);
  stripeUnlock(stripe);
  chainsCount(sources, 1);
  chainsGrow(sources);
}

/**
 * Writes what the newest connection from the source of `tuple` whose source now is in the range in hand makes of it to
 * `into`. False when there is none.
 */
export function findSource(tuple: usize, into: usize, key: usize): bool {
  const sources = connections() + CONNECTIONS_SOURCES;
  const hash = sourceHash(tuple, key);
  const stripe = stripeOf(sources, hash);
  let found = false;
  stripeLock(stripe);
  for (let node: usize = load<u32>(bucketOf(sources, hash)); node && !found; node = load<u32>(node, NODE_NEXT)) {
    const record = node - CONNECTION_SOURCE_NODE;
    if (load<u32>(node, NODE_HASH) != hash || !sameSource(record + CONNECTION_ORIGINAL + NODE_TUPLE, tuple)) continue;
    tupleInvert(record + CONNECTION_REPLY + NODE_TUPLE, into);
    v128.store(into, v128.load(tuple, TUPLE_DESTINATION), TUPLE_DESTINATION);
    store<u16>(into, load<u16>(tuple, TUPLE_DESTINATION_PORT), TUPLE_DESTINATION_PORT);
    store<u16>(into, load<u16>(tuple, TUPLE_ZONE), TUPLE_ZONE);
    found = sourceInRange(into);
  }
  stripeUnlock(stripe);
  return found;
}

function sameSource(a: usize, b: usize): bool {
  return (
    !v128.any_true(v128.xor(v128.load(a, TUPLE_SOURCE), v128.load(b, TUPLE_SOURCE))) &&
    load<u16>(a, TUPLE_SOURCE_PORT) == load<u16>(b, TUPLE_SOURCE_PORT) &&
    load<u32>(a, TUPLE_PROTOCOL) == load<u32>(b, TUPLE_PROTOCOL)
  );
}

function sourceHash(tuple: usize, key: usize): u32 {
  v128.store(key, v128.load(tuple, TUPLE_SOURCE), TUPLE_SOURCE);
  v128.store(key, v128.splat<u32>(0), TUPLE_DESTINATION);
  store<u32>(key, load<u16>(tuple, TUPLE_SOURCE_PORT), TUPLE_SOURCE_PORT);
  store<u32>(key, load<u32>(tuple, TUPLE_PROTOCOL), TUPLE_PROTOCOL);
  return tupleHash(key, load<u32>(connections(), CONNECTIONS_SEED)) | LINKED;
}
