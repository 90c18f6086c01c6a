/** Room for one more connection: where the table is full, what has expired is given up, then what is not assured. */
import {
  CHAINS_SIZE,
  CONNECTION_STATUS,
  CONNECTIONS_SEED,
  CONNECTIONS_SWEPT,
  CONNECTIONS_TUPLES,
  NODE_NEXT,
  STATUS_ASSURED,
} from "../../src/blob/connections";
import { bucketAt, bucketOf, stripeLock, stripeOf, stripeUnlock } from "./chains";
import { connections, countUp, recordOf, recordTake, reference, release } from "./pool";
import { isExpired, remove, removeWhere } from "./table";
import { tupleHash } from "./tuple";

/** Buckets that are searched for connections to give up when the table is full (NF_CT_EVICTION_RANGE). */
const EVICTION_RANGE: u32 = 8;
/** Milliseconds between two searches of the whole table for what has expired. */
const SWEEP_EVERY: u32 = 1000;

/** A record for a connection that begins with `tuple`; 0 when the table is full and nothing near may be given up. */
export function take(tuple: usize, now: u32): usize {
  while (!countUp()) if (!sweep(now) && !evict(tuple, now)) return 0;
  return recordTake();
}

/** Takes out what has expired, at most once a second of the virtual clock. False when nothing was found. */
function sweep(now: u32): bool {
  const table = connections();
  const last = atomic.load<u32>(table, CONNECTIONS_SWEPT);
  if (<i32>(now - last) < <i32>SWEEP_EVERY && last) return false;
  if (atomic.cmpxchg<u32>(table, last, now ? now : 1, CONNECTIONS_SWEPT) != last) return false;
  return removeWhere(now, true);
}

/** Takes out the connections of one bucket, from the tuple's own on, that are not assured (early_drop). */
function evict(tuple: usize, now: u32): bool {
  const table = connections();
  const chains = table + CONNECTIONS_TUPLES;
  const size = atomic.load<u32>(chains, CHAINS_SIZE);
  const hash = tupleHash(tuple, load<u32>(table, CONNECTIONS_SEED));
  let number = <u32>(bucketOf(chains, hash) - bucketAt(chains, 0)) >> 2;
  for (let i: u32 = 0; i < EVICTION_RANGE; i++, number = number + 1 < size ? number + 1 : 0) {
    let dropped = false;
    while (true) {
      const victim = victimIn(chains, number, now);
      if (!victim) break;
      if (remove(victim)) dropped = true;
      release(victim);
    }
    if (dropped) return true;
  }
  return false;
}

/** A connection of the bucket that has expired or is not assured, referred to. */
function victimIn(chains: usize, number: u32, now: u32): usize {
  const stripe = stripeOf(chains, number);
  let victim: usize = 0;
  stripeLock(stripe);
  for (let node: usize = load<u32>(bucketAt(chains, number)); node && !victim; node = load<u32>(node, NODE_NEXT)) {
    const record = recordOf(node);
    if (!isExpired(record, now) && load<u32>(record, CONNECTION_STATUS) & STATUS_ASSURED) continue;
    if (reference(record)) victim = record;
  }
  stripeUnlock(stripe);
  return victim;
}
