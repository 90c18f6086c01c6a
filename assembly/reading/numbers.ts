/** Numbers in the forms that iptables-save prints. See values.ts for what a reader is. */

const SLASH: u32 = 47;
const ZERO: u32 = 48;

/** What readDecimal read. */
export let decimal: u32 = 0;

/** A decimal number of at most `most`, without leading zeros. */
export function readDecimal(at: usize, most: u32): usize {
  let digit = <u32>load<u8>(at) - ZERO;
  if (digit > 9) return 0;
  let value: u64 = digit;
  const single = digit == 0;
  for (at++; ; at++) {
    digit = <u32>load<u8>(at) - ZERO;
    if (digit > 9) break;
    if (single) return 0;
    value = value * 10 + digit;
    if (value > 0xffffffff) return 0;
  }
  decimal = <u32>value;
  return decimal <= most ? at : 0;
}

/** 16 and more where it is none. */
export function hexDigit(byte: u32): u32 {
  const digit = byte - ZERO;
  if (digit <= 9) return digit;
  const letter = (byte | 32) - 97;
  return letter <= 5 ? letter + 10 : 255;
}

/** `value[/mask]` into both, each `0x` and hexadecimal digits, or decimal. */
export function readMark(at: usize, into: usize): usize {
  at = readBits(at, into);
  if (!at) return 0;
  if (load<u8>(at) == SLASH) return readBits(at + 1, into + 4);
  store<u32>(into, 0xffffffff, 4);
  return at;
}

function readBits(at: usize, into: usize): usize {
  if (load<u16>(at) != 0x7830) {
    at = readDecimal(at, 0xffffffff);
    store<u32>(into, decimal);
    return at;
  }
  let value: u32 = 0;
  const first = at + 2;
  for (at = first; ; at++) {
    const digit = hexDigit(load<u8>(at));
    if (digit > 15) break;
    if (at - first == 8) return 0;
    value = (value << 4) | digit;
  }
  store<u32>(into, value);
  return at == first ? 0 : at;
}
