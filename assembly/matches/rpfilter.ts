/**
 * rpfilter (ipt_rpfilter.c, ip6t_rpfilter.c): whether an answer would go out by the interface that the packet came in by.
 * An engine that knows no routes takes it to, from every address but the machine's own.
 */
import { PACKET_DESTINATION, PACKET_INPUT, PACKET_MARK, PACKET_SOURCE } from "../../src/blob/layout";
import { RPFILTER_FLAGS } from "../../src/blob/payloads";
import { ROUTE_NEXT, ROUTE_PREFIX, ROUTE_TYPE, RTN_LOCAL, RTN_UNICAST } from "../../src/blob/routing";
import { isLocal, isLoopbackInterface } from "../locals";
import { addressBytes, packet } from "../packet";
import { FLOW_TOS, lookup, routesKnown, usesDevice } from "../routing/lookup";

const LOOSE: u8 = 1;
const VALID_MARK: u8 = 2;
const ACCEPT_LOCAL: u8 = 4;
const INVERT: u8 = 8;

export function matchRpfilter(record: usize): bool {
  const flags = load<u8>(record, RPFILTER_FLAGS);
  return returns(flags) != ((flags & INVERT) != 0);
}

function returns(flags: u8): bool {
  const source = packet + PACKET_SOURCE;
  const destination = packet + PACKET_DESTINATION;
  if (isLoopbackInterface(packet + PACKET_INPUT)) return true;
  if (addressBytes == 4) {
    const to = load<u32>(destination);
    if (!load<u32>(source) && (to == 0xffffffff || (to & 0xffffff) == 0x0000e0)) return true;
  } else if (!v128.any_true(v128.load(source))) return true;
  if (!routesKnown()) return (flags & ACCEPT_LOCAL) != 0 || !isLocal(source, 0);
  const mark = flags & VALID_MARK ? load<u32>(packet, PACKET_MARK) : 0;
  const strict: usize = addressBytes != 4 && isLinkLocal(source) ? packet + PACKET_INPUT : 0;
  const back = lookup(source, isSingle(destination) ? destination : 0, 0, mark, strict, FLOW_TOS);
  if (!back) return false;
  const type = load<u8>(back, ROUTE_TYPE);
  if (type == RTN_LOCAL && flags & ACCEPT_LOCAL && addressBytes != 4) return true;
  if (type != RTN_UNICAST && (type != RTN_LOCAL || !(flags & ACCEPT_LOCAL))) return false;
  if (flags & LOOSE || usesDevice(back, packet + PACKET_INPUT)) return true;
  return addressBytes != 4 && anyUses(back);
}

/** IPv6 prefers, among the routes of one prefix, one by the interface asked for, whatever its metric. */
function anyUses(first: usize): bool {
  const prefix = load<u8>(first, ROUTE_PREFIX);
  for (
    let route: usize = load<u32>(first, ROUTE_NEXT);
    route && load<u8>(route, ROUTE_PREFIX) == prefix;
    route = load<u32>(route, ROUTE_NEXT)
  )
    if (usesDevice(route, packet + PACKET_INPUT)) return load<u8>(route, ROUTE_TYPE) == RTN_UNICAST;
  return false;
}

/** One machine's address, not a group's. */
function isSingle(address: usize): bool {
  const first = load<u8>(address);
  if (addressBytes == 4) return first != 0 && (first & 0xf0) != 0xe0 && load<u32>(address) != 0xffffffff;
  return first != 0xff && v128.any_true(v128.load(address));
}

function isLinkLocal(address: usize): bool {
  return load<u8>(address) == 0xfe && (load<u8>(address, 1) & 0xc0) == 0x80;
}
