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
import { HEADER_CUT, payload, placeHas, transportHas, transportOffset } from "../payload";

/** The source's in the lower half, 0 where the protocol has none. */
export let foundPorts: u32 = 0;

const TCP: u8 = 6;
const UDP: u8 = 17;
const DCCP: u8 = 33;
const ESP: u8 = 50;
const AH: u8 = 51;
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
    if (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_HEADERS_CUT || protocol == NO_NEXT) return false;
  }
  const said = protocol == TCP || protocol == UDP || protocol == DCCP || protocol == SCTP || protocol == UDPLITE;
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
