/** Packets byte by byte: IP header, ports, and the rest of a transport header as it is given. */
import { addressBytes } from "./address.js";
import { checksum } from "./checksum.js";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_SCTP, PROTOCOL_TCP, PROTOCOL_UDP } from "./packet.js";
import type { Family } from "../../src/ruleset/row-store.js";

export const PROTOCOL_GRE = 47;
export const PROTOCOL_DCCP = 33;
export const PROTOCOL_UDPLITE = 136;

/** Both ends of a packet. ICMP: the source's port is the identifier, the destination's its type << 8 | code. */
export interface Ends {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export interface Segment {
  readonly flags: number;
  readonly sequence: number;
  readonly ack: number;
  readonly window: number;
  /** Hexadecimal, a multiple of four bytes. */
  readonly options: string;
  /** Bytes of data. */
  readonly data: number;
}

export function hasPorts(protocol: number): boolean {
  return [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_UDPLITE].includes(protocol);
}

export function isIcmp(protocol: number): boolean {
  return protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6;
}

/** `rest`: behind the ports, or of ICMP behind the identifier; hexadecimal. */
export function frame(family: Family, protocol: number, ends: Ends, rest: string): Buffer {
  const body: Buffer[] = [];
  if (isIcmp(protocol)) {
    const head = Buffer.alloc(6);
    head.writeUInt16BE(ends.destinationPort, 0);
    head.writeUInt16BE(ends.sourcePort, 4);
    body.push(head);
  } else if (hasPorts(protocol)) {
    const ports = Buffer.alloc(4);
    ports.writeUInt16BE(ends.sourcePort, 0);
    ports.writeUInt16BE(ends.destinationPort, 2);
    body.push(ports);
  }
  body.push(Buffer.from(rest, "hex"));
  return withHeader(family, protocol, ends, Buffer.concat(body));
}

/** An ICMP error about `packet`, from `ends.source`. */
export function errorFrame(family: Family, ends: Ends, packet: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(ends.destinationPort, 0);
  const protocol = family === "ipv4" ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
  return withHeader(family, protocol, ends, Buffer.concat([head, packet.subarray(0, 96)]));
}

/** Of a TCP segment, behind the ports. */
export function segmentRest({ flags, sequence, ack, window, options, data }: Segment): string {
  const header = Buffer.alloc(16);
  header.writeUInt32BE(sequence >>> 0, 0);
  header.writeUInt32BE(ack >>> 0, 4);
  header[8] = (20 + options.length / 2) << 2;
  header[9] = flags;
  header.writeUInt16BE(window, 10);
  return header.toString("hex") + options + "00".repeat(data);
}

/** Of an SCTP packet, behind the ports. Each chunk: type, flags, and for INIT and INIT ACK the tag it asks for. */
export function chunksRest(tag: number, chunks: readonly (readonly [number, number, number])[]): string {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(tag, 0);
  const parts = chunks.map(([type, flags, initTag]) => {
    const chunk = Buffer.alloc(type === 1 || type === 2 ? 20 : 4);
    chunk[0] = type;
    chunk[1] = flags;
    chunk.writeUInt16BE(chunk.length, 2);
    if (chunk.length > 4) chunk.writeUInt32BE(initTag, 4);
    return chunk;
  });
  return Buffer.concat([head, ...parts]).toString("hex");
}

function withHeader(family: Family, protocol: number, ends: Ends, body: Buffer): Buffer {
  const ipv4 = family === "ipv4";
  const header = Buffer.alloc(ipv4 ? 20 : 40);
  const addresses = [ends.source, ends.destination].map((text) => addressBytes(text));
  header.set(Buffer.concat(addresses), ipv4 ? 12 : 8);
  if (ipv4) {
    header[0] = 0x45;
    header.writeUInt16BE(20 + body.length, 2);
    header[8] = 64;
    header[9] = protocol;
    header.writeUInt16BE(checksum(header), 10);
  } else {
    header[0] = 0x60;
    header.writeUInt16BE(body.length, 4);
    header[6] = protocol;
    header[7] = 64;
  }
  return Buffer.concat([header, body]);
}
