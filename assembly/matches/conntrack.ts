/** conntrack, state and connmark (xt_conntrack.c, xt_connmark.c), on the connection as the packet's record describes it. */
import {
  CT_STATE_INVALID,
  CT_STATE_UNTRACKED,
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_CT_STATUS,
  PACKET_TIME,
  RECORD_BYTES,
} from "../../src/blob/layout";
import {
  CONNECTION_EXPIRES,
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  NODE_TUPLE,
  TUPLE_DESTINATION,
  TUPLE_DESTINATION_PORT,
  TUPLE_PROTOCOL,
  TUPLE_SOURCE,
  TUPLE_SOURCE_PORT,
} from "../../src/blob/connections";
import * as P from "../../src/blob/payloads";
import { connections, wantsConnections } from "../conntrack/pool";
import { connection, direction } from "../conntrack/track";
import { packet } from "../packet";

/** Whether a connection belongs to the packet. */
export function tracked(): bool {
  return (<u32>load<u16>(packet, PACKET_CT_STATE) & (<u32>CT_STATE_INVALID | <u32>CT_STATE_UNTRACKED)) == 0;
}

export function matchConntrack(record: usize): bool {
  const match = load<u16>(record, P.CONNTRACK_MATCH);
  const invert = load<u16>(record, P.CONNTRACK_INVERT);
  if (match & P.CONNTRACK_HAS_STATE) {
    const has = (load<u16>(record, P.CONNTRACK_STATE_MASK) & load<u16>(packet, PACKET_CT_STATE)) != 0;
    if (has == ((invert & P.CONNTRACK_HAS_STATE) != 0)) return false;
  }
  if (!tracked()) return (match & P.CONNTRACK_HAS_STATE) != 0;
  if (match & P.CONNTRACK_HAS_STATUS) {
    const has = (load<u16>(record, P.CONNTRACK_STATUS_MASK) & load<u16>(packet, PACKET_CT_STATUS)) != 0;
    if (has == ((invert & P.CONNTRACK_HAS_STATUS) != 0)) return false;
  }
  return connections() == 0 || ofConnection(record, match, invert);
}

/** The conditions on the connection itself. */
function ofConnection(record: usize, match: u16, invert: u16): bool {
  if (match & P.CONNTRACK_HAS_DIRECTION && (direction == 0) == ((invert & P.CONNTRACK_HAS_DIRECTION) != 0))
    return false;
  const original = connection + CONNECTION_ORIGINAL + NODE_TUPLE;
  const reply = connection + CONNECTION_REPLY + NODE_TUPLE;
  if (match & P.CONNTRACK_HAS_ORIGIN_SOURCE) {
    const same = masked(original + TUPLE_SOURCE, record + P.CONNTRACK_ORIGIN_SOURCE);
    if (same == ((invert & P.CONNTRACK_HAS_ORIGIN_SOURCE) != 0)) return false;
  }
  if (match & P.CONNTRACK_HAS_ORIGIN_DESTINATION) {
    const same = masked(original + TUPLE_DESTINATION, record + P.CONNTRACK_ORIGIN_DESTINATION);
    if (same == ((invert & P.CONNTRACK_HAS_ORIGIN_DESTINATION) != 0)) return false;
  }
  if (match & P.CONNTRACK_HAS_REPLY_SOURCE) {
    const same = masked(reply + TUPLE_SOURCE, record + P.CONNTRACK_REPLY_SOURCE);
    if (same == ((invert & P.CONNTRACK_HAS_REPLY_SOURCE) != 0)) return false;
  }
  if (match & P.CONNTRACK_HAS_REPLY_DESTINATION) {
    const same = masked(reply + TUPLE_DESTINATION, record + P.CONNTRACK_REPLY_DESTINATION);
    if (same == ((invert & P.CONNTRACK_HAS_REPLY_DESTINATION) != 0)) return false;
  }
  if (match & P.CONNTRACK_HAS_PROTOCOL) {
    const same = load<u8>(original, TUPLE_PROTOCOL) == load<u16>(record, P.CONNTRACK_PROTOCOL);
    if (same == ((invert & P.CONNTRACK_HAS_PROTOCOL) != 0)) return false;
  }
  if (!portsWithin(record, match, invert, original, reply)) return false;
  if (!(match & P.CONNTRACK_HAS_EXPIRES)) return true;
  const left = <i32>(load<u32>(connection, CONNECTION_EXPIRES) - load<u32>(packet, PACKET_TIME)) / 1000;
  const seconds: u32 = left > 0 ? left : 0;
  const inside =
    seconds >= load<u32>(record, P.CONNTRACK_EXPIRES_MIN) && seconds <= load<u32>(record, P.CONNTRACK_EXPIRES_MAX);
  return inside != ((invert & P.CONNTRACK_HAS_EXPIRES) != 0);
}

function portsWithin(record: usize, match: u16, invert: u16, original: usize, reply: usize): bool {
  return (
    portWithin(
      original + TUPLE_SOURCE_PORT,
      record + P.CONNTRACK_ORIGIN_SOURCE_PORT,
      match,
      invert,
      P.CONNTRACK_HAS_ORIGIN_SOURCE_PORT,
    ) &&
    portWithin(
      original + TUPLE_DESTINATION_PORT,
      record + P.CONNTRACK_ORIGIN_DESTINATION_PORT,
      match,
      invert,
      P.CONNTRACK_HAS_ORIGIN_DESTINATION_PORT,
    ) &&
    portWithin(
      reply + TUPLE_SOURCE_PORT,
      record + P.CONNTRACK_REPLY_SOURCE_PORT,
      match,
      invert,
      P.CONNTRACK_HAS_REPLY_SOURCE_PORT,
    ) &&
    portWithin(
      reply + TUPLE_DESTINATION_PORT,
      record + P.CONNTRACK_REPLY_DESTINATION_PORT,
      match,
      invert,
      P.CONNTRACK_HAS_REPLY_DESTINATION_PORT,
    )
  );
}

function portWithin(port: usize, range: usize, match: u16, invert: u16, bit: u32): bool {
  if (!(match & bit)) return true;
  const inside = load<u16>(port) >= load<u16>(range) && load<u16>(port) <= load<u16>(range, 2);
  return inside != ((invert & bit) != 0);
}

/** 16 bytes of address, and behind them 16 of mask. */
function masked(address: usize, pattern: usize): bool {
  const differ = v128.and(v128.xor(v128.load(address), v128.load(pattern)), v128.load(pattern + 16));
  return !v128.any_true(differ);
}

/** What a short record can ask for. */
const SHORT_BITS: u32 =
  <u32>P.CONNTRACK_HAS_STATE |
  <u32>P.CONNTRACK_HAS_STATUS |
  <u32>P.CONNTRACK_HAS_DIRECTION |
  <u32>P.CONNTRACK_HAS_PROTOCOL;

/** Whether the walk can do all that the record asks: what the connection's tuples tell is not known without tracking. */
export function checkConntrack(record: usize): bool {
  const match = <u32>load<u16>(record, P.CONNTRACK_MATCH);
  if (!(match & ~(<u32>P.CONNTRACK_HAS_STATE | <u32>P.CONNTRACK_HAS_STATUS))) return true;
  if (!wantsConnections()) return false;
  // A short record ends behind the protocol.
  const far = match & ~SHORT_BITS;
  return !far || load<u16>(record, RECORD_BYTES) == P.CONNTRACK_SIZE;
}

export function matchState(record: usize): bool {
  const has = (load<u16>(record, P.STATE_MASK) & load<u16>(packet, PACKET_CT_STATE)) != 0;
  return has != (load<u8>(record, P.STATE_INVERT) != 0);
}

export function matchConnmark(record: usize): bool {
  if (!tracked()) return false;
  const same = (load<u32>(packet, PACKET_CT_MARK) & load<u32>(record, P.MARK_MASK)) == load<u32>(record, P.MARK_VALUE);
  return same != (load<u8>(record, P.MARK_INVERT) != 0);
}
