/** IPv6's extension headers in the packet's bytes: ip6t_ipv6header.c, ip6t_hbh.c, ip6t_mh.c, ip6t_srh.c. */
import {
  HEADER_OPTIONS,
  HEADER_OPTIONS_COUNT,
  HEADER_OPTIONS_FLAGS,
  HEADER_OPTIONS_INVERT,
  HEADER_OPTIONS_LENGTH,
  IPV6HEADER_INVERT,
  IPV6HEADER_MASK,
  IPV6HEADER_SOFT,
  MH_INVERT,
  MH_MAX,
  MH_MIN,
  SRH_FLAGS,
  SRH_INVERT,
  SRH_LAST,
  SRH_LAST_ENTRY,
  SRH_LENGTH,
  SRH_NEXT,
  SRH_NEXT_HEADER,
  SRH_PREVIOUS,
  SRH_SEGMENTS_LEFT,
  SRH_TAG,
} from "../../src/blob/payloads.js";
import { findHeader } from "./headers.js";
import { transportBytes } from "./match-spi.js";
import type { RecordView } from "./rule.js";
import { inverted, type Match, type Walk } from "./walk.js";

/** Type of a header, and the bit that asks for it. */
const BITS: ReadonlyMap<number, number> = new Map([
  [0, 128],
  [60, 64],
  [43, 32],
  [44, 16],
  [51, 8],
  [50, 4],
  [59, 2],
]);
const PROTOCOL_BIT = 1;
const [FRAGMENT, ENCAPSULATION, AUTHENTICATION, NO_NEXT] = [44, 50, 51, 59];

export function matchIpv6header({ bytes }: RecordView, { packet }: Walk): boolean {
  const found = packet.bytes && bitsOf(packet.bytes);
  if (found === undefined) return false;
  const asked = bytes[IPV6HEADER_MASK] as number;
  const none = bytes[IPV6HEADER_INVERT] !== 0;
  if (bytes[IPV6HEADER_SOFT]) return (found & asked) === (none ? 0 : asked);
  return (found === asked) !== none;
}

/** Undefined where the packet ends in front of a header that another one announces. */
function bitsOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < 40) return undefined;
  let bits = 0;
  let type = bytes[6] as number;
  for (let at = 40; ; ) {
    const bit = BITS.get(type);
    // Behind the packet nobody looks for what is announced there, but it is no protocol when it is one of these.
    if (at > bytes.length) return type === NO_NEXT || type === ENCAPSULATION ? bits : bits | PROTOCOL_BIT;
    if (bit === undefined) return bits | PROTOCOL_BIT;
    if (type === NO_NEXT) return bits | bit;
    const [next, length] = bytes.subarray(at, at + 2);
    if (next === undefined || length === undefined) return undefined;
    bits |= bit;
    if (type === ENCAPSULATION) return bits;
    at += type === FRAGMENT ? 8 : type === AUTHENTICATION ? 4 * (length + 2) : 8 * (length + 1);
    type = next;
  }
}

/** Options of the header of `type`. */
function optionsMatch(type: number): Match {
  return (record, walk) => {
    const packet = walk.packet.bytes;
    if (!packet) return false;
    const at = findHeader(packet, type);
    if (at === "none") return false;
    const size = at === "cut" ? undefined : 8 * ((packet[at + 1] as number) + 1);
    const header = packet.subarray(Number(at), Number(at) + (size ?? 0));
    walk.hotdrop = header.length !== size;
    return !walk.hotdrop && headerMatches(record, header);
  };
}

export const matchHbh = optionsMatch(0);
export const matchDst = optionsMatch(60);

function headerMatches({ bytes, view }: RecordView, header: Uint8Array): boolean {
  const flags = bytes[HEADER_OPTIONS_FLAGS] as number;
  const sameLength = header.length === view.getUint32(HEADER_OPTIONS_LENGTH, true);
  if (flags & 1 && !inverted(sameLength, bytes[HEADER_OPTIONS_INVERT] as number, 1)) return false;
  if (!(flags & 2)) return true;
  let rest = header.subarray(2);
  for (let n = 0; n < (bytes[HEADER_OPTIONS_COUNT] as number); n++) {
    const [length = 0, type] = bytes.subarray(HEADER_OPTIONS + 2 * n);
    if (rest[0] !== type) return false;
    if (type !== 0 && (rest[1] === undefined || (length !== 255 && rest[1] !== length))) return false;
    rest = rest.subarray(type === 0 ? 1 : 2 + (rest[1] as number));
  }
  return true;
}

export function matchMh({ bytes }: RecordView, walk: Walk): boolean {
  const header = transportBytes(walk, 6);
  if (!header) return false;
  if (header.getUint8(0) !== NO_NEXT) {
    walk.hotdrop = true;
    return false;
  }
  const type = header.getUint8(2);
  const within = type >= (bytes[MH_MIN] as number) && type <= (bytes[MH_MAX] as number);
  return inverted(within, bytes[MH_INVERT] as number, 1);
}

const ROUTING = 43;
const SEGMENT_ROUTING = 4;

export function matchSrh(record: RecordView, { packet }: Walk): boolean {
  const at = packet.bytes ? findHeader(packet.bytes, ROUTING) : "none";
  if (!packet.bytes || typeof at === "string") return false;
  const rest = packet.bytes.subarray(at);
  const [next, length = 0, type, left = 0, last = 0] = rest;
  if (rest.length < 8 * (length + 1) || type !== SEGMENT_ROUTING || left > last) return false;
  const { bytes, view } = record;
  const [nextAsked, lengthAsked = 0, leftAsked = 0, lastAsked = 0] = [
    SRH_NEXT_HEADER,
    SRH_LENGTH,
    SRH_SEGMENTS_LEFT,
    SRH_LAST_ENTRY,
  ].map((field) => bytes[field]);
  /** In the order of the bits; undefined: the packet has nothing to be asked for, inverted or not. */
  const facts = [
    next === nextAsked,
    length === lengthAsked,
    length > lengthAsked,
    length < lengthAsked,
    left === leftAsked,
    left > leftAsked,
    left < leftAsked,
    last === lastAsked,
    last > lastAsked,
    last < lastAsked,
    // As a machine reads it whose numbers are the other way round than the network's.
    256 * (rest[7] as number) + (rest[6] as number) === view.getUint16(SRH_TAG, true),
    left === last ? undefined : segmentIs(rest, left + 1, bytes.subarray(SRH_PREVIOUS)),
    left === 0 ? undefined : segmentIs(rest, left - 1, bytes.subarray(SRH_NEXT)),
    segmentIs(rest, 0, bytes.subarray(SRH_LAST)),
  ];
  const asked = view.getUint16(SRH_FLAGS, true);
  const invert = view.getUint16(SRH_INVERT, true);
  return facts.every((fact, n) => !((asked >> n) & 1) || (fact !== undefined && inverted(fact, invert, 1 << n)));
}

/** Whether the n-th segment is the address under its mask. */
function segmentIs(header: Uint8Array, n: number, pattern: Uint8Array): boolean | undefined {
  const segment = header.subarray(8 + 16 * n, 24 + 16 * n);
  if (segment.length < 16) return undefined;
  return segment.every((byte, i) => ((byte ^ (pattern[i] as number)) & (pattern[16 + i] as number)) === 0);
}
