/** Addresses and what stands behind them: a prefix length, a port. See values.ts for what a reader is. */
import { decimal, hexDigit, readDecimal } from "./numbers";

const DOT: u32 = 46;
const SLASH: u32 = 47;
const ZERO: u32 = 48;
const COLON: u32 = 58;
const OPEN: u32 = 91;
const CLOSE: u32 = 93;

/** Four octets into four bytes. */
export function readAddress(at: usize, into: usize): usize {
  let address: u32 = 0;
  for (let shift: u32 = 0; ; shift += 8) {
    let octet = <u32>load<u8>(at) - ZERO;
    if (octet > 9) return 0;
    let next = <u32>load<u8>(at, 1) - ZERO;
    at++;
    if (next <= 9) {
      if (!octet) return 0;
      octet = octet * 10 + next;
      next = <u32>load<u8>(at, 1) - ZERO;
      at++;
      if (next <= 9) {
        octet = octet * 10 + next;
        if (octet > 255) return 0;
        at++;
      }
    }
    address |= octet << shift;
    if (shift == 24) break;
    if (load<u8>(at++) != DOT) return 0;
  }
  store<u32>(into, address);
  return at;
}

/** `address[/length]` into address, cut by its mask, and mask. */
export function readMasked(at: usize, into: usize): usize {
  at = readAddress(at, into);
  if (!at) return 0;
  let mask: u32 = 0xffffffff;
  if (load<u8>(at) == SLASH) {
    at = readDecimal(at + 1, 32);
    if (!at) return 0;
    mask = decimal ? bswap<u32>(0xffffffff << (32 - decimal)) : 0;
  }
  store<u32>(into, load<u32>(into) & mask);
  store<u32>(into, mask, 4);
  return at;
}

/** A colon and a port, behind an address that ends at `at`. */
export function readNatPort(at: usize, into: usize): usize {
  if (!at || load<u8>(at) != COLON) return 0;
  at = readDecimal(at + 1, 65535);
  store<u16>(into, <u16>decimal, 16);
  store<u16>(into, <u16>decimal, 18);
  return at;
}

/** Groups of up to four hexadecimal digits, one gap of two colons; no embedded IPv4 address. */
export function readAddress6(at: usize, into: usize): usize {
  let count: u32 = 0;
  let gap: i32 = -1;
  if (load<u16>(at) == 0x3a3a) {
    gap = 0;
    at += 2;
  }
  while (true) {
    let digit = hexDigit(load<u8>(at));
    if (digit > 15) {
      // Only a gap may end the address.
      if (gap != <i32>count) return 0;
      break;
    }
    if (count == 8) return 0;
    let group: u32 = 0;
    const first = at;
    while (digit <= 15) {
      if (at - first == 4) return 0;
      group = (group << 4) | digit;
      digit = hexDigit(load<u8>(++at));
    }
    store<u16>(into + (count << 1), bswap<u16>(<u16>group));
    count++;
    if (load<u8>(at) != COLON) break;
    at++;
    if (load<u8>(at) == COLON) {
      if (gap >= 0) return 0;
      gap = count;
      at++;
    } else if (hexDigit(load<u8>(at)) > 15) return 0;
  }
  if (load<u8>(at) == DOT || load<u8>(at) == COLON) return 0;
  if (gap < 0) return count == 8 ? at : 0;
  if (count > 7) return 0;
  let from: i32 = count - 1;
  for (let to: i32 = 7; to >= gap; to--) {
    const group = from >= gap ? load<u16>(into + (from << 1)) : 0;
    store<u16>(into + (to << 1), group);
    from--;
  }
  return at;
}

/** `address[/length]` into 16 bytes of address, cut by its mask, and 16 of mask. */
export function readMasked6(at: usize, into: usize): usize {
  at = readAddress6(at, into);
  if (!at) return 0;
  let length: u32 = 128;
  if (load<u8>(at) == SLASH) {
    at = readDecimal(at + 1, 128);
    if (!at) return 0;
    length = decimal;
  }
  const high: u64 = length >= 64 ? 0xffffffffffffffff : length ? 0xffffffffffffffff << (64 - length) : 0;
  const low: u64 = length > 64 ? 0xffffffffffffffff << (128 - length) : 0;
  store<u64>(into, bswap<u64>(high), 16);
  store<u64>(into, bswap<u64>(low), 24);
  v128.store(into, v128.and(v128.load(into), v128.load(into, 16)));
  return at;
}

/** `[address]:port`. */
export function readNat6Port(at: usize, into: usize): usize {
  if (load<u8>(at) != OPEN) return 0;
  at = readAddress6(at + 1, into);
  return at && load<u8>(at) == CLOSE ? readNatPort(at + 1, into) : 0;
}
