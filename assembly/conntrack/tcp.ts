/**
 * TCP's part of tracking (nf_conntrack_proto_tcp.c): states, which packets are invalid in them, and how long they last.
 * Windows are window.ts's.
 */
import {
  CONNECTION_EXPIRES,
  CONNECTION_LAST_ACK,
  CONNECTION_LAST_DIRECTION,
  CONNECTION_LAST_END,
  CONNECTION_LAST_FLAGS,
  CONNECTION_LAST_INDEX,
  CONNECTION_LAST_SCALE,
  CONNECTION_LAST_WINDOW,
  CONNECTION_LOCK,
  CONNECTION_PROXIED,
  CONNECTION_RETRANSMITTED,
  CONNECTION_STATE,
  CONNECTION_STATUS,
  STATUS_ASSURED,
  STATUS_SEEN_REPLY,
  SYSCTL_TCP_IGNORE_INVALID_RST,
  SYSCTL_TCP_LOOSE,
  SYSCTL_TCP_MAX_RETRANS,
  SYSCTL_TCP_RETRANSMITTED,
  SYSCTL_TCP_TIMEOUTS,
  SYSCTL_TCP_UNACKNOWLEDGED,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_FIN_WAIT,
  TCP_LAST_ACK,
  TCP_SYN_RECV,
  TCP_SYN_SENT,
  TCP_SYN_SENT2,
  TCP_TIME_WAIT,
  WINDOW_FLAG_CHALLENGE,
  WINDOW_FLAG_CLOSING,
  WINDOW_FLAG_MAX_ACK,
  WINDOW_FLAG_SIMULTANEOUS,
  WINDOW_FLAG_UNACKNOWLEDGED,
  WINDOW_END,
  WINDOW_FLAGS,
  WINDOW_MAX_ACK,
} from "../../src/blob/connections";
import { PACKET_TCP_FLAGS } from "../../src/blob/layout";
import { packet } from "../packet";
import { GONE, NOT_TRACKED, PASSED_BY, START_OVER, TRACKED } from "./outcome";
import { lock, unlock } from "./pool";
import { refresh, sysctl, timeoutOf, timeoutsOf } from "./sysctl";
import { orStatus } from "./table";
import { before, notedScale, segmentAck, segmentKnown, segmentOptions, segmentRead, segmentSequence } from "./segment";
import {
  ACK,
  FIN,
  IGNORE,
  INDEX_ACK,
  INDEX_FIN,
  INDEX_NONE,
  INDEX_RST,
  INDEX_SYN,
  INDEX_SYNACK,
  indexOf,
  INVALID,
  RST,
  SYN,
  transition,
  URG,
} from "./tcp-states";
import { IGNORED, OUT_OF_WINDOW, windowBegin, windowCheck, windowNote, windowOf, windowResume } from "./window";

/** Milliseconds: a connection that has less left is left alone. */
const INVALID_END_KEEPS: u32 = 120_000;

/** Nothing but the window is left to say whether the packet belongs there. */
const UNDECIDED: u32 = 5;

/** Whether anyone can send such a segment: its flags (PSH, ECE and CWR aside), and its header where its bytes are known. */
export function tcpValid(): bool {
  const flags = load<u8>(packet, PACKET_TCP_FLAGS) & (FIN | SYN | RST | ACK | URG);
  if (!segmentRead()) return false;
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

/** The first packet of a connection: a SYN, or one that is picked up in its middle. False when it may not begin one. */
export function tcpBegin(record: usize): bool {
  const state = transition(0, indexOf(), 0);
  if (state >= INVALID || (state != TCP_SYN_SENT && !sysctl(SYSCTL_TCP_LOOSE))) return false;
  windowBegin(record, state == TCP_SYN_SENT);
  store<u8>(record, INDEX_NONE, CONNECTION_LAST_INDEX);
  if (!segmentKnown) store<u16>(record, 1, CONNECTION_LAST_WINDOW);
  return true;
}

/** Moves the connection on; TRACKED, NOT_TRACKED, START_OVER, GONE or PASSED_BY. */
export function tcpPacket(record: usize, direction: u32, now: u32): u32 {
  lock(record + CONNECTION_LOCK);
  const outcome = step(record, direction, now);
  unlock(record + CONNECTION_LOCK);
  return outcome;
}

/** The state that the packet leads to, once `decide` has said that it does. */
let next: u32 = 0;
/** The state that it starts from. */
let old: u32 = 0;

function step(record: usize, direction: u32, now: u32): u32 {
  const index = indexOf();
  old = <u32>load<u8>(record, CONNECTION_STATE);
  next = transition(direction, index, old);
  const decided = decide(record, direction, index);
  if (decided == UNDECIDED) {
    const window = windowCheck(record, direction, index == INDEX_ACK);
    if (window == IGNORED) return PASSED_BY;
    if (window == OUT_OF_WINDOW) {
      handleInvalid(record, direction, index, now);
      return NOT_TRACKED;
    }
  } else if (decided != TRACKED) return decided;
  store<u8>(record, <u8>index, CONNECTION_LAST_INDEX);
  store<u8>(record, <u8>direction, CONNECTION_LAST_DIRECTION);
  store<u8>(record, <u8>next, CONNECTION_STATE);
  if (old != next && next == TCP_FIN_WAIT) orWindow(record, direction, WINDOW_FLAG_CLOSING);
  return live(record, index, now);
}

/** What there is to say without looking at windows. TRACKED: the segment is in its window whatever it says. */
function decide(record: usize, direction: u32, index: u32): u32 {
  const lastIndex = <u32>load<u8>(record, CONNECTION_LAST_INDEX);
  const lastDirection = <u32>load<u8>(record, CONNECTION_LAST_DIRECTION);
  const lastFlags = load<u8>(record, CONNECTION_LAST_FLAGS);
  if (next == INVALID) return isKeepAlive(record, direction, index, lastDirection) ? PASSED_BY : NOT_TRACKED;
  if (next == TCP_SYN_SENT && old >= <u32>TCP_TIME_WAIT) {
    // A SYN that meets a closed connection opens another one, or where nobody closed it in order, changes nothing.
    const closing = (windowFlags(record, 0) | windowFlags(record, 1)) & WINDOW_FLAG_CLOSING;
    if (closing || (lastDirection == direction && lastIndex == INDEX_RST)) return START_OVER;
    next = IGNORE;
  }
  if (next == IGNORE) return passBy(record, direction, index, lastIndex, lastDirection);
  if (next == TCP_TIME_WAIT) {
    // The answer to a spurious SYN does not acknowledge the last FIN (RFC 5961).
    if (
      old == TCP_LAST_ACK &&
      index == INDEX_ACK &&
      lastDirection != direction &&
      lastIndex == INDEX_SYN &&
      lastFlags & WINDOW_FLAG_CHALLENGE
    ) {
      store<u8>(record, <u8>(lastFlags & ~WINDOW_FLAG_CHALLENGE), CONNECTION_LAST_FLAGS);
      return PASSED_BY;
    }
  } else if (next == TCP_SYN_SENT2) {
    store<u8>(record, <u8>(lastFlags | WINDOW_FLAG_SIMULTANEOUS), CONNECTION_LAST_FLAGS);
  } else if (next == TCP_SYN_RECV) {
    if (direction == 1 && index == INDEX_ACK && lastFlags & WINDOW_FLAG_SIMULTANEOUS) next = TCP_ESTABLISHED;
  } else if (next == TCP_CLOSE && index == INDEX_RST && segmentKnown)
    return reset(record, direction, lastIndex, lastDirection);
  return UNDECIDED;
}

/** A client that SYNPROXY has answered asks whether the server is there, whose SYN may be lost. */
function isKeepAlive(record: usize, direction: u32, index: u32, lastDirection: u32): bool {
  return (
    load<u8>(record, CONNECTION_PROXIED) != 0 &&
    old == TCP_SYN_SENT &&
    index == INDEX_ACK &&
    segmentKnown &&
    !(direction | lastDirection) &&
    segmentSequence == load<u32>(windowOf(record, 0), WINDOW_END) - 1
  );
}

/** A packet that changes nothing, since we may know less than the two ends; it is noted in case that this turns out. */
function passBy(record: usize, direction: u32, index: u32, lastIndex: u32, lastDirection: u32): u32 {
  if (
    segmentKnown &&
    index == INDEX_SYNACK &&
    lastIndex == INDEX_SYN &&
    lastDirection != direction &&
    segmentAck == load<u32>(record, CONNECTION_LAST_END)
  ) {
    // The SYN that we ignored was taken: both ends are in step, and so are we from here.
    old = TCP_SYN_SENT;
    next = TCP_SYN_RECV;
    const lastFlags = <u8>(load<u8>(record, CONNECTION_LAST_FLAGS) & ~WINDOW_FLAG_CHALLENGE);
    store<u8>(record, lastFlags, CONNECTION_LAST_FLAGS);
    windowResume(record, lastDirection, lastFlags, load<u8>(record, CONNECTION_LAST_SCALE));
    return UNDECIDED;
  }
  store<u8>(record, <u8>index, CONNECTION_LAST_INDEX);
  store<u8>(record, <u8>direction, CONNECTION_LAST_DIRECTION);
  windowNote(record);
  if (index == INDEX_SYN && direction == 0) {
    const seen = segmentOptions();
    store<u8>(record, old == TCP_LAST_ACK ? seen | WINDOW_FLAG_CHALLENGE : seen, CONNECTION_LAST_FLAGS);
    store<u8>(record, notedScale, CONNECTION_LAST_SCALE);
  }
  if (old == TCP_SYN_SENT && index == INDEX_ACK && direction == 1) store<u32>(record, segmentAck, CONNECTION_LAST_ACK);
  return PASSED_BY;
}

/**
 * A reset has to name the number that the other end expects, where that is known (RFC 5961); one that meets a connection
 * which is closing anyway need not.
 */
function reset(record: usize, direction: u32, lastIndex: u32, lastDirection: u32): u32 {
  if (old >= <u32>TCP_FIN_WAIT && old <= <u32>TCP_CLOSE) return TRACKED;
  const receiver = windowOf(record, 1 - direction);
  const status = load<u32>(record, CONNECTION_STATUS);
  // What is expected may be outdated behind a SYN that was let by.
  if (load<u8>(receiver, WINDOW_FLAGS) & WINDOW_FLAG_MAX_ACK && lastIndex != INDEX_SYN) {
    const established = old == TCP_ESTABLISHED && (status & STATUS_ASSURED) != 0;
    const expected = load<u32>(receiver, WINDOW_MAX_ACK);
    if (segmentSequence == 0 && !established) return UNDECIDED;
    if (before(segmentSequence, expected) && !sysctl(SYSCTL_TCP_IGNORE_INVALID_RST)) return NOT_TRACKED;
    if (!established || segmentSequence == expected) return UNDECIDED;
    // Part of a train behind data that the other end has not acknowledged yet.
    if (
      lastIndex == INDEX_ACK &&
      lastDirection == direction &&
      segmentSequence == load<u32>(record, CONNECTION_LAST_END)
    )
      return UNDECIDED;
    next = old;
  }
  const answers =
    (status & STATUS_SEEN_REPLY && lastIndex == INDEX_SYN && lastDirection != direction) ||
    (!(status & STATUS_ASSURED) && lastIndex == INDEX_ACK);
  if (answers && segmentAck == load<u32>(record, CONNECTION_LAST_END)) return TRACKED;
  // The answer to a challenge that was let through.
  const challenged = old == TCP_SYN_SENT && lastIndex == INDEX_ACK && lastDirection == 1;
  return challenged && segmentSequence == load<u32>(record, CONNECTION_LAST_ACK) ? TRACKED : UNDECIDED;
}

/** A FIN or reset out of its window may be the end all the same: what both sent one for does not stay for long. */
function handleInvalid(record: usize, direction: u32, index: u32, now: u32): void {
  if (!(load<u32>(record, CONNECTION_STATUS) & STATUS_ASSURED) || (index != INDEX_RST && index != INDEX_FIN)) return;
  const lastIndex = <u32>load<u8>(record, CONNECTION_LAST_INDEX);
  if (
    load<u8>(record, CONNECTION_LAST_DIRECTION) != <u8>direction &&
    (lastIndex == INDEX_FIN || lastIndex == INDEX_RST)
  ) {
    const left = load<u32>(record, CONNECTION_EXPIRES) - now;
    const timeout = timeoutOf(record, SYSCTL_TCP_UNACKNOWLEDGED);
    if (left >= INVALID_END_KEEPS && left > timeout) refresh(record, now, timeout);
    return;
  }
  store<u8>(record, <u8>index, CONNECTION_LAST_INDEX);
  store<u8>(record, <u8>direction, CONNECTION_LAST_DIRECTION);
}

/** How long the state lasts; and what becomes of a connection that nobody has answered. */
function live(record: usize, index: u32, now: u32): u32 {
  const timeouts = timeoutsOf(record);
  let timeout = load<u32>(timeouts + ((SYSCTL_TCP_TIMEOUTS + next) << 2));
  const retransmitted = load<u32>(timeouts, SYSCTL_TCP_RETRANSMITTED << 2);
  const unacknowledged = load<u32>(timeouts, SYSCTL_TCP_UNACKNOWLEDGED << 2);
  if (load<u8>(record, CONNECTION_RETRANSMITTED) >= <u8>sysctl(SYSCTL_TCP_MAX_RETRANS) && timeout > retransmitted)
    timeout = retransmitted;
  else if (index == INDEX_RST) timeout = load<u32>(timeouts, (SYSCTL_TCP_TIMEOUTS + TCP_CLOSE) << 2);
  else if ((windowFlags(record, 0) | windowFlags(record, 1)) & WINDOW_FLAG_UNACKNOWLEDGED && timeout > unacknowledged)
    timeout = unacknowledged;
  else if (!load<u16>(record, CONNECTION_LAST_WINDOW) && timeout > retransmitted) timeout = retransmitted;
  const status = load<u32>(record, CONNECTION_STATUS);
  if (!(status & STATUS_SEEN_REPLY)) {
    if (index == INDEX_RST) return GONE;
    // Sending the SYN again and again keeps nothing alive.
    if (index == INDEX_SYN && old == TCP_SYN_SENT) return PASSED_BY;
    if (next == TCP_ESTABLISHED && timeout > unacknowledged) timeout = unacknowledged;
  } else if (!(status & STATUS_ASSURED) && (old == TCP_SYN_RECV || old == TCP_ESTABLISHED) && next == TCP_ESTABLISHED)
    orStatus(record, STATUS_ASSURED);
  refresh(record, now, timeout);
  return TRACKED;
}

function windowFlags(record: usize, direction: u32): u32 {
  return load<u8>(windowOf(record, direction), WINDOW_FLAGS);
}

function orWindow(record: usize, direction: u32, bit: u32): void {
  const window = windowOf(record, direction);
  store<u8>(window, <u8>(load<u8>(window, WINDOW_FLAGS) | bit), WINDOW_FLAGS);
}
