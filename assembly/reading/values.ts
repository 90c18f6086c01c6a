/**
 * The values of a line's options, as iptables-save prints them: canonical forms alone. A value in any other form is not
 * read here (0), and the line is left to the parser that knows all of them.
 *
 * A reader takes the address of the value's first byte, leaves what it found at `into`, and returns the address behind it.
 * What follows there is for the next literal to see, which begins with white space or is the line's end.
 */
import { INTERFACE_SIZE } from "../../src/blob/layout";
import {
  MULTIPORT_COUNT,
  MULTIPORT_PORTS,
  MULTIPORT_PORTS_COUNT,
  MULTIPORT_RANGES,
  NAT_ADDRESS_MAX,
  NAT_ADDRESS_MIN,
  NAT_PORT_MIN,
  SET_NAME_BYTES,
} from "../../src/blob/payloads";
import {
  READING_COMMENT_LIMIT,
  READING_END,
  VALUE_ADDRESS,
  VALUE_ADDRESS6,
  VALUE_COMMENT,
  VALUE_INTERFACE,
  VALUE_JUMP,
  VALUE_MARK,
  VALUE_NAME,
  VALUE_NAT,
  VALUE_NAT6,
  VALUE_NAT6_PORT,
  VALUE_NAT_PORT,
  VALUE_PORT_LIST,
  VALUE_PORTS,
  VALUE_PORTS_LOOSE,
  VALUE_PROBABILITY,
} from "../../src/blob/reading";
import { readAddress, readAddress6, readMasked, readMasked6, readNat6Port, readNatPort } from "./addresses";
import { decimal, readDecimal, readMark } from "./numbers";
import { pendFor, VALUE_PENDING } from "./pending";

const QUOTE: u32 = 34;
const PLUS: u32 = 43;
const COMMA: u32 = 44;
const ZERO: u32 = 48;
const COLON: u32 = 58;
const BACKSLASH: u32 = 92;

/** The bytes of the comment that was read last, without escapes. */
export let commentStart: usize = 0;
export let commentEnd: usize = 0;

/** Reads a value of a kind that depends on nothing but its bytes; 0 where they are none. */
export function readValue(kind: u32, at: usize, into: usize): usize {
  switch (kind) {
    case VALUE_ADDRESS:
      return readMasked(at, into);
    case VALUE_NAT_PORT:
      return readNatPort(readAddress(at, into), into);
    case VALUE_PORTS:
      return readPorts(at, into, false);
    case VALUE_PORTS_LOOSE:
      return readPorts(at, into, true);
    case VALUE_PROBABILITY:
      return readProbability(at, into);
    case VALUE_INTERFACE:
      return readInterface(at, into);
    case VALUE_MARK:
      return readMark(at, into);
    case VALUE_PORT_LIST:
      return readPortList(at, into);
    case VALUE_NAME:
      return readName(at, into, SET_NAME_BYTES);
    case VALUE_NAT:
      return readAddress(at, into);
    case VALUE_ADDRESS6:
      return readMasked6(at, into);
    case VALUE_NAT6:
      return readAddress6(at, into);
    case VALUE_NAT6_PORT:
      return readNat6Port(at, into);
    default:
      return 0;
  }
}

/** Writes a value that was left at `from` to its field in a row. */
export function writeValue(kind: u32, from: usize, field: usize): void {
  switch (kind) {
    case VALUE_ADDRESS:
    case VALUE_MARK:
      store<u64>(field, load<u64>(from));
      break;
    case VALUE_JUMP:
    case VALUE_COMMENT: {
      const pending = load<u32>(from, VALUE_PENDING);
      if (pending) pendFor(pending, field);
      else store<u32>(field, load<u32>(from));
      break;
    }
    case VALUE_PORTS:
    case VALUE_PORTS_LOOSE:
    case VALUE_PROBABILITY:
      store<u32>(field, load<u32>(from));
      break;
    case VALUE_NAT_PORT:
    case VALUE_NAT:
      if (kind == VALUE_NAT_PORT) store<u32>(field + NAT_PORT_MIN, load<u32>(from, 16));
      store<u32>(field + NAT_ADDRESS_MIN, load<u32>(from));
      store<u32>(field + NAT_ADDRESS_MAX, load<u32>(from));
      break;
    case VALUE_NAT6_PORT:
    case VALUE_NAT6:
      if (kind == VALUE_NAT6_PORT) store<u32>(field + NAT_PORT_MIN, load<u32>(from, 16));
      v128.store(field + NAT_ADDRESS_MIN, v128.load(from));
      v128.store(field + NAT_ADDRESS_MAX, v128.load(from));
      break;
    case VALUE_PORT_LIST:
      store<u8>(field, load<u8>(from), MULTIPORT_COUNT);
      store<u16>(field, load<u16>(from, LIST_RANGES), MULTIPORT_RANGES);
      for (let i: usize = 0; i < 2 * MULTIPORT_PORTS_COUNT; i += 2)
        store<u16>(field + MULTIPORT_PORTS + i, load<u16>(from + LIST_PORTS + i));
      break;
    case VALUE_ADDRESS6:
    case VALUE_INTERFACE:
    case VALUE_NAME:
      v128.store(field, v128.load(from));
      v128.store(field + 16, v128.load(from, 16));
  }
}

/** The first byte from `at` on that ends an argument: white space, a quote, or what is no text. */
export function wordEnd(at: usize): usize {
  let end = at;
  while (true) {
    const bytes = v128.load(end);
    const stops = v128.or(v128.le<u8>(bytes, v128.splat<u8>(32)), v128.eq<u8>(bytes, v128.splat<u8>(<u8>QUOTE)));
    const bits = v128.bitmask<i8>(stops);
    if (bits) return end + ctz(bits);
    end += 16;
  }
}

/** Text in quotes, or a word. Leaves commentStart and commentEnd. */
export function readComment(at: usize): usize {
  commentStart = at;
  if (load<u8>(at) != QUOTE) {
    commentEnd = wordEnd(at);
    return commentEnd > at && commentEnd - at <= <usize>READING_COMMENT_LIMIT ? commentEnd : 0;
  }
  commentStart = ++at;
  while (true) {
    const bytes = v128.load(at);
    const stops = v128.or(
      v128.or(v128.eq<u8>(bytes, v128.splat<u8>(<u8>QUOTE)), v128.eq<u8>(bytes, v128.splat<u8>(<u8>BACKSLASH))),
      v128.or(v128.eq<u8>(bytes, v128.splat<u8>(10)), v128.eq<u8>(bytes, v128.splat<u8>(0))),
    );
    const bits = v128.bitmask<i8>(stops);
    if (bits) {
      commentEnd = at + ctz(bits);
      if (load<u8>(commentEnd) == BACKSLASH) return readEscaped();
      return load<u8>(commentEnd) == QUOTE && commentEnd - commentStart <= <usize>READING_COMMENT_LIMIT
        ? commentEnd + 1
        : 0;
    }
    at += 16;
  }
}

/** Goes on at the first escape of a comment: puts the text together behind the file's. */
function readEscaped(): usize {
  const start: usize = load<u32>(READING_END) + 1;
  const plain = commentEnd - commentStart;
  if (plain > <usize>READING_COMMENT_LIMIT) return 0;
  memory.copy(start, commentStart, plain);
  let to = start + plain;
  let at = commentEnd;
  while (true) {
    let byte = <u32>load<u8>(at++);
    if (byte == QUOTE) break;
    if (byte == BACKSLASH) byte = load<u8>(at++);
    if (byte == 10 || !byte || to - start == <usize>READING_COMMENT_LIMIT) return 0;
    store<u8>(to++, <u8>byte);
  }
  commentStart = start;
  commentEnd = to;
  return at;
}

/** A port or a range of them into both ends. */
function readPorts(at: usize, into: usize, loose: bool): usize {
  at = readDecimal(at, 65535);
  if (!at) return 0;
  const first = decimal;
  if (load<u8>(at) == COLON) {
    at = readDecimal(at + 1, 65535);
    if (!at || (first > decimal && !loose)) return 0;
  }
  store<u16>(into, <u16>first);
  store<u16>(into, <u16>decimal, 2);
  return at;
}

/** Where a list of ports keeps its ranges (bit n: entry n begins one) and its entries; their number comes first. */
const LIST_RANGES: usize = 2;
const LIST_PORTS: usize = 4;

/** Ports and ranges with commas between them, at most MULTIPORT_PORTS_COUNT numbers. */
function readPortList(at: usize, into: usize): usize {
  let count: u32 = 0;
  let ranges: u32 = 0;
  memory.fill(into, 0, LIST_PORTS + 2 * MULTIPORT_PORTS_COUNT);
  while (true) {
    at = readDecimal(at, 65535);
    if (!at || count == MULTIPORT_PORTS_COUNT) return 0;
    const first = decimal;
    store<u16>(into + LIST_PORTS + (count << 1), <u16>first);
    if (load<u8>(at) == COLON) {
      at = readDecimal(at + 1, 65535);
      ranges |= 1 << count++;
      if (!at || decimal <= first || count == MULTIPORT_PORTS_COUNT) return 0;
      store<u16>(into + LIST_PORTS + (count << 1), <u16>decimal);
    }
    count++;
    if (load<u8>(at) != COMMA) break;
    at++;
  }
  store<u8>(into, <u8>count);
  store<u16>(into + LIST_RANGES, <u16>ranges);
  return at;
}

/** `0.` and up to 15 digits, in units of 1/2^31. Both operands of the division are exact, so it rounds correctly. */
function readProbability(at: usize, into: usize): usize {
  if (load<u16>(at) != 0x2e30) return 0;
  let digits: u64 = 0;
  let power: f64 = 1;
  const first = at + 2;
  for (at = first; ; at++) {
    const digit = <u32>load<u8>(at) - ZERO;
    if (digit > 9) break;
    if (at - first == 15) return 0;
    digits = digits * 10 + digit;
    power *= 10;
  }
  if (at == first) return 0;
  store<u32>(into, <u32>Math.floor(2147483648 * (<f64>digits / power) + 0.5));
  return at;
}

/** A name, and a mask that covers it with its zero byte, or up to a plus at its end. */
function readInterface(at: usize, into: usize): usize {
  const end = wordEnd(at);
  const length = end - at;
  const plus = load<u8>(end - 1) == PLUS;
  if (!length || length >= <usize>INTERFACE_SIZE || (plus && length == 1)) return 0;
  const covered = plus ? length - 1 : length + 1;
  store<u64>(into, 0);
  store<u64>(into, 0, 8);
  store<u64>(into, 0, 16);
  store<u64>(into, 0, 24);
  for (let i: usize = 0; i < length; i++) store<u8>(into + i, load<u8>(at + i));
  for (let i: usize = 0; i < covered; i++) store<u8>(into + i, 255, 16);
  return end;
}

/** A word into a field of `size` bytes, at most 32, one of them zero. */
function readName(at: usize, into: usize, size: usize): usize {
  const end = wordEnd(at);
  const length = end - at;
  if (!length || length >= size) return 0;
  for (let i: usize = 0; i < 32; i += 8) store<u64>(into + i, 0);
  for (let i: usize = 0; i < length; i++) store<u8>(into + i, load<u8>(at + i));
  return end;
}
