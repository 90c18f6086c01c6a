/**
 * What packets will need, fetched before their turn.
 *
 * Problem. The first packet of a connection asks for its connection, then the index of a long chain, an entry there, a row,
 * the chain that it leads to, a row of that, one more chain. Each lies in memory that is far from the processor when the
 * ruleset is large, and where the next one lies is known only when the one before is here: a dozen waits, one after another.
 *
 * Idea. Packets come in batches, and do not wait for each other. Before AHEAD of them are walked, each step is done for all
 * of them, so that a step costs one wait in place of AHEAD (group prefetching: Chen, Ailamaki, Gibbons, Mowry, "Improving
 * Hash Join Performance through Prefetching", 2004).
 *
 * Steps. Here: the connection, and where it has expired, what has to be touched to forget it. For packets that begin one, in
 * ahead-rules.ts: the entry of the index, its row, the chain behind it, and of the chains behind that the one that the packet
 * will go to (foresee.ts): even an endpoint drawn by lot can be told, since it can be told what will be drawn (random.ts).
 *
 * Which index a packet will ask is what the packets before it asked first in nat, under the same root. Nothing here decides
 * anything: what is fetched in vain costs time only.
 *
 * Cost. An eighth of what a new connection takes with small rulesets, where it buys next to nothing.
 */
import {
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_FAMILY,
  PACKET_PROTOCOL,
  PACKET_SIZE,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TIME,
  PACKET_ZONE,
} from "../src/blob/layout";
import { CONNECTION_REPLY, CONNECTIONS_SEED, CONNECTIONS_TUPLES, NODE_HASH, NODE_NEXT } from "../src/blob/connections";
import { READER_HITS } from "../src/blob/memory";
import { aheadIn } from "./ahead-rules";
import { bucketOf } from "./conntrack/chains";
import { connections, recordOf } from "./conntrack/pool";
import { isExpired } from "./conntrack/table";
import { hashOfWords, tupleEnds } from "./conntrack/tuple";
import { keep } from "./fetch";
import { HITS_BYTES } from "./hits";
import { generationSeen, reader } from "./packet";

/** Packets whose steps are done together. */
export const AHEAD: u32 = 32;
/** Bytes that a reader needs for it: where each packet's last step ended. */
export const AHEAD_BYTES: u32 = 8 * AHEAD;
/** Nodes of a chain of connections that are looked at: a chain may be astray while it is changed. */
const NODES_MOST: u32 = 4;
const LINE: u32 = 64;

/** The index that a packet asked first in nat, and under which generation. */
let asked: usize = 0;
let askedAt: u32 = 0;
/** Whether no packet has asked since packets were last looked at. */
let first: bool = true;

/** A packet asks `index` in nat. */
export function aheadAsked(index: usize): void {
  if (!first) return;
  first = false;
  asked = index;
  askedAt = generationSeen;
}

/** Fetches what `count` packets will need, at most AHEAD. */
export function aheadOf(packets: usize, count: u32): void {
  const table = connections();
  if (!table) return;
  first = true;
  const steps: usize = <usize>load<u32>(reader, READER_HITS) + HITS_BYTES;
  const nodes = steps + (AHEAD << 2);
  const chains = table + CONNECTIONS_TUPLES;
  const seed = load<u32>(table, CONNECTIONS_SEED);
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const hash = hashOf(packets + i * PACKET_SIZE, seed);
    const bucket = bucketOf(chains, hash);
    store<u32>(steps + (i << 2), hash);
    store<u32>(nodes + (i << 2), <u32>bucket);
    sum ^= load<u32>(bucket);
  }
  for (let i: u32 = 0; i < count; i++) {
    const node: usize = load<u32>(load<u32>(nodes + (i << 2)));
    store<u32>(nodes + (i << 2), <u32>node);
    sum ^= load<u32>(node);
  }
  let begins: u32 = 0;
  let renews: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const hash = load<u32>(steps + (i << 2));
    let node: usize = load<u32>(nodes + (i << 2));
    for (let left = NODES_MOST; left && node && load<u32>(node, NODE_HASH) != hash; left--)
      node = load<u32>(node, NODE_NEXT);
    if (node && !isExpired(recordOf(node), load<u32>(packets + i * PACKET_SIZE, PACKET_TIME))) continue;
    begins |= 1 << i;
    if (!node) continue;
    renews |= 1 << i;
    const record = recordOf(node);
    store<u32>(nodes + (i << 2), <u32>record);
    sum ^= load<u32>(record, CONNECTION_REPLY);
    sum ^= load<u32>(record, CONNECTION_REPLY + LINE);
    sum ^= load<u32>(record, CONNECTION_REPLY + 2 * LINE);
  }
  for (let bits = renews; bits; bits &= bits - 1) {
    const step = nodes + ((<usize>ctz(bits)) << 2);
    const bucket = bucketOf(chains, load<u32>(load<u32>(step), CONNECTION_REPLY + NODE_HASH));
    store<u32>(step, <u32>bucket);
    sum ^= load<u32>(bucket);
  }
  for (let bits = renews; bits; bits &= bits - 1) {
    const node: usize = load<u32>(load<u32>(nodes + ((<usize>ctz(bits)) << 2)));
    sum ^= load<u32>(load<u32>(node, NODE_NEXT), NODE_NEXT);
  }
  keep(sum);
  if (begins && asked && askedAt == generationSeen) aheadIn(asked, packets, begins, steps, nodes);
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
