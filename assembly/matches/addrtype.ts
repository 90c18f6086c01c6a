/** addrtype (xt_addrtype.c) by the engine's list of local addresses. */
import { PACKET_DESTINATION, PACKET_SOURCE } from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { isLocal } from "../locals";
import { addressBytes, packet } from "../packet";

/** RTN_* of linux/rtnetlink.h. */
const UNSPECIFIED: u32 = 0;
const UNICAST: u32 = 1;
const LOCAL: u32 = 2;
const BROADCAST: u32 = 3;
const MULTICAST: u32 = 5;

export function matchAddrtype(record: usize): bool {
  const flags = load<u8>(record, P.ADDRTYPE_FLAGS);
  const source = load<u16>(record, P.ADDRTYPE_SOURCE);
  if (source && has(source, packet + PACKET_SOURCE, flags) == ((flags & P.ADDRTYPE_INVERT_SOURCE) != 0)) return false;
  const destination = load<u16>(record, P.ADDRTYPE_DESTINATION);
  return !destination || has(destination, packet + PACKET_DESTINATION, flags) != ((flags & P.ADDRTYPE_INVERT_DESTINATION) != 0);
}

function has(mask: u16, address: usize, flags: u8): bool {
  return (<u32>mask & (<u32>1 << addressType(address, flags))) != 0;
}

function addressType(address: usize, flags: u8): u32 {
  const limit: u32 = flags & P.ADDRTYPE_LIMIT_IN ? 1 : flags & P.ADDRTYPE_LIMIT_OUT ? 2 : 0;
  const first = <u32>load<u8>(address);
  if (addressBytes == 4) {
    if (first == 0 || load<u32>(address) == 0xffffffff) return BROADCAST;
    if (first >= 224 && first < 240) return MULTICAST;
  } else {
    if (first == 255) return MULTICAST;
    if (!(load<u64>(address) | load<u64>(address, 8))) return UNSPECIFIED;
  }
  return isLocal(address, limit) ? LOCAL : UNICAST;
}
