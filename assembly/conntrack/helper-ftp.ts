/**
 * FTP's control connection (nf_conntrack_ftp.c): the client says by PORT and EPRT where it listens, the server by what answers
 * PASV and EPSV. Only what begins a line is read, so the numbers behind the last lines' ends are kept of each direction; the first
 * data of either are behind none.
 *
 *     PORT 10,0,0,9,20,1\r\n      EPRT |2|fd00:1::9|5121|\r\n
 *     227 Entering Passive Mode (198,51,100,7,30,5)\r\n      229 Entering Extended Passive Mode (|||7685|)\r\n
 *
 * One that begins so and does not go on so is dropped: what it means cannot be told. One that names another host than its sender
 * expects nothing.
 */
import {
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  HELPED_COUNT,
  HELPED_LINES_MOST,
  NODE_TUPLE,
  TUPLE_DESTINATION,
  TUPLE_SOURCE,
} from "../../src/blob/connections";
import { VERDICT_ACCEPT, VERDICT_DROP } from "../../src/blob/layout";
import { addressBytes } from "../packet";
import { readAddress6 } from "../reading/addresses";
import { helpedOf, shiftFrom } from "./helped";
import { digits, EXPECTED_MS, expectAt, NOWHERE, rewrites } from "./helper-expect";
import { data, dataEnd, readData } from "./helper-read";
import { after, before, segmentSequence } from "./segment";
import { connection, direction, scratchTuple } from "./track";

/** One connection is expected at a time. */
const MOST: u32 = 1;
/** What lines begin with, little-endian; letters in either case. */
const PORT: u32 = 0x74726f70;
const EPRT: u32 = 0x74727065;
const PASSIVE: u32 = 0x20373232;
const EXTENDED: u32 = 0x20393232;
const WORD_BYTES: u32 = 4;

/** Of an address of IPv6, all digits of it. */
const ADDRESS6_TEXT: u32 = 39;

const NEWLINE: u8 = 10;
const RETURN: u8 = 13;
const SPACE: u8 = 32;
const OPEN: u8 = 40;
const COMMA: u8 = 44;
const DOT: u8 = 46;
const NOTHING: u8 = 0;

/** Whether a line says where to: no, so far but not to its end, yes. */
const OTHER: u32 = 0;
const PARTIAL: u32 = 1;
const SAID: u32 = 2;

/** Where to: an address in scratch, and a port; and how many bytes say so. */
let port: u16 = 0;
let said: u32 = 0;

/** Reads the packet in hand; a VERDICT_*. */
export function readLine(): u32 {
  if (!readData()) return VERDICT_ACCEPT;
  if (beginsLine()) {
    const source = connection + (direction ? CONNECTION_REPLY : CONNECTION_ORIGINAL) + NODE_TUPLE + TUPLE_SOURCE;
    const address = scratchTuple(10);
    v128.store(address, v128.load(source));
    let word = direction ? PASSIVE : PORT;
    let found = read(data, dataEnd, word);
    if (found == OTHER) {
      word = direction ? EXTENDED : EPRT;
      found = read(data, dataEnd, word);
    }
    if (found == PARTIAL) return VERDICT_DROP;
    if (found == SAID && !v128.any_true(v128.xor(v128.load(address), v128.load(source)))) {
      const chosen = expectAt(direction, port, MOST, false, EXPECTED_MS);
      if (chosen != NOWHERE && rewrites()) rewrite(word, <u32>chosen);
      noteEnd();
      return chosen == NOWHERE ? <u32>VERDICT_DROP : <u32>VERDICT_ACCEPT;
    }
  }
  noteEnd();
  return VERDICT_ACCEPT;
}

/** NAT's helper writes whom the other end sees, and at what port, over what was said (nf_nat_ftp.c). */
function rewrite(word: u32, chosen: u32): void {
  const address = connection + (direction ? CONNECTION_ORIGINAL : CONNECTION_REPLY) + NODE_TUPLE + TUPLE_DESTINATION;
  let length: u32 =
    word == EXTENDED || word == EPRT ? 4 + digits(chosen) : 2 + digits(chosen >> 8) + digits(chosen & 255);
  if (word == EPRT && addressBytes != 4) length += ADDRESS6_TEXT + 1;
  else if (word != EXTENDED) {
    length += 3 + (word == EPRT ? 1 : 0);
    for (let i: u32 = 0; i < 4; i++) length += digits(load<u8>(address + i));
  }
  shiftFrom(connection, direction, segmentSequence, length - said);
}

function beginsLine(): bool {
  const lines = helpedOf(connection, direction);
  const count = load<u32>(lines, HELPED_COUNT);
  for (let i: u32 = 0; i < count; i++) if (load<u32>(lines + (i << 2)) == segmentSequence) return true;
  return false;
}

/** A line ends with the data: the next one's number takes the place of the oldest, unless it is older. */
function noteEnd(): void {
  if (load<u8>(dataEnd - 1) != NEWLINE) return;
  const lines = helpedOf(connection, direction);
  const next = segmentSequence + <u32>(dataEnd - data);
  const count = load<u32>(lines, HELPED_COUNT);
  for (let i: u32 = 0; i < count; i++) if (load<u32>(lines + (i << 2)) == next) return;
  if (count < <u32>HELPED_LINES_MOST) {
    store<u32>(lines + (count << 2), next);
    store<u32>(lines, count + 1, HELPED_COUNT);
    return;
  }
  const oldest = before(load<u32>(lines), load<u32>(lines, 4)) ? lines : lines + 4;
  if (after(next, load<u32>(oldest))) store<u32>(oldest, next);
}

function read(data: usize, end: usize, word: u32): u32 {
  const length = <u32>(end - data);
  const letters: u8 = word == PORT || word == EPRT ? 0x20 : 0;
  for (let i: u32 = 0; i < min(length, WORD_BYTES); i++)
    if ((load<u8>(data + i) | letters) != <u8>(word >> (i << 3))) return OTHER;
  if (length <= WORD_BYTES) return PARTIAL;
  let at = data + WORD_BYTES;
  // Parentheses around the numbers are usual, but not agreed on (RFC 1123).
  if (word == PASSIVE) while (at < end && !isDigit(load<u8>(at))) at++;
  else {
    const skipped = word == EXTENDED ? OPEN : SPACE;
    while (at < end && load<u8>(at) != skipped) at++;
    at++;
  }
  if (at >= end) return PARTIAL;
  if (word == PORT) return readNumbers(at, end, RETURN);
  if (word == PASSIVE) return readNumbers(at, end, NOTHING);
  return word == EPRT ? readExtended(at, end) : readPort(at, end, 3, true);
}

/** Four of an address and two of a port, with commas; `last` ends them, or anything. */
function readNumbers(at: usize, end: usize, last: u8): u32 {
  const next = readOctets(at, end, COMMA, last, 6);
  said = <u32>(next - at);
  return next ? SAID : PARTIAL;
}

/** Numbers with `between` between them: bytes of the address, and of a port. Where they end, 0 where they do not. */
function readOctets(at: usize, end: usize, between: u8, last: u8, most: u32): usize {
  let high: u32 = 0;
  let low: u32 = 0;
  let number: u32 = 0;
  let count: u32 = 1;
  for (; at < end; at++) {
    const char = load<u8>(at);
    if (isDigit(char)) {
      number = number * 10 + (char - 48);
      continue;
    }
    if (char != between && (count != most || (last && char != last))) return 0;
    if (count <= 4) high |= number << (32 - (count << 3));
    else low = count == 5 ? number << 8 : low | number;
    if (char != between) {
      store<u32>(scratchTuple(10), bswap<u32>(high));
      port = <u16>low;
      return at;
    }
    if (++count > most) return 0;
    number = 0;
  }
  return 0;
}

/** `|1|10.0.0.9|5121|`, of IPv6 `|2|`; other characters may stand for the bars. */
function readExtended(at: usize, end: usize): u32 {
  if (end - at <= 3) return PARTIAL;
  const bar = load<u8>(at);
  if (!isBar(bar) || load<u8>(at, 2) != bar || load<u8>(at, 1) != (addressBytes == 4 ? 49 : 50)) return PARTIAL;
  const address = at + 3;
  let next: usize;
  if (addressBytes == 4) next = readOctets(address, end, DOT, bar, 4);
  else {
    next = address;
    while (next < end && load<u8>(next) != bar) next++;
    if (next == end || readAddress6(address, scratchTuple(10)) != next) next = 0;
  }
  return next ? readPort(at, end, <u32>(next - at) + 1, false) : PARTIAL;
}

/** A port between bars, `from` bytes behind the first of them. `alone`: only bars are in front of it. */
function readPort(at: usize, end: usize, from: u32, alone: bool): u32 {
  if (end - at <= 3) return PARTIAL;
  const bar = load<u8>(at);
  if (alone && (!isBar(bar) || load<u8>(at, 1) != bar || load<u8>(at, 2) != bar)) return PARTIAL;
  let number: u16 = 0;
  const first = at;
  for (at += from; at < end; at++) {
    const char = load<u8>(at);
    if (char == bar) {
      port = number;
      said = <u32>(at - first) + 1;
      return number ? SAID : PARTIAL;
    }
    if (!isDigit(char)) return PARTIAL;
    number = number * 10 + (char - 48);
  }
  return PARTIAL;
}

function isBar(char: u8): bool {
  return char > 32 && char < 127 && !isDigit(char);
}

function isDigit(char: u8): bool {
  return char - 48 <= 9;
}
