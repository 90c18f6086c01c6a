/** Matches on the transport header: net/netfilter/xt_tcpudp.c, xt_sctp.c, xt_multiport.c, icmp in ip_tables.c. */
import { PACKET_FLAG_ODD, PACKET_FLAG_OPTIONS_CUT } from "../../src/blob/layout.js";
import {
  ICMP_CODE_MAX,
  ICMP_CODE_MIN,
  ICMP_INVERT,
  ICMP_TYPE,
  MATCH_ICMP,
  MULTIPORT_COUNT,
  MULTIPORT_INVERT,
  MULTIPORT_KIND,
  MULTIPORT_PORTS,
  MULTIPORT_RANGES,
  PORTS_DESTINATION_MAX,
  PORTS_DESTINATION_MIN,
  PORTS_INVERT,
  PORTS_INVERT_DESTINATION,
  PORTS_INVERT_SOURCE,
  PORTS_SOURCE_MAX,
  PORTS_SOURCE_MIN,
  SCTP_CHUNK_MATCH,
  SCTP_HAS_DESTINATION,
  SCTP_HAS_SOURCE,
  SCTP_INVERT_CHUNKS,
  TCP_FLAG_COMPARE,
  TCP_FLAG_MASK,
  TCP_INVERT_FLAGS,
  TCP_INVERT_OPTION,
  TCP_OPTION,
} from "../../src/blob/payloads.js";
import { chunksMatch } from "./match-bytes.js";
import type { Packet } from "./packet.js";
import type { RecordView } from "./rule.js";
import { inverted, type Walk } from "./walk.js";

/** False where there is no transport header to look at; a first fragment that is cut short is dropped. */
function hasHeader(walk: Walk): boolean {
  if (walk.packet.fragmentOffset !== 0) return false;
  if (!(walk.packet.flags & PACKET_FLAG_ODD)) return true;
  walk.hotdrop = true;
  return false;
}

function portIn({ view }: RecordView, port: number, min: number, max: number): boolean {
  return port >= view.getUint16(min, true) && port <= view.getUint16(max, true);
}

function portsMatch(record: RecordView, walk: Walk): boolean {
  const invert = record.bytes[PORTS_INVERT] as number;
  const { sourcePort, destinationPort } = walk.packet;
  return (
    inverted(portIn(record, sourcePort, PORTS_SOURCE_MIN, PORTS_SOURCE_MAX), invert, PORTS_INVERT_SOURCE) &&
    inverted(
      portIn(record, destinationPort, PORTS_DESTINATION_MIN, PORTS_DESTINATION_MAX),
      invert,
      PORTS_INVERT_DESTINATION,
    )
  );
}

export function matchTcp(record: RecordView, walk: Walk): boolean {
  if (walk.packet.family === "ipv4" && walk.packet.fragmentOffset === 1) {
    walk.hotdrop = true;
    return false;
  }
  if (!hasHeader(walk) || !portsMatch(record, walk)) return false;
  const { bytes } = record;
  const invert = bytes[PORTS_INVERT] as number;
  const flags = walk.packet.tcpFlags & (bytes[TCP_FLAG_MASK] as number);
  if (!inverted(flags === bytes[TCP_FLAG_COMPARE], invert, TCP_INVERT_FLAGS)) return false;
  const option = bytes[TCP_OPTION] as number;
  if (option === 0) return true;
  if (walk.packet.flags & PACKET_FLAG_OPTIONS_CUT) {
    walk.hotdrop = true;
    return false;
  }
  const there = option < 32 ? ((walk.packet.tcpOptions >>> option) & 1) === 1 : kindsOf(walk.packet).includes(option);
  return inverted(there, invert, TCP_INVERT_OPTION);
}

/** Of a whole header, as tcp_find_option comes by them. */
function kindsOf({ family, bytes, extensions }: Packet): number[] {
  if (!bytes) return [];
  const at = extensions.reduce((sum, one) => sum + one.bytes.length, family === "ipv4" ? 20 : 40);
  const options = bytes.subarray(at + 20, at + 4 * ((bytes[at + 12] ?? 0) >> 4));
  const kinds: number[] = [];
  for (let i = 0; i < options.length; ) {
    const kind = options[i] as number;
    kinds.push(kind);
    i += kind < 2 ? 1 : options[i + 1] || 1;
  }
  return kinds;
}

export function matchUdp(record: RecordView, walk: Walk): boolean {
  return hasHeader(walk) && portsMatch(record, walk);
}

export function matchSctp(record: RecordView, walk: Walk): boolean {
  if (!hasHeader(walk)) return false;
  const { sourcePort, destinationPort } = walk.packet;
  const invert = record.bytes[PORTS_INVERT] as number;
  const source = portIn(record, sourcePort, PORTS_SOURCE_MIN, PORTS_SOURCE_MAX);
  if (invert & SCTP_HAS_SOURCE && !inverted(source, invert, PORTS_INVERT_SOURCE)) return false;
  const destination = portIn(record, destinationPort, PORTS_DESTINATION_MIN, PORTS_DESTINATION_MAX);
  if (invert & SCTP_HAS_DESTINATION && !inverted(destination, invert, PORTS_INVERT_DESTINATION)) return false;
  return record.bytes[SCTP_CHUNK_MATCH] === 0 || inverted(chunksMatch(record, walk), invert, SCTP_INVERT_CHUNKS);
}

export function matchIcmp(record: RecordView, walk: Walk): boolean {
  if (!hasHeader(walk)) return false;
  const { bytes, type } = record;
  const any = type === MATCH_ICMP && bytes[ICMP_TYPE] === 255;
  const code = walk.packet.destinationPort;
  const inRange = code >= (bytes[ICMP_CODE_MIN] as number) && code <= (bytes[ICMP_CODE_MAX] as number);
  return inverted(any || (walk.packet.sourcePort === bytes[ICMP_TYPE] && inRange), bytes[ICMP_INVERT] as number, 1);
}

export function matchMultiport(record: RecordView, walk: Walk): boolean {
  if (!hasHeader(walk)) return false;
  const { bytes, view } = record;
  const kind = bytes[MULTIPORT_KIND] as number;
  const ranges = view.getUint16(MULTIPORT_RANGES, true);
  const port = (index: number): number => view.getUint16(MULTIPORT_PORTS + 2 * index, true);
  const candidates: number[] = [];
  if (kind !== 1) candidates.push(walk.packet.sourcePort);
  if (kind !== 0) candidates.push(walk.packet.destinationPort);
  let found = false;
  for (let i = 0; i < (bytes[MULTIPORT_COUNT] as number); i++) {
    const first = port(i);
    const last = (ranges >> i) & 1 ? port(++i) : first;
    if (candidates.some((candidate) => candidate >= first && candidate <= last)) found = true;
  }
  return inverted(found, bytes[MULTIPORT_INVERT] as number, 1);
}
