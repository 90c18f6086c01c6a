/**
 * TCP's windows (nf_conntrack_proto_tcp.c after G. van Rooij, "Real stateful TCP packet filtering in IP Filter"): whether a
 * segment lies where the other end can expect it.
 *
 * Without its bytes a segment counts as in its window, as with nf_conntrack_tcp_be_liberal.
 */
import {
  CONNECTION_HELPER,
  CONNECTION_LAST_ACK,
  CONNECTION_LAST_DIRECTION,
  CONNECTION_LAST_END,
  CONNECTION_LAST_SEQUENCE,
  CONNECTION_LAST_WINDOW,
  CONNECTION_RETRANSMITTED,
  CONNECTION_SHIFT,
  CONNECTION_STATE,
  CONNECTION_WINDOWS,
  SYSCTL_TCP_LIBERAL,
  TCP_SYN_RECV,
  TCP_SYN_SENT,
  WINDOW_END,
  WINDOW_FLAG_LIBERAL,
  WINDOW_FLAG_MAX_ACK,
  WINDOW_FLAG_SACK,
  WINDOW_FLAG_SCALE,
  WINDOW_FLAG_UNACKNOWLEDGED,
  WINDOW_FLAGS,
  WINDOW_MAX_ACK,
  WINDOW_MAX_END,
  WINDOW_MAX_WINDOW,
  WINDOW_SCALE,
  WINDOW_SIZE,
} from "../../src/blob/connections";
import { shiftAt } from "./helped";
import {
  after,
  before,
  highestSack,
  notedScale,
  optionBytes,
  segmentAck,
  segmentEnd,
  segmentFlags,
  segmentKnown,
  segmentOptions,
  segmentSequence,
  segmentWindow,
} from "./segment";
import { sysctl } from "./sysctl";

const SYN: u32 = 2;
const RST: u32 = 4;
const ACK: u32 = 16;
/** The least that an acknowledgement may lie behind (MAXACKWINCONST). */
const ACK_WINDOW: u32 = 66_000;

/** What becomes of a segment. */
export const IN_WINDOW: u32 = 0;
export const IGNORED: u32 = 1;
export const OUT_OF_WINDOW: u32 = 2;

/** What `direction` of a connection has sent. */
export function windowOf(record: usize, direction: u32): usize {
  return record + CONNECTION_WINDOWS + direction * WINDOW_SIZE;
}

/** The first segment of a connection: a SYN, or one that is picked up in its middle. */
export function windowBegin(record: usize, fromSyn: bool): void {
  const sender = windowOf(record, 0);
  if (segmentKnown) {
    store<u32>(sender, segmentEnd, WINDOW_END);
    store<u32>(sender, atLeastOne(segmentWindow), WINDOW_MAX_WINDOW);
    store<u32>(sender, fromSyn ? segmentEnd : segmentEnd + atLeastOne(segmentWindow), WINDOW_MAX_END);
    if (fromSyn) readOptions(sender);
  }
  if (fromSyn && segmentKnown) return;
  // Whether windows are scaled is not known.
  for (let direction: u32 = 0; direction < 2; direction++)
    store<u8>(windowOf(record, direction), WINDOW_FLAG_SACK | WINDOW_FLAG_LIBERAL, WINDOW_FLAGS);
}

/** Notes what the segment said, without believing it. */
export function windowNote(record: usize): void {
  store<u32>(record, segmentKnown ? segmentSequence : 0, CONNECTION_LAST_SEQUENCE);
  store<u32>(record, segmentKnown ? segmentEnd : 0, CONNECTION_LAST_END);
  store<u16>(record, segmentKnown ? segmentWindow : 1, CONNECTION_LAST_WINDOW);
}

/** The SYN that was ignored, as `last` says, is now known to have opened the connection. */
export function windowResume(record: usize, last: u32, lastFlags: u8, scale: u8): void {
  const sender = windowOf(record, last);
  const end = load<u32>(record, CONNECTION_LAST_END);
  store<u32>(sender, end, WINDOW_END);
  store<u32>(sender, end, WINDOW_MAX_END);
  store<u32>(sender, atLeastOne(load<u16>(record, CONNECTION_LAST_WINDOW)), WINDOW_MAX_WINDOW);
  store<u8>(sender, scale, WINDOW_SCALE);
  store<u8>(sender, lastFlags, WINDOW_FLAGS);
  // Of the end that answers is forgotten all but that it was picked up in its middle.
  const receiver = windowOf(record, 1 - last);
  const liberal = <u8>(load<u8>(receiver, WINDOW_FLAGS) & WINDOW_FLAG_LIBERAL);
  memory.fill(receiver, 0, WINDOW_SIZE);
  store<u8>(receiver, liberal, WINDOW_FLAGS);
}

/** Whether the segment is where it may be; what it says is taken over when it is. `isAck`: it is nothing but an ACK. */
export function windowCheck(record: usize, direction: u32, isAck: bool): u32 {
  if (!segmentKnown) return IN_WINDOW;
  const sender = windowOf(record, direction);
  const receiver = windowOf(record, 1 - direction);
  const state = <u32>load<u8>(record, CONNECTION_STATE);
  let sequence = segmentSequence;
  let end = segmentEnd;
  let ack = segmentAck;
  let sack = load<u8>(receiver, WINDOW_FLAGS) & WINDOW_FLAG_SACK ? highestSack(ack) : ack;
  let window = <u32>segmentWindow;
  const shift = shiftOf(record, direction, ack);
  ack -= shift;
  sack -= shift;
  if (!load<u32>(sender, WINDOW_MAX_WINDOW)) {
    if (segmentFlags & SYN) {
      open(sender, receiver, end, direction);
      // Both ends open at the same time.
      if (!(segmentFlags & ACK)) return IN_WINDOW;
    } else {
      // In the middle of a connection: what the segment says is all there is.
      const scaled = atLeastOne(window << load<u8>(sender, WINDOW_SCALE));
      store<u32>(sender, end, WINDOW_END);
      store<u32>(sender, scaled, WINDOW_MAX_WINDOW);
      store<u32>(sender, end + scaled, WINDOW_MAX_END);
      if (!load<u32>(receiver, WINDOW_MAX_WINDOW)) {
        store<u32>(receiver, sack, WINDOW_END);
        store<u32>(receiver, sack, WINDOW_MAX_END);
      } else if (sack == load<u32>(receiver, WINDOW_END) + 1) store<u32>(receiver, sack, WINDOW_END);
    }
  } else if (
    segmentFlags & SYN &&
    after(end, load<u32>(sender, WINDOW_END)) &&
    (state == TCP_SYN_SENT || state == TCP_SYN_RECV)
  ) {
    // A new beginning with a later number.
    open(sender, receiver, end, direction);
    if (direction == 1 && !(segmentFlags & ACK)) return IN_WINDOW;
  }
  const receiverEnd = load<u32>(receiver, WINDOW_END);
  const receiverWindow = load<u32>(receiver, WINDOW_MAX_WINDOW);
  if (!(segmentFlags & ACK) || (segmentFlags & RST && ack == 0)) ack = sack = receiverEnd;
  // A reset that answers a SYN has no number of its own.
  if (segmentFlags & RST && sequence == 0 && state == TCP_SYN_SENT) sequence = end = load<u32>(sender, WINDOW_END);
  const least = receiverEnd - max(load<u32>(sender, WINDOW_MAX_WINDOW), ACK_WINDOW);
  const maxEnd = load<u32>(sender, WINDOW_MAX_END);
  const within = after(end, load<u32>(sender, WINDOW_END) - receiverWindow - 1);
  let outcome = IN_WINDOW;
  if (!before(sequence, maxEnd + 1)) {
    const fits =
      receiverWindow &&
      within &&
      after(sack, least - 1) &&
      end - maxEnd + 1 <= receiverWindow &&
      before(sack, receiverEnd + 1);
    if (fits) {
      // More than the window allows: an answer to it would be invalid if it were not noted.
      store<u32>(sender, end, WINDOW_END);
      orFlags(sender, WINDOW_FLAG_UNACKNOWLEDGED);
    }
    outcome = fits ? IGNORED : OUT_OF_WINDOW;
  } else if (!before(sack, receiverEnd + 1)) outcome = OUT_OF_WINDOW;
  else if ((receiverWindow && !within) || !after(sack, least - 1)) outcome = IGNORED;
  if (outcome != IN_WINDOW)
    return sysctl(SYSCTL_TCP_LIBERAL) || load<u8>(sender, WINDOW_FLAGS) & WINDOW_FLAG_LIBERAL ? IN_WINDOW : outcome;
  if (!(segmentFlags & SYN)) window <<= load<u8>(sender, WINDOW_SCALE);
  learn(sender, receiver, end, ack, sack, window);
  if (isAck) countRetransmission(record, direction, sequence, end, ack);
  return IN_WINDOW;
}

/**
 * What an acknowledgement is greater by than the numbers that it acknowledges: a client behind SYNPROXY counts them from another
 * one than the server, and NAT's helpers write into lines.
 */
function shiftOf(record: usize, direction: u32, ack: u32): u32 {
  const shift = direction ? 0 : load<u32>(record, CONNECTION_SHIFT);
  return load<u8>(record, CONNECTION_HELPER) ? shift + shiftAt(record, 1 - direction, ack - 1) : shift;
}

/** A SYN, or the answer to one. Windows are scaled only when both ends say so. */
function open(sender: usize, receiver: usize, end: u32, direction: u32): void {
  store<u32>(sender, end, WINDOW_END);
  store<u32>(sender, end, WINDOW_MAX_END);
  store<u32>(sender, atLeastOne(segmentWindow), WINDOW_MAX_WINDOW);
  readOptions(sender);
  if (direction == 0) return;
  if (load<u8>(sender, WINDOW_FLAGS) & load<u8>(receiver, WINDOW_FLAGS) & WINDOW_FLAG_SCALE) return;
  store<u8>(sender, 0, WINDOW_SCALE);
  store<u8>(receiver, 0, WINDOW_SCALE);
}

function learn(sender: usize, receiver: usize, end: u32, ack: u32, sack: u32, window: u32): void {
  const reach = window + (sack - ack);
  if (load<u32>(sender, WINDOW_MAX_WINDOW) < reach) store<u32>(sender, reach, WINDOW_MAX_WINDOW);
  if (after(end, load<u32>(sender, WINDOW_END))) {
    store<u32>(sender, end, WINDOW_END);
    orFlags(sender, WINDOW_FLAG_UNACKNOWLEDGED);
  }
  if (segmentFlags & ACK) {
    if (!(load<u8>(sender, WINDOW_FLAGS) & WINDOW_FLAG_MAX_ACK) || after(ack, load<u32>(sender, WINDOW_MAX_ACK)))
      store<u32>(sender, ack, WINDOW_MAX_ACK);
    orFlags(sender, WINDOW_FLAG_MAX_ACK);
  }
  const over = end - load<u32>(sender, WINDOW_MAX_END);
  const receiverWindow = load<u32>(receiver, WINDOW_MAX_WINDOW);
  if (receiverWindow && <i32>over > 0) store<u32>(receiver, receiverWindow + over, WINDOW_MAX_WINDOW);
  if (after(sack + window, load<u32>(receiver, WINDOW_MAX_END) - 1))
    store<u32>(receiver, sack + window + (window ? 0 : 1), WINDOW_MAX_END);
  if (ack == load<u32>(receiver, WINDOW_END))
    store<u8>(receiver, <u8>(load<u8>(receiver, WINDOW_FLAGS) & ~WINDOW_FLAG_UNACKNOWLEDGED), WINDOW_FLAGS);
}

function countRetransmission(record: usize, direction: u32, sequence: u32, end: u32, ack: u32): void {
  const same =
    load<u8>(record, CONNECTION_LAST_DIRECTION) == <u8>direction &&
    load<u32>(record, CONNECTION_LAST_SEQUENCE) == sequence &&
    load<u32>(record, CONNECTION_LAST_ACK) == ack &&
    load<u32>(record, CONNECTION_LAST_END) == end &&
    load<u16>(record, CONNECTION_LAST_WINDOW) == segmentWindow;
  store<u8>(record, same ? load<u8>(record, CONNECTION_RETRANSMITTED) + 1 : 0, CONNECTION_RETRANSMITTED);
  store<u8>(record, <u8>direction, CONNECTION_LAST_DIRECTION);
  store<u32>(record, sequence, CONNECTION_LAST_SEQUENCE);
  store<u32>(record, ack, CONNECTION_LAST_ACK);
  store<u32>(record, end, CONNECTION_LAST_END);
  store<u16>(record, segmentWindow, CONNECTION_LAST_WINDOW);
}

function readOptions(window: usize): void {
  if (!optionBytes) return;
  const noted = segmentOptions();
  store<u8>(window, notedScale, WINDOW_SCALE);
  store<u8>(window, (load<u8>(window, WINDOW_FLAGS) & <u8>WINDOW_FLAG_LIBERAL) | noted, WINDOW_FLAGS);
}

function orFlags(window: usize, bits: u32): void {
  store<u8>(window, <u8>(load<u8>(window, WINDOW_FLAGS) | bits), WINDOW_FLAGS);
}

function atLeastOne(window: u32): u32 {
  return window ? window : 1;
}
