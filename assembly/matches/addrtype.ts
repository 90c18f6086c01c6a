/** addrtype (xt_addrtype.c) by the machine's own addresses, and by its routes where they are known. */
import { PACKET_DESTINATION, PACKET_INPUT, PACKET_OUTPUT, PACKET_SOURCE } from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { ROUTE_TYPE, ROUTING_LOCAL, RTN_ANYCAST, RTN_BLACKHOLE, RTN_BROADCAST } from "../../src/blob/routing";
import { isLocal } from "../locals";
import { addressBytes, packet } from "../packet";
import { FLOW_NONE, lookup, routesKnown, routing, usesDevice } from "../routing/lookup";
import { findRoute } from "../routing/search";

/** RTN_* of linux/rtnetlink.h. */
const UNSPECIFIED: u32 = 0;
const UNICAST: u32 = 1;
const LOCAL: u32 = 2;
const BROADCAST: u32 = 3;
const ANYCAST: u32 = 4;
const MULTICAST: u32 = 5;
const UNREACHABLE: u32 = 7;

export function matchAddrtype(record: usize): bool {
  const flags = load<u8>(record, P.ADDRTYPE_FLAGS);
  const source = load<u16>(record, P.ADDRTYPE_SOURCE);
  if (source && has(source, packet + PACKET_SOURCE, flags) == ((flags & P.ADDRTYPE_INVERT_SOURCE) != 0)) return false;
  const destination = load<u16>(record, P.ADDRTYPE_DESTINATION);
  return (
    !destination ||
    has(destination, packet + PACKET_DESTINATION, flags) != ((flags & P.ADDRTYPE_INVERT_DESTINATION) != 0)
  );
}

function has(mask: u32, address: usize, flags: u8): bool {
  const limit: u32 = flags & P.ADDRTYPE_LIMIT_IN ? 1 : flags & P.ADDRTYPE_LIMIT_OUT ? 2 : 0;
  return addressBytes == 4 ? (mask & ((<u32>1) << type4(address, limit))) != 0 : conditions6(mask, address, limit);
}

/** The one type of an IPv4 address. */
function type4(address: usize, limit: u32): u32 {
  const word = load<u32>(address);
  if (word == 0 || word == 0xffffffff) return BROADCAST;
  if ((word & 0xf0) == 0xe0) return MULTICAST;
  if (isLocal(address, limit)) return LOCAL;
  if (!routing) return UNICAST;
  // A route that sends nowhere is none, for this question: such addresses are UNICAST (__inet_dev_addr_type).
  const route = findRoute(load<u32>(routing, ROUTING_LOCAL), address);
  if (!route || load<u8>(route, ROUTE_TYPE) != RTN_BROADCAST) return UNICAST;
  return !limit || usesDevice(route, packet + (limit == 1 ? PACKET_INPUT : PACKET_OUTPUT)) ? BROADCAST : UNICAST;
}

/** For IPv6 the mask names conditions that must all hold (match_type6). */
function conditions6(mask: u32, address: usize, limit: u32): bool {
  const multicast = load<u8>(address) == 255;
  const unspecified = !(load<u64>(address) | load<u64>(address, 8));
  const mapped = !load<u64>(address) && load<u32>(address, 8) == 0xffff0000;
  if (mask & (1 << MULTICAST) && !multicast) return false;
  if (mask & (1 << UNICAST) && (multicast || unspecified || mapped)) return false;
  if (mask & (1 << UNSPECIFIED) && !unspecified) return false;
  if (!(mask & ((1 << LOCAL) | (1 << ANYCAST) | (1 << UNREACHABLE)))) return true;
  const local = (mask & (1 << LOCAL)) != 0 && isLocal(address, limit);
  if (local || !routesKnown()) return local;
  const route = lookup(address, 0, 0, 0, 0, FLOW_NONE);
  if (!route || load<u8>(route, ROUTE_TYPE) >= <u8>RTN_BLACKHOLE) return (mask & (1 << UNREACHABLE)) != 0;
  return load<u8>(route, ROUTE_TYPE) == RTN_ANYCAST && (mask & (1 << ANYCAST)) != 0;
}
