/** Numbers in the forms that iptables-save prints. See values.ts for what a reader is. */

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
