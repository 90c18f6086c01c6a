/**
 * ipv6header, hbh and dst, mh, srh (ip6t_ipv6header.c, ip6t_hbh.c, ip6t_mh.c, ip6t_srh.c): IPv6's extension headers in the
 * packet's bytes, as they came in. A packet whose bytes are not known satisfies no such rule.
 */
import { PACKET_PAYLOAD_LENGTH } from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { packet, setHotdrop } from "../packet";
import { HEADER_CUT, HEADER_NONE, headerOffset, headerSize, isExtension, payload, transportHeader } from "../payload";

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const ENCAPSULATION: u8 = 50;
const AUTHENTICATION: u8 = 51;
const NO_NEXT: u8 = 59;
const DESTINATION_OPTIONS: u8 = 60;
const IPV6_HEADER: u32 = 40;
const OPTIONS_HEADER: u32 = 2;

/** Bits of IPV6HEADER_MASK. */
const HAS_HOP_BY_HOP: u8 = 128;
const HAS_DESTINATION_OPTIONS: u8 = 64;
const HAS_ROUTING: u8 = 32;
const HAS_FRAGMENT: u8 = 16;
const HAS_AUTHENTICATION: u8 = 8;
const HAS_ENCAPSULATION: u8 = 4;
const HAS_NONE: u8 = 2;
const HAS_PROTOCOL: u8 = 1;

export function matchIpv6header(record: usize): bool {
  const bytes = payload();
  const found = bytes ? headersOf(bytes, load<u32>(packet, PACKET_PAYLOAD_LENGTH)) : CUT;
  if (found == CUT) return false;
  const mask = <u32>load<u8>(record, P.IPV6HEADER_MASK);
  const invert = load<u8>(record, P.IPV6HEADER_INVERT) != 0;
  // Softly, inverted is: none of them, and not: not all of them.
  if (load<u8>(record, P.IPV6HEADER_SOFT)) return (found & mask) == (invert ? 0 : mask);
  return (found == mask) != invert;
}

export function checkIpv6header(record: usize): bool {
  return (
    load<u8>(record, P.IPV6HEADER_MASK) != 0 &&
    load<u8>(record, P.IPV6HEADER_INVERT) <= 1 &&
    load<u8>(record, P.IPV6HEADER_SOFT) <= 1
  );
}

/** Of headersOf: a header ends in front of its length. */
const CUT: u32 = 256;

/** Which headers there are, as bits. What a fragment carries is taken for headers, be it the first or a later one. */
function headersOf(bytes: usize, length: u32): u32 {
  let found: u8 = 0;
  if (length < IPV6_HEADER) return CUT;
  let type = load<u8>(bytes, 6);
  let at = IPV6_HEADER;
  while ((isExtension(type) || type == ENCAPSULATION) && at <= length) {
    if (type == NO_NEXT) return found | HAS_NONE;
    if (length - at < OPTIONS_HEADER) return CUT;
    if (type == ENCAPSULATION) return found | HAS_ENCAPSULATION;
    found |= headerBit(type);
    const header = bytes + at;
    at += headerSize(type, header);
    type = load<u8>(header);
  }
  return type == NO_NEXT || type == ENCAPSULATION ? found : found | HAS_PROTOCOL;
}

function headerBit(type: u8): u8 {
  if (type == HOP_BY_HOP) return HAS_HOP_BY_HOP;
  if (type == ROUTING) return HAS_ROUTING;
  if (type == FRAGMENT) return HAS_FRAGMENT;
  return type == AUTHENTICATION ? HAS_AUTHENTICATION : HAS_DESTINATION_OPTIONS;
}

const OPTIONS_LENGTH: u8 = 1;
const OPTIONS_LISTED: u8 = 2;
const ANY_LENGTH: u32 = 255;

export function matchHbh(record: usize): bool {
  return matchOptions(record, HOP_BY_HOP);
}

export function matchDst(record: usize): bool {
  return matchOptions(record, DESTINATION_OPTIONS);
}

function matchOptions(record: usize, type: u8): bool {
  const bytes = payload();
  if (!bytes) return false;
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const at = headerOffset(bytes, length, type);
  if (at == HEADER_NONE) return false;
  const size: u32 = at == HEADER_CUT ? 0 : headerSize(type, bytes + at);
  if (!size || length - at < size) {
    setHotdrop();
    return false;
  }
  const flags = load<u8>(record, P.HEADER_OPTIONS_FLAGS);
  if (flags & OPTIONS_LENGTH) {
    const same = size == load<u32>(record, P.HEADER_OPTIONS_LENGTH);
    if (same == (load<u8>(record, P.HEADER_OPTIONS_INVERT) != 0)) return false;
  }
  return !(flags & OPTIONS_LISTED) || beginsWith(record, bytes + at + OPTIONS_HEADER, bytes + at + size);
}

/** Whether the header's first options are the rule's, paddings included. An option that ends behind the header is one. */
function beginsWith(record: usize, first: usize, end: usize): bool {
  let at = first;
  const count = <u32>load<u8>(record, P.HEADER_OPTIONS_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const option = <u32>load<u16>(record + (i << 1), P.HEADER_OPTIONS);
    if (at >= end || <u32>load<u8>(at) != option >> 8) return false;
    // A single byte of padding has no length.
    if (!(option >> 8)) {
      at++;
      continue;
    }
    if (end - at < 2) return false;
    const size = <u32>load<u8>(at, 1);
    if ((option & 255) != ANY_LENGTH && (option & 255) != size) return false;
    at += size + 2;
  }
  return true;
}

export function checkHeaderOptions(record: usize): bool {
  return (
    !(load<u8>(record, P.HEADER_OPTIONS_FLAGS) & ~(OPTIONS_LENGTH | OPTIONS_LISTED)) &&
    load<u8>(record, P.HEADER_OPTIONS_INVERT) <= 1 &&
    load<u8>(record, P.HEADER_OPTIONS_COUNT) <= <u8>P.HEADER_OPTIONS_LIMIT
  );
}

/** Up to its checksum. */
const MOBILITY_HEADER: u32 = 6;

/** Behind a mobility header nothing may come: such packets are dropped, as are those that it is cut short in. */
export function matchMh(record: usize): bool {
  const header = transportHeader(MOBILITY_HEADER);
  if (!header) return false;
  if (load<u8>(header) != NO_NEXT) {
    setHotdrop();
    return false;
  }
  const type = load<u8>(header, 2);
  const inside = type >= load<u8>(record, P.MH_MIN) && type <= load<u8>(record, P.MH_MAX);
  return inside != (load<u8>(record, P.MH_INVERT) != 0);
}
