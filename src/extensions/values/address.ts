/**
 * IP addresses between text and their bytes in network order. Fields hold 16 bytes; an IPv4 address fills the first
 * four. iptables reads addresses in two ways: `-s` and `-d` take what old tools took (10.1, 0x0a.1.2.3), all others take
 * what inet_pton takes.
 */
import type { ByteWriter } from "../byte-writer.js";
import { hexDigit, wholeNumber } from "./number.js";

/** Reads an address as inet_pton does; false when bytes `start` to `end` are none. */
export function readAddress(
  bytes: Uint8Array,
  start: number,
  end: number,
  width: 4 | 16,
  out: Uint8Array,
  at: number,
): boolean {
  return width === 4 ? readIPv4(bytes, start, end, out, at) : readIPv6(bytes, start, end, out, at);
}

/** Four decimal octets, no leading zero. */
export function readIPv4(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): boolean {
  let octet = 0;
  let digits = 0;
  let part = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte >= 48 && byte <= 57) {
      if (digits > 0 && octet === 0) return false;
      octet = octet * 10 + byte - 48;
      if (octet > 255) return false;
      digits++;
    } else if (byte === 46 && digits > 0 && part < 3) {
      out[at + part++] = octet;
      octet = 0;
      digits = 0;
    } else return false;
  }
  if (part !== 3 || digits === 0) return false;
  out[at + 3] = octet;
  return true;
}

/** One to four octets of any base, missing ones zero: "10.1" is 10.1.0.0. A mask needs all four. */
export function readLooseIPv4(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  isMask: boolean,
): boolean {
  let from = start;
  let part = 0;
  out.fill(0, at, at + 4);
  for (;;) {
    const dot = bytes.indexOf(46, from);
    const to = part < 3 && dot >= 0 && dot < end ? dot : end;
    const octet = wholeNumber(bytes, from, to, 0, 255);
    if (octet < 0) return false;
    out[at + part++] = octet;
    if (to === end) return part === 4 || !isMask;
    from = to + 1;
  }
}

const groups = new Uint16Array(8);

/** RFC 4291 text, an embedded IPv4 address at its end included. */
export function readIPv6(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): boolean {
  let count = 0;
  let gap = -1;
  let i = start;
  if (i + 1 < end && bytes[i] === 58) {
    if (bytes[i + 1] !== 58) return false;
    gap = 0;
    i += 2;
  }
  while (i < end) {
    const first = i;
    let value = 0;
    for (; i < end; i++) {
      const digit = hexDigit(bytes[i] as number);
      if (digit < 0) break;
      value = (value << 4) | digit;
      if (i - first === 4) return false;
    }
    if (i < end && bytes[i] === 46) {
      if (count > 6 || !readIPv4(bytes, first, end, out, at)) return false;
      groups[count++] = ((out[at] as number) << 8) | (out[at + 1] as number);
      groups[count++] = ((out[at + 2] as number) << 8) | (out[at + 3] as number);
      i = end;
      break;
    }
    if (i === first || count === 8) return false;
    groups[count++] = value;
    if (i === end) break;
    if (bytes[i] !== 58) return false;
    i++;
    if (i < end && bytes[i] === 58) {
      if (gap >= 0) return false;
      gap = count;
      i++;
    } else if (i === end) return false;
  }
  if (gap < 0 ? count !== 8 : count > 7) return false;
  const missing = 8 - count;
  for (let group = 0, from = 0; group < 8; group++) {
    const value = gap >= 0 && group >= gap && group < gap + missing ? 0 : (groups[from++] as number);
    out[at + 2 * group] = value >>> 8;
    out[at + 2 * group + 1] = value & 255;
  }
  return true;
}

/** The mask of `length` leading ones in `width` bytes. */
export function writePrefixMask(length: number, width: number, out: Uint8Array, at: number): void {
  for (let i = 0, left = length; i < width; i++, left -= 8)
    out[at + i] = left >= 8 ? 255 : left > 0 ? 0xff00 >> left : 0;
}

/** Leading ones of a mask, or -1 when a one follows a zero. */
export function prefixLength(bytes: Uint8Array, at: number, width: number): number {
  let length = 0;
  for (let i = 0; i < width; i += 4) {
    const word =
      ((bytes[at + i] as number) << 24) |
      ((bytes[at + i + 1] as number) << 16) |
      ((bytes[at + i + 2] as number) << 8) |
      (bytes[at + i + 3] as number);
    const ones = Math.clz32(~word);
    if (length < 8 * i ? word !== 0 : ones < 32 && word << ones !== 0) return -1;
    length += ones;
  }
  return length;
}

export function printAddress(out: ByteWriter, bytes: Uint8Array, at: number, width: 4 | 16): void {
  if (width === 4) printIPv4(out, bytes, at);
  else printIPv6(out, bytes, at);
}

/** A mask as `/24`, as `/255.0.255.0` where it has gaps. */
export function printMask(out: ByteWriter, bytes: Uint8Array, at: number, width: 4 | 16): void {
  out.byte(47);
  const length = prefixLength(bytes, at, width);
  if (length < 0) printAddress(out, bytes, at, width);
  else out.number(length);
}

/** A mask as printMask has it, nothing for one of a single address. */
export function printMaskUnlessFull(out: ByteWriter, bytes: Uint8Array, at: number, width: 4 | 16): void {
  if (prefixLength(bytes, at, width) !== 8 * width) printMask(out, bytes, at, width);
}

function printIPv4(out: ByteWriter, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 4; i++) {
    if (i > 0) out.byte(46);
    out.number(bytes[at + i] as number);
  }
}

/** As inet_ntop prints it: the longest run of two and more zero groups is `::`, IPv4-mapped and -compatible end in IPv4. */
function printIPv6(out: ByteWriter, bytes: Uint8Array, at: number): void {
  let gap = -1;
  let gapLength = 1;
  for (let first = 0; first < 8; first++) {
    let length = 0;
    while (first + length < 8 && groupAt(bytes, at, first + length) === 0) length++;
    if (length > gapLength) {
      gap = first;
      gapLength = length;
    }
    first += length;
  }
  const mapped = gap === 0 && (gapLength === 6 || (gapLength === 5 && groupAt(bytes, at, 5) === 0xffff));
  for (let group = 0; group < 8; group++) {
    if (group === gap) {
      out.byte(58);
      group += gapLength - 1;
      if (group === 7) out.byte(58);
      continue;
    }
    if (group > 0) out.byte(58);
    if (mapped && group === 6) {
      printIPv4(out, bytes, at + 12);
      return;
    }
    out.hexadecimal(groupAt(bytes, at, group));
  }
}

function groupAt(bytes: Uint8Array, at: number, group: number): number {
  return ((bytes[at + 2 * group] as number) << 8) | (bytes[at + 2 * group + 1] as number);
}
