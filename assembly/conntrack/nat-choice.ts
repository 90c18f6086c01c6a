/** Addresses and ports that NAT chooses in a range (find_best_ips_proto, nf_nat_l4proto_unique_tuple). */
import {
  CONNECTION_REPLY,
  CONNECTION_STATE,
  CONNECTION_STATUS,
  CONNECTION_ORIGINAL,
  NODE_TUPLE,
  STATUS_DYING,
  STATUS_SOURCE_NAT,
  TCP_SYN_SENT,
  TCP_TIME_WAIT,
  TUPLE_DESTINATION,
  TUPLE_DESTINATION_PORT,
  TUPLE_PROTOCOL,
  TUPLE_SOURCE,
  TUPLE_SOURCE_PORT,
  TUPLE_ZONE,
  WINDOW_END,
} from "../../src/blob/connections";
import { PACKET_TIME } from "../../src/blob/layout";
import { NAT_FLAG_PORT, NAT_FLAG_PORT_OFFSET } from "../../src/blob/payloads";
import { jhashAddress } from "../jhash";
import { addressBytes, packet } from "../packet";
import { random32 } from "../random";
import {
  DESTINATION,
  rangeFlags,
  rangeHigh,
  rangeLow,
  rangePortBase,
  rangePortHigh,
  rangePortLow,
  SOURCE,
} from "./nat";
import { directionOf, recordOf, release } from "./pool";
import { ANY, find, remove, REPLY } from "./table";
import { connection, scratchTuple } from "./track";
import { hasPorts, isIcmp, TCP, tupleEqual, tupleInvert } from "./tuple";
import { windowOf } from "./window";

/** Ports that are tried at most, and how many of the last are made free where that is possible. */
const ATTEMPTS: u32 = 128;
const ATTEMPTS_HARDER: u32 = 32;

/** Whether nobody else would be answered by the inverse of this tuple (nf_nat_used_tuple). */
export function unused(tuple: usize): bool {
  const node = answered(tuple);
  if (!node) return true;
  const record = recordOf(node);
  // The same packets begun on another thread are no hindrance: one of the two will give way.
  const same = tupleEqual(record + CONNECTION_ORIGINAL + NODE_TUPLE, connection + CONNECTION_ORIGINAL + NODE_TUPLE);
  release(record);
  return same;
}

/** An address of the range in hand, the same for the same ends. */
export function pickAddress(tuple: usize, manip: u32, persistent: bool): void {
  const into = tuple + (manip == SOURCE ? TUPLE_SOURCE : TUPLE_DESTINATION);
  const low = rangeLow;
  const high = rangeHigh;
  if (!v128.any_true(v128.xor(v128.load(low), v128.load(high)))) return v128.store(into, v128.load(low));
  const last = addressBytes - 4;
  let hash = jhashAddress(
    tuple + TUPLE_SOURCE,
    persistent ? 0 : load<u32>(tuple + TUPLE_DESTINATION + last) ^ zoneNumber(),
  );
  let free = false;
  for (let at: usize = 0; at < addressBytes; at += 4) {
    const from = free ? 0 : bswap<u32>(load<u32>(low + at));
    const distance: u32 = free ? 0xffffffff : bswap<u32>(load<u32>(high + at)) - from + 1;
    store<u32>(into + at, bswap<u32>(from + <u32>((<u64>hash * <u64>distance) >> 32)));
    if (load<u32>(into + at) != load<u32>(high + at)) free = true;
    // Where the destination is what is chosen, the choice goes in.
    if (!persistent) hash ^= load<u32>(tuple + TUPLE_DESTINATION + at);
  }
}

/** A port, or ICMP id, that makes the tuple unique, if one is found. */
export function pickPort(tuple: usize, manip: u32): void {
  const protocol = load<u8>(tuple, TUPLE_PROTOCOL);
  const icmp = isIcmp(protocol);
  if (!icmp && !hasPorts(protocol)) return;
  const key = tuple + (manip == SOURCE || icmp ? TUPLE_SOURCE_PORT : TUPLE_DESTINATION_PORT);
  let low: u32 = 0;
  let size: u32 = 65536;
  if (rangeFlags & NAT_FLAG_PORT) {
    low = rangePortLow < rangePortHigh ? rangePortLow : rangePortHigh;
    size = (rangePortLow < rangePortHigh ? rangePortHigh : rangePortLow) - low + 1;
  } else if (!icmp) {
    if (manip == DESTINATION) return;
    const port = <u32>load<u16>(key);
    low = port >= 1024 ? 1024 : port >= 512 ? 600 : 1;
    size = port >= 1024 ? 64512 : port >= 512 ? 424 : 511;
  }
  let offset: u32 = rangeFlags & NAT_FLAG_PORT_OFFSET ? <u16>(load<u16>(key) - rangePortBase) : random32() & 0xffff;
  let attempts = size < ATTEMPTS ? size : ATTEMPTS;
  while (true) {
    for (let i: u32 = 0; i < attempts; i++, offset = (offset + 1) & 0xffff) {
      store<u16>(key, <u16>(low + (offset % size)));
      if (attempts - i > ATTEMPTS_HARDER ? unused(tuple) : madeFree(tuple)) return;
    }
    if (attempts >= size || attempts < 16) return;
    attempts >>= 1;
    offset = random32() & 0xffff;
  }
}

/** The node that the answer to `tuple` would find, of another connection, referred to. */
function answered(tuple: usize): usize {
  const inverse = scratchTuple(5);
  tupleInvert(tuple, inverse);
  const zone = load<u16>(connection + CONNECTION_REPLY + NODE_TUPLE, TUPLE_ZONE);
  if (load<u16>(inverse, TUPLE_ZONE) != zone) store<u16>(inverse, zone, TUPLE_ZONE);
  return find(inverse, zone == load<u16>(originalZone()) ? ANY : REPLY, load<u32>(packet, PACKET_TIME));
}

/** A SYN may take the port of a connection that is over and whose sequence numbers it is beyond (nf_nat_used_tuple_harder). */
function madeFree(tuple: usize): bool {
  if (load<u8>(tuple, TUPLE_PROTOCOL) != TCP || load<u8>(connection, CONNECTION_STATE) != <u8>TCP_SYN_SENT)
    return unused(tuple);
  const node = answered(tuple);
  if (!node) return true;
  const record = recordOf(node);
  const over =
    directionOf(node) == 1 &&
    load<u8>(record, CONNECTION_STATE) >= <u8>TCP_TIME_WAIT &&
    (load<u32>(record, CONNECTION_STATUS) & (STATUS_SOURCE_NAT | STATUS_DYING)) == STATUS_SOURCE_NAT &&
    <i32>(load<u32>(windowOf(connection, 0), WINDOW_END) - load<u32>(windowOf(record, 0), WINDOW_END)) > 0;
  const freed = over && remove(record);
  release(record);
  return freed;
}

/** The connection's zone, whichever direction it is of. */
function zoneNumber(): u32 {
  const original = <u32>load<u16>(originalZone());
  return original ? original : <u32>load<u16>(connection + CONNECTION_REPLY + NODE_TUPLE, TUPLE_ZONE);
}

function originalZone(): usize {
  return connection + CONNECTION_ORIGINAL + NODE_TUPLE + TUPLE_ZONE;
}
