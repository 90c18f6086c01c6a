/** Addresses and device names as numbers: a prefix is an interval of them. */
import { type Bound, complement, type IntervalSet } from "./interval-set.js";

/** The bytes as one number, of `number` type where four do. */
export function bigEndian(bytes: Uint8Array, at: number, width: number): Bound {
  if (width === 4) return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0);
  let value = 0n;
  for (let i = 0; i < width; i++) value = (value << 8n) | BigInt(bytes[at + i] as number);
  return value;
}

export function addressLimit(width: number): Bound {
  return width === 4 ? 2 ** 32 : 1n << BigInt(8 * width);
}

/** Numbers whose first `bits` bits are those of `value`. */
export function prefixSet(value: Bound, bits: number, width: number): IntervalSet {
  if (typeof value === "number") {
    const size = 2 ** (32 - bits);
    const first = Math.floor(value / size) * size;
    return [first, first + size];
  }
  const shift = BigInt(8 * width - bits);
  const first = (value >> shift) << shift;
  return [first, first + (1n << shift)];
}

/** Numbers from `first` to `last`. */
export function rangeSet(first: Bound, last: Bound): IntervalSet {
  if (first > last) return [];
  return typeof last === "bigint" ? [first, last + 1n] : [first, last + 1];
}

export function invertedIf(inverted: boolean, set: IntervalSet, limit: Bound): IntervalSet {
  return inverted ? complement(set, limit) : set;
}
