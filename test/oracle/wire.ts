/** A packet's bytes from its IP header on, to be put on a wire. Its length becomes what the bytes are. */
import { checksum } from "./checksum.js";
import { PACKET_FLAG_ODD, PACKET_FLAG_OPTIONS_CUT } from "../../src/blob/layout.js";
import { type Packet, PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_SCTP, PROTOCOL_TCP, PROTOCOL_UDP } from "./packet.js";

const LONGEST = 1500;
const NO_OPERATION = 1;
const MAXIMUM_SEGMENT_SIZE = 2;
const PROTOCOL_DCCP = 33;
/** ESP, AH, IPComp, mobility. */
const HEADERS_IN_DATA = [50, 51, 108, 135];

export function wireBytes(packet: Packet): Uint8Array {
  const transport = Buffer.concat([transportHeader(packet), packet.data]);
  const odd = packet.fragmentOffset === 0 && (packet.flags & PACKET_FLAG_ODD) !== 0;
  const extensions = extensionHeaders(packet);
  const header = (packet.family === "ipv4" ? 20 : 40) + extensions.length;
  const cut = (packet.flags & PACKET_FLAG_OPTIONS_CUT) !== 0 && packet.tcpDataOffset > 20;
  // A header that is cut short ends behind three bytes, one whose options are a byte too early.
  const least = header + (odd ? 3 : cut ? packet.tcpDataOffset - 1 : transport.length);
  packet.length = odd || cut ? least : Math.max(Math.min(packet.length, LONGEST), least);
  const bytes = Buffer.alloc(packet.length);
  if (packet.family === "ipv4") writeIpv4(bytes, packet);
  else writeIpv6(bytes, packet, extensions);
  bytes.set(transport.subarray(0, packet.length - header), header);
  return bytes;
}

function writeIpv4(bytes: Buffer, packet: Packet): void {
  bytes[0] = 0x45;
  bytes[1] = packet.tos;
  bytes.writeUInt16BE(packet.length, 2);
  bytes.writeUInt16BE(packet.fragmentOffset, 6);
  bytes[8] = packet.ttl;
  bytes[9] = packet.protocol;
  bytes.set(packet.source, 12);
  bytes.set(packet.destination, 16);
  bytes.writeUInt16BE(checksum(bytes.subarray(0, 20)), 10);
}

function writeIpv6(bytes: Buffer, packet: Packet, extensions: Uint8Array): void {
  bytes[0] = 0x60 | (packet.tos >> 4);
  bytes[1] = (packet.tos & 15) << 4;
  bytes.writeUInt16BE(packet.length - 40, 4);
  bytes[6] = packet.extensions[0]?.type ?? packet.protocol;
  bytes[7] = packet.ttl;
  bytes.set(packet.source, 8);
  bytes.set(packet.destination, 24);
  bytes.set(extensions, 40);
}

/** Each says what comes next. */
function extensionHeaders({ family, extensions, protocol }: Packet): Buffer {
  if (family === "ipv4") return Buffer.alloc(0);
  const linked = extensions.map(({ bytes }, n) =>
    Buffer.from([extensions[n + 1]?.type ?? protocol, ...bytes.subarray(1)]),
  );
  return Buffer.concat(linked);
}

function transportHeader(packet: Packet): Buffer {
  const { protocol, sourcePort, destinationPort } = packet;
  if (protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6)
    return Buffer.from([sourcePort, destinationPort, 0, 0, 0, 0, 0, 0]);
  // Of these the data are the whole header, but for DCCP's ports.
  if (HEADERS_IN_DATA.includes(protocol) && packet.data.length > 0) return Buffer.alloc(0);
  if (protocol === PROTOCOL_DCCP)
    return Buffer.from([sourcePort >> 8, sourcePort, destinationPort >> 8, destinationPort]);
  const options = protocol === PROTOCOL_TCP ? tcpOptions(packet) : [];
  const sizes: Readonly<Record<number, number>> = { [PROTOCOL_TCP]: 20, [PROTOCOL_SCTP]: 12 };
  const header = Buffer.alloc((sizes[protocol] ?? 8) + options.length);
  if (![PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP].includes(protocol)) return header;
  header.writeUInt16BE(sourcePort, 0);
  header.writeUInt16BE(destinationPort, 2);
  if (protocol === PROTOCOL_UDP) header.writeUInt16BE(8, 4);
  if (protocol === PROTOCOL_TCP) {
    const cut = (packet.flags & PACKET_FLAG_OPTIONS_CUT) !== 0;
    if (!cut) packet.tcpDataOffset = header.length;
    header[12] = packet.tcpDataOffset << 2;
    header[13] = packet.tcpFlags;
    header.set(options, 20);
  }
  return header;
}

/** Two bytes each but for the segment size, where there is one; then no-operations to a multiple of four. */
function tcpOptions(packet: Packet): number[] {
  const bytes: number[] = [];
  for (let kind = 2; kind < 32; kind++) {
    if (!((packet.tcpOptions >>> kind) & 1)) continue;
    if (kind === MAXIMUM_SEGMENT_SIZE && packet.mss !== 0) bytes.push(kind, 4, packet.mss >> 8, packet.mss & 255);
    else bytes.push(kind, 2);
  }
  if (!((packet.tcpOptions >>> MAXIMUM_SEGMENT_SIZE) & 1)) packet.mss = 0;
  while (bytes.length % 4 !== 0) bytes.push(NO_OPERATION);
  return bytes;
}
