/**
 * Connection tracking of the packet being walked (nf_conntrack_core.c): its connection, found or begun, and the state that
 * matches see; and its confirmation at the end of the way.
 *
 * A packet that begins a connection carries it unconfirmed: nobody else sees it until the packet leaves the last hook.
 */
import {
  CT_STATE_DNAT,
  CT_STATE_ESTABLISHED,
  CT_STATE_INVALID,
  CT_STATE_NEW,
  CT_STATE_RELATED,
  CT_STATE_SNAT,
  CT_STATE_UNTRACKED,
  FAMILY_IPV4,
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_CT_STATUS,
  PACKET_DESTINATION,
  PACKET_FAMILY,
  PACKET_FLAG_ODD,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_ICMP_ID,
  PACKET_PAYLOAD,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PROTOCOL,
  PACKET_SOURCE_PORT,
  PACKET_TIME,
  PACKET_ZONE,
  RESULT_ICMP_ID,
  VERDICT_ACCEPT,
  VERDICT_DROP,
} from "../../src/blob/layout";
import {
  CONNECTION_EXPIRES,
  CONNECTION_MARK,
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  CONNECTION_STATUS,
  CONNECTION_STREAM_FROM,
  CONNECTION_TUPLE_SIZE,
  NODE_DIRECTION,
  NODE_TUPLE,
  STATUS_ASSURED,
  STATUS_CONFIRMED,
  STATUS_DESTINATION_NAT,
  STATUS_SEEN_REPLY,
  STATUS_SOURCE_NAT,
  TUPLE_DESTINATION,
  TUPLE_DESTINATION_PORT,
  TUPLE_FAMILY,
  TUPLE_PROTOCOL,
  TUPLE_SOURCE,
  TUPLE_SOURCE_PORT,
  TUPLE_ZONE,
} from "../../src/blob/connections";
import { READER_TUPLES } from "../../src/blob/memory";
import { packet, reader, result } from "../packet";
import { find, insert, recordOf, release, remove, take } from "./table";
import { GONE, NOT_TRACKED, START_OVER, tcpBegins, tcpFlagsValid, tcpPacket } from "./tcp";
import { hasPorts, ICMP, ICMPV6, isIcmp, TCP, tupleInvert, tupleOfPacket, UDP, UDPLITE } from "./tuple";

/** The packet's connection, 0 when it has none, and which way it goes. */
export let connection: usize = 0;
export let direction: u32 = 0;

/** Lifetimes in milliseconds (nf_conntrack_*_timeout). */
const UDP_UNREPLIED: u32 = 30_000;
const UDP_STREAM: u32 = 120_000;
const UDP_STREAM_AFTER: u32 = 2_000;
const ICMP_TIMEOUT: u32 = 30_000;
const GENERIC_TIMEOUT: u32 = 600_000;

/** Before the raw table: the packet belongs to nothing yet. */
export function trackBegin(): void {
  connection = 0;
  direction = 0;
  store<u16>(packet, CT_STATE_INVALID, PACKET_CT_STATE);
  store<u16>(packet, 0, PACKET_CT_STATUS);
  store<u32>(packet, 0, PACKET_CT_MARK);
}

/** Behind raw, in PREROUTING and OUTPUT. Drops only when the table is full. */
export function trackIn(): u32 {
  if (load<u16>(packet, PACKET_CT_STATE) == CT_STATE_UNTRACKED) return VERDICT_ACCEPT;
  if (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_ODD || load<u16>(packet, PACKET_FRAGMENT_OFFSET))
    return VERDICT_ACCEPT;
  const protocol = load<u8>(packet, PACKET_PROTOCOL);
  if (protocol == TCP && !tcpFlagsValid()) return VERDICT_ACCEPT;
  if (isIcmp(protocol)) {
    if (protocol == ICMPV6 && isUntrackedIcmp6()) {
      store<u16>(packet, CT_STATE_UNTRACKED, PACKET_CT_STATE);
      return VERDICT_ACCEPT;
    }
    if (isIcmpError(protocol)) {
      relate();
      return VERDICT_ACCEPT;
    }
  }
  let verdict = resolve();
  // A connection that is over makes place for the one that this packet begins.
  if (verdict == VERDICT_ACCEPT && connection && follow() == START_OVER) {
    remove(connection);
    drop();
    verdict = resolve();
    if (verdict == VERDICT_ACCEPT && connection) follow();
  }
  if (connection) publishState();
  return verdict;
}

/** At the end of the last hook. A connection that someone else has begun meanwhile drops the packet. */
export function trackConfirm(): u32 {
  if (!connection || load<u32>(connection, CONNECTION_STATUS) & STATUS_CONFIRMED) return VERDICT_ACCEPT;
  return insert(connection, load<u32>(packet, PACKET_TIME)) ? VERDICT_ACCEPT : VERDICT_DROP;
}

/** The packet has gone; so has what it held. */
export function trackEnd(): void {
  store<u16>(result, load<u16>(packet, PACKET_ICMP_ID), RESULT_ICMP_ID);
  drop();
}

/** The states that matches see follow what NAT has decided. */
export function publishState(): void {
  const status = load<u32>(connection, CONNECTION_STATUS);
  let state = <u32>load<u16>(packet, PACKET_CT_STATE) & ~(<u32>CT_STATE_SNAT | <u32>CT_STATE_DNAT);
  if (status & STATUS_SOURCE_NAT) state |= CT_STATE_SNAT;
  if (status & STATUS_DESTINATION_NAT) state |= CT_STATE_DNAT;
  store<u16>(packet, <u16>state, PACKET_CT_STATE);
  store<u16>(packet, <u16>(status & 15), PACKET_CT_STATUS);
  store<u32>(packet, load<u32>(connection, CONNECTION_MARK), PACKET_CT_MARK);
}

/** Scratch of this reader for tuple `n`. */
export function scratchTuple(n: u32): usize {
  return <usize>load<u32>(reader, READER_TUPLES) + n * CONNECTION_TUPLE_SIZE;
}

function drop(): void {
  if (connection) release(connection);
  connection = 0;
  store<u16>(packet, CT_STATE_INVALID, PACKET_CT_STATE);
}

/** Finds or begins the packet's connection. */
function resolve(): u32 {
  const tuple = scratchTuple(0);
  const now = load<u32>(packet, PACKET_TIME);
  tupleOfPacket(tuple);
  const node = find(tuple, now);
  if (node) {
    connection = recordOf(node);
    direction = load<u32>(node, NODE_DIRECTION);
    const seen = direction == 1 || (load<u32>(connection, CONNECTION_STATUS) & STATUS_SEEN_REPLY) != 0;
    store<u16>(packet, seen ? CT_STATE_ESTABLISHED : CT_STATE_NEW, PACKET_CT_STATE);
    return VERDICT_ACCEPT;
  }
  const reply = scratchTuple(1);
  if (!tupleInvert(tuple, reply) || !mayBegin()) return VERDICT_ACCEPT;
  const record = take(tuple, now);
  if (!record) return VERDICT_DROP;
  memory.copy(record + CONNECTION_ORIGINAL + NODE_TUPLE, tuple, CONNECTION_TUPLE_SIZE);
  memory.copy(record + CONNECTION_REPLY + NODE_TUPLE, reply, CONNECTION_TUPLE_SIZE);
  store<u32>(record + CONNECTION_REPLY, 1, NODE_DIRECTION);
  store<u32>(record, now + UDP_STREAM_AFTER, CONNECTION_STREAM_FROM);
  connection = record;
  direction = 0;
  store<u16>(packet, CT_STATE_NEW, PACKET_CT_STATE);
  return VERDICT_ACCEPT;
}

function mayBegin(): bool {
  const protocol = load<u8>(packet, PACKET_PROTOCOL);
  if (protocol == TCP) return tcpBegins();
  if (protocol == ICMP) {
    const type = load<u16>(packet, PACKET_SOURCE_PORT);
    return type == 8 || type == 13 || type == 15 || type == 17;
  }
  if (protocol == ICMPV6) {
    const type = load<u16>(packet, PACKET_SOURCE_PORT);
    return type == 128 || type == 139;
  }
  return true;
}

/** The protocol's own part, and the connection's time to live. */
function follow(): u32 {
  const now = load<u32>(packet, PACKET_TIME);
  const protocol = load<u8>(packet, PACKET_PROTOCOL);
  if (protocol == TCP) {
    const outcome = tcpPacket(connection, direction, now);
    if (outcome == START_OVER) return outcome;
    if (outcome == NOT_TRACKED) {
      drop();
      return outcome;
    }
    if (outcome == GONE) remove(connection);
  } else if (protocol == UDP || protocol == UDPLITE) followUdp(now);
  else store<u32>(connection, now + (isIcmp(protocol) ? ICMP_TIMEOUT : GENERIC_TIMEOUT), CONNECTION_EXPIRES);
  const status = load<u32>(connection, CONNECTION_STATUS);
  if (direction == 1 && !(status & STATUS_SEEN_REPLY))
    store<u32>(connection, status | STATUS_SEEN_REPLY, CONNECTION_STATUS);
  return 0;
}

/** An exchange that goes on for more than two seconds is a stream, and assured. */
function followUdp(now: u32): void {
  const status = load<u32>(connection, CONNECTION_STATUS);
  let timeout = UDP_UNREPLIED;
  if (status & STATUS_SEEN_REPLY && <i32>(now - load<u32>(connection, CONNECTION_STREAM_FROM)) > 0) {
    timeout = UDP_STREAM;
    store<u32>(connection, status | STATUS_ASSURED, CONNECTION_STATUS);
  }
  store<u32>(connection, now + timeout, CONNECTION_EXPIRES);
}

function isIcmpError(protocol: u8): bool {
  const type = load<u16>(packet, PACKET_SOURCE_PORT);
  if (protocol == ICMPV6) return type < 128;
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/** Neighbour and router discovery, and listener reports, which are not tracked. */
function isUntrackedIcmp6(): bool {
  const type = load<u16>(packet, PACKET_SOURCE_PORT);
  return (type >= 130 && type <= 137) || type == 143;
}

/** An error about a packet of a connection is related to it; the packet it quotes stands in the error's own bytes. */
function relate(): void {
  const tuple = scratchTuple(0);
  if (!quotedTuple(tuple)) return;
  const inverse = scratchTuple(1);
  if (!tupleInvert(tuple, inverse)) return;
  const node = find(inverse, load<u32>(packet, PACKET_TIME));
  if (!node) return;
  const record = recordOf(node);
  // An error that does not go to the one who sent the quoted packet is forged.
  const expected = v128.load(node + NODE_TUPLE, TUPLE_DESTINATION);
  if (v128.any_true(v128.xor(expected, v128.load(packet, PACKET_DESTINATION)))) return release(record);
  connection = record;
  direction = load<u32>(node, NODE_DIRECTION);
  store<u16>(packet, CT_STATE_RELATED, PACKET_CT_STATE);
  publishState();
}

function quotedTuple(tuple: usize): bool {
  const bytes: usize = load<u32>(packet, PACKET_PAYLOAD);
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const ipv4 = load<u8>(packet, PACKET_FAMILY) == FAMILY_IPV4;
  if (!bytes || length < 48) return false;
  const outer: u32 = ipv4 ? (<u32>load<u8>(bytes) & 15) << 2 : 40;
  const inner = bytes + outer + 8;
  const head: u32 = ipv4 ? (<u32>load<u8>(inner) & 15) << 2 : 40;
  if (outer + 8 + head + 8 > length) return false;
  memory.fill(tuple, 0, CONNECTION_TUPLE_SIZE);
  const protocol = load<u8>(inner + (ipv4 ? 9 : 6));
  if (ipv4) {
    store<u32>(tuple, load<u32>(inner, 12), TUPLE_SOURCE);
    store<u32>(tuple, load<u32>(inner, 16), TUPLE_DESTINATION);
  } else {
    v128.store(tuple, v128.load(inner, 8), TUPLE_SOURCE);
    v128.store(tuple, v128.load(inner, 24), TUPLE_DESTINATION);
  }
  store<u8>(tuple, protocol, TUPLE_PROTOCOL);
  store<u8>(tuple, load<u8>(packet, PACKET_FAMILY), TUPLE_FAMILY);
  store<u16>(tuple, load<u16>(packet, PACKET_ZONE), TUPLE_ZONE);
  const transport = inner + head;
  if (hasPorts(protocol)) {
    store<u16>(tuple, bswap<u16>(load<u16>(transport)), TUPLE_SOURCE_PORT);
    store<u16>(tuple, bswap<u16>(load<u16>(transport, 2)), TUPLE_DESTINATION_PORT);
  } else if (isIcmp(protocol)) {
    store<u16>(tuple, bswap<u16>(load<u16>(transport, 4)), TUPLE_SOURCE_PORT);
    store<u16>(tuple, ((<u16>load<u8>(transport)) << 8) | load<u8>(transport, 1), TUPLE_DESTINATION_PORT);
  }
  return true;
}
