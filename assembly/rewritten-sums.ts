/**
 * Bytes of a packet that are written over for a while (rewritten.ts): a log of what was there, and what the changes are to the
 * checksums that they count in (RFC 1624). Halfwords count as they lie in memory: a one's complement sum does not mind.
 */
import { READER_REWRITTEN } from "../src/blob/memory";
import { reader } from "./packet";

/** Which of the sums a halfword counts in. */
export const NONE: u32 = 0;
export const NETWORK: u32 = 1;
export const TRANSPORT: u32 = 2;
/** Of the packet that an ICMP error quotes. */
export const QUOTED_NETWORK: u32 = 4;
export const QUOTED_TRANSPORT: u32 = 8;

/** A patch: the address of a halfword, and what was there. */
const PATCH_BYTES: u32 = 8;
const PATCHES_MOST: u32 = 120;
/** Where a segment is laid out that has become longer, behind the log. */
const LONGER: u32 = PATCHES_MOST * PATCH_BYTES;
export const LONGER_MOST: u32 = 320;
/** Bytes that this takes of what a reader has of its own. */
export const REWRITTEN_BYTES: u32 = LONGER + LONGER_MOST;

/** The packet's first byte. */
export let base: usize = 0;
export let patches: u32 = 0;
export let networkSum: u32 = 0;
export let transportSum: u32 = 0;
export let quotedNetworkSum: u32 = 0;
export let quotedTransportSum: u32 = 0;
let log: usize = 0;

export function patchesBegin(bytes: usize): void {
  base = bytes;
  patches = 0;
  log = load<u32>(reader, READER_REWRITTEN);
  networkSum = transportSum = quotedNetworkSum = quotedTransportSum = 0;
}

/** Room for the longer segment, which is the packet from now on. */
export function patchesMove(): usize {
  base = log + LONGER;
  return base;
}

/** Takes back what was written. */
export function asTheyCame(): void {
  while (patches) {
    patches--;
    const entry = log + patches * PATCH_BYTES;
    store<u16>(load<u32>(entry), load<u16>(entry, 4));
  }
}

/** The checksum at `at` for the changes that `sum` has counted. */
export function carryOn(at: usize, sum: u32): void {
  let total = (<u32>~load<u16>(at) & 0xffff) + sum;
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  patchHalf(at, <u16>~total, NONE);
}

export function patchPorts(at: usize, source: u16, destination: u16, bits: u32): void {
  patchHalf(at, bswap<u16>(source), bits);
  patchHalf(at + 2, bswap<u16>(destination), bits);
}

export function patchBytes(at: usize, wanted: usize, bytes: u32, bits: u32): void {
  for (let i: u32 = 0; i < bytes; i += 2) patchHalf(at + i, load<u16>(wanted + i), bits);
}

/** A byte counts as the halfword that it lies in. */
export function patchByte(at: usize, value: u8, bits: u32): void {
  const odd = (at - base) & 1;
  const half = load<u16>(at - odd);
  patchHalf(at - odd, odd ? (half & 0xff) | ((<u16>value) << 8) : (half & 0xff00) | value, bits);
}

/** `value` as it lies in memory. */
export function patchHalf(at: usize, value: u16, bits: u32): void {
  const old = load<u16>(at);
  if (old == value || patches == PATCHES_MOST) return;
  const entry = log + patches++ * PATCH_BYTES;
  store<u32>(entry, <u32>at);
  store<u16>(entry, old, 4);
  store<u16>(at, value);
  count(old, value, bits);
}

/** A halfword that was `old` and is `now`, in the sums of `bits`. */
export function count(old: u16, now: u16, bits: u32): void {
  const change = (<u32>~old & 0xffff) + now;
  if (bits & NETWORK) networkSum += change;
  if (bits & TRANSPORT) transportSum += change;
  if (bits & QUOTED_NETWORK) quotedNetworkSum += change;
  if (bits & QUOTED_TRANSPORT) quotedTransportSum += change;
}
