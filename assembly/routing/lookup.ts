/**
 * One question to the routes: rules in order of priority, in each one's table the longest prefix whose route will do
 * (fib_rules.c, fib_table_lookup, fib6_table_lookup). Asked of one flow: the fields below, set by whoever asks.
 */
import {
  PACKET_DESTINATION_PORT,
  PACKET_FLAG_SOCKET,
  PACKET_FLAGS,
  PACKET_PROTOCOL,
  PACKET_SOURCE_PORT,
  PACKET_TOS,
  PACKET_UID,
} from "../../src/blob/layout";
import * as R from "../../src/blob/routing";
import { sameInterface } from "../interface";
import { addressBytes, packet } from "../packet";
import { findRoute } from "./search";

/** The image of the root in force; 0 when the engine knows nothing of its machine. */
export let routing: usize = 0;

export function setRouting(image: usize): void {
  routing = image;
}

/** What a question tells of the packet, besides its addresses and mark: type of service, protocol and ports as well. */
export const FLOW_NONE: u32 = 0;
export const FLOW_TOS: u32 = 1;
export const FLOW_ALL: u32 = 3;
const FLOW_PORTS: u32 = 2;
let flow: u32 = 0;

/** Whether routing says where packets go. */
export function routesKnown(): bool {
  return routing != 0 && (load<u32>(routing, R.ROUTING_FLAGS) & R.ROUTING_KNOWN) != 0;
}

/** Index of the walk's family in the image's lists. */
export function familyIndex(): usize {
  return addressBytes == 4 ? 0 : 4;
}

/**
 * The route from `source` to `destination`; 0 when there is none. `input` is the name of the interface it came in by, 0 for
 * what the machine itself sends. With `device`, a name, only routes over that interface will do. `tells` is of FLOW_*.
 */
export function lookup(destination: usize, source: usize, input: usize, mark: u32, device: usize, tells: u32): usize {
  flow = tells;
  let rule: usize = load<u32>(routing + familyIndex(), R.ROUTING_RULES);
  for (let left = load<u32>(routing + familyIndex(), R.ROUTING_RULE_COUNT); left; left--, rule += R.RULE_SIZE) {
    const conditions = load<u32>(rule, R.RULE_CONDITIONS);
    const holds = ruleHolds(rule, conditions, destination, source, input, mark, device);
    if (holds == ((conditions & R.RULE_INVERTED) != 0)) continue;
    const answer: usize = load<u32>(rule, R.RULE_ROUTE);
    if (answer) return answer;
    const route = inTable(load<u32>(rule, R.RULE_TABLE), destination, source, device);
    if (!route || load<u8>(route, R.ROUTE_TYPE) == R.RTN_THROW) continue;
    // A route that sends nowhere is never suppressed.
    if (load<u8>(route, R.ROUTE_TYPE) >= <u8>R.RTN_BLACKHOLE) return route;
    if (conditions & R.RULE_HAS_SUPPRESS && load<u8>(route, R.ROUTE_PREFIX) <= load<u8>(rule, R.RULE_SUPPRESS))
      continue;
    return route;
  }
  return 0;
}

/** The best route of one table. */
function inTable(table: usize, destination: usize, source: usize, device: usize): usize {
  const tos = flowTos();
  for (let route = findRoute(table, destination); route; route = load<u32>(route, R.ROUTE_NEXT)) {
    if (load<u8>(route, R.ROUTE_FLAGS) & R.ROUTE_DEAD) continue;
    const own = load<u8>(route, R.ROUTE_TOS);
    if (own && own != tos) continue;
    const ways = <u32>load<u16>(route, R.ROUTE_WAYS);
    const way = ways > 1 ? chooseWay(route, ways, destination, source) : route;
    if (device && load<u8>(way, R.ROUTE_TYPE) < <u8>R.RTN_BLACKHOLE && !sameInterface(way + R.ROUTE_DEVICE, device))
      continue;
    return way;
  }
  return 0;
}

/** Whether one of the ways of `route` leads over the interface named at `device`. */
export function usesDevice(route: usize, device: usize): bool {
  let way: usize = load<u32>(route, R.ROUTE_FIRST);
  for (let left = load<u16>(route, R.ROUTE_WAYS); left; left--, way += R.ROUTE_SIZE)
    if (sameInterface(way + R.ROUTE_DEVICE, device)) return true;
  return false;
}

/** One of several ways, the same for the same ends. */
function chooseWay(route: usize, ways: u32, destination: usize, source: usize): usize {
  const last = route + (ways - 1) * R.ROUTE_SIZE;
  let hash: u32 = 0x9e3779b9;
  for (let at: usize = 0; at < addressBytes; at += 4) {
    hash = (hash ^ load<u32>(destination + at) ^ rotl<u32>(source ? load<u32>(source + at) : 0, 16)) * 0x85ebca6b;
    hash ^= hash >>> 15;
  }
  hash = (hash ^ (hash >>> 16)) * 0xc2b2ae35;
  const point = <u32>((<u64>(hash ^ (hash >>> 13)) * <u64>load<u16>(last, R.ROUTE_WEIGHT)) >> 32);
  let way = route;
  while (way < last && point >= load<u16>(way, R.ROUTE_WEIGHT)) way += R.ROUTE_SIZE;
  return way;
}

const PORTS: u32 = <u32>R.RULE_HAS_PROTOCOL | <u32>R.RULE_HAS_SOURCE_PORTS | <u32>R.RULE_HAS_DESTINATION_PORTS;

function flowTos(): u8 {
  return flow & FLOW_TOS ? load<u8>(packet, PACKET_TOS) & 0xfc : 0;
}

function ruleHolds(
  rule: usize,
  conditions: u32,
  destination: usize,
  source: usize,
  input: usize,
  mark: u32,
  device: usize,
): bool {
  if (!under(destination, rule + R.RULE_DESTINATION) || !under(source, rule + R.RULE_SOURCE)) return false;
  if (!(conditions & ~(R.RULE_INVERTED | R.RULE_HAS_SUPPRESS))) return true;
  if (conditions & R.RULE_HAS_MARK && (mark & load<u32>(rule, R.RULE_MARK_MASK)) != load<u32>(rule, R.RULE_MARK))
    return false;
  if (conditions & R.RULE_HAS_TOS && flowTos() != load<u8>(rule, R.RULE_TOS)) return false;
  // What the machine sends itself comes from its loopback, for a rule.
  if (conditions & R.RULE_HAS_INPUT)
    if (input ? !sameInterface(input, rule + R.RULE_INPUT) : load<u32>(rule, R.RULE_INPUT) != 0x6f6c) return false;
  if (conditions & R.RULE_HAS_OUTPUT && !(device && sameInterface(device, rule + R.RULE_OUTPUT))) return false;
  if (conditions & PORTS && !(flow & FLOW_PORTS)) return false;
  if (conditions & R.RULE_HAS_PROTOCOL && load<u8>(packet, PACKET_PROTOCOL) != load<u8>(rule, R.RULE_PROTOCOL))
    return false;
  if (conditions & R.RULE_HAS_SOURCE_PORTS && !within(packet + PACKET_SOURCE_PORT, rule + R.RULE_SOURCE_PORTS))
    return false;
  if (
    conditions & R.RULE_HAS_DESTINATION_PORTS &&
    !within(packet + PACKET_DESTINATION_PORT, rule + R.RULE_DESTINATION_PORTS)
  )
    return false;
  if (!(conditions & R.RULE_HAS_USERS)) return true;
  const user = load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_SOCKET ? load<u32>(packet, PACKET_UID) : 0;
  return user >= load<u32>(rule, R.RULE_USERS) && user <= load<u32>(rule, R.RULE_USERS + 4);
}

/** 16 bytes of address, and behind them 16 of mask; no address is under every mask of nothing. */
function under(address: usize, prefix: usize): bool {
  if (!address) return !v128.any_true(v128.load(prefix + 16));
  const differ = v128.and(v128.xor(v128.load(address), v128.load(prefix)), v128.load(prefix + 16));
  return !v128.any_true(differ);
}

function within(port: usize, range: usize): bool {
  return load<u16>(port) >= load<u16>(range) && load<u16>(port) <= load<u16>(range, 2);
}
