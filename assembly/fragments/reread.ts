/**
 * What a packet's record says of its transport header, read once more from its bytes: a first fragment need not hold all of
 * it. As src/netfilter/wire.ts reads it.
 */
import {
  PACKET_CHUNK_TYPE,
  PACKET_DESTINATION_PORT,
  PACKET_FLAG_HEADERS_CUT,
  PACKET_FLAG_MSS_ZERO,
  PACKET_FLAG_ODD,
  PACKET_FLAG_OPTIONS_CUT,
  PACKET_FLAGS,
  PACKET_ICMP_ID,
  PACKET_MSS,
  PACKET_PROTOCOL,
  PACKET_SOURCE_PORT,
  PACKET_TCP_DATA_OFFSET,
  PACKET_TCP_FLAGS,
  PACKET_TCP_OPTIONS,
} from "../../src/blob/layout";
import { hasPorts, ICMP, ICMPV6, isIcmp, SCTP, TCP } from "../conntrack/tuple";
import { addressBytes } from "../packet";
import { headerSize, isExtension, optionSize } from "../payload";

const IPV6_HEADER: u32 = 40;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const NO_NEXT: u8 = 59;
const DCCP: u8 = 33;
const PORTS: u32 = 4;
const TCP_HEADER: u32 = 20;
const OPTION_MSS: u8 = 2;

/** `length` bytes are known, at `bytes`. */
export function rereadTransport(record: usize, bytes: usize, length: u32): void {
  let at: u32 = addressBytes == 4 ? (<u32>load<u8>(bytes) & 15) << 2 : IPV6_HEADER;
  let protocol = load<u8>(bytes + (addressBytes == 4 ? 9 : 6));
  let cut = false;
  while (addressBytes != 4 && isExtension(protocol) && protocol != NO_NEXT) {
    cut = at + (protocol == ROUTING || protocol == FRAGMENT ? 4 : 2) > length;
    if (cut) break;
    const header = bytes + at;
    at += headerSize(protocol, header);
    protocol = load<u8>(header);
  }
  store<u8>(record, protocol, PACKET_PROTOCOL);
  const least = shortest(protocol);
  const odd = cut || (least != 0 && at + least > length);
  const stale = PACKET_FLAG_ODD | PACKET_FLAG_OPTIONS_CUT | PACKET_FLAG_HEADERS_CUT | PACKET_FLAG_MSS_ZERO;
  const fresh = (odd ? PACKET_FLAG_ODD : 0) | (cut ? PACKET_FLAG_HEADERS_CUT : 0);
  store<u8>(record, <u8>((<u32>load<u8>(record, PACKET_FLAGS) & ~(<u32>stale)) | fresh), PACKET_FLAGS);
  const header = bytes + at;
  if (!cut && hasPorts(protocol) && at + PORTS <= length) {
    store<u16>(record, bswap<u16>(load<u16>(header)), PACKET_SOURCE_PORT);
    store<u16>(record, bswap<u16>(load<u16>(header, 2)), PACKET_DESTINATION_PORT);
  }
  if (odd) return;
  if (isIcmp(protocol)) {
    store<u16>(record, load<u8>(header), PACKET_SOURCE_PORT);
    store<u16>(record, load<u8>(header, 1), PACKET_DESTINATION_PORT);
    store<u16>(record, bswap<u16>(load<u16>(header, 4)), PACKET_ICMP_ID);
  } else if (protocol == TCP) rereadTcp(record, header, length - at);
  else if (protocol == SCTP && at + 12 < length) store<u8>(record, load<u8>(header, 12), PACKET_CHUNK_TYPE);
}

/** Bytes of a transport header without which a rule that looks at it drops the packet. */
function shortest(protocol: u8): u32 {
  if (protocol == ICMP || protocol == ICMPV6) return 8;
  if (protocol == TCP) return TCP_HEADER;
  if (protocol == SCTP || protocol == DCCP) return 12;
  return hasPorts(protocol) ? 8 : 0;
}

/** `length` bytes are there, and no more than those. */
function rereadTcp(record: usize, header: usize, length: u32): void {
  const size = (<u32>load<u8>(header, 12) >> 4) << 2;
  const end = min(size, length);
  let options: u32 = 0;
  let mss: u16 = 0;
  let flags: u32 = size < TCP_HEADER || size > length ? PACKET_FLAG_OPTIONS_CUT : 0;
  let announced = false;
  for (let at = TCP_HEADER; at < end; ) {
    const kind = load<u8>(header + at);
    const bytes = optionSize(header + at, header + length);
    if (kind < 32) options |= 1 << kind;
    if (kind == OPTION_MSS && bytes == 4 && at + bytes <= end && !announced) {
      mss = bswap<u16>(load<u16>(header + at, 2));
      announced = true;
    }
    at += bytes;
  }
  if (announced && !mss) flags |= PACKET_FLAG_MSS_ZERO;
  store<u8>(record, <u8>size, PACKET_TCP_DATA_OFFSET);
  store<u8>(record, load<u8>(header, 13), PACKET_TCP_FLAGS);
  store<u8>(record, load<u8>(record, PACKET_FLAGS) | <u8>flags, PACKET_FLAGS);
  store<u32>(record, options, PACKET_TCP_OPTIONS);
  store<u16>(record, mss, PACKET_MSS);
}
