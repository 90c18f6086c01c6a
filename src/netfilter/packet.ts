/** A packet as people write it, and its record in blob/layout.ts (PACKET_*), which a reader is given. */
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
  PACKET_DESTINATION_MAC,
  PACKET_FLAG_MAC,
  PACKET_FLAG_MSS_ZERO,
  PACKET_FLAG_SOCKET,
  PACKET_FLAGS,
  PACKET_FRAGMENT_ID,
  PACKET_FRAGMENT_OFFSET,
  PACKET_GID,
  PACKET_ICMP_ID,
  PACKET_INPUT,
  PACKET_LENGTH,
  PACKET_MARK,
  PACKET_MSS,
  PACKET_OUTPUT,
  PACKET_PATH,
  PACKET_PHYSICAL_INPUT,
  PACKET_PHYSICAL_OUTPUT,
  PACKET_PRIORITY,
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
  PACKET_ZONE,
  PATH_HOOK,
  PATH_IN,
  PATH_OUT,
} from "../blob/layout.js";
import type { Family } from "../ruleset/row-store.js";
import { HOOK_NAMES, type HookName } from "../ruleset/ruleset.js";
import { readAddressText, writeAddress } from "./address.js";
import { PacketError } from "./packet-error.js";
import { type Known, saysSocket } from "./packet-known.js";
import {
  CT_STATES,
  type CtState,
  PACKET_TYPES,
  type PacketType,
  PROTOCOL_TCP,
  TCP_FLAGS,
  isIcmp,
  nameOf,
} from "./packet-names.js";
import { flagsOf, type Shape, shapeOf } from "./packet-shape.js";

export interface Packet extends Known, Shape {
  readonly family: Family;
  /** IP protocol number of the transport. Default 6, TCP. */
  readonly protocol?: number;
  readonly source: string;
  readonly destination: string;
  /** Default 0, as for protocols without ports. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** ICMP and ICMPv6 only: they lie where the ports do. Default 8 (IPv6: 128) and 0, an echo request. */
  readonly icmpType?: number;
  readonly icmpCode?: number;
  /** Identifier of an ICMP request or reply, by which its connection is told from others. Default 0. */
  readonly icmpId?: number;
  /**
   * Which hooks it passes: `in` from its input interface (to INPUT or FORWARD, as the address says), `out` from a local
   * process, or one hook alone. Default `in`.
   */
  readonly path?: "in" | "out" | HookName;
  /** At most 15 bytes. Default none. Interfaces of the two directions, and the bridge ports behind them. */
  readonly input?: string;
  readonly output?: string;
  readonly physicalInput?: string;
  readonly physicalOutput?: string;
  /** TCP_FLAGS bits. Default SYN for a TCP packet in state NEW, else ACK; 0 for other protocols. */
  readonly tcpFlags?: number;
  /** Bit n: option of kind n is there. Default 0. */
  readonly tcpOptions?: number;
  /** Bytes of TCP header. Default 20. With less its options are cut. */
  readonly tcpDataOffset?: number;
  /** Of the SYN's option, bytes. Default none. */
  readonly mss?: number;
  /** Type of the first SCTP chunk. Default 1, INIT. */
  readonly chunkType?: number;
  /** Bytes, IP header included. Default 60. */
  readonly length?: number;
  readonly tos?: number;
  /** TTL or hop limit. Default 64. */
  readonly ttl?: number;
  /** In units of 8 bytes. Default 0. */
  readonly fragmentOffset?: number;
  /** What fragments of one packet have in common. Default 0. */
  readonly fragmentId?: number;
  /** Six hexadecimal bytes with colons. Default unknown. */
  readonly sourceMac?: string;
  /** The same of whom the frame is to: sets of MAC addresses look at it. */
  readonly destinationMac?: string;
  /** Default `host`. */
  readonly type?: PacketType;
  readonly mark?: number;
  readonly priority?: number;
  /** Default NEW. */
  readonly ctState?: CtState;
  /** CT_STATUS_* bits. */
  readonly ctStatus?: number;
  readonly ctMark?: number;
  /** Conntrack zone. */
  readonly zone?: number;
  /** Owner of the socket it comes from. Default no socket. */
  readonly uid?: number;
  readonly gid?: number;
  /** Milliseconds of the virtual clock. */
  readonly time?: number;
}

/** What a field holds when it is not said, where that is not nought. */
export const PACKET_DEFAULTS = Object.freeze({
  protocol: PROTOCOL_TCP,
  tcpDataOffset: 20,
  chunkType: 1,
  length: 60,
  ttl: 64,
} satisfies Partial<Packet>);

type NumberField = { [Key in keyof Packet]-?: NonNullable<Packet[Key]> extends number ? Key : never }[keyof Packet];

/** Fields that are one number in both forms: where it is and in how many bytes. */
const NUMBERS: readonly (readonly [Exclude<NumberField, "icmpType" | "icmpCode">, number, 1 | 2 | 4])[] = [
  ["protocol", PACKET_PROTOCOL, 1],
  ["tcpFlags", PACKET_TCP_FLAGS, 1],
  ["sourcePort", PACKET_SOURCE_PORT, 2],
  ["destinationPort", PACKET_DESTINATION_PORT, 2],
  ["length", PACKET_LENGTH, 4],
  ["mark", PACKET_MARK, 4],
  ["ctMark", PACKET_CT_MARK, 4],
  ["ctStatus", PACKET_CT_STATUS, 2],
  ["tos", PACKET_TOS, 1],
  ["ttl", PACKET_TTL, 1],
  ["fragmentOffset", PACKET_FRAGMENT_OFFSET, 2],
  ["fragmentId", PACKET_FRAGMENT_ID, 4],
  ["uid", PACKET_UID, 4],
  ["gid", PACKET_GID, 4],
  ["tcpOptions", PACKET_TCP_OPTIONS, 4],
  ["time", PACKET_TIME, 4],
  ["mss", PACKET_MSS, 2],
  ["tcpDataOffset", PACKET_TCP_DATA_OFFSET, 1],
  ["chunkType", PACKET_CHUNK_TYPE, 1],
  ["priority", PACKET_PRIORITY, 4],
  ["zone", PACKET_ZONE, 2],
  ["icmpId", PACKET_ICMP_ID, 2],
];

const INTERFACES = [
  ["input", PACKET_INPUT],
  ["output", PACKET_OUTPUT],
  ["physicalInput", PACKET_PHYSICAL_INPUT],
  ["physicalOutput", PACKET_PHYSICAL_OUTPUT],
] as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The record of `packet`, PACKET_SIZE bytes: `into` when it is given (cleared first), else new ones. What `Known` adds to a
 * packet has no place there: `encodeKnown`.
 * @throws PacketError when an address is not of the family or a field does not fit its record.
 */
export function encodePacket(packet: Packet, into: Uint8Array = new Uint8Array(PACKET_SIZE)): Uint8Array {
  into.fill(0, 0, PACKET_SIZE);
  const view = new DataView(into.buffer, into.byteOffset, PACKET_SIZE);
  const whole: Packet = { ...PACKET_DEFAULTS, ...impliedFields(packet), ...packet };
  into[PACKET_FAMILY] = packet.family === "ipv4" ? FAMILY_IPV4 : FAMILY_IPV6;
  for (const [field, at, bytes] of NUMBERS) writeNumber(view, at, bytes, field, whole[field] ?? 0);
  if (isIcmp(whole.protocol ?? 0)) {
    writeNumber(view, PACKET_SOURCE_PORT, 2, "icmpType", whole.icmpType ?? 0);
    writeNumber(view, PACKET_DESTINATION_PORT, 2, "icmpCode", whole.icmpCode ?? 0);
  }
  writeEnd(into, PACKET_SOURCE, packet.source, packet.family);
  writeEnd(into, PACKET_DESTINATION, packet.destination, packet.family);
  for (const [field, at] of INTERFACES) writeInterface(into, at, packet[field] ?? "");
  if (packet.sourceMac !== undefined) into.set(macBytes(packet.sourceMac), PACKET_SOURCE_MAC);
  if (packet.destinationMac !== undefined) into.set(macBytes(packet.destinationMac), PACKET_DESTINATION_MAC);
  view.setUint16(PACKET_CT_STATE, CT_STATES[packet.ctState ?? "NEW"], true);
  into[PACKET_TYPE] = PACKET_TYPES.indexOf(packet.type ?? "host");
  into[PACKET_PATH] = pathNumber(packet.path ?? "in");
  into[PACKET_FLAGS] =
    flagsOf(packet) |
    (packet.uid !== undefined || packet.gid !== undefined || saysSocket(packet) ? PACKET_FLAG_SOCKET : 0) |
    (packet.sourceMac !== undefined ? PACKET_FLAG_MAC : 0);
  return into;
}

/** The packet of a record, every field said. The inverse of `encodePacket`. */
export function decodePacket(record: Uint8Array): Packet {
  const view = new DataView(record.buffer, record.byteOffset, PACKET_SIZE);
  const family = record[PACKET_FAMILY] === FAMILY_IPV6 ? "ipv6" : "ipv4";
  const flags = record[PACKET_FLAGS] as number;
  const numbers: Partial<Record<NumberField, number>> = {};
  for (const [field, at, bytes] of NUMBERS) numbers[field] = readNumber(view, at, bytes);
  if (isIcmp(numbers.protocol ?? 0)) {
    numbers.icmpType = numbers.sourcePort ?? 0;
    numbers.icmpCode = numbers.destinationPort ?? 0;
    delete numbers.sourcePort;
    delete numbers.destinationPort;
  }
  if (numbers.mss === 0 && !(flags & PACKET_FLAG_MSS_ZERO)) delete numbers.mss;
  if (!(flags & PACKET_FLAG_SOCKET)) {
    delete numbers.uid;
    delete numbers.gid;
  }
  const names: { -readonly [Key in (typeof INTERFACES)[number][0]]?: string } = {};
  for (const [field, at] of INTERFACES) {
    const end = record.indexOf(0, at);
    if (end > at) names[field] = decoder.decode(record.subarray(at, Math.min(end, at + 16)));
  }
  const mac = macText(record.subarray(PACKET_SOURCE_MAC, PACKET_SOURCE_MAC + 6));
  const destinationMac = macText(record.subarray(PACKET_DESTINATION_MAC, PACKET_DESTINATION_MAC + 6));
  return {
    family,
    source: readAddressText(record, PACKET_SOURCE, family),
    destination: readAddressText(record, PACKET_DESTINATION, family),
    ...numbers,
    ...names,
    path: pathName(record[PACKET_PATH] as number),
    ctState: nameOf(CT_STATES, view.getUint16(PACKET_CT_STATE, true)) ?? "INVALID",
    type: PACKET_TYPES[record[PACKET_TYPE] as number] ?? "host",
    ...shapeOf(flags),
    ...(flags & PACKET_FLAG_MAC ? { sourceMac: mac } : {}),
    ...(destinationMac === macText(new Uint8Array(6)) ? {} : { destinationMac }),
  };
}

/** What a packet's other fields say of those that it leaves open. */
export function impliedFields(packet: Packet): Partial<Packet> {
  const protocol = packet.protocol ?? PACKET_DEFAULTS.protocol;
  if (isIcmp(protocol)) return { icmpType: packet.family === "ipv4" ? 8 : 128 };
  if (protocol !== PROTOCOL_TCP) return {};
  return { tcpFlags: (packet.ctState ?? "NEW") === "NEW" ? TCP_FLAGS.syn : TCP_FLAGS.ack };
}

function writeNumber(view: DataView, at: number, bytes: 1 | 2 | 4, field: string, value: number): void {
  const limit = 2 ** (8 * bytes);
  if (!Number.isInteger(value) || value < 0 || value >= limit)
    throw new PacketError("bad-number", `${field} from 0 to ${limit - 1}`, String(value));
  if (bytes === 1) view.setUint8(at, value);
  else if (bytes === 2) view.setUint16(at, value, true);
  else view.setUint32(at, value, true);
}

function readNumber(view: DataView, at: number, bytes: 1 | 2 | 4): number {
  if (bytes === 1) return view.getUint8(at);
  return bytes === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}

function writeEnd(bytes: Uint8Array, at: number, text: string, family: Family): void {
  if (!writeAddress(bytes, at, text, family)) throw new PacketError("bad-address", `an ${family} address`, text);
}

function writeInterface(bytes: Uint8Array, at: number, name: string): void {
  const encoded = encoder.encode(name);
  if (encoded.length > 15) throw new PacketError("bad-interface", "an interface of at most 15 bytes", name);
  bytes.set(encoded, at);
}

const macText = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");

function macBytes(text: string): number[] {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text))
    throw new PacketError("bad-mac", "six hexadecimal bytes with colons", text);
  return text.split(":").map((byte) => Number.parseInt(byte, 16));
}

function pathNumber(path: NonNullable<Packet["path"]>): number {
  if (path === "in") return PATH_IN;
  return path === "out" ? PATH_OUT : PATH_HOOK + HOOK_NAMES.indexOf(path);
}

function pathName(path: number): NonNullable<Packet["path"]> {
  if (path === PATH_IN) return "in";
  return path === PATH_OUT ? "out" : (HOOK_NAMES[path - PATH_HOOK] ?? "in");
}
