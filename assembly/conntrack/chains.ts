/**
 * Hash chains that grow without stopping anyone.
 *
 * Problem. How many connections there will be is not known; a table that is rehashed as a whole stops every packet.
 *
 * Idea. Linear hashing (Litwin, 1980): with `size` buckets, between 2^n and 2^(n+1), a hash belongs to its last n + 1 bits
 * where such a bucket exists, else to its last n. To grow by one bucket, number `size`, split number `size - 2^n`. There are
 * never fewer buckets than stripes, so both have the same last bits, and one stripe's lock guards both:
 *
 *     size 300 = 256 + 44    hash ...0101100 = 44    44 < 44? no:  bucket 44
 *     split of bucket 44 into 44 and 300, under the lock of stripe 44; then size 301
 *
 * Insert. Under the lock of the hash's stripe; whoever finds more nodes than buckets splits one more, unless another does.
 * Find. Without a lock: a stripe's word is odd while someone holds it and grows with each change, so a walk that found
 * nothing is repeated if the word is not what it was. A walk that is led astray by a node in new use still ends.
 *
 * Cost. Room for all buckets is reserved at the start, four bytes a connection, and touched only as the table grows. A
 * thread waits for another only where both change the same of 256 stripes.
 *
 * References. W. Litwin, "Linear hashing"; seqlocks of Linux; nf_conntrack_core.c for walks without locks.
 */
import {
  CHAINS_BUCKETS,
  CHAINS_COUNT,
  CHAINS_GROWING,
  CHAINS_MOST,
  CHAINS_SIZE,
  CHAINS_STRIPES,
  NODE_HASH,
  NODE_NEXT,
  STRIPE_SIZE,
  STRIPES_COUNT,
} from "../../src/blob/connections";

/** Bytes of stripes and buckets for `nodes` nodes. */
export function chainsBytes(nodes: u32): u32 {
  return STRIPE_SIZE * STRIPES_COUNT + 4 * most(nodes);
}

/** Lays out empty chains in zeroed memory at `memory`, a multiple of 64. */
export function chainsInit(chains: usize, memory: usize, nodes: u32): void {
  store<u32>(chains, STRIPES_COUNT, CHAINS_SIZE);
  store<u32>(chains, most(nodes), CHAINS_MOST);
  store<u32>(chains, <u32>memory, CHAINS_STRIPES);
  store<u32>(chains, <u32>memory + STRIPE_SIZE * STRIPES_COUNT, CHAINS_BUCKETS);
}

/** The word of the stripe that a hash belongs to. */
export function stripeOf(chains: usize, hash: u32): usize {
  return <usize>load<u32>(chains, CHAINS_STRIPES) + (hash & (STRIPES_COUNT - 1)) * STRIPE_SIZE;
}

/** The address of the first node's address. */
export function bucketOf(chains: usize, hash: u32): usize {
  const size = atomic.load<u32>(chains, CHAINS_SIZE);
  const half: u32 = 1 << (31 - clz(size));
  let index = hash & (half - 1);
  if (index < size - half) index = hash & (2 * half - 1);
  return <usize>load<u32>(chains, CHAINS_BUCKETS) + (index << 2);
}

/** The bucket of a number, in any order. */
export function bucketAt(chains: usize, number: u32): usize {
  return <usize>load<u32>(chains, CHAINS_BUCKETS) + (number << 2);
}

export function stripeLock(stripe: usize): void {
  while (true) {
    const word = atomic.load<u32>(stripe);
    if (!(word & 1) && atomic.cmpxchg<u32>(stripe, word, word + 1) == word) return;
  }
}

export function stripeUnlock(stripe: usize): void {
  atomic.store<u32>(stripe, load<u32>(stripe) + 1);
}

/** Always the lower one first, so that two threads cannot wait for each other. */
export function stripesLock(a: usize, b: usize): void {
  stripeLock(a < b ? a : b);
  if (a != b) stripeLock(a < b ? b : a);
}

export function stripesUnlock(a: usize, b: usize): void {
  stripeUnlock(a);
  if (a != b) stripeUnlock(b);
}

/**
 * Puts a node first in its chain, under its stripe's lock; the caller counts it. Plain stores will do: who sees them too early
 * finds that the stripe's word has moved.
 */
export function chainLink(chains: usize, node: usize, hash: u32): void {
  const bucket = bucketOf(chains, hash);
  store<u32>(node, hash, NODE_HASH);
  store<u32>(node, load<u32>(bucket), NODE_NEXT);
  store<u32>(bucket, <u32>node);
}

/** As many nodes more, or less, as have been linked or unlinked. */
export function chainsCount(chains: usize, nodes: i32): void {
  atomic.add<u32>(chains, <u32>nodes, CHAINS_COUNT);
}

/** Takes a node out of its chain, under its stripe's lock; the caller counts it. False when it was not there. */
export function chainUnlink(chains: usize, node: usize): bool {
  let at = bucketOf(chains, load<u32>(node, NODE_HASH));
  while (load<u32>(at) && load<u32>(at) != <u32>node) at = <usize>load<u32>(at) + NODE_NEXT;
  if (!load<u32>(at)) return false;
  store<u32>(at, load<u32>(node, NODE_NEXT));
  return true;
}

/** Grows by as many buckets as a connection needs, where there are fewer than nodes. Without any lock held. */
export function chainsGrow(chains: usize): void {
  for (let i = 0; i < 2; i++) {
    const size = atomic.load<u32>(chains, CHAINS_SIZE);
    if (atomic.load<u32>(chains, CHAINS_COUNT) <= size || size >= load<u32>(chains, CHAINS_MOST)) return;
    if (atomic.cmpxchg<i32>(chains, 0, 1, CHAINS_GROWING) != 0) return;
    // Between the two looks another thread may have grown it.
    if (atomic.load<u32>(chains, CHAINS_SIZE) == size) split(chains, size);
    atomic.store<i32>(chains, 0, CHAINS_GROWING);
  }
}

function split(chains: usize, size: u32): void {
  const half: u32 = 1 << (31 - clz(size));
  const from = bucketAt(chains, size - half);
  const into = bucketAt(chains, size);
  const stripe = stripeOf(chains, size);
  stripeLock(stripe);
  // Both keep the order in which nodes came.
  let stays = from;
  let goes = into;
  for (let node: usize = load<u32>(from); node; node = load<u32>(node, NODE_NEXT)) {
    if (load<u32>(node, NODE_HASH) & half) {
      atomic.store<u32>(goes, <u32>node);
      goes = node + NODE_NEXT;
    } else {
      atomic.store<u32>(stays, <u32>node);
      stays = node + NODE_NEXT;
    }
  }
  atomic.store<u32>(stays, 0);
  atomic.store<u32>(goes, 0);
  atomic.store<u32>(chains, size + 1, CHAINS_SIZE);
  stripeUnlock(stripe);
}

/** A power of two. */
function most(nodes: u32): u32 {
  let count: u32 = STRIPES_COUNT;
  while (count < nodes) count <<= 1;
  return count;
}
