/** tcp, udp, sctp, icmp and icmp6 (xt_tcpudp.c, xt_sctp.c, ip_tables.c). */
import {
  PACKET_DESTINATION_PORT,
  PACKET_FLAG_ODD,
  PACKET_FLAG_OPTIONS_CUT,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_SOURCE_PORT,
  PACKET_TCP_FLAGS,
  PACKET_TCP_OPTIONS,
} from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { addressBytes, packet, setHotdrop } from "../packet";
import { optionSize, payloadEnd, transportHeader } from "../payload";
import { chunksMatch } from "./chunks";

const TCP_HEADER: u32 = 20;

/** False when the transport header is not in this packet; one that is cut short drops the packet at once. */
export function hasTransport(tcp: bool): bool {
  const fragment = load<u16>(packet, PACKET_FRAGMENT_OFFSET);
  if (fragment) {
    // IPv6's offset is in bytes there, and never 1.
    if (tcp && fragment == 1 && addressBytes == 4) setHotdrop();
    return false;
  }
  if (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_ODD) {
    setHotdrop();
    return false;
  }
  return true;
}

export function matchTcp(record: usize): bool {
  if (!hasTransport(true)) return false;
  const invert = load<u8>(record, P.PORTS_INVERT);
  if (!portsMatch(record, invert)) return false;
  const flags =
    (load<u8>(packet, PACKET_TCP_FLAGS) & load<u8>(record, P.TCP_FLAG_MASK)) == load<u8>(record, P.TCP_FLAG_COMPARE);
  if (flags == ((invert & P.TCP_INVERT_FLAGS) != 0)) return false;
  const option = <u32>load<u8>(record, P.TCP_OPTION);
  if (!option) return true;
  if (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_OPTIONS_CUT) {
    setHotdrop();
    return false;
  }
  return hasOption(option) != ((invert & P.TCP_INVERT_OPTION) != 0);
}

/** Kinds that the record has no bit for are looked for in the packet's bytes (tcp_find_option). */
function hasOption(kind: u32): bool {
  if (kind < 32) return (load<u32>(packet, PACKET_TCP_OPTIONS) & (1 << kind)) != 0;
  const header = transportHeader(TCP_HEADER);
  const size: u32 = header ? (<u32>load<u8>(header, 12) >> 4) << 2 : 0;
  if (header + size > payloadEnd()) return false;
  for (let at = TCP_HEADER; at < size; ) {
    const found = <u32>load<u8>(header + at);
    if (found == kind) return true;
    at += optionSize(header + at, header + size);
  }
  return false;
}

export function matchUdp(record: usize): bool {
  return hasTransport(false) && portsMatch(record, load<u8>(record, P.PORTS_INVERT));
}

export function matchSctp(record: usize): bool {
  if (!hasTransport(false)) return false;
  const invert = load<u8>(record, P.PORTS_INVERT);
  if (invert & P.SCTP_HAS_SOURCE) {
    const port = load<u16>(packet, PACKET_SOURCE_PORT);
    const inside = port >= load<u16>(record, P.PORTS_SOURCE_MIN) && port <= load<u16>(record, P.PORTS_SOURCE_MAX);
    if (inside == ((invert & P.PORTS_INVERT_SOURCE) != 0)) return false;
  }
  if (invert & P.SCTP_HAS_DESTINATION) {
    const port = load<u16>(packet, PACKET_DESTINATION_PORT);
    const inside =
      port >= load<u16>(record, P.PORTS_DESTINATION_MIN) && port <= load<u16>(record, P.PORTS_DESTINATION_MAX);
    if (inside == ((invert & P.PORTS_INVERT_DESTINATION) != 0)) return false;
  }
  return !load<u8>(record, P.SCTP_CHUNK_MATCH) || chunksMatch(record) != ((invert & P.SCTP_INVERT_CHUNKS) != 0);
}

/** `any`: type 255 stands for every type, as in IPv4. */
export function matchIcmp(record: usize, any: bool): bool {
  if (!hasTransport(false)) return false;
  const type = load<u8>(record, P.ICMP_TYPE);
  const code = load<u8>(packet, PACKET_DESTINATION_PORT);
  const same =
    (any && type == 255) ||
    (type == load<u8>(packet, PACKET_SOURCE_PORT) &&
      code >= load<u8>(record, P.ICMP_CODE_MIN) &&
      code <= load<u8>(record, P.ICMP_CODE_MAX));
  return same != (load<u8>(record, P.ICMP_INVERT) != 0);
}

function portsMatch(record: usize, invert: u8): bool {
  const source = load<u16>(packet, PACKET_SOURCE_PORT);
  const inSource = source >= load<u16>(record, P.PORTS_SOURCE_MIN) && source <= load<u16>(record, P.PORTS_SOURCE_MAX);
  if (inSource == ((invert & P.PORTS_INVERT_SOURCE) != 0)) return false;
  const destination = load<u16>(packet, PACKET_DESTINATION_PORT);
  const inDestination =
    destination >= load<u16>(record, P.PORTS_DESTINATION_MIN) &&
    destination <= load<u16>(record, P.PORTS_DESTINATION_MAX);
  return inDestination != ((invert & P.PORTS_INVERT_DESTINATION) != 0);
}
