/** The machine's own addresses and interfaces, as the routing image lists them. */
import { FAMILY_IPV4, FAMILY_IPV6, PACKET_INPUT, PACKET_OUTPUT } from "../src/blob/layout";
import {
  INTERFACE_FLAGS,
  INTERFACE_GROUP,
  INTERFACE_LOOPBACK,
  INTERFACE_RECORD_SIZE,
  LOCAL_ADDRESS,
  LOCAL_FAMILY,
  LOCAL_INTERFACE,
  LOCAL_PREFIX,
  LOCAL_SIZE,
  ROUTE_TYPE,
  ROUTING_ADDRESS_COUNT,
  ROUTING_ADDRESSES,
  ROUTING_INTERFACE_COUNT,
  ROUTING_INTERFACES,
  ROUTING_LOCAL,
  RTN_LOCAL,
} from "../src/blob/routing";
import { sameInterface } from "./interface";
import { addressBytes, packet } from "./packet";
import { familyIndex, routing } from "./routing/lookup";
import { findRoute } from "./routing/search";

/**
 * Whether `address` is local. `limit` 1 and 2 ask for an address of the packet's input or output interface only; addresses
 * listed without an interface belong to all. 127.0.0.0/8 and ::1 always are local.
 */
export function isLocal(address: usize, limit: u32): bool {
  if (isLoopback(address)) return true;
  if (!routing) return false;
  if (!limit) {
    const route = findRoute(load<u32>(routing + familyIndex(), ROUTING_LOCAL), address);
    return route != 0 && load<u8>(route, ROUTE_TYPE) == RTN_LOCAL;
  }
  const name = packet + (limit == 1 ? PACKET_INPUT : PACKET_OUTPUT);
  const family = familyNumber();
  let local: usize = load<u32>(routing, ROUTING_ADDRESSES);
  for (let left = load<u32>(routing, ROUTING_ADDRESS_COUNT); left; left--, local += LOCAL_SIZE) {
    if (load<u8>(local, LOCAL_FAMILY) != family) continue;
    if (v128.any_true(v128.xor(v128.load(local, LOCAL_ADDRESS), v128.load(address)))) continue;
    if (!load<u8>(local, LOCAL_INTERFACE) || sameInterface(local + LOCAL_INTERFACE, name)) return true;
  }
  return false;
}

export function isLoopback(address: usize): bool {
  if (addressBytes == 4) return load<u8>(address) == 127;
  return !load<u64>(address) && load<u64>(address, 8) == 0x0100000000000000;
}

/** The first local address of the walk's family on the interface named at `name`; 0 when there is none. */
export function localOn(name: usize): usize {
  if (!routing) return 0;
  const family = familyNumber();
  let local: usize = load<u32>(routing, ROUTING_ADDRESSES);
  for (let left = load<u32>(routing, ROUTING_ADDRESS_COUNT); left; left--, local += LOCAL_SIZE)
    if (
      load<u8>(local, LOCAL_FAMILY) == family &&
      load<u8>(local, LOCAL_INTERFACE) &&
      sameInterface(local + LOCAL_INTERFACE, name)
    )
      return local + LOCAL_ADDRESS;
  return 0;
}

/** Whether the IPv4 address lies in a network that the interface named at `name` has an address in. */
export function nearOn(name: usize, address: usize): bool {
  if (!routing) return false;
  let local: usize = load<u32>(routing, ROUTING_ADDRESSES);
  for (let left = load<u32>(routing, ROUTING_ADDRESS_COUNT); left; left--, local += LOCAL_SIZE) {
    if (load<u8>(local, LOCAL_FAMILY) != FAMILY_IPV4 || !sameInterface(local + LOCAL_INTERFACE, name)) continue;
    const differ = bswap<u32>(load<u32>(local, LOCAL_ADDRESS) ^ load<u32>(address));
    if (<u64>differ >> (32 - <u64>load<u8>(local, LOCAL_PREFIX)) == 0) return true;
  }
  return false;
}

/** The first local address of the walk's family; 0 when there is none. */
export function localFirst(): usize {
  if (!routing) return 0;
  const family = familyNumber();
  let local: usize = load<u32>(routing, ROUTING_ADDRESSES);
  for (let left = load<u32>(routing, ROUTING_ADDRESS_COUNT); left; left--, local += LOCAL_SIZE)
    if (load<u8>(local, LOCAL_FAMILY) == family) return local + LOCAL_ADDRESS;
  return 0;
}

/** Whether the interface named at `name` is the machine's loopback: lo, where nothing says otherwise. */
export function isLoopbackInterface(name: usize): bool {
  const own = interfaceRecord(name);
  return own ? (load<u32>(own, INTERFACE_FLAGS) & INTERFACE_LOOPBACK) != 0 : load<u32>(name) == 0x6f6c;
}

/** The group of the interface named at `name`; 0 where nothing says otherwise. */
export function interfaceGroup(name: usize): u32 {
  const own = interfaceRecord(name);
  return own ? load<u32>(own, INTERFACE_GROUP) : 0;
}

/** The record of the interface named at `name`; 0 when it is not listed. */
export function interfaceRecord(name: usize): usize {
  if (!routing) return 0;
  let own: usize = load<u32>(routing, ROUTING_INTERFACES);
  for (let left = load<u32>(routing, ROUTING_INTERFACE_COUNT); left; left--, own += INTERFACE_RECORD_SIZE)
    if (sameInterface(own, name)) return own;
  return 0;
}

function familyNumber(): i32 {
  return addressBytes == 4 ? FAMILY_IPV4 : FAMILY_IPV6;
}
