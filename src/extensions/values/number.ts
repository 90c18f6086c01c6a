/**
 * Numbers as iptables reads them: C's strtoul with base 0, so decimal, 0x hexadecimal or 0 octal, white space and a plus
 * in front, never a minus.
 */

/** Where the number that was read last ended. */
export let numberEnd = 0;

/** The unsigned number at `start`, or -1 where there is none; exact up to 2^53, more above. Sets `numberEnd`. */
export function readNumber(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  let digit = i < end ? (bytes[i] as number) - 48 : -1;
  // The common case: decimal and short.
  if (digit > 0 && digit < 10) {
    let value = digit;
    for (i++; i < end; i++) {
      digit = (bytes[i] as number) - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    numberEnd = i;
    return value;
  }
  while (i < end && isSpace(bytes[i] as number)) i++;
  if (i < end && bytes[i] === 43) i++;
  if (i === end) return -1;
  let base = 10;
  if (bytes[i] === 48) {
    base = 8;
    if (i + 2 < end && ((bytes[i + 1] as number) | 32) === 120 && hexDigit(bytes[i + 2] as number) >= 0) {
      base = 16;
      i += 2;
    }
  }
  const first = i;
  let value = 0;
  for (; i < end; i++) {
    digit = hexDigit(bytes[i] as number);
    if (digit < 0 || digit >= base) break;
    value = value * base + digit;
  }
  numberEnd = i;
  return i === first ? -1 : value;
}

/** The number that is exactly bytes `start` to `end`, at least `minimum` and at most `maximum`, or -1. */
export function wholeNumber(bytes: Uint8Array, start: number, end: number, minimum: number, maximum: number): number {
  const value = readNumber(bytes, start, end);
  return value >= minimum && value <= maximum && numberEnd === end ? value : -1;
}

/** The same with base 10, as getaddrinfo reads ports: a zero in front says nothing, `0x` is none. */
export function decimalNumber(bytes: Uint8Array, start: number, end: number, minimum: number, maximum: number): number {
  let i = start;
  while (i < end && isSpace(bytes[i] as number)) i++;
  if (i < end && bytes[i] === 43) i++;
  if (i === end) return -1;
  let value = 0;
  for (; i < end; i++) {
    const digit = (bytes[i] as number) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value >= minimum && value <= maximum ? value : -1;
}

/** Value of a hexadecimal digit, or -1. */
export function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

/** Decimal digits `start` to `end` as an unsigned 64-bit number into two words at `out[at]`, low first; false if they are none. */
export function readCounter(bytes: Uint8Array, start: number, end: number, out: Uint32Array, at: number): boolean {
  if (start === end) return false;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - 48;
    if (digit < 0 || digit > 9) return false;
    value = value * 10 + digit;
  }
  if (end - start <= 15) {
    out[at] = value >>> 0;
    out[at + 1] = Math.floor(value / 2 ** 32);
    return true;
  }
  let exact = 0n;
  for (let i = start; i < end; i++) exact = exact * 10n + BigInt((bytes[i] as number) - 48);
  if (exact >= 1n << 64n) return false;
  out[at] = Number(exact & 0xffffffffn);
  out[at + 1] = Number(exact >> 32n);
  return true;
}
