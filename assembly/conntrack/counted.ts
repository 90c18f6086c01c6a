/**
 * connlimit (xt_connlimit.c, nf_conncount.c): how many connections there are from, or to, the packet's network. A rule keeps
 * the tuples of the connections it has met, by network and zone (counted-list.ts).
 *
 * A packet without a connection, in raw or of state INVALID, counts by its own tuple, so that an answer is one more; whether
 * it is added depends on the connection that has the tuple.
 */
import {
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  CONNECTION_STATUS,
  CONNECTION_TUPLE_SIZE,
  CONNECTIONS_COUNTERS,
  NODE_TUPLE,
  TUPLE_ZONE,
} from "../../src/blob/connections";
import {
  PACKET_DESTINATION,
  PACKET_FLAG_ODD,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_SOURCE,
  PACKET_TIME,
  PACKET_ZONE,
} from "../../src/blob/layout";
import { CONNLIMIT_FLAGS, CONNLIMIT_LIMIT, CONNLIMIT_MASK, CONNLIMIT_OBJECT } from "../../src/blob/payloads";
import { packet, setHotdrop } from "../packet";
import { put32 } from "../store";
import { countNetwork, forgetRule, NO_ROOM, sweepNetworks } from "./counted-list";
import { connections, recordOf, release } from "./pool";
import { findInZones } from "./table";
import { connection, isTemplate, scratchTuple, zoneOriginal, zoneReply } from "./track";
import { tupleOfPacket } from "./tuple";

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
  forgetRule(load<u32>(record, CONNLIMIT_OBJECT));
}

/** Status of the packet's connection, or of the one that has its tuple, 0 where there is none; the tuple's zone for answers. */
let status: u32 = 0;
let reply: u16 = 0;

export function matchConnlimit(record: usize): bool {
  const flags = load<u8>(record, CONNLIMIT_FLAGS);
  const network = scratchTuple(7);
  v128.store(
    network,
    v128.and(
      v128.load(packet + (flags & BY_DESTINATION ? PACKET_DESTINATION : PACKET_SOURCE)),
      v128.load(record, CONNLIMIT_MASK),
    ),
  );
  v128.store(network, v128.splat<u32>(load<u32>(record, CONNLIMIT_OBJECT)), 16);
  store<u64>(network, zoneNumber(), 32);
  const own = scratchTuple(6);
  const now = load<u32>(packet, PACKET_TIME);
  let count: u32 = 0;
  if (ownTuple(own, now)) {
    count = countNetwork(network, own, reply, status, now);
    if (count == NO_ROOM) {
      sweepNetworks(now);
      count = countNetwork(network, own, reply, status, now);
      if (count == NO_ROOM) count = 0;
    }
  }
  if (!count) {
    setHotdrop();
    return false;
  }
  return count > load<u32>(record, CONNLIMIT_LIMIT) != ((flags & UP_TO) != 0);
}

/** The zone's number, whichever direction it is of; of the packet's connection, or of what a rule of CT says. */
function zoneNumber(): u32 {
  if (!connection) return load<u16>(packet, PACKET_ZONE);
  const template = isTemplate();
  const original = template ? zoneOriginal : load<u16>(connection + CONNECTION_ORIGINAL + NODE_TUPLE, TUPLE_ZONE);
  if (original) return original;
  return template ? zoneReply : load<u16>(connection + CONNECTION_REPLY + NODE_TUPLE, TUPLE_ZONE);
}

/** Writes what the packet counts as to `tuple`. False for a fragment, and where the header is cut short. */
function ownTuple(tuple: usize, now: u32): bool {
  if (connection && !isTemplate()) {
    memory.copy(tuple, connection + CONNECTION_ORIGINAL + NODE_TUPLE, CONNECTION_TUPLE_SIZE);
    reply = load<u16>(connection + CONNECTION_REPLY + NODE_TUPLE, TUPLE_ZONE);
    status = load<u32>(connection, CONNECTION_STATUS);
    return true;
  }
  if (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_ODD || load<u16>(packet, PACKET_FRAGMENT_OFFSET)) return false;
  const zone = load<u16>(packet, PACKET_ZONE);
  tupleOfPacket(tuple, connection ? zoneOriginal : zone);
  reply = connection ? zoneReply : zone;
  status = 0;
  const node = findInZones(tuple, reply, now);
  if (node) {
    status = load<u32>(recordOf(node), CONNECTION_STATUS);
    release(recordOf(node));
  }
  return true;
}
