/** Ports as hashlimit counts by them: of protocols that have some, and what lies in their place (proto_ports_offset). */
import {
  PACKET_FLAG_HEADERS_CUT,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PROTOCOL,
  PACKET_SOURCE_PORT,
} from "../../src/blob/layout";
import { addressBytes, packet } from "../packet";
import { HEADER_CUT, headerSize, isExtension, payload, placeHas, transportHas, transportOffset } from "../payload";

/** The source's in the lower half, 0 where the protocol has none. */
export let foundPorts: u32 = 0;

const TCP: u8 = 6;
const UDP: u8 = 17;
const DCCP: u8 = 33;
const ESP: u8 = 50;
const AH: u8 = 51;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const IPV6_HEADER: u32 = 40;
const NO_NEXT: u8 = 59;
const SCTP: u8 = 132;
const UDPLITE: u8 = 136;
const SIZE: u32 = 4;

/** False when the packet ends in front of them. */
export function findPorts(): bool {
  foundPorts = 0;
  const protocol = load<u8>(packet, PACKET_PROTOCOL);
  const later = load<u16>(packet, PACKET_FRAGMENT_OFFSET) != 0;
  if (addressBytes != 4) {
    // Linux looks no further than a fragment header that says so, and finds no ports there.
    if (later) return true;
    if (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_HEADERS_CUT) return behindCutRouting();
    if (protocol == NO_NEXT) return false;
  }
  const said = saysPorts(protocol);
  const hidden = protocol == ESP || (protocol == AH && addressBytes == 4);
  if (!said && !hidden) return true;
  foundPorts = load<u32>(packet, PACKET_SOURCE_PORT);
  if (said && !later) return transportHas(SIZE);
  const past: u32 = protocol == AH ? SIZE : 0;
  if (!placeHas(past + SIZE)) return false;
  const bytes = payload();
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const at = bytes ? transportOffset(bytes, length) : HEADER_CUT;
  // Bytes may be known less far than the packet goes.
  if (at == HEADER_CUT || at + past + SIZE > length) return true;
  const ports = bytes + at + past;
  foundPorts = ((<u32>bswap<u16>(load<u16>(ports, 2))) << 16) | <u32>bswap<u16>(load<u16>(ports));
  return true;
}

function saysPorts(protocol: u8): bool {
  return protocol == TCP || protocol == UDP || protocol == DCCP || protocol == SCTP || protocol == UDPLITE;
}

/**
 * Whether headers end within a routing header that says what it is and how long, and then comes what has no ports: two bytes are
 * enough for ipv6_skip_exthdr, where ipv6_find_hdr wants four.
 */
function behindCutRouting(): bool {
  const bytes = payload();
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  if (!bytes || length < IPV6_HEADER) return false;
  let type = load<u8>(bytes, 6);
  for (let at = IPV6_HEADER; isExtension(type) && at + 2 <= length; ) {
    const next = load<u8>(bytes + at);
    if (at + 4 > length) {
      if (type == ROUTING) return !isExtension(next) && next != ESP && !saysPorts(next);
      if (type == FRAGMENT) return false;
    }
    at += headerSize(type, bytes + at);
    type = next;
  }
  return false;
}
