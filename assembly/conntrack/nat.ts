/**
 * NAT's bindings (nf_nat_core.c): what a connection's first packet decides.
 *
 * A binding is nothing but a changed reply tuple: packets of one direction are rewritten to look like the inverse of the
 * tuple of the other. Making one chooses, in the range that a rule gives, addresses by a hash of who talks and ports that
 * keep both tuples unique.
 */
import {
  CONNECTION_INTERFACE,
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  CONNECTION_STATUS,
  CONNECTION_TUPLE_SIZE,
  NODE_TUPLE,
  STATUS_CONFIRMED,
  STATUS_DESTINATION_NAT,
  STATUS_DESTINATION_NAT_DONE,
  STATUS_SOURCE_NAT,
  STATUS_SOURCE_NAT_DONE,
  TUPLE_DESTINATION,
  TUPLE_DESTINATION_PORT,
  TUPLE_PROTOCOL,
  TUPLE_SOURCE,
  TUPLE_SOURCE_PORT,
  TUPLE_ZONE,
} from "../../src/blob/connections";
import {
  CT_STATE_NEW,
  CT_STATE_RELATED,
  HOOK_INPUT,
  HOOK_POSTROUTING,
  PACKET_CT_STATE,
  PACKET_OUTPUT,
  PACKET_PROTOCOL,
  VERDICT_ACCEPT,
} from "../../src/blob/layout";
import {
  NAT_ADDRESS_MAX,
  NAT_ADDRESS_MIN,
  NAT_FLAG_ADDRESS,
  NAT_FLAG_PERSISTENT,
  NAT_FLAG_PORT,
  NAT_FLAG_PORT_OFFSET,
  NAT_FLAG_RANDOM,
  NAT_FLAG_RANDOM_FULLY,
  NAT_FLAGS,
  NAT_PORT_BASE,
  NAT_PORT_MAX,
  NAT_PORT_MIN,
} from "../../src/blob/payloads";
import { hook, packet } from "../packet";
import { pickAddress, pickPort, unused } from "./nat-choice";
import { findSource, noteSource } from "./sources";
import { connection, publishState, scratchTuple } from "./track";
import { addressCompare, hasPorts, isIcmp, tupleEqual, tupleInvert } from "./tuple";

export const SOURCE: u32 = 0;
export const DESTINATION: u32 = 1;

/** The range in hand: NAT_FLAG_*, the least and the greatest address, ports. */
export let rangeFlags: u32 = 0;
export let rangeLow: usize = 0;
export let rangeHigh: usize = 0;
export let rangePortLow: u32 = 0;
export let rangePortHigh: u32 = 0;
export let rangePortBase: u16 = 0;

/** Which end this hook rewrites (HOOK2MANIP). */
export function manipulated(): u32 {
  return hook == HOOK_POSTROUTING || hook == HOOK_INPUT ? SOURCE : DESTINATION;
}

/** Whether a rule of this hook's nat table may still decide for the packet's connection. */
export function natUndecided(): bool {
  if (!connection || !(load<u16>(packet, PACKET_CT_STATE) & (CT_STATE_NEW | CT_STATE_RELATED))) return false;
  if (isIcmp(load<u8>(packet, PACKET_PROTOCOL)) && load<u16>(packet, PACKET_CT_STATE) & CT_STATE_RELATED) return false;
  const done: u32 = manipulated() == SOURCE ? STATUS_SOURCE_NAT_DONE : STATUS_DESTINATION_NAT_DONE;
  return !(load<u32>(connection, CONNECTION_STATUS) & done);
}

/** Binds the connection to the whole range of the record at `range`. */
export function natBindRange(range: usize): u32 {
  rangeLow = range + NAT_ADDRESS_MIN;
  rangeHigh = range + NAT_ADDRESS_MAX;
  rangePortBase = load<u16>(range, NAT_PORT_BASE);
  return bind(load<u32>(range, NAT_FLAGS), range);
}

/** Binds the connection to one address, and the ports of the record at `range`. */
export function natBindAddress(range: usize, address: usize): u32 {
  rangeLow = rangeHigh = address;
  return bind((load<u32>(range, NAT_FLAGS) & ~NAT_FLAG_PORT_OFFSET) | NAT_FLAG_ADDRESS, range);
}

/** The same for one that holds as long as its packets leave by this interface. */
export function natMasquerade(range: usize, address: usize): u32 {
  if (!(load<u32>(connection, CONNECTION_STATUS) & STATUS_CONFIRMED))
    v128.store(connection, v128.load(packet, PACKET_OUTPUT), CONNECTION_INTERFACE);
  return natBindAddress(range, address);
}

/** What holds where no rule matched: the address stays, the port only where it is free. */
export function natBindNothing(): void {
  const reply = connection + CONNECTION_REPLY + NODE_TUPLE;
  const address = scratchTuple(4);
  v128.store(address, v128.load(reply + (manipulated() == SOURCE ? TUPLE_DESTINATION : TUPLE_SOURCE)));
  rangeLow = rangeHigh = address;
  rangePortLow = rangePortHigh = 0;
  settle(NAT_FLAG_ADDRESS, manipulated());
}

/**
 * Binds a connection that begins as one that expected it is (nf_nat_follow_master): what told of it went `direction` of
 * `master`; to whom that came from it goes, at `port`, and from whom that went to it comes.
 */
export function natFollow(master: usize, direction: u32, port: u32): void {
  const told = master + (direction ? CONNECTION_REPLY : CONNECTION_ORIGINAL) + NODE_TUPLE;
  rangePortLow = rangePortHigh = port;
  rangeLow = rangeHigh = told + TUPLE_DESTINATION;
  settle(NAT_FLAG_ADDRESS, SOURCE);
  rangeLow = rangeHigh = told + TUPLE_SOURCE;
  settle(NAT_FLAG_ADDRESS | NAT_FLAG_PORT, DESTINATION);
}

function bind(flags: u32, range: usize): u32 {
  rangePortLow = load<u16>(range, NAT_PORT_MIN);
  rangePortHigh = load<u16>(range, NAT_PORT_MAX);
  settle(flags, manipulated());
  return VERDICT_ACCEPT;
}

/** nf_nat_setup_info. A connection that others know already stays as it is. */
function settle(flags: u32, manip: u32): void {
  if (load<u32>(connection, CONNECTION_STATUS) & STATUS_CONFIRMED) return;
  const current = scratchTuple(2);
  const wanted = scratchTuple(3);
  const reply = connection + CONNECTION_REPLY + NODE_TUPLE;
  const replyZone = load<u16>(reply, TUPLE_ZONE);
  rangeFlags = flags;
  tupleInvert(reply, current);
  // Its source is known by the zone of the first packet's direction.
  store<u16>(current, load<u16>(connection + CONNECTION_ORIGINAL + NODE_TUPLE, TUPLE_ZONE), TUPLE_ZONE);
  choose(wanted, current, manip);
  let status: u32 = manip == SOURCE ? STATUS_SOURCE_NAT_DONE : STATUS_DESTINATION_NAT_DONE;
  if (!tupleEqual(wanted, current)) {
    tupleInvert(wanted, reply);
    store<u16>(reply, replyZone, TUPLE_ZONE);
    status |= manip == SOURCE ? STATUS_SOURCE_NAT : STATUS_DESTINATION_NAT;
    if (manip == SOURCE) noteSource(connection, scratchTuple(5));
  }
  // Until it is confirmed it is this packet's alone.
  store<u32>(connection, load<u32>(connection, CONNECTION_STATUS) | status, CONNECTION_STATUS);
  publishState();
}

/** The tuple that the connection's packets will have (get_unique_tuple). */
function choose(tuple: usize, original: usize, manip: u32): void {
  const anyRandom = (rangeFlags & (NAT_FLAG_RANDOM | NAT_FLAG_RANDOM_FULLY)) != 0;
  if (manip == SOURCE && !anyRandom) {
    if (sourceInRange(original)) {
      memory.copy(tuple, original, CONNECTION_TUPLE_SIZE);
      if (unused(original)) return;
    } else if (findSource(original, tuple, scratchTuple(5)) && unused(tuple)) return;
  }
  memory.copy(tuple, original, CONNECTION_TUPLE_SIZE);
  if (rangeFlags & NAT_FLAG_ADDRESS) pickAddress(tuple, manip, (rangeFlags & NAT_FLAG_PERSISTENT) != 0);
  if (!anyRandom) {
    if (rangeFlags & NAT_FLAG_PORT) {
      if (!(rangeFlags & NAT_FLAG_PORT_OFFSET) && portInRange(tuple, manip)) {
        if (rangePortLow == rangePortHigh || unused(tuple)) return;
      }
    } else if (unused(tuple)) return;
  }
  pickPort(tuple, manip);
}

/** Whether the range in hand has the tuple's source. */
export function sourceInRange(tuple: usize): bool {
  const source = tuple + TUPLE_SOURCE;
  if (rangeFlags & NAT_FLAG_ADDRESS && (addressCompare(source, rangeLow) < 0 || addressCompare(source, rangeHigh) > 0))
    return false;
  return !(rangeFlags & NAT_FLAG_PORT) || portInRange(tuple, SOURCE);
}

function portInRange(tuple: usize, manip: u32): bool {
  const protocol = load<u8>(tuple, TUPLE_PROTOCOL);
  if (!hasPorts(protocol) && !isIcmp(protocol)) return true;
  const first = manip == SOURCE || isIcmp(protocol);
  const port = <u32>load<u16>(tuple + (first ? TUPLE_SOURCE_PORT : TUPLE_DESTINATION_PORT));
  return port >= rangePortLow && port <= rangePortHigh;
}
