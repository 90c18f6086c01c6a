/** Matches on the packet's own bytes: xt_string.c, ip6t_rt.c, the chunks of xt_sctp.c. */
import {
  RT_ADDRESSES,
  RT_COUNT,
  RT_FLAGS,
  RT_INVERT,
  RT_LENGTH,
  RT_SEGMENTS_MAX,
  RT_SEGMENTS_MIN,
  RT_TYPE,
  SCTP_CHUNK_MAP,
  SCTP_CHUNK_MATCH,
  SCTP_FLAG_COUNT,
  SCTP_FLAGS,
  STRING_FLAGS,
  STRING_FROM,
  STRING_LENGTH,
  STRING_PATTERN,
  STRING_TO,
} from "../../src/blob/payloads.js";
import { findHeader, transportStart } from "./headers.js";
import type { RecordView } from "./rule.js";
import { inverted, type Walk } from "./walk.js";

const STRING_INVERT = 1;
const STRING_IGNORE_CASE = 2;

/** Latin-1, one character a byte. */
const latin = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("latin1");

/** Capitals of the kernel's Latin-1: it takes 32 off every small letter, be there a capital or not. */
function capitals(text: string): string {
  return text.replace(/[a-z\xdf-\xf6\xf8-\xff]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - 32));
}

/** A packet whose bytes are unknown satisfies nothing. */
export function matchString({ bytes, view }: RecordView, { packet }: Walk): boolean {
  if (!packet.bytes) return false;
  const flags = bytes[STRING_FLAGS] as number;
  const seen = latin(packet.bytes.subarray(view.getUint16(STRING_FROM, true), view.getUint16(STRING_TO, true)));
  const wanted = latin(bytes.subarray(STRING_PATTERN, STRING_PATTERN + (bytes[STRING_LENGTH] as number)));
  const found = flags & STRING_IGNORE_CASE ? capitals(seen).includes(capitals(wanted)) : seen.includes(wanted);
  return inverted(found, flags, STRING_INVERT);
}

const ROUTING = 43;
const RT_HAS_TYPE = 1;
const RT_HAS_SEGMENTS = 2;
const RT_HAS_LENGTH = 4;
const RT_HAS_RESERVED = 8;
const RT_HAS_ADDRESSES = 16;
const RT_NOT_STRICT = 32;

export function matchRt(record: RecordView, walk: Walk): boolean {
  const packet = walk.packet.bytes;
  if (!packet) return false;
  const at = findHeader(packet, ROUTING);
  if (at === "none") return false;
  const size = at === "cut" ? undefined : 8 * ((packet[at + 1] as number) + 1);
  const header = packet.subarray(Number(at), Number(at) + (size ?? 0));
  walk.hotdrop = header.length !== size;
  return !walk.hotdrop && routingMatches(record, header);
}

function routingMatches({ bytes, view }: RecordView, header: Uint8Array): boolean {
  const flags = bytes[RT_FLAGS] as number;
  const invert = bytes[RT_INVERT] as number;
  const [, , type, left] = header as unknown as [number, number, number, number];
  const within = left >= view.getUint32(RT_SEGMENTS_MIN, true) && left <= view.getUint32(RT_SEGMENTS_MAX, true);
  if (!inverted(within, invert, RT_HAS_SEGMENTS)) return false;
  const sameLength = header.length === view.getUint32(RT_LENGTH, true);
  if (flags & RT_HAS_LENGTH && !inverted(sameLength, invert, RT_HAS_LENGTH)) return false;
  if (flags & RT_HAS_TYPE && !inverted(type === view.getUint32(RT_TYPE, true), invert, RT_HAS_TYPE)) return false;
  if (flags & RT_HAS_RESERVED && header.subarray(4, 8).some((byte) => byte !== 0)) return false;
  if (!(flags & RT_HAS_ADDRESSES)) return true;
  const wanted = addresses(bytes, RT_ADDRESSES, bytes[RT_COUNT] as number);
  const listed = addresses(header, 8, Math.floor((header.length - 8) / 16));
  if (!(flags & RT_NOT_STRICT)) return listed.join() === wanted.join();
  // All of them in this order, others may stand between.
  for (const address of listed) if (address === wanted[0]) wanted.shift();
  return wanted.length === 0;
}

function addresses(bytes: Uint8Array, from: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) =>
    Buffer.from(bytes.subarray(from + 16 * n).subarray(0, 16)).toString("hex"),
  );
}

interface Chunk {
  readonly type: number;
  readonly flags: number;
}

const SCTP_HEADER = 12;
const [, ANY, ALL, ONLY] = [0, 1, 2, 3];

/** Without bytes the packet has the one chunk that its type says. */
export function chunksMatch(record: RecordView, walk: Walk): boolean {
  const { bytes } = record;
  const kind = bytes[SCTP_CHUNK_MATCH];
  const named = Array.from({ length: 256 }, (_, type) => type).filter(
    (type) => ((bytes[SCTP_CHUNK_MAP + (type >> 3)] as number) >> (type & 7)) & 1,
  );
  const hits = ({ type, flags }: Chunk): boolean => named.includes(type) && flagsAgree(record, type, flags);
  const missing = new Set(named);
  for (const chunk of chunksOf(walk)) {
    if (chunk === "cut") {
      walk.hotdrop = true;
      return false;
    }
    if (kind === ANY && hits(chunk)) return true;
    if (kind === ONLY && !hits(chunk)) return false;
    if (hits(chunk)) missing.delete(chunk.type);
  }
  return kind === ALL ? missing.size === 0 : kind === ONLY;
}

function* chunksOf({ packet }: Walk): Generator<Chunk | "cut"> {
  const { bytes } = packet;
  if (!bytes) return yield { type: packet.chunkType, flags: 0 };
  const start = transportStart(packet.family, bytes);
  if (start === "cut") return yield "cut";
  for (let at = start + SCTP_HEADER; ; ) {
    const [type, flags, high, low] = bytes.subarray(at, at + 4);
    const size = low === undefined ? 0 : 256 * (high as number) + low;
    if (size === 0) return yield "cut";
    yield { type: type as number, flags: flags as number };
    at += 4 * Math.ceil(size / 4);
    if (at >= bytes.length) return;
  }
}

/** The first of the rule's flags for the type decide. */
function flagsAgree({ bytes }: RecordView, type: number, flags: number): boolean {
  for (let n = 0; n < (bytes[SCTP_FLAG_COUNT] as number); n++) {
    const [of, mask, compare] = bytes.subarray(SCTP_FLAGS + 3 * n) as unknown as [number, number, number];
    if (of === type) return (flags & mask) === compare;
  }
  return true;
}
