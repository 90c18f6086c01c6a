/**
 * Connection tracking of the packet being walked (nf_conntrack_core.c): its connection, found or begun, and the state that
 * matches see; and its confirmation at the end of the way.
 *
 * A packet that begins a connection carries it unconfirmed: nobody else sees it until the packet leaves the last hook.
 * Fragments have been put together (fragments/gather.ts); a later one that goes on alone belongs to nothing.
 */
import {
  CONNECTION_ACCOUNTED,
  CONNECTION_MARK,
  CONNECTION_ORIGINAL,
  CONNECTION_POLICY,
  CONNECTION_PROXIED,
  CONNECTION_REPLY,
  CONNECTION_STATUS,
  CONNECTION_STREAM_FROM,
  CONNECTION_TUPLE_SIZE,
  CONNECTIONS_LABELLERS,
  CONNECTIONS_TEMPLATE,
  NODE_TUPLE,
  STATUS_CONFIRMED,
  STATUS_DESTINATION_NAT,
  STATUS_EXPECTED,
  STATUS_SEEN_REPLY,
  STATUS_SOURCE_NAT,
  STATUS_TEMPLATE,
  SYSCTL_ACCOUNTING,
  TUPLE_ZONE,
} from "../../src/blob/connections";
import {
  CT_STATE_DNAT,
  CT_STATE_ESTABLISHED,
  CT_STATE_INVALID,
  CT_STATE_NEW,
  CT_STATE_RELATED,
  CT_STATE_SNAT,
  CT_STATE_UNTRACKED,
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_CT_STATUS,
  PACKET_FLAG_HEADERS_CUT,
  PACKET_FLAG_ODD,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_ICMP_ID,
  PACKET_PROTOCOL,
  PACKET_TIME,
  PACKET_ZONE,
  RESULT_ICMP_ID,
  VERDICT_ACCEPT,
  VERDICT_DROP,
} from "../../src/blob/layout";
import { READER_TUPLES } from "../../src/blob/memory";
import { CT_HELPER, CT_POLICY } from "../../src/blob/payloads";
import { packet, reader, result } from "../packet";
import { resolveClash } from "./clash";
import { claimExpectation } from "./expect";
import { giveHelper } from "./helper-name";
import { isIcmpError, isUntrackedIcmp6, relatedNode } from "./icmp";
import { labelsBegin } from "./labels";
import { connections, directionOf, recordOf, recordReady, reference, release } from "./pool";
import { followProtocol } from "./protocol";
import { sysctl } from "./sysctl";
import { take } from "./room";
import { findInZones, forgetSource, insert, INSERTED, orStatus, remove } from "./table";
import { GONE, NOT_TRACKED, START_OVER } from "./outcome";
import { ICMPV6, isIcmp, isNothing, isRead, tupleCopy, tupleInvert, tupleOfPacket } from "./tuple";

const UDP_STREAM_AFTER: u32 = 2_000;

/** The packet's connection, 0 when it has none, and which way it goes. */
export let connection: usize = 0;
export let direction: u32 = 0;

/** What the packet's record says of its state, which without tracking it has from behind raw on. */
let declared: u16 = 0;
/** What a rule of CT has said: the zones of both directions; its record, 0 none, says more of a connection that begins. */
export let zoneOriginal: u16 = 0;
export let zoneReply: u16 = 0;
let rule: usize = 0;
/** Whether the connection that it begins is one that SYNPROXY opens. */
let proxied: bool = false;

/** Before the raw table: the packet belongs to nothing yet. */
export function trackBegin(): void {
  connection = 0;
  direction = 0;
  declared = load<u16>(packet, PACKET_CT_STATE);
  store<u16>(packet, CT_STATE_INVALID, PACKET_CT_STATE);
  if (!connections()) return;
  zoneOriginal = zoneReply = load<u16>(packet, PACKET_ZONE);
  rule = 0;
  proxied = false;
  store<u16>(packet, 0, PACKET_CT_STATUS);
  store<u32>(packet, 0, PACKET_CT_MARK);
}

/** What a rule of CT says; only the first one that a packet meets is listened to. */
export function trackAs(original: u16, reply: u16, record: usize): void {
  if (connection || load<u16>(packet, PACKET_CT_STATE) == CT_STATE_UNTRACKED) return;
  zoneOriginal = original;
  zoneReply = reply;
  rule = record;
  // Until tracking comes, rules see a connection that is new and confirmed, and has no ends.
  connection = load<u32>(connections(), CONNECTIONS_TEMPLATE);
  reference(connection);
  store<u16>(packet, CT_STATE_NEW, PACKET_CT_STATE);
  publishState();
}

/** The packet opens a connection for a client whose cookie was right: raw sees it as behind a rule of CT. */
export function trackProxied(): void {
  trackBegin();
  trackAs(0, 0, 0);
  proxied = true;
}

/** The packet is not to be tracked, unless a rule of CT has already said how. */
export function trackNot(): void {
  if (!connection) store<u16>(packet, CT_STATE_UNTRACKED, PACKET_CT_STATE);
}

/** Behind raw, in PREROUTING and OUTPUT. Drops only when the table is full. */
export function trackIn(): u32 {
  if (connection && !isTemplate()) return VERDICT_ACCEPT;
  if (load<u16>(packet, PACKET_CT_STATE) == CT_STATE_UNTRACKED) return VERDICT_ACCEPT;
  if (!connections()) {
    store<u16>(packet, declared, PACKET_CT_STATE);
    return VERDICT_ACCEPT;
  }
  drop();
  const protocol = load<u8>(packet, PACKET_PROTOCOL);
  const flags = load<u8>(packet, PACKET_FLAGS);
  const cut = flags & PACKET_FLAG_HEADERS_CUT || (flags & PACKET_FLAG_ODD && isRead(protocol));
  if (cut || load<u16>(packet, PACKET_FRAGMENT_OFFSET) || isNothing(protocol)) return VERDICT_ACCEPT;
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
  const now = load<u32>(packet, PACKET_TIME);
  let verdict = resolve(now);
  // A connection that is over makes place for the one that this packet begins.
  if (verdict == VERDICT_ACCEPT && connection && follow(protocol, now) == START_OVER) {
    remove(connection);
    drop();
    verdict = resolve(now);
    if (verdict == VERDICT_ACCEPT && connection) follow(protocol, now);
  }
  if (connection) publishState();
  return verdict;
}

/** At the end of the last hook. An answer confirms nothing. Where someone else has begun the same meanwhile, that one may be taken over. */
export function trackConfirm(): u32 {
  if (!connection || direction || load<u32>(connection, CONNECTION_STATUS) & STATUS_CONFIRMED) return VERDICT_ACCEPT;
  const clash = insert(connection, load<u32>(packet, PACKET_TIME));
  if (clash == INSERTED) return VERDICT_ACCEPT;
  const winner = resolveClash(connection, clash);
  if (!winner) return VERDICT_DROP;
  if (winner != connection) {
    forgetSource(connection);
    release(connection);
    connection = winner;
    publishState();
  }
  return VERDICT_ACCEPT;
}

/** The packet answers one of its connection: it is of `state` there, and goes the other way of the packet on its way, or its own. */
export function trackAnswer(state: u16, back: bool): void {
  reference(connection);
  if (back) direction ^= 1;
  store<u16>(packet, state, PACKET_CT_STATE);
  publishState();
}

/** What is known of the packet's connection is put aside, 16 bytes, while another packet goes its way. */
export function trackAside(into: usize): void {
  store<u32>(into, <u32>connection);
  store<u16>(into, declared, 4);
  store<u16>(into, zoneOriginal, 6);
  store<u16>(into, zoneReply, 8);
  store<u8>(into, <u8>direction, 10);
  store<u8>(into, proxied ? 1 : 0, 11);
  store<u32>(into, <u32>rule, 12);
}

export function trackResume(from: usize): void {
  connection = load<u32>(from);
  declared = load<u16>(from, 4);
  zoneOriginal = load<u16>(from, 6);
  zoneReply = load<u16>(from, 8);
  direction = load<u8>(from, 10);
  proxied = load<u8>(from, 11) != 0;
  rule = load<u32>(from, 12);
}

/** Whether the packet's connection is what a rule of CT has said of one to come. */
export function isTemplate(): bool {
  return (load<u32>(connection, CONNECTION_STATUS) & STATUS_TEMPLATE) != 0;
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
  if (connection) {
    if (!(load<u32>(connection, CONNECTION_STATUS) & STATUS_CONFIRMED)) forgetSource(connection);
    release(connection);
  }
  connection = 0;
  store<u16>(packet, CT_STATE_INVALID, PACKET_CT_STATE);
}

/** Finds or begins the packet's connection. */
function resolve(now: u32): u32 {
  const tuple = scratchTuple(0);
  tupleOfPacket(tuple, zoneOriginal);
  const node = findInZones(tuple, zoneReply, now);
  if (node) {
    connection = recordOf(node);
    direction = directionOf(node);
    const status = load<u32>(connection, CONNECTION_STATUS);
    let state: u32 = CT_STATE_ESTABLISHED;
    if (direction == 0 && !(status & STATUS_SEEN_REPLY))
      state = status & STATUS_EXPECTED ? CT_STATE_RELATED : CT_STATE_NEW;
    store<u16>(packet, <u16>state, PACKET_CT_STATE);
    return VERDICT_ACCEPT;
  }
  const reply = scratchTuple(1);
  if (!tupleInvert(tuple, reply)) return VERDICT_ACCEPT;
  const record = take(tuple, now);
  if (!record) return VERDICT_DROP;
  store<u16>(reply, zoneReply, TUPLE_ZONE);
  tupleCopy(record + CONNECTION_ORIGINAL + NODE_TUPLE, tuple);
  tupleCopy(record + CONNECTION_REPLY + NODE_TUPLE, reply);
  if (!proxied) store<u32>(record, now + UDP_STREAM_AFTER, CONNECTION_STREAM_FROM);
  store<u8>(record, <u8>sysctl(SYSCTL_ACCOUNTING), CONNECTION_ACCOUNTED);
  if (load<u32>(connections(), CONNECTIONS_LABELLERS)) labelsBegin(record);
  if (proxied) store<u8>(record, 1, CONNECTION_PROXIED);
  if (rule) store<u8>(record, load<u8>(rule, CT_POLICY), CONNECTION_POLICY);
  recordReady(record);
  connection = record;
  direction = 0;
  const expected = claimExpectation(record, tuple, now);
  if (rule && !expected) giveHelper(record, rule + CT_HELPER);
  store<u16>(packet, expected ? CT_STATE_RELATED : CT_STATE_NEW, PACKET_CT_STATE);
  return VERDICT_ACCEPT;
}

/** The protocol's own part, and the connection's time to live. */
function follow(protocol: u8, now: u32): u32 {
  const outcome = followProtocol(connection, direction, protocol, now);
  if (outcome == START_OVER) return outcome;
  if (outcome == NOT_TRACKED) {
    drop();
    return outcome;
  }
  if (outcome == GONE) remove(connection);
  if (direction == 1 && !(load<u32>(connection, CONNECTION_STATUS) & STATUS_SEEN_REPLY))
    orStatus(connection, STATUS_SEEN_REPLY);
  return outcome;
}

/** An error about a packet of a connection is related to it, and goes the way of that packet's answer. */
function relate(): void {
  const tuple = scratchTuple(0);
  const node = relatedNode(tuple, scratchTuple(1), zoneOriginal, zoneReply);
  if (!node) return;
  connection = recordOf(node);
  direction = directionOf(node);
  store<u16>(packet, CT_STATE_RELATED, PACKET_CT_STATE);
  publishState();
}
