/** The packet's own bytes, from its IP header on, where its record gives them. */
import {
  PACKET_FLAG_ODD,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_LENGTH,
  PACKET_PAYLOAD,
  PACKET_PAYLOAD_LENGTH,
} from "../src/blob/layout";
import { addressBytes, packet, setHotdrop } from "./packet";

/** Where a header was looked for and not found: there is none, or the packet ends in front of it. */
export const HEADER_NONE: u32 = 0;
export const HEADER_CUT: u32 = 0xffffffff;

const IPV4_HEADER: u32 = 20;
const IPV6_HEADER: u32 = 40;
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT: u8 = 59;
const OPTION_NOTHING: u8 = 1;
const DESTINATION_OPTIONS: u8 = 60;
/** For headerOffset: the first header that is no extension. */
export const HEADER_TRANSPORT: u8 = 255;

/** Address of the bytes; 0 where none are known. */
export function payload(): usize {
  const at: usize = load<u32>(packet, PACKET_PAYLOAD);
  const end = <u64>at + <u64>load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  return at && end <= (<u64>memory.size()) << 16 ? at : 0;
}

/** The same, 0 where not even the IP header is whole. */
export function ipBytes(): usize {
  return load<u32>(packet, PACKET_PAYLOAD_LENGTH) < (addressBytes == 4 ? IPV4_HEADER : IPV6_HEADER) ? 0 : payload();
}

/** Offset of the transport header behind the IP header; HEADER_CUT where the bytes end in front of it. */
export function transportOffset(bytes: usize, length: u32): u32 {
  if (addressBytes == 4) return length < IPV4_HEADER ? HEADER_CUT : (<u32>load<u8>(bytes) & 15) << 2;
  const at = headerOffset(bytes, length, HEADER_TRANSPORT);
  return at == HEADER_NONE ? HEADER_CUT : at;
}

/**
 * Address of the transport header, `size` bytes of which are there. 0 where none is known: in a later fragment, without
 * bytes, and where it is cut short, which drops the packet.
 */
export function transportHeader(size: u32): usize {
  if (load<u16>(packet, PACKET_FRAGMENT_OFFSET)) return 0;
  const bytes = payload();
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const at = bytes ? transportOffset(bytes, length) : 0;
  const cut = (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_ODD) != 0;
  if (cut || (bytes && (at == HEADER_CUT || at + size > length))) {
    setHotdrop();
    return 0;
  }
  return bytes ? bytes + at : 0;
}

/** Whether `size` bytes of the transport header are there, in a packet that is no later fragment. */
export function transportHas(size: u32): bool {
  if (!(load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_ODD)) return true;
  const bytes = payload();
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const at = bytes ? transportOffset(bytes, length) : HEADER_CUT;
  return at != HEADER_CUT && at + size <= length;
}

/** Whether a later fragment has `size` bytes where the transport header would be; so it is taken where its bytes do not tell. */
export function placeHas(size: u32): bool {
  const bytes = payload();
  const length = load<u32>(packet, PACKET_LENGTH);
  const known = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const at = bytes ? transportOffset(bytes, known) : HEADER_CUT;
  return at == HEADER_CUT ? !bytes || known < length : at + size <= length;
}

/** Behind the last of the bytes. */
export function payloadEnd(): usize {
  return load<u32>(packet, PACKET_PAYLOAD) + load<u32>(packet, PACKET_PAYLOAD_LENGTH);
}

/** Offset of an IPv6 extension header, as ipv6_find_hdr: HEADER_NONE without it, HEADER_CUT where headers are cut short. */
export function headerOffset(bytes: usize, length: u32, wanted: u8): u32 {
  if (length < IPV6_HEADER) return HEADER_CUT;
  let type = load<u8>(bytes, 6);
  let at = IPV6_HEADER;
  while (true) {
    if (!isExtension(type) || type == NO_NEXT) return wanted == HEADER_TRANSPORT ? at : HEADER_NONE;
    if (at > length || length - at < (type == ROUTING || type == FRAGMENT ? 4 : 2)) return HEADER_CUT;
    if (type == wanted) return at;
    // What a later fragment carries is not a header.
    if (type == FRAGMENT && bswap<u16>(load<u16>(bytes + at, 2)) & 0xfff8) return HEADER_NONE;
    const header = bytes + at;
    at += headerSize(type, header);
    type = load<u8>(header);
  }
}

/** Bytes of the option at `option`, as TCP and IPv4 have them: the end of all and a no-operation are of one, as is what a header ends in. */
export function optionSize(option: usize, end: usize): u32 {
  return load<u8>(option) <= OPTION_NOTHING || option + 1 >= end ? 1 : max<u32>(load<u8>(option, 1), 1);
}

/** Bytes of the extension header at `header`, as it says itself. */
export function headerSize(type: u8, header: usize): u32 {
  const size = <u32>load<u8>(header, 1);
  return type == FRAGMENT ? 8 : type == AUTHENTICATION ? (size + 2) << 2 : (size + 1) << 3;
}

/** ESP is none here: what comes behind it cannot be read. */
export function isExtension(type: u8): bool {
  return (
    type == HOP_BY_HOP ||
    type == ROUTING ||
    type == FRAGMENT ||
    type == AUTHENTICATION ||
    type == NO_NEXT ||
    type == DESTINATION_OPTIONS
  );
}
