/**
 * TCP's part of tracking (nf_conntrack_proto_tcp.c), as with nf_conntrack_tcp_be_liberal: a packet's record does not hold
 * sequence numbers, so windows are not checked; states, and which packets are invalid in them, are.
 */
import {
  CONNECTION_EXPIRES,
  CONNECTION_LOCK,
  CONNECTION_STATUS,
  CONNECTION_TCP_CLOSING,
  CONNECTION_TCP_LAST_DIRECTION,
  CONNECTION_TCP_LAST_INDEX,
  CONNECTION_TCP_STATE,
  STATUS_ASSURED,
  STATUS_SEEN_REPLY,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_FIN_WAIT,
  TCP_SYN_RECV,
  TCP_SYN_SENT,
  TCP_TIME_WAIT,
} from "../../src/blob/connections";
import { PACKET_TCP_FLAGS } from "../../src/blob/layout";
import { packet } from "../packet";
import { lock, unlock } from "./table";

const FIN: u32 = 1;
const SYN: u32 = 2;
const RST: u32 = 4;
const ACK: u32 = 16;
const URG: u32 = 32;

/** Kinds of packets, and rows of the transition tables. */
const INDEX_SYN: u32 = 0;
const INDEX_SYNACK: u32 = 1;
const INDEX_FIN: u32 = 2;
const INDEX_ACK: u32 = 3;
const INDEX_RST: u32 = 4;
const INDEX_NONE: u32 = 5;

/** Beside the states: the packet is invalid here; the packet changes nothing. */
const INVALID: u32 = 10;
const IGNORE: u32 = 11;

/** What became of the packet. */
export const TRACKED: u32 = 0;
export const NOT_TRACKED: u32 = 1;
/** The connection is over: look again, as for a new one. */
export const START_OVER: u32 = 2;
/** Accepted, and the connection goes at once. */
export const GONE: u32 = 3;

/** Whether the combination of flags can be sent by anyone (PSH, ECE and CWR aside). */
export function tcpFlagsValid(): bool {
  const flags = load<u8>(packet, PACKET_TCP_FLAGS) & (FIN | SYN | RST | ACK | URG);
  return (
    flags == SYN ||
    flags == (SYN | URG) ||
    flags == (SYN | ACK) ||
    flags == RST ||
    flags == (RST | ACK) ||
    flags == (FIN | ACK) ||
    flags == (FIN | ACK | URG) ||
    flags == ACK ||
    flags == (ACK | URG)
  );
}

/** Whether this packet may begin a connection: a SYN, or one that is picked up in its middle (nf_conntrack_tcp_loose). */
export function tcpBegins(): bool {
  return transition(0, indexOf(), 0) < INVALID;
}

/** Moves the connection on; TRACKED, NOT_TRACKED, START_OVER or GONE. */
export function tcpPacket(record: usize, direction: u32, now: u32): u32 {
  lock(record + CONNECTION_LOCK);
  const outcome = step(record, direction, now);
  unlock(record + CONNECTION_LOCK);
  return outcome;
}

function step(record: usize, direction: u32, now: u32): u32 {
  const old = <u32>load<u8>(record, CONNECTION_TCP_STATE);
  const index = indexOf();
  const next = transition(direction, index, old);
  if (next == INVALID) return NOT_TRACKED;
  if (next == IGNORE) {
    note(record, direction, index);
    return TRACKED;
  }
  // A SYN that meets a closed connection opens another one, or where nobody closed it in order, changes nothing.
  if (next == TCP_SYN_SENT && old >= <u32>TCP_TIME_WAIT) {
    const aborted =
      load<u8>(record, CONNECTION_TCP_LAST_DIRECTION) == <u8>direction &&
      load<u8>(record, CONNECTION_TCP_LAST_INDEX) == <u8>INDEX_RST;
    if (load<u8>(record, CONNECTION_TCP_CLOSING) || aborted) return START_OVER;
    note(record, direction, index);
    return TRACKED;
  }
  note(record, direction, index);
  store<u8>(record, <u8>next, CONNECTION_TCP_STATE);
  if (old != next && next == TCP_FIN_WAIT) store<u8>(record, 1, CONNECTION_TCP_CLOSING);
  const status = load<u32>(record, CONNECTION_STATUS);
  let timeout = tcpTimeout(next);
  if (!(status & STATUS_SEEN_REPLY)) {
    if (index == INDEX_RST) return GONE;
    if (next == TCP_ESTABLISHED && timeout > UNACKNOWLEDGED) timeout = UNACKNOWLEDGED;
  } else if (!(status & STATUS_ASSURED) && (old == TCP_SYN_RECV || old == TCP_ESTABLISHED) && next == TCP_ESTABLISHED)
    store<u32>(record, status | STATUS_ASSURED, CONNECTION_STATUS);
  store<u32>(record, now + timeout, CONNECTION_EXPIRES);
  return TRACKED;
}

function note(record: usize, direction: u32, index: u32): void {
  store<u8>(record, <u8>index, CONNECTION_TCP_LAST_INDEX);
  store<u8>(record, <u8>direction, CONNECTION_TCP_LAST_DIRECTION);
}

const UNACKNOWLEDGED: u32 = 300_000;

/** Milliseconds that a state lasts. */
function tcpTimeout(state: u32): u32 {
  if (state == TCP_ESTABLISHED) return 432_000_000;
  if (state == TCP_SYN_RECV) return 60_000;
  if (state == 5) return 60_000;
  if (state == 6) return 30_000;
  return state == TCP_CLOSE ? 10_000 : 120_000;
}

function indexOf(): u32 {
  const flags = <u32>load<u8>(packet, PACKET_TCP_FLAGS);
  if (flags & RST) return INDEX_RST;
  if (flags & SYN) return flags & ACK ? INDEX_SYNACK : INDEX_SYN;
  if (flags & FIN) return INDEX_FIN;
  return flags & ACK ? INDEX_ACK : INDEX_NONE;
}

/**
 * The next state, four bits each from the lowest, columns by the present one: none, SYN_SENT, SYN_RECV, ESTABLISHED,
 * FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2. a is invalid, b ignored.
 */
function transition(direction: u32, index: u32, state: u32): u32 {
  let row: u64 = 0xaaaaaaaaaa;
  if (direction == 0) {
    if (index == INDEX_SYN) row = 0x911bbbbb11;
    else if (index == INDEX_SYNACK) row = 0x2aaaaaa2aa;
    else if (index == INDEX_FIN) row = 0xa8766644aa;
    else if (index == INDEX_ACK) row = 0xa8775533a3;
    else if (index == INDEX_RST) row = 0x888888888a;
  } else {
    if (index == INDEX_SYN) row = 0x9a1aaaaa9a;
    else if (index == INDEX_SYNACK) row = 0x2bbbbbbb2a;
    else if (index == INDEX_FIN) row = 0xa8766644aa;
    else if (index == INDEX_ACK) row = 0xb8775532ba;
    else if (index == INDEX_RST) row = 0x888888888a;
  }
  return <u32>(row >> (state << 2)) & 15;
}
