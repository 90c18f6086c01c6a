/**
 * esp, ah, ipcomp (xt_esp.c, ipt_ah.c, ip6t_ah.c, xt_ipcomp.c): the security parameters index in the packet's bytes. A
 * packet whose bytes are not known has none.
 */
import { PACKET_LENGTH, PACKET_PAYLOAD_LENGTH } from "../../src/blob/layout";
import { SPI_INVERT, SPI_LENGTH, SPI_MAX, SPI_MIN, SPI_RESERVED } from "../../src/blob/payloads";
import { addressBytes, packet, setHotdrop } from "../packet";
import { HEADER_CUT, HEADER_NONE, headerOffset, payload, transportHeader } from "../payload";

const INVERT_INDEX: u8 = 1;
const INVERT_LENGTH: u8 = 2;
const AUTHENTICATION: u8 = 51;
const ESP_HEADER: u32 = 8;
const AH_HEADER: u32 = 12;
const IPCOMP_HEADER: u32 = 4;

export function matchEsp(record: usize): bool {
  const header = transportHeader(ESP_HEADER);
  return header != 0 && indexMatches(record, bswap<u32>(load<u32>(header)));
}

/** Linux does not look at the reserved field that `--compres` asks about. */
export function matchIpcomp(record: usize): bool {
  const header = transportHeader(IPCOMP_HEADER);
  return header != 0 && indexMatches(record, <u32>bswap<u16>(load<u16>(header, 2)));
}

/** In IPv4 it is the transport header, in IPv6 one of the extension headers. */
export function matchAh(record: usize): bool {
  if (addressBytes == 4) {
    const header = transportHeader(AH_HEADER);
    return header != 0 && indexMatches(record, bswap<u32>(load<u32>(header, 4)));
  }
  const bytes = payload();
  if (!bytes) return false;
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const at = headerOffset(bytes, length, AUTHENTICATION);
  if (at == HEADER_NONE) return false;
  if (at == HEADER_CUT || length - at < AH_HEADER) {
    setHotdrop();
    return false;
  }
  const header = bytes + at;
  const size = (<u32>load<u8>(header, 1) + 2) << 2;
  if (at + size > load<u32>(packet, PACKET_LENGTH)) {
    setHotdrop();
    return false;
  }
  if (!indexMatches(record, bswap<u32>(load<u32>(header, 4)))) return false;
  const wanted = load<u32>(record, SPI_LENGTH);
  if (wanted && (size == wanted) == ((load<u8>(record, SPI_INVERT) & INVERT_LENGTH) != 0)) return false;
  return !load<u8>(record, SPI_RESERVED) || !load<u16>(header, 2);
}

function indexMatches(record: usize, index: u32): bool {
  const inside = index >= load<u32>(record, SPI_MIN) && index <= load<u32>(record, SPI_MAX);
  return inside != ((load<u8>(record, SPI_INVERT) & INVERT_INDEX) != 0);
}
