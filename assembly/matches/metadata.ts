/** mark, mac, eui64, length: what is known of the packet beside its addresses (xt_mark.c, xt_mac.c, xt_length.c). */
import {
  PACKET_FLAG_MAC,
  PACKET_FLAGS,
  PACKET_LENGTH,
  PACKET_MARK,
  PACKET_SOURCE,
  PACKET_SOURCE_MAC,
} from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { packet } from "../packet";

export function matchMark(record: usize): bool {
  const same = (load<u32>(packet, PACKET_MARK) & load<u32>(record, P.MARK_MASK)) == load<u32>(record, P.MARK_VALUE);
  return same != (load<u8>(record, P.MARK_INVERT) != 0);
}

export function matchMac(record: usize): bool {
  if (!(load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_MAC)) return false;
  const same =
    load<u32>(packet, PACKET_SOURCE_MAC) == load<u32>(record, P.MAC_ADDRESS) &&
    load<u16>(packet, PACKET_SOURCE_MAC + 4) == load<u16>(record, P.MAC_ADDRESS + 4);
  return same != (load<u8>(record, P.MAC_INVERT) != 0);
}

/** The source address ends in what its Ethernet address makes of it (ip6t_eui64.c). */
export function matchEui64(): bool {
  if (!(load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_MAC)) return false;
  const mac = packet + PACKET_SOURCE_MAC;
  const end = packet + PACKET_SOURCE + 8;
  return (
    load<u16>(end) == (load<u16>(mac) ^ 2) &&
    load<u8>(end, 2) == load<u8>(mac, 2) &&
    load<u16>(end, 3) == 0xfeff &&
    load<u8>(end, 5) == load<u8>(mac, 3) &&
    load<u16>(end, 6) == load<u16>(mac, 4)
  );
}

export function matchLength(record: usize): bool {
  const length = load<u32>(packet, PACKET_LENGTH);
  const inside = length >= load<u16>(record, P.LENGTH_MIN) && length <= load<u16>(record, P.LENGTH_MAX);
  return inside != (load<u8>(record, P.LENGTH_INVERT) != 0);
}
