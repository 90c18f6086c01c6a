/**
 * TCP segments as SYNPROXY reads and writes them (nf_synproxy_core.c): the options that matter, and whole segments of the
 * machine's own, with their bytes where the bytes of what they answer are known.
 */
import {
  PACKET_DESTINATION,
  PACKET_LENGTH,
  PACKET_MSS,
  PACKET_PAYLOAD,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_DESTINATION_PORT,
  PACKET_TCP_DATA_OFFSET,
  PACKET_TCP_FLAGS,
  PACKET_TCP_OPTIONS,
  PACKET_TTL,
} from "../../src/blob/layout";
import { optionBytes, segmentHeader, segmentKnown } from "../conntrack/segment";
import { ownBytes } from "../own";
import { addressBytes, packet } from "../packet";

/** Options, as bits of SYNPROXY_OPTIONS. */
export const MSS: u32 = 1;
export const SCALE: u32 = 2;
export const SACK: u32 = 4;
export const TIMES: u32 = 8;
export const ECN: u32 = 16;

export let given: u32 = 0;
export let size: u16 = 0;
export let scale: u8 = 0;
export let time: u32 = 0;
export let echo: u32 = 0;
/** Where the times were read, 0 nowhere. */
export let timesAt: usize = 0;

const TCP: u8 = 6;
const TCP_HEADER: u32 = 20;
const SCALE_MOST: u8 = 14;
/** Kinds of options. */
const END: u8 = 0;
const NOTHING: u8 = 1;
const KIND_SIZE: u8 = 2;
const KIND_SCALE: u8 = 3;
const KIND_SACK: u8 = 4;
const KIND_TIMES: u8 = 8;

export function setGiven(options: u32): void {
  given = options;
}
export function setSize(value: u16): void {
  size = value;
}
export function setScale(value: u8): void {
  scale = value;
}
export function setTimes(value: u32, echoed: u32): void {
  time = value;
  echo = echoed;
}

/** Reads the options of the segment in hand. Without its bytes only their kinds and its size are known. */
export function readOptions(): void {
  given = time = echo = 0;
  timesAt = 0;
  size = 0;
  scale = 0;
  if (!segmentKnown) {
    const kinds = load<u32>(packet, PACKET_TCP_OPTIONS);
    size = load<u16>(packet, PACKET_MSS);
    if (size) given |= MSS;
    if (kinds & (1 << KIND_SCALE)) given |= SCALE;
    if (kinds & (1 << KIND_SACK)) given |= SACK;
    if (kinds & (1 << KIND_TIMES)) given |= TIMES;
    return;
  }
  let at = segmentHeader + TCP_HEADER;
  const end = at + optionBytes;
  while (at < end) {
    const kind = load<u8>(at);
    if (kind == END) return;
    if (kind == NOTHING) {
      at++;
      continue;
    }
    if (at + 1 == end) return;
    const bytes = <u32>load<u8>(at, 1);
    if (bytes < 2 || at + bytes > end) return;
    take(kind, bytes, at + 2);
    at += bytes;
  }
}

function take(kind: u8, bytes: u32, at: usize): void {
  if (kind == KIND_SIZE && bytes == 4) {
    size = bswap<u16>(load<u16>(at));
    given |= MSS;
  } else if (kind == KIND_SCALE && bytes == 3) {
    scale = min(load<u8>(at), SCALE_MOST);
    given |= SCALE;
  } else if (kind == KIND_TIMES && bytes == 10) {
    time = bswap<u32>(load<u32>(at));
    echo = bswap<u32>(load<u32>(at, 4));
    given |= TIMES;
    timesAt = at;
  } else if (kind == KIND_SACK && bytes == 2) given |= SACK;
}

/** Makes `own` a segment with these numbers and the options in hand; its ends are there. */
export function writeSegment(own: usize, flags: u8, sequence: u32, ack: u32, window: u16): void {
  const bytes = ownBytes(own);
  const header: u32 = addressBytes == 4 ? 20 : 40;
  const end = writeOptions(bytes + header + TCP_HEADER);
  const length = <u32>(end - bytes);
  let kinds: u32 = 0;
  if (given & MSS) kinds |= 1 << KIND_SIZE;
  if (given & SCALE) kinds |= 1 << KIND_SCALE;
  if (given & SACK) kinds |= 1 << KIND_SACK;
  if (given & TIMES) kinds |= 1 << KIND_TIMES;
  if (given & SCALE || (given & (SACK | TIMES) && (given & (SACK | TIMES)) != (SACK | TIMES))) kinds |= 1 << NOTHING;
  store<u8>(own, TCP, PACKET_PROTOCOL);
  store<u8>(own, flags, PACKET_TCP_FLAGS);
  store<u8>(own, <u8>(length - header), PACKET_TCP_DATA_OFFSET);
  store<u32>(own, length, PACKET_LENGTH);
  store<u16>(own, given & MSS ? size : 0, PACKET_MSS);
  store<u32>(own, kinds, PACKET_TCP_OPTIONS);
  if (!segmentKnown) return;
  memory.fill(bytes, 0, header + TCP_HEADER);
  if (addressBytes == 4) writeIpv4(own, bytes, length);
  else writeIpv6(own, bytes, length);
  const tcp = bytes + header;
  store<u16>(tcp, bswap<u16>(load<u16>(own, PACKET_SOURCE_PORT)));
  store<u16>(tcp, bswap<u16>(load<u16>(own, PACKET_DESTINATION_PORT)), 2);
  store<u32>(tcp, bswap<u32>(sequence), 4);
  store<u32>(tcp, bswap<u32>(ack), 8);
  store<u8>(tcp, <u8>((length - header) << 2), 12);
  store<u8>(tcp, flags, 13);
  store<u16>(tcp, bswap<u16>(window), 14);
  store<u32>(own, <u32>bytes, PACKET_PAYLOAD);
  store<u32>(own, length, PACKET_PAYLOAD_LENGTH);
}

function writeIpv4(own: usize, bytes: usize, length: u32): void {
  store<u8>(bytes, 0x45);
  store<u16>(bytes, bswap<u16>(<u16>length), 2);
  // Never in fragments.
  store<u8>(bytes, 0x40, 6);
  store<u8>(bytes, load<u8>(own, PACKET_TTL), 8);
  store<u8>(bytes, TCP, 9);
  store<u32>(bytes, load<u32>(own, PACKET_SOURCE), 12);
  store<u32>(bytes, load<u32>(own, PACKET_DESTINATION), 16);
  let sum: u32 = 0;
  for (let at: usize = 0; at < 20; at += 2) sum += bswap<u16>(load<u16>(bytes + at));
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  store<u16>(bytes, bswap<u16>(<u16>~sum), 10);
}

function writeIpv6(own: usize, bytes: usize, length: u32): void {
  store<u8>(bytes, 0x60);
  store<u16>(bytes, bswap<u16>(<u16>(length - 40)), 4);
  store<u8>(bytes, TCP, 6);
  store<u8>(bytes, load<u8>(own, PACKET_TTL), 7);
  v128.store(bytes, v128.load(own, PACKET_SOURCE), 8);
  v128.store(bytes, v128.load(own, PACKET_DESTINATION), 24);
}

/** The options in hand, in words of four bytes; where they end. */
function writeOptions(at: usize): usize {
  if (given & MSS) at = word(at, KIND_SIZE, 4, <u8>(size >> 8), <u8>size);
  if (given & TIMES) {
    at = given & SACK ? word(at, KIND_SACK, 2, KIND_TIMES, 10) : word(at, NOTHING, NOTHING, KIND_TIMES, 10);
    store<u32>(at, bswap<u32>(time));
    store<u32>(at, bswap<u32>(echo), 4);
    at += 8;
  } else if (given & SACK) at = word(at, NOTHING, NOTHING, KIND_SACK, 2);
  return given & SCALE ? word(at, NOTHING, KIND_SCALE, 3, scale) : at;
}

function word(at: usize, first: u8, second: u8, third: u8, fourth: u8): usize {
  store<u8>(at, first);
  store<u8>(at, second, 1);
  store<u8>(at, third, 2);
  store<u8>(at, fourth, 3);
  return at + 4;
}
