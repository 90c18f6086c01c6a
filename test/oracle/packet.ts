/** A packet as the tests hold it: named fields instead of bytes, with what is not said left at zero. */
import {
  FAMILY_IPV4,
  FAMILY_IPV6,
  PACKET_CHUNK_TYPE,
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_CT_STATUS,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_FAMILY,
  PACKET_FLAGS,
  PACKET_FRAGMENT_ID,
  PACKET_FRAGMENT_OFFSET,
  PACKET_GID,
  PACKET_INPUT,
  PACKET_LENGTH,
  PACKET_MARK,
  PACKET_MSS,
  PACKET_OUTPUT,
  PACKET_PATH,
  PACKET_PAYLOAD,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PRIORITY,
  PACKET_PHYSICAL_INPUT,
  PACKET_PHYSICAL_OUTPUT,
  PACKET_PROTOCOL,
  PACKET_SIZE,
  PACKET_SOURCE,
  PACKET_SOURCE_MAC,
  PACKET_SOURCE_PORT,
  PACKET_TCP_DATA_OFFSET,
  PACKET_TCP_FLAGS,
  PACKET_TCP_OPTIONS,
  PACKET_TIME,
  PACKET_TOS,
  PACKET_TTL,
  PACKET_TYPE,
  PACKET_UID,
  CT_STATE_NEW,
  PATH_IN,
} from "../../src/blob/layout.js";
import type { Family } from "../../src/ruleset/row-store.js";

export interface Packet {
  readonly family: Family;
  path: number;
  protocol: number;
  /** Network order, 4 or 16 bytes. */
  source: Uint8Array;
  destination: Uint8Array;
  /** ICMP: the type, and the code. */
  sourcePort: number;
  destinationPort: number;
  input: string;
  output: string;
  physicalInput: string;
  physicalOutput: string;
  tcpFlags: number;
  /** Bit n: option kind n is there. */
  tcpOptions: number;
  /** Bytes of TCP header. */
  tcpDataOffset: number;
  mss: number;
  /** PACKET_FLAG_* */
  flags: number;
  fragmentOffset: number;
  /** What fragments of one packet have in common. */
  fragmentId: number;
  length: number;
  ttl: number;
  tos: number;
  /** Whom the link layer sent it to: PACKET_TYPE. */
  type: number;
  /** Class for queueing. */
  priority: number;
  /** Of the first SCTP chunk, where bytes are not known. */
  chunkType: number;
  /** IPv6 extension headers, and what comes behind the transport header: for wireBytes. */
  extensions: readonly ExtensionHeader[];
  data: Uint8Array;
  /** From the IP header on, where they are known. */
  bytes: Uint8Array | undefined;
  mark: number;
  ctMark: number;
  ctState: number;
  ctStatus: number;
  mac: Uint8Array;
  uid: number;
  gid: number;
  /** Milliseconds. */
  time: number;
}

/** Its first byte, the type of the next header, is not filled in. */
export interface ExtensionHeader {
  readonly type: number;
  readonly bytes: Uint8Array;
}

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMPV6 = 58;
export const PROTOCOL_SCTP = 132;

export function blankPacket(family: Family): Packet {
  const width = family === "ipv4" ? 4 : 16;
  return {
    family,
    path: PATH_IN,
    protocol: PROTOCOL_TCP,
    source: new Uint8Array(width),
    destination: new Uint8Array(width),
    sourcePort: 0,
    destinationPort: 0,
    input: "",
    output: "",
    physicalInput: "",
    physicalOutput: "",
    tcpFlags: 0,
    tcpOptions: 0,
    tcpDataOffset: 20,
    mss: 0,
    flags: 0,
    fragmentOffset: 0,
    fragmentId: 0,
    length: 100,
    ttl: 64,
    tos: 0,
    type: 0,
    priority: 0,
    chunkType: 0,
    extensions: [],
    data: new Uint8Array(),
    bytes: undefined,
    mark: 0,
    ctMark: 0,
    ctState: CT_STATE_NEW,
    ctStatus: 0,
    mac: new Uint8Array(6),
    uid: 0,
    gid: 0,
    time: 0,
  };
}

/** The record of blob/layout.ts, PACKET_SIZE bytes. `payload` is where the packet's own bytes lie, if it has any. */
export function encodePacket(packet: Packet, payload = 0): Uint8Array {
  const bytes = new Uint8Array(PACKET_SIZE);
  const view = new DataView(bytes.buffer);
  const text = (at: number, name: string): void => bytes.set(new TextEncoder().encode(name), at);
  bytes[PACKET_FAMILY] = packet.family === "ipv4" ? FAMILY_IPV4 : FAMILY_IPV6;
  bytes[PACKET_PROTOCOL] = packet.protocol;
  bytes[PACKET_TCP_FLAGS] = packet.tcpFlags;
  bytes[PACKET_FLAGS] = packet.flags;
  view.setUint16(PACKET_SOURCE_PORT, packet.sourcePort, true);
  view.setUint16(PACKET_DESTINATION_PORT, packet.destinationPort, true);
  view.setUint32(PACKET_LENGTH, packet.length, true);
  view.setUint32(PACKET_MARK, packet.mark, true);
  bytes.set(packet.source, PACKET_SOURCE);
  bytes.set(packet.destination, PACKET_DESTINATION);
  text(PACKET_INPUT, packet.input);
  text(PACKET_OUTPUT, packet.output);
  text(PACKET_PHYSICAL_INPUT, packet.physicalInput);
  text(PACKET_PHYSICAL_OUTPUT, packet.physicalOutput);
  view.setUint32(PACKET_CT_MARK, packet.ctMark, true);
  view.setUint16(PACKET_CT_STATE, packet.ctState, true);
  view.setUint16(PACKET_CT_STATUS, packet.ctStatus, true);
  bytes[PACKET_TTL] = packet.ttl;
  bytes[PACKET_TOS] = packet.tos;
  bytes[PACKET_TYPE] = packet.type;
  view.setUint32(PACKET_PRIORITY, packet.priority, true);
  view.setUint16(PACKET_FRAGMENT_OFFSET, packet.fragmentOffset, true);
  view.setUint32(PACKET_FRAGMENT_ID, packet.fragmentId, true);
  bytes.set(packet.mac, PACKET_SOURCE_MAC);
  bytes[PACKET_PATH] = packet.path;
  view.setUint32(PACKET_UID, packet.uid, true);
  view.setUint32(PACKET_GID, packet.gid, true);
  view.setUint32(PACKET_TCP_OPTIONS, packet.tcpOptions, true);
  view.setUint32(PACKET_TIME, packet.time, true);
  view.setUint16(PACKET_MSS, packet.mss, true);
  bytes[PACKET_TCP_DATA_OFFSET] = packet.tcpDataOffset;
  bytes[PACKET_CHUNK_TYPE] = packet.chunkType;
  if (packet.bytes && payload !== 0) {
    view.setUint32(PACKET_PAYLOAD, payload, true);
    view.setUint32(PACKET_PAYLOAD_LENGTH, packet.bytes.length, true);
  }
  return bytes;
}

/** For a failing test's message: the fields that are not blank. */
export function describePacket(packet: Packet): string {
  const blank = blankPacket(packet.family);
  return (Object.keys(blank) as (keyof Packet)[])
    .filter((field) => String(packet[field]) !== String(blank[field]) || field === "path" || field === "protocol")
    .map((field) => `${field}=${String(packet[field])}`)
    .join(" ");
}
