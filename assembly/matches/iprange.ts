/** iprange (xt_iprange.c), both families. */
import { PACKET_DESTINATION, PACKET_SOURCE } from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { addressBytes, packet } from "../packet";

const SOURCE: u8 = 1;
const DESTINATION: u8 = 2;
const INVERT_SOURCE: u8 = 16;
const INVERT_DESTINATION: u8 = 32;

export function matchIprange(record: usize): bool {
  const flags = load<u8>(record, P.IPRANGE_FLAGS);
  if (flags & SOURCE) {
    const inside = between(packet + PACKET_SOURCE, record + P.IPRANGE_SOURCE_MIN, record + P.IPRANGE_SOURCE_MAX);
    if (inside == ((flags & INVERT_SOURCE) != 0)) return false;
  }
  if (flags & DESTINATION) {
    const inside = between(
      packet + PACKET_DESTINATION,
      record + P.IPRANGE_DESTINATION_MIN,
      record + P.IPRANGE_DESTINATION_MAX,
    );
    if (inside == ((flags & INVERT_DESTINATION) != 0)) return false;
  }
  return true;
}

function between(address: usize, low: usize, high: usize): bool {
  return compare(address, low) >= 0 && compare(address, high) <= 0;
}

function compare(a: usize, b: usize): i32 {
  for (let i: usize = 0; i < addressBytes; i += 4) {
    const left = bswap<u32>(load<u32>(a + i));
    const right = bswap<u32>(load<u32>(b + i));
    if (left != right) return left < right ? -1 : 1;
  }
  return 0;
}
