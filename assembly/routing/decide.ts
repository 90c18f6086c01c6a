/**
 * Where a packet goes: routing of what comes in (ip_route_input_slow, ip6_route_input), of what the machine sends
 * (ip_route_output_key, ip6_route_output), and again behind OUTPUT (ip_route_me_harder).
 */
import {
  INTERFACE_SIZE,
  PACKET_DESTINATION,
  PACKET_INPUT,
  PACKET_MARK,
  PACKET_OUTPUT,
  PACKET_SOURCE,
  RESULT_FLAG_UNROUTED,
  RESULT_FLAGS,
  RESULT_ROUTE,
  RESULT_ROW,
} from "../../src/blob/layout";
import * as R from "../../src/blob/routing";
import { isLoopback, isLocal, isLoopbackInterface } from "../locals";
import { addressBytes, packet, result } from "../packet";
import { FLOW_ALL, FLOW_TOS, lookup, routing, usesDevice } from "./lookup";
import { selectSource } from "./source";

/** The route that the packet was last given; 0 for none. */
export let route: usize = 0;

export function forgetRoute(): void {
  route = 0;
}

export function routeResume(before: usize): void {
  route = before;
}

const STRICT: u32 = 1;

/** Routes what came in. RTN_LOCAL: to this machine; RTN_UNICAST: on its way, by `route`; else there is no way. */
export function routeIn(): u32 {
  return note(addressBytes == 4 ? routeIn4() : routeIn6());
}

/** Routes what the machine sends: its interface, and its source where it has none. False when there is no way. */
export function routeOut(): bool {
  const source = packet + PACKET_SOURCE;
  const unspecified = !v128.any_true(v128.load(source));
  const type = outward(unspecified ? 0 : source);
  if (type >= <u32>R.RTN_BLACKHOLE) {
    memory.fill(packet + PACKET_OUTPUT, 0, INTERFACE_SIZE);
    return false;
  }
  if (unspecified) {
    const own = load<u8>(route, R.ROUTE_FLAGS) & R.ROUTE_HAS_SOURCE ? route + R.ROUTE_SOURCE : selectSource(route);
    if (own) memory.copy(source, own, addressBytes);
  }
  leaveBy();
  return true;
}

/** Routes a packet towards `gateway`, whatever its destination (nf_dup_ipv4_route). False when there is no way. */
export function routeVia(gateway: usize, device: usize): bool {
  const found = lookup(gateway, 0, 0, 0, load<u8>(device) ? device : 0, FLOW_TOS);
  if (!found || load<u8>(found, R.ROUTE_TYPE) >= <u8>R.RTN_BLACKHOLE) return false;
  route = found;
  leaveBy();
  return true;
}

/**
 * Routes again, behind a change of addresses, mark or type of service in OUTPUT. The hook goes on with the interface that it
 * began with; `leaveBy` comes behind it. False when there is no way any more.
 */
export function routeAgain(): bool {
  return outward(packet + PACKET_SOURCE) < <u32>R.RTN_BLACKHOLE;
}

/** The packet leaves by the interface of its route. */
export function leaveBy(): void {
  if (load<u8>(route, R.ROUTE_TYPE) != R.RTN_LOCAL) {
    v128.store(packet, v128.load(route, R.ROUTE_DEVICE), PACKET_OUTPUT);
    return;
  }
  memory.fill(packet + PACKET_OUTPUT, 0, INTERFACE_SIZE);
  store<u16>(packet, 0x6f6c, PACKET_OUTPUT);
}

function outward(source: usize): u32 {
  const found = lookup(packet + PACKET_DESTINATION, source, 0, load<u32>(packet, PACKET_MARK), scopeDevice(), FLOW_ALL);
  if (!found) return note(R.ROUTED_NOWHERE);
  route = found;
  const type = <u32>load<u8>(found, R.ROUTE_TYPE);
  return note(type == R.RTN_ANYCAST ? <u32>R.RTN_LOCAL : type);
}

/** A link's own addresses of IPv6 mean nothing without the link. */
function scopeDevice(): usize {
  if (addressBytes == 4 || !isLinkLocal(packet + PACKET_DESTINATION)) return 0;
  return load<u8>(packet, PACKET_OUTPUT) ? packet + PACKET_OUTPUT : 0;
}

function routeIn4(): u32 {
  const source = load<u32>(packet, PACKET_SOURCE);
  const destination = load<u32>(packet, PACKET_DESTINATION);
  const loopback = isLoopbackInterface(packet + PACKET_INPUT);
  if (isMulticast4(source) || source == 0xffffffff) return R.ROUTED_MARTIAN;
  if (isMulticast4(destination)) return R.RTN_LOCAL;
  if (destination == 0xffffffff || !(source | destination)) return R.RTN_LOCAL;
  if (!(source & 0xff) || !(destination & 0xff)) return R.ROUTED_MARTIAN;
  if (!loopback && ((source & 0xff) == 127 || (destination & 0xff) == 127)) return R.ROUTED_MARTIAN;
  const found = lookup(
    packet + PACKET_DESTINATION,
    packet + PACKET_SOURCE,
    packet + PACKET_INPUT,
    load<u32>(packet, PACKET_MARK),
    0,
    FLOW_ALL,
  );
  if (!found) return forwards() ? <u32>R.ROUTED_NOWHERE : <u32>R.ROUTED_NOT_HERE;
  const type = <u32>load<u8>(found, R.ROUTE_TYPE);
  if (type == R.RTN_BROADCAST || type == R.RTN_LOCAL) {
    const fault = loopback ? 0 : sourceFault();
    return fault ? fault : type;
  }
  if (!forwards()) return R.ROUTED_NOT_HERE;
  if (type != R.RTN_UNICAST) return type;
  const fault = sourceFault();
  if (fault) return fault;
  route = found;
  return R.RTN_UNICAST;
}

/** What is wrong with the source of a packet from outside (fib_validate_source); 0 for nothing. */
function sourceFault(): u32 {
  const source = packet + PACKET_SOURCE;
  const mode = load<u32>(routing, R.ROUTING_REVERSE_PATH);
  // Without rules of its own the machine looks no further than at its addresses.
  if (!mode && !(load<u32>(routing, R.ROUTING_FLAGS) & R.ROUTING_CUSTOM_RULES))
    return isLocal(source, 0) ? R.ROUTED_MARTIAN : 0;
  const back = lookup(source, packet + PACKET_DESTINATION, 0, 0, 0, FLOW_TOS);
  if (!back || load<u8>(back, R.ROUTE_TYPE) > <u8>R.RTN_MULTICAST) return mode ? R.ROUTED_REVERSE : 0;
  if (load<u8>(back, R.ROUTE_TYPE) != R.RTN_UNICAST) return R.ROUTED_MARTIAN;
  return mode == STRICT && !usesDevice(back, packet + PACKET_INPUT) ? R.ROUTED_REVERSE : 0;
}

function routeIn6(): u32 {
  const source = packet + PACKET_SOURCE;
  const destination = packet + PACKET_DESTINATION;
  const loopback = isLoopbackInterface(packet + PACKET_INPUT);
  if (load<u8>(source) == 0xff) return R.ROUTED_MARTIAN;
  if (!loopback && (isLoopback(source) || isLoopback(destination))) return R.ROUTED_MARTIAN;
  if (load<u8>(destination) == 0xff) return R.RTN_LOCAL;
  const device: usize = isLinkLocal(destination) ? packet + PACKET_INPUT : 0;
  const found = lookup(destination, source, packet + PACKET_INPUT, load<u32>(packet, PACKET_MARK), device, FLOW_ALL);
  if (!found) return R.ROUTED_NOWHERE;
  const type = <u32>load<u8>(found, R.ROUTE_TYPE);
  if (type == R.RTN_LOCAL || type == R.RTN_ANYCAST) return R.RTN_LOCAL;
  if (!forwards()) return R.ROUTED_NOT_HERE;
  // ip6_forward: such sources do not leave their link.
  if (type == R.RTN_UNICAST && (!v128.any_true(v128.load(source)) || isLinkLocal(source))) return R.ROUTED_MARTIAN;
  route = found;
  return type;
}

function note(type: u32): u32 {
  store<u8>(result, <u8>type, RESULT_ROUTE);
  if (type >= <u32>R.RTN_BLACKHOLE) {
    store<u8>(result, <u8>(<u32>load<u8>(result, RESULT_FLAGS) | <u32>RESULT_FLAG_UNROUTED), RESULT_FLAGS);
    store<u32>(result, 0, RESULT_ROW);
  }
  return type;
}

function forwards(): bool {
  return (load<u32>(routing, R.ROUTING_FLAGS) & R.ROUTING_FORWARDS) != 0;
}

function isMulticast4(address: u32): bool {
  return (address & 0xf0) == 0xe0;
}

function isLinkLocal(address: usize): bool {
  return load<u8>(address) == 0xfe && (load<u8>(address, 1) & 0xc0) == 0x80;
}
