/**
 * SCTP's part of tracking (nf_conntrack_proto_sctp.c): states by chunks, and verification tags. Where the packet's bytes
 * are known all its chunks are looked at; else it has the one chunk that its record names, and its tags are right.
 */
import {
  CONNECTION_LAST_DIRECTION,
  CONNECTION_LOCK,
  CONNECTION_STATE,
  CONNECTION_STATUS,
  SCTP_CLOSED,
  SCTP_ESTABLISHED,
  SCTP_FLAGS,
  SCTP_INIT,
  SCTP_NONE,
  SCTP_TAG,
  STATUS_ASSURED,
  STATUS_CONFIRMED,
  SYSCTL_SCTP_TIMEOUTS,
} from "../../src/blob/connections";
import { PACKET_CHUNK_TYPE, PACKET_PAYLOAD_LENGTH } from "../../src/blob/layout";
import { packet } from "../packet";
import { HEADER_CUT, payload, transportOffset } from "../payload";
import { lock, unlock } from "./pool";
import { refresh, timeoutOf } from "./sysctl";
import { orStatus } from "./table";
import { NOT_TRACKED, PASSED_BY, TRACKED } from "./outcome";
import { windowOf } from "./window";

const DATA: u32 = 0;
const INIT: u32 = 1;
const INIT_ACK: u32 = 2;
const HEARTBEAT: u32 = 4;
const HEARTBEAT_ACK: u32 = 5;
const ABORT: u32 = 6;
const SHUTDOWN: u32 = 7;
const SHUTDOWN_ACK: u32 = 8;
const ERROR: u32 = 9;
const COOKIE_ECHO: u32 = 10;
const COOKIE_ACK: u32 = 11;
const SHUTDOWN_COMPLETE: u32 = 14;
const INVALID: u32 = 9;
const HEADER: u32 = 12;
const CHUNK_HEADER: u32 = 4;
/** Bytes of a chunk that says by what tag its sender wants to be called. */
const INIT_CHUNK: u32 = 20;
const FLAG_REFLECTED: u8 = 1;
const HEARTBEAT_FAILED: u32 = 1;

/** The packet in hand: its bytes where they are known, its tag, the types of its chunks. */
let bytes: usize = 0;
let length: u32 = 0;
let first: u32 = 0;
let tag: u32 = 0;
let types: u64 = 0;

/** Whether the packet's chunks can stand together. */
export function sctpValid(): bool {
  types = 0;
  bytes = payload();
  if (!bytes) {
    types = bit(load<u8>(packet, PACKET_CHUNK_TYPE));
    return true;
  }
  length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const transport = transportOffset(bytes, length);
  if (transport == HEADER_CUT || transport + HEADER > length) return false;
  tag = load<u32>(bytes + transport, 4);
  first = transport + HEADER;
  let alone = false;
  let count: u32 = 0;
  for (let at = first; at + CHUNK_HEADER <= length; at = after(at), count++) {
    const type = <u32>load<u8>(bytes + at);
    if (type == INIT || type == INIT_ACK || type == SHUTDOWN_COMPLETE) alone = true;
    if (((type == COOKIE_ACK || type == COOKIE_ECHO || alone) && count) || !load<u16>(bytes + at, 2)) return false;
    types |= bit(type);
  }
  return count != 0;
}

/** The first packet of an association. False when it may not begin one. */
export function sctpBegin(record: usize): bool {
  if (types & (bit(ABORT) | bit(SHUTDOWN_COMPLETE) | bit(COOKIE_ACK))) return false;
  if (!bytes) return mayBegin(load<u8>(packet, PACKET_CHUNK_TYPE));
  for (let at = first; at + CHUNK_HEADER <= length; at = after(at)) {
    const type = <u32>load<u8>(bytes + at);
    if (!mayBegin(type)) return false;
    if (type == INIT) {
      if (tag || at + INIT_CHUNK > length) return false;
      setTag(record, 1, initTag(at));
    } else setTag(record, type == HEARTBEAT || type == HEARTBEAT_ACK ? 0 : 1, tag);
  }
  return true;
}

/** Moves the association on; TRACKED, NOT_TRACKED or PASSED_BY. */
export function sctpPacket(record: usize, direction: u32, now: u32): u32 {
  const exempt =
    bit(INIT) |
    bit(SHUTDOWN_COMPLETE) |
    bit(COOKIE_ECHO) |
    bit(ABORT) |
    bit(SHUTDOWN_ACK) |
    bit(HEARTBEAT) |
    bit(HEARTBEAT_ACK);
  if (bytes && !(types & exempt) && tag != tagOf(record, direction)) return NOT_TRACKED;
  lock(record + CONNECTION_LOCK);
  let outcome = TRACKED;
  if (!bytes) outcome = move(record, direction, load<u8>(packet, PACKET_CHUNK_TYPE));
  else
    for (let at = first; at + CHUNK_HEADER <= length && outcome != NOT_TRACKED; at = after(at)) {
      const one = chunk(record, direction, at, outcome == PASSED_BY);
      if (one != TRACKED) outcome = one;
    }
  unlock(record + CONNECTION_LOCK);
  if (outcome == TRACKED)
    refresh(record, now, timeoutOf(record, SYSCTL_SCTP_TIMEOUTS + load<u8>(record, CONNECTION_STATE)));
  return outcome;
}

/** One chunk. PASSED_BY: it changes nothing, and keeps nothing alive; `ignoring` that one before it did so. */
function chunk(record: usize, direction: u32, at: u32, ignoring: bool): u32 {
  const type = <u32>load<u8>(bytes + at);
  const own = tagOf(record, direction);
  if (type == INIT) {
    if (tag) return NOT_TRACKED;
  } else if (type == ABORT || type == SHUTDOWN_COMPLETE) {
    const reflected = (load<u8>(bytes + at, 1) & FLAG_REFLECTED) != 0;
    if (tag != (reflected ? tagOf(record, 1 - direction) : own)) return NOT_TRACKED;
  } else if (type == COOKIE_ECHO) {
    if (tag != own) return NOT_TRACKED;
  } else if (type == COOKIE_ACK) {
    setInit(record, 0, 0);
    setInit(record, 1, 0);
  } else if (type == HEARTBEAT || type == HEARTBEAT_ACK) {
    const beat = heartbeat(record, direction, type, own, ignoring);
    if (beat != TRACKED) return beat;
  }
  const old = <u32>load<u8>(record, CONNECTION_STATE);
  const next = transition(direction, type, old);
  if (next == INVALID) return NOT_TRACKED;
  let outcome = TRACKED;
  if (type == INIT) {
    if (at + INIT_CHUNK > length) return NOT_TRACKED;
    if (initOf(record, direction) && initOf(record, 1 - direction)) setInit(record, 1 - direction, 0);
    setInit(record, direction, 1);
    setTag(record, 1 - direction, initTag(at));
    // Sending it again and again keeps nothing alive.
    if (next == SCTP_CLOSED && old == SCTP_CLOSED && load<u32>(record, CONNECTION_STATUS) & STATUS_CONFIRMED)
      outcome = PASSED_BY;
  } else if (type == INIT_ACK) {
    if (at + INIT_CHUNK > length) return NOT_TRACKED;
    const other = tagOf(record, 1 - direction);
    const theirs = initOf(record, 1 - direction);
    if (!theirs && other && other != initTag(at)) return NOT_TRACKED;
    if (initOf(record, direction) && theirs && other != initTag(at)) return NOT_TRACKED;
    setTag(record, 1 - direction, initTag(at));
  }
  become(record, next);
  return outcome;
}

/** Heartbeats come by other ways than the rest, and may bring a tag that is not known yet. */
function heartbeat(record: usize, direction: u32, type: u32, own: u32, ignoring: bool): u32 {
  const flags = windowOf(record, 0);
  const failed = load<u32>(flags, SCTP_FLAGS) & HEARTBEAT_FAILED;
  if (!own) setTag(record, direction, tag);
  else if (tag != own) {
    if (types & bit(DATA) || ignoring) return NOT_TRACKED;
    if (type == HEARTBEAT) {
      store<u32>(flags, HEARTBEAT_FAILED, SCTP_FLAGS);
      store<u8>(record, <u8>direction, CONNECTION_LAST_DIRECTION);
      return PASSED_BY;
    }
    if (!failed || load<u8>(record, CONNECTION_LAST_DIRECTION) == <u8>direction) return NOT_TRACKED;
    store<u32>(flags, 0, SCTP_FLAGS);
    setTag(record, direction, tag);
    setTag(record, 1 - direction, 0);
  } else if (failed) store<u32>(flags, 0, SCTP_FLAGS);
  return TRACKED;
}

/** A packet that has one chunk, of which nothing but the type is known. */
function move(record: usize, direction: u32, type: u32): u32 {
  const old = <u32>load<u8>(record, CONNECTION_STATE);
  const next = transition(direction, type, old);
  if (next == INVALID) return NOT_TRACKED;
  become(record, next);
  const again = type == INIT && next == SCTP_CLOSED && old == SCTP_CLOSED;
  return again && load<u32>(record, CONNECTION_STATUS) & STATUS_CONFIRMED ? PASSED_BY : TRACKED;
}

function become(record: usize, state: u32): void {
  if (state == SCTP_ESTABLISHED && load<u8>(record, CONNECTION_STATE) != <u8>state) orStatus(record, STATUS_ASSURED);
  store<u8>(record, <u8>state, CONNECTION_STATE);
}

function mayBegin(type: u32): bool {
  const state = transition(0, type, SCTP_NONE);
  return state != SCTP_NONE && state != INVALID;
}

function after(at: u32): u32 {
  const size = <u32>bswap<u16>(load<u16>(bytes + at, 2));
  return at + ((size + 3) & ~3);
}

function bit(type: u32): u64 {
  return type < 64 ? (<u64>1) << type : 0;
}

function initTag(at: u32): u32 {
  return load<u32>(bytes + at, CHUNK_HEADER);
}

function tagOf(record: usize, direction: u32): u32 {
  return load<u32>(windowOf(record, direction), SCTP_TAG);
}

function setTag(record: usize, direction: u32, value: u32): void {
  store<u32>(windowOf(record, direction), value, SCTP_TAG);
}

function initOf(record: usize, direction: u32): u32 {
  return load<u32>(windowOf(record, direction), SCTP_INIT);
}

function setInit(record: usize, direction: u32, value: u32): void {
  store<u32>(windowOf(record, direction), value, SCTP_INIT);
}

/** The next state, four bits each from the lowest, columns by the present one in the order of SCTP_*; 9 is invalid. */
function transition(direction: u32, type: u32, state: u32): u32 {
  const original = direction == 0;
  let row: u64 = 0;
  if (type == INIT) row = original ? 0x271143211 : 0x976543219;
  else if (type == INIT_ACK) row = original ? 0x176543211 : 0x976543229;
  else if (type == ABORT) row = original ? 0x111111111 : 0x911111119;
  else if (type == SHUTDOWN) row = original ? 0x176553211 : 0x976563219;
  else if (type == SHUTDOWN_ACK) row = original ? 0x777743217 : 0x977743219;
  else if (type == ERROR) row = original ? 0x176543211 : 0x976541219;
  else if (type == COOKIE_ECHO) row = original ? 0x176543311 : 0x976543319;
  else if (type == COOKIE_ACK) row = original ? 0x176544211 : 0x976544219;
  else if (type == SHUTDOWN_COMPLETE) row = original ? 0x116543211 : 0x916543219;
  else if (type == HEARTBEAT) row = original ? 0x876543218 : 0x876543219;
  else if (type == HEARTBEAT_ACK) row = original ? 0x876543211 : 0x476543219;
  else return state;
  return <u32>(row >> (state << 2)) & 15;
}
