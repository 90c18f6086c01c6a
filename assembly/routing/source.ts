/** The address that the machine sends from: inet_select_addr; of IPv6 the rules of RFC 6724 that can tell two addresses apart. */
import { FAMILY_IPV4, FAMILY_IPV6, PACKET_DESTINATION } from "../../src/blob/layout";
import * as R from "../../src/blob/routing";
import { sameInterface } from "../interface";
import { addressBytes, packet } from "../packet";
import { routing } from "./lookup";

/** The source for what leaves by `route`. 0 where there is none. */
export function selectSource(route: usize): usize {
  const local = load<u8>(route, R.ROUTE_TYPE) == R.RTN_LOCAL;
  return local ? packet + PACKET_DESTINATION : sourceOn(route + R.ROUTE_DEVICE, route);
}

/** The source of what the machine itself sends to the packet's source, by `back`. */
export function sourceTowards(back: usize): usize {
  if (load<u8>(back, R.ROUTE_FLAGS) & R.ROUTE_HAS_SOURCE) return back + R.ROUTE_SOURCE;
  return sourceOn(back + R.ROUTE_DEVICE, back);
}

/** The source on the interface named at `device`, towards the gateway of `route` or, where it has none, the destination. */
export function sourceOn(device: usize, route: usize): usize {
  return addressBytes == 4 ? source4(device, route) : source6(device);
}

/** The first address whose network holds the next hop, else the first one that others may see. */
function source4(device: usize, route: usize): usize {
  const gateway = route && load<u8>(route, R.ROUTE_FLAGS) & R.ROUTE_HAS_GATEWAY ? route + R.ROUTE_GATEWAY : 0;
  const hop = load<u32>(gateway ? gateway : packet + PACKET_DESTINATION);
  let first: usize = 0;
  let elsewhere: usize = 0;
  const end = addressesEnd();
  for (let local = addresses(); local < end; local += R.LOCAL_SIZE) {
    if (load<u8>(local, R.LOCAL_FAMILY) != FAMILY_IPV4) continue;
    if (load<u8>(local, R.LOCAL_FLAGS) & (R.LOCAL_SECONDARY | R.LOCAL_NARROW)) continue;
    if (!sameInterface(local + R.LOCAL_INTERFACE, device)) {
      if (!elsewhere && load<u8>(local, R.LOCAL_INTERFACE)) elsewhere = local + R.LOCAL_ADDRESS;
      continue;
    }
    const prefix = <u32>load<u8>(local, R.LOCAL_PREFIX);
    const mask: u32 = prefix ? bswap<u32>(0xffffffff << (32 - prefix)) : 0;
    if (((load<u32>(local, R.LOCAL_ADDRESS) ^ hop) & mask) == 0) return local + R.LOCAL_ADDRESS;
    if (!first) first = local + R.LOCAL_ADDRESS;
  }
  return first ? first : route ? elsewhere : 0;
}

function source6(device: usize): usize {
  const destination = packet + PACKET_DESTINATION;
  const narrow = load<u8>(destination) == 0xfe && (load<u8>(destination, 1) & 0xc0) == 0x80;
  let best: usize = 0;
  let bestScore: u32 = 0;
  const end = addressesEnd();
  for (let local = addresses(); local < end; local += R.LOCAL_SIZE) {
    if (load<u8>(local, R.LOCAL_FAMILY) != FAMILY_IPV6 || !sameInterface(local + R.LOCAL_INTERFACE, device)) continue;
    const flags = load<u8>(local, R.LOCAL_FLAGS);
    const fits = ((flags & R.LOCAL_NARROW) != 0) == narrow;
    const score: u32 =
      1 + (fits ? 512 : 0) + (flags & R.LOCAL_DEPRECATED ? 0 : 256) + sameBits(local + R.LOCAL_ADDRESS, destination);
    if (score <= bestScore) continue;
    best = local + R.LOCAL_ADDRESS;
    bestScore = score;
  }
  return best;
}

/** Bits in which both begin alike. */
function sameBits(a: usize, b: usize): u32 {
  const head = bswap<u64>(load<u64>(a) ^ load<u64>(b));
  if (head) return <u32>clz(head);
  return 64 + <u32>clz(bswap<u64>(load<u64>(a, 8) ^ load<u64>(b, 8)));
}

function addresses(): usize {
  return routing ? <usize>load<u32>(routing, R.ROUTING_ADDRESSES) : 0;
}

function addressesEnd(): usize {
  return routing ? addresses() + <usize>load<u32>(routing, R.ROUTING_ADDRESS_COUNT) * R.LOCAL_SIZE : 0;
}
