/**
 * NAT (nf_nat_core.c): the binding that a connection's first packet makes, and the rewriting of every packet by it.
 *
 * A binding is nothing but a changed reply tuple: packets of one direction are rewritten to look like the inverse of the
 * tuple of the other. Making one chooses, in the range that a rule gives, addresses by a hash of who talks and ports that
 * keep both tuples unique.
 */
import {
  HOOK_INPUT,
  HOOK_POSTROUTING,
  PACKET_CT_STATE,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_ICMP_ID,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TIME,
  CT_STATE_NEW,
  CT_STATE_RELATED,
  RESULT_FLAG_DNAT,
  RESULT_FLAG_SNAT,
  RESULT_FLAGS,
  VERDICT_ACCEPT,
} from "../../src/blob/layout";
import {
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
import { addressBytes, hook, packet, result } from "../packet";
import { random32 } from "../random";
import { taken } from "./table";
import { connection, direction, publishState, scratchTuple } from "./track";
import { hasPorts, isIcmp, tupleEqual, tupleInvert } from "./tuple";

const SOURCE: u32 = 0;
const DESTINATION: u32 = 1;
/** Ports that are tried before giving up (max_attempts). */
const ATTEMPTS: u32 = 128;

/** Which end this hook rewrites (HOOK2MANIP). */
function manipulated(): u32 {
  return hook == HOOK_POSTROUTING || hook == HOOK_INPUT ? SOURCE : DESTINATION;
}

/** Whether a rule of this hook's nat table may still decide for the packet's connection. */
export function natUndecided(): bool {
  if (!connection || !(load<u16>(packet, PACKET_CT_STATE) & (CT_STATE_NEW | CT_STATE_RELATED))) return false;
  if (isIcmp(load<u8>(packet, PACKET_PROTOCOL)) && load<u16>(packet, PACKET_CT_STATE) & CT_STATE_RELATED) return false;
  const done: u32 = manipulated() == SOURCE ? STATUS_SOURCE_NAT_DONE : STATUS_DESTINATION_NAT_DONE;
  return !(load<u32>(connection, CONNECTION_STATUS) & (done | STATUS_CONFIRMED));
}

/** Binds the connection to the range of the record at `range`; `address` takes the place of the range's one when not 0. */
export function natBind(range: usize, address: usize, full: bool): u32 {
  const manip = manipulated();
  const current = scratchTuple(2);
  const wanted = scratchTuple(3);
  const reply = connection + CONNECTION_REPLY + NODE_TUPLE;
  tupleInvert(reply, current);
  choose(wanted, current, range, address, full, manip);
  let status = load<u32>(connection, CONNECTION_STATUS);
  if (!tupleEqual(wanted, current)) {
    tupleInvert(wanted, reply);
    status |= manip == SOURCE ? STATUS_SOURCE_NAT : STATUS_DESTINATION_NAT;
  }
  status |= manip == SOURCE ? STATUS_SOURCE_NAT_DONE : STATUS_DESTINATION_NAT_DONE;
  store<u32>(connection, status, CONNECTION_STATUS);
  publishState();
  return VERDICT_ACCEPT;
}

/** What holds where no rule matched: the address stays, the port only where it is free. */
export function natBindNothing(): void {
  const nothing = scratchTuple(4);
  memory.fill(nothing, 0, CONNECTION_TUPLE_SIZE);
  const reply = connection + CONNECTION_REPLY + NODE_TUPLE;
  store<u32>(nothing, NAT_FLAG_ADDRESS, NAT_FLAGS);
  natBind(nothing, reply + (manipulated() == SOURCE ? TUPLE_DESTINATION : TUPLE_SOURCE), false);
}

/** Rewrites the packet as its connection is bound, at this hook's end. */
export function natPacket(): void {
  if (!connection) return;
  const manip = manipulated();
  const source = (manip == SOURCE) == (direction == 0);
  if (!(load<u32>(connection, CONNECTION_STATUS) & (source ? <u32>STATUS_SOURCE_NAT : <u32>STATUS_DESTINATION_NAT)))
    return;
  const target = scratchTuple(2);
  tupleInvert(connection + (direction ? CONNECTION_ORIGINAL : CONNECTION_REPLY) + NODE_TUPLE, target);
  const related = (load<u16>(packet, PACKET_CT_STATE) & CT_STATE_RELATED) != 0;
  const protocol = load<u8>(packet, PACKET_PROTOCOL);
  if (manip == SOURCE) {
    v128.store(packet, v128.load(target, TUPLE_SOURCE), PACKET_SOURCE);
    if (isIcmp(protocol)) {
      if (!related) store<u16>(packet, load<u16>(target, TUPLE_SOURCE_PORT), PACKET_ICMP_ID);
    } else if (hasPorts(protocol)) store<u16>(packet, load<u16>(target, TUPLE_SOURCE_PORT), PACKET_SOURCE_PORT);
  } else {
    v128.store(packet, v128.load(target, TUPLE_DESTINATION), PACKET_DESTINATION);
    if (hasPorts(protocol)) store<u16>(packet, load<u16>(target, TUPLE_DESTINATION_PORT), PACKET_DESTINATION_PORT);
    else if (isIcmp(protocol) && !related) store<u16>(packet, load<u16>(target, TUPLE_SOURCE_PORT), PACKET_ICMP_ID);
  }
  const flag: u32 = manip == SOURCE ? RESULT_FLAG_SNAT : RESULT_FLAG_DNAT;
  store<u8>(result, <u8>(load<u8>(result, RESULT_FLAGS) | flag), RESULT_FLAGS);
}

/** The tuple that the connection's packets will have (get_unique_tuple). */
function choose(tuple: usize, original: usize, range: usize, address: usize, full: bool, manip: u32): void {
  const flags = load<u32>(range, NAT_FLAGS);
  const anyRandom = (flags & (NAT_FLAG_RANDOM | NAT_FLAG_RANDOM_FULLY)) != 0;
  memory.copy(tuple, original, CONNECTION_TUPLE_SIZE);
  if (manip == SOURCE && !anyRandom && inRange(original, range, address, full, flags) && unused(original)) return;
  const field = manip == SOURCE ? TUPLE_SOURCE : TUPLE_DESTINATION;
  if (flags & NAT_FLAG_ADDRESS || address) {
    if (address) v128.store(tuple + field, v128.load(address));
    else pickAddress(tuple, tuple + field, range, flags);
  }
  if (!anyRandom) {
    if (flags & NAT_FLAG_PORT) {
      if (!(flags & NAT_FLAG_PORT_OFFSET) && portInRange(tuple, range, manip)) {
        if (load<u16>(range, NAT_PORT_MIN) == load<u16>(range, NAT_PORT_MAX) || unused(tuple)) return;
      }
    } else if (unused(tuple)) return;
  }
  pickPort(tuple, range, flags, manip);
}

/** Whether nobody else would be answered by the inverse of this tuple (nf_nat_used_tuple). */
function unused(tuple: usize): bool {
  const inverse = scratchTuple(5);
  tupleInvert(tuple, inverse);
  return !taken(inverse, connection, load<u32>(packet, PACKET_TIME));
}

function inRange(tuple: usize, range: usize, address: usize, full: bool, flags: u32): bool {
  const source = tuple + TUPLE_SOURCE;
  if (address) {
    if (v128.any_true(v128.xor(v128.load(source), v128.load(address)))) return false;
  } else if (full && flags & NAT_FLAG_ADDRESS) {
    if (compare(source, range + NAT_ADDRESS_MIN) < 0 || compare(source, range + NAT_ADDRESS_MAX) > 0) return false;
  }
  return !(flags & NAT_FLAG_PORT) || portInRange(tuple, range, SOURCE);
}

function portInRange(tuple: usize, range: usize, manip: u32): bool {
  const protocol = load<u8>(tuple, TUPLE_PROTOCOL);
  if (!hasPorts(protocol) && !isIcmp(protocol)) return true;
  const port = load<u16>(tuple + (manip == SOURCE || isIcmp(protocol) ? TUPLE_SOURCE_PORT : TUPLE_DESTINATION_PORT));
  return port >= load<u16>(range, NAT_PORT_MIN) && port <= load<u16>(range, NAT_PORT_MAX);
}

/** An address of the range, the same for the same ends (find_best_ips_proto). */
function pickAddress(tuple: usize, into: usize, range: usize, flags: u32): void {
  const low = range + NAT_ADDRESS_MIN;
  const high = range + NAT_ADDRESS_MAX;
  if (!v128.any_true(v128.xor(v128.load(low), v128.load(high)))) return v128.store(into, v128.load(low));
  const last = addressBytes - 4;
  let hash = jenkins(
    tuple + TUPLE_SOURCE,
    flags & NAT_FLAG_PERSISTENT ? 0 : load<u32>(tuple + TUPLE_DESTINATION + last) ^ <u32>load<u16>(tuple, TUPLE_ZONE),
  );
  let free = false;
  for (let at: usize = 0; at < addressBytes; at += 4) {
    const from = free ? 0 : bswap<u32>(load<u32>(low + at));
    const distance: u32 = free ? 0xffffffff : bswap<u32>(load<u32>(high + at)) - from + 1;
    store<u32>(into + at, bswap<u32>(from + <u32>((<u64>hash * <u64>distance) >> 32)));
    if (load<u32>(into + at) != load<u32>(high + at)) free = true;
    // Where the destination is what is chosen, the choice goes in.
    if (!(flags & NAT_FLAG_PERSISTENT)) hash ^= load<u32>(tuple + TUPLE_DESTINATION + at);
  }
}

/** A port, or ICMP id, that makes the tuple unique, if one is found (nf_nat_l4proto_unique_tuple). */
function pickPort(tuple: usize, range: usize, flags: u32, manip: u32): void {
  const protocol = load<u8>(tuple, TUPLE_PROTOCOL);
  const icmp = isIcmp(protocol);
  if (!icmp && !hasPorts(protocol)) return;
  const key = tuple + (manip == SOURCE || icmp ? TUPLE_SOURCE_PORT : TUPLE_DESTINATION_PORT);
  let low: u32 = 0;
  let size: u32 = 65536;
  if (flags & NAT_FLAG_PORT) {
    low = load<u16>(range, NAT_PORT_MIN);
    size = <u32>load<u16>(range, NAT_PORT_MAX) - low + 1;
  } else if (!icmp) {
    if (manip == DESTINATION) return;
    const port = <u32>load<u16>(key);
    low = port >= 1024 ? 1024 : port >= 512 ? 600 : 1;
    size = port >= 1024 ? 64512 : port >= 512 ? 424 : 511;
  }
  let offset: u32 =
    flags & NAT_FLAG_PORT_OFFSET ? <u16>(load<u16>(key) - load<u16>(range, NAT_PORT_BASE)) : random32() & 0xffff;
  let attempts = size < ATTEMPTS ? size : ATTEMPTS;
  while (true) {
    for (let i: u32 = 0; i < attempts; i++, offset = (offset + 1) & 0xffff) {
      store<u16>(key, <u16>(low + (offset % size)));
      if (unused(tuple)) return;
    }
    if (attempts >= size || attempts < 16) return;
    attempts >>= 1;
    offset = random32() & 0xffff;
  }
}

function compare(a: usize, b: usize): i32 {
  for (let i: usize = 0; i < addressBytes; i += 4) {
    const left = bswap<u32>(load<u32>(a + i));
    const right = bswap<u32>(load<u32>(b + i));
    if (left != right) return left < right ? -1 : 1;
  }
  return 0;
}

/** Bob Jenkins' lookup3 over the four words of an address, as linux/jhash.h's jhash2. */
function jenkins(words: usize, initial: u32): u32 {
  let a: u32 = 0xdeadbeef + (4 << 2) + initial;
  let b = a;
  let c = a;
  a += load<u32>(words);
  b += load<u32>(words, 4);
  c += load<u32>(words, 8);
  a = (a - c) ^ rotl<u32>(c, 4);
  c += b;
  b = (b - a) ^ rotl<u32>(a, 6);
  a += c;
  c = (c - b) ^ rotl<u32>(b, 8);
  b += a;
  a = (a - c) ^ rotl<u32>(c, 16);
  c += b;
  b = (b - a) ^ rotl<u32>(a, 19);
  a += c;
  c = (c - b) ^ rotl<u32>(b, 4);
  b += a;
  a += load<u32>(words, 12);
  c = (c ^ b) - rotl<u32>(b, 14);
  a = (a ^ c) - rotl<u32>(c, 11);
  b = (b ^ a) - rotl<u32>(a, 25);
  c = (c ^ b) - rotl<u32>(b, 16);
  a = (a ^ c) - rotl<u32>(c, 4);
  b = (b ^ a) - rotl<u32>(a, 14);
  return (c ^ b) - rotl<u32>(b, 24);
}
