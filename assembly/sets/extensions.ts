/**
 * What an element carries beside its key: when it ends, what it counted, what a packet gets of it, a comment. Where each
 * lies in a node the body says. The work in hand, a packet's or the writer's, is set here before an operation.
 */
import { PACKET_LENGTH, PACKET_TIME } from "../../src/blob/layout";
import { SET_BYTES, SET_BYTES_OPERATION, SET_PACKETS, SET_PACKETS_OPERATION } from "../../src/blob/payloads";
import {
  BODY_COMMENT_AT,
  BODY_COUNTERS_AT,
  BODY_EXPIRES_AT,
  BODY_INFO_AT,
  BODY_TIMEOUT,
  ELEMENT_BYTES,
  ELEMENT_COMMENT,
  ELEMENT_COMMENT_BYTES,
  ELEMENT_EXPIRES,
  ELEMENT_FLAGS,
  ELEMENT_HAS_BYTES,
  ELEMENT_HAS_PACKETS,
  ELEMENT_MARK,
  ELEMENT_PACKETS,
  ELEMENT_RESTORE,
  ELEMENT_TIMEOUT,
} from "../../src/blob/sets";
import { packet } from "../packet";

/** Milliseconds of the packets' clock. */
export let now: u64 = 0;
/** The element that the writer adds or deletes; 0 while a packet is the cause. */
export let given: usize = 0;
/** Packets leave the counters of what they meet alone. */
export let skipsCounters: bool = false;
/** The match record that asks about counters; 0 where nobody does. */
let asksCounters: usize = 0;
/** Seconds that a rule says for what it adds. */
let ruleTimeout: u32 = 0;
let ruleHasTimeout: bool = false;

/** What the last element that was met gives a packet. */
export let infoMark: u32 = 0;
export let infoMask: u32 = 0;
export let infoPriority: u32 = 0;

/** The packet in hand is the cause of what follows. `record`: the match that asks about counters, or 0. */
export function causedByPacket(skips: bool, record: usize): void {
  now = load<u32>(packet, PACKET_TIME);
  given = 0;
  skipsCounters = skips;
  asksCounters = record;
  ruleHasTimeout = false;
  infoMark = infoMask = infoPriority = 0;
}

/** What the packet's rule adds lives `seconds`. */
export function causedWithTimeout(seconds: u32): void {
  ruleHasTimeout = true;
  ruleTimeout = seconds;
}

/** The writer is the cause, with the element at `element`, at `time`. */
export function causedByWriter(element: usize, time: u64): void {
  given = element;
  now = time;
}

/** Members of a list are not asked about counters, and may be told to leave them alone. */
export function askNoCounters(skips: bool): usize {
  const asked = asksCounters;
  asksCounters = 0;
  skipsCounters = skips;
  return asked;
}

export function askCounters(record: usize, skips: bool): void {
  asksCounters = record;
  skipsCounters = skips;
}

export function expired(body: usize, node: usize): bool {
  const at = load<u32>(body, BODY_EXPIRES_AT);
  if (!at) return false;
  const end = load<u64>(node + at);
  return end != 0 && now > end;
}

/** Whether the packet may match by the element at `node`; counts it (ip_set_match_extensions). */
export function extensionsMatch(body: usize, node: usize): bool {
  if (expired(body, node)) return false;
  const counters = load<u32>(body, BODY_COUNTERS_AT);
  if (counters) {
    const at = node + counters;
    if (!skipsCounters) {
      atomic.add<u64>(at, 1);
      atomic.add<u64>(at, load<u32>(packet, PACKET_LENGTH), 8);
    }
    if (
      asksCounters &&
      !(
        counterIs(atomic.load<u64>(at), load<u8>(asksCounters, SET_PACKETS_OPERATION), asksCounters + SET_PACKETS) &&
        counterIs(atomic.load<u64>(at, 8), load<u8>(asksCounters, SET_BYTES_OPERATION), asksCounters + SET_BYTES)
      )
    )
      return false;
  }
  const info = load<u32>(body, BODY_INFO_AT);
  if (info) {
    infoMark = load<u32>(node + info);
    infoMask = load<u32>(node + info, 4);
    infoPriority = load<u32>(node + info, 8);
  }
  return true;
}

function counterIs(value: u64, operation: u8, wanted: usize): bool {
  const other = load<u64>(wanted);
  if (operation == 1) return value == other;
  if (operation == 2) return value != other;
  if (operation == 3) return value < other;
  return operation == 4 ? value > other : true;
}

/** Seconds that what is being added lives, 0 for ever. */
export function secondsGiven(body: usize): u32 {
  if (given) return load<u32>(given, ELEMENT_TIMEOUT);
  return ruleHasTimeout ? ruleTimeout : load<u32>(body, BODY_TIMEOUT);
}

export function endAfter(seconds: u32): u64 {
  return seconds ? now + <u64>seconds * 1000 : 0;
}

/** Writes what is given, or what a packet gives: its own length as the first that was counted. `fresh`: nothing is kept. */
export function extensionsWrite(body: usize, node: usize, fresh: bool): void {
  const expires = load<u32>(body, BODY_EXPIRES_AT);
  const flags = given ? load<u32>(given, ELEMENT_FLAGS) : 0;
  const restore = (flags & ELEMENT_RESTORE) != 0;
  if (expires) store<u64>(node + expires, restore ? load<u64>(given, ELEMENT_EXPIRES) : endAfter(secondsGiven(body)));
  const counters = load<u32>(body, BODY_COUNTERS_AT);
  if (counters) {
    const at = node + counters;
    if (!given || fresh || restore || flags & ELEMENT_HAS_PACKETS)
      atomic.store<u64>(at, given ? load<u64>(given, ELEMENT_PACKETS) : 1);
    if (!given || fresh || restore || flags & ELEMENT_HAS_BYTES)
      atomic.store<u64>(at, given ? load<u64>(given, ELEMENT_BYTES) : load<u32>(packet, PACKET_LENGTH), 8);
  }
  const info = load<u32>(body, BODY_INFO_AT);
  if (info) v128.store(node + info, given ? v128.load(given, ELEMENT_MARK) : v128.splat<u32>(0));
  const comment = load<u32>(body, BODY_COMMENT_AT);
  if (comment) {
    if (given) memory.copy(node + comment, given + ELEMENT_COMMENT, ELEMENT_COMMENT_BYTES);
    else store<u8>(node + comment, 0);
  }
}

/** Tells how the element is: for a listing, or to restore it. */
export function extensionsRead(body: usize, node: usize, into: usize): void {
  memory.fill(into + ELEMENT_FLAGS, 0, ELEMENT_COMMENT + ELEMENT_COMMENT_BYTES - ELEMENT_FLAGS);
  const expires = load<u32>(body, BODY_EXPIRES_AT);
  if (expires) {
    const end = load<u64>(node + expires);
    store<u64>(into, end, ELEMENT_EXPIRES);
    const left = end > now ? (end - now) / 1000 : 0;
    store<u32>(into, end ? (left ? <u32>left : 1) : 0, ELEMENT_TIMEOUT);
  }
  const counters = load<u32>(body, BODY_COUNTERS_AT);
  if (counters) {
    store<u64>(into, atomic.load<u64>(node + counters), ELEMENT_PACKETS);
    store<u64>(into, atomic.load<u64>(node + counters, 8), ELEMENT_BYTES);
  }
  const info = load<u32>(body, BODY_INFO_AT);
  if (info) v128.store(into, v128.load(node + info), ELEMENT_MARK);
  const comment = load<u32>(body, BODY_COMMENT_AT);
  if (comment) memory.copy(into + ELEMENT_COMMENT, node + comment, ELEMENT_COMMENT_BYTES);
}
