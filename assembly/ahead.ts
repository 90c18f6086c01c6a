/**
 * What packets will need, fetched before their turn.
 *
 * Problem. The first packet of a connection asks for its connection, then the index of a long chain, an entry there, a row,
 * the chain that it leads to, a row of that, one more chain. Each lies in memory that is far from the processor when the
 * ruleset is large, and where the next one lies is known only when the one before is here: a dozen waits, one after another.
 *
 * Idea. Packets come in batches, and do not wait for each other. Before AHEAD of them are walked, each step is done for all
 * of them, so that a step costs one wait in place of AHEAD (group prefetching: Chen, Ailamaki, Gibbons, Mowry, "Improving
 * Hash Join Performance through Prefetching", 2004). WebAssembly has no prefetch, so words are loaded and their sum is kept.
 *
 * Which index a packet will ask is what the packets before it asked in nat, under the same root. Nothing here decides
 * anything: what is fetched in vain costs time only.
 */
import {
  CHAIN_RUN,
  CHAIN_SIZE,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_FAMILY,
  PACKET_PROTOCOL,
  PACKET_SIZE,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TIME,
  PACKET_ZONE,
  RECORD_TYPE,
  ROW_NEXT,
  ROW_TARGET,
} from "../src/blob/layout";
import { CONNECTIONS_SEED, CONNECTIONS_TUPLES, NODE_HASH, NODE_NEXT } from "../src/blob/connections";
import { READER_HITS } from "../src/blob/memory";
import { JUMP_CHAIN, TARGET_JUMP } from "../src/blob/payloads";
import { ENTRY_ROW, INDEX_TUPLES, SLOT_BUCKET } from "../src/blob/tuple-space";
import { bucketOf } from "./conntrack/chains";
import { connections, recordOf } from "./conntrack/pool";
import { isExpired } from "./conntrack/table";
import { hashOfWords, tupleEnds } from "./conntrack/tuple";
import { HITS_BYTES } from "./hits";
import { generationSeen, reader } from "./packet";
import { slotAt } from "./probe";

/** Packets whose steps are done together. */
export const AHEAD: u32 = 16;
/** Bytes that a reader needs for it: where each packet's last step ended. */
export const AHEAD_BYTES: u32 = 4 * AHEAD;
/** Nodes of a chain of connections that are looked at: a chain may be astray while it is changed. */
const NODES_MOST: u32 = 4;
const LINE: u32 = 64;

/** The index that a packet asked in nat, and under which generation. */
let asked: usize = 0;
let askedAt: u32 = 0;
/** The sum of what was loaded, so that it has to be. */
export let fetched: u32 = 0;
/** No word from here on lies in memory: what stands behind a record that is guessed may not. */
let limit: usize = 0;

/** A packet asks `index` in nat. */
export function aheadAsked(index: usize): void {
  asked = index;
  askedAt = generationSeen;
}

/** Fetches what `count` packets will need, at most AHEAD. */
export function aheadOf(packets: usize, count: u32): void {
  const table = connections();
  if (!table) return;
  limit = ((<usize>memory.size()) << 16) - 3;
  const steps: usize = <usize>load<u32>(reader, READER_HITS) + HITS_BYTES;
  const chains = table + CONNECTIONS_TUPLES;
  const seed = load<u32>(table, CONNECTIONS_SEED);
  for (let i: u32 = 0; i < count; i++) {
    const hash = hashOf(packets + i * PACKET_SIZE, seed);
    store<u32>(steps + (i << 2), hash);
    touch(bucketOf(chains, hash));
  }
  let begins: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const hash = load<u32>(steps + (i << 2));
    let node: usize = load<u32>(bucketOf(chains, hash));
    for (let left = NODES_MOST; left && node && load<u32>(node, NODE_HASH) != hash; left--)
      node = load<u32>(node, NODE_NEXT);
    if (!node || isExpired(recordOf(node), load<u32>(packets + i * PACKET_SIZE, PACKET_TIME))) begins |= 1 << i;
  }
  if (begins && asked && askedAt == generationSeen) aheadIn(packets, steps, begins);
}

/** Fetches the rules that the packets whose bits are set will hit first, and those of the chains that these lead to. */
function aheadIn(packets: usize, steps: usize, begins: u32): void {
  const tuple: usize = load<u32>(asked, INDEX_TUPLES);
  if (!tuple) return;
  for (let bits = begins; bits; bits &= bits - 1) {
    const i = <u32>ctz(bits);
    store<u32>(steps + (i << 2), <u32>slotAt(tuple, packets + i * PACKET_SIZE));
  }
  let found: u32 = 0;
  for (let bits = begins; bits; bits &= bits - 1) {
    const step = steps + ((<usize>ctz(bits)) << 2);
    const entry: usize = load<u32>(load<u32>(step), SLOT_BUCKET);
    store<u32>(step, <u32>entry);
    if (!entry) continue;
    touch(entry);
    found |= bits & -bits;
  }
  for (let bits = found; bits; bits &= bits - 1) {
    const step = steps + ((<usize>ctz(bits)) << 2);
    const row: usize = load<u32>(load<u32>(step), ENTRY_ROW);
    store<u32>(step, <u32>row);
    touch(row);
    touch(row + LINE);
  }
  for (let bits = found; bits; bits &= bits - 1) {
    const step = steps + ((<usize>ctz(bits)) << 2);
    const head = callee(load<u32>(step));
    store<u32>(step, <u32>head);
    touch(head);
    touch(head + LINE);
    touch(head + 2 * LINE);
    touch(head + 3 * LINE);
  }
  for (let bits = found; bits; bits &= bits - 1) {
    const head: usize = load<u32>(steps + ((<usize>ctz(bits)) << 2));
    let row = head + CHAIN_SIZE;
    for (let left = head ? <u32>load<u8>(head, CHAIN_RUN) : 0; left; left--, row += load<u16>(row, ROW_NEXT)) {
      const next = callee(row);
      touch(next);
      touch(next + LINE);
      touch(next + 2 * LINE);
    }
  }
}

/** The chain that a row leads to, 0 for none. */
function callee(row: usize): usize {
  const target = row + load<u16>(row, ROW_TARGET);
  return row && load<u16>(target, RECORD_TYPE) == TARGET_JUMP ? <usize>load<u32>(target, JUMP_CHAIN) : 0;
}

/** The hash of the tuple that the packet will be looked up by, if it has ports. */
function hashOf(packet: usize, seed: u32): u32 {
  const ends = tupleEnds(
    load<u16>(packet, PACKET_SOURCE_PORT),
    load<u16>(packet, PACKET_DESTINATION_PORT),
    load<u8>(packet, PACKET_PROTOCOL),
    load<u8>(packet, PACKET_FAMILY),
    load<u16>(packet, PACKET_ZONE),
  );
  return hashOfWords(packet + PACKET_SOURCE, packet + PACKET_DESTINATION, ends, seed);
}

function touch(address: usize): void {
  if (address < limit) fetched ^= load<u32>(address);
}
