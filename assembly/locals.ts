/** The engine's list of local addresses, as told by its user. */
import { FAMILY_IPV4, FAMILY_IPV6, PACKET_INPUT, PACKET_OUTPUT } from "../src/blob/layout";
import {
  CONTROL_ADDRESS,
  CONTROL_LOCAL_COUNT,
  CONTROL_LOCALS,
  LOCAL_ADDRESS,
  LOCAL_FAMILY,
  LOCAL_INTERFACE,
  LOCAL_SIZE,
} from "../src/blob/memory";
import { sameInterface } from "./interface";
import { addressBytes, packet } from "./packet";

/**
 * Whether `address` is local. `limit` 1 and 2 ask for an address of the packet's input or output interface only; addresses
 * listed without an interface belong to all. 127.0.0.0/8 and ::1 always are local.
 */
export function isLocal(address: usize, limit: u32): bool {
  if (addressBytes == 4) {
    if (load<u8>(address) == 127) return true;
  } else if (!load<u64>(address) && load<u64>(address, 8) == 0x0100000000000000) return true;
  const family: i32 = addressBytes == 4 ? FAMILY_IPV4 : FAMILY_IPV6;
  const count = load<u32>(CONTROL_ADDRESS, CONTROL_LOCAL_COUNT);
  let local: usize = load<u32>(CONTROL_ADDRESS, CONTROL_LOCALS);
  for (let i: u32 = 0; i < count; i++, local += LOCAL_SIZE) {
    if (load<u8>(local, LOCAL_FAMILY) != family || load<u32>(local, LOCAL_ADDRESS) != load<u32>(address)) continue;
    if (addressBytes == 16 && v128.any_true(v128.xor(v128.load(local + LOCAL_ADDRESS), v128.load(address)))) continue;
    if (!limit || !load<u8>(local, LOCAL_INTERFACE)) return true;
    if (sameInterface(local + LOCAL_INTERFACE, packet + (limit == 1 ? PACKET_INPUT : PACKET_OUTPUT))) return true;
  }
  return false;
}

/** The first local address of the walk's family on the interface named at `name`; 0 when there is none. */
export function localOn(name: usize): usize {
  const family: i32 = addressBytes == 4 ? FAMILY_IPV4 : FAMILY_IPV6;
  const count = load<u32>(CONTROL_ADDRESS, CONTROL_LOCAL_COUNT);
  let local: usize = load<u32>(CONTROL_ADDRESS, CONTROL_LOCALS);
  for (let i: u32 = 0; i < count; i++, local += LOCAL_SIZE)
    if (
      load<u8>(local, LOCAL_FAMILY) == family &&
      load<u8>(local, LOCAL_INTERFACE) &&
      sameInterface(local + LOCAL_INTERFACE, name)
    )
      return local + LOCAL_ADDRESS;
  return 0;
}

/** The first local address of the walk's family; 0 when there is none. */
export function localFirst(): usize {
  const family: i32 = addressBytes == 4 ? FAMILY_IPV4 : FAMILY_IPV6;
  const count = load<u32>(CONTROL_ADDRESS, CONTROL_LOCAL_COUNT);
  let local: usize = load<u32>(CONTROL_ADDRESS, CONTROL_LOCALS);
  for (let i: u32 = 0; i < count; i++, local += LOCAL_SIZE)
    if (load<u8>(local, LOCAL_FAMILY) == family) return local + LOCAL_ADDRESS;
  return 0;
}
