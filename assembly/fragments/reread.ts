/**
 * What a packet's record says of its transport header, read once more from its bytes: a first fragment need not hold all of
 * it. As src/netfilter/wire.ts reads it.
 */
import {
  PACKET_CHUNK_TYPE,
  PACKET_DESTINATION_PORT,
  PACKET_FLAG_ODD,
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
import { headerSize, isExtension } from "../payload";

const IPV6_HEADER: u32 = 40;
const NO_NEXT: u8 = 59;
const DCCP: u8 = 33;
const TCP_HEADER: u32 = 20;
const OPTION_END: u8 = 0;
const OPTION_NONE: u8 = 1;
const OPTION_MSS: u8 = 2;

/** `length` bytes are known, at `bytes`. */
export function rereadTransport(record: usize, bytes: usize, length: u32): void {
  let at: u32 = addressBytes == 4 ? (<u32>load<u8>(bytes) & 15) << 2 : IPV6_HEADER;
  let protocol = load<u8>(bytes + (addressBytes == 4 ? 9 : 6));
  if (addressBytes != 4)
    while (isExtension(protocol) && protocol != NO_NEXT && at + 8 <= length) {
      const header = bytes + at;
      at += headerSize(protocol, header);
      protocol = load<u8>(header);
    }
  store<u8>(record, protocol, PACKET_PROTOCOL);
  const odd = at + shortest(protocol) > length;
  const flags = load<u8>(record, PACKET_FLAGS) & ~(<u8>PACKET_FLAG_ODD);
  store<u8>(record, odd ? flags | PACKET_FLAG_ODD : flags, PACKET_FLAGS);
  if (odd) return;
  const header = bytes + at;
  if (isIcmp(protocol)) {
    store<u16>(record, load<u8>(header), PACKET_SOURCE_PORT);
    store<u16>(record, load<u8>(header, 1), PACKET_DESTINATION_PORT);
    if (at + 6 <= length) store<u16>(record, bswap<u16>(load<u16>(header, 4)), PACKET_ICMP_ID);
  } else if (hasPorts(protocol) || protocol == DCCP) {
    store<u16>(record, bswap<u16>(load<u16>(header)), PACKET_SOURCE_PORT);
    store<u16>(record, bswap<u16>(load<u16>(header, 2)), PACKET_DESTINATION_PORT);
    if (protocol == TCP) rereadTcp(record, header, length - at);
    else if (protocol == SCTP && at + 12 < length) store<u8>(record, load<u8>(header, 12), PACKET_CHUNK_TYPE);
  }
}

/** Bytes of a transport header without which a rule that looks at it drops the packet. */
function shortest(protocol: u8): u32 {
  if (protocol == ICMP || protocol == ICMPV6) return 4;
  if (protocol == TCP) return TCP_HEADER;
  if (protocol == SCTP || protocol == DCCP) return 12;
  return hasPorts(protocol) ? 8 : 0;
}

function rereadTcp(record: usize, header: usize, length: u32): void {
  const size = (<u32>load<u8>(header, 12) >> 4) << 2;
  const end = min(size, length);
  let options: u32 = 0;
  let mss: u16 = 0;
  for (let at = TCP_HEADER; at < end; ) {
    const kind = load<u8>(header + at);
    if (kind == OPTION_END) break;
    const bytes: u32 = kind == OPTION_NONE ? 1 : at + 1 < length ? load<u8>(header + at, 1) : 0;
    if (!bytes || at + bytes > end) break;
    if (kind < 32) options |= 1 << kind;
    if (kind == OPTION_MSS && bytes == 4) mss = bswap<u16>(load<u16>(header + at, 2));
    at += bytes;
  }
  store<u8>(record, <u8>size, PACKET_TCP_DATA_OFFSET);
  store<u8>(record, load<u8>(header, 13), PACKET_TCP_FLAGS);
  store<u32>(record, options, PACKET_TCP_OPTIONS);
  store<u16>(record, mss, PACKET_MSS);
}
