/**
 * Amanda (nf_conntrack_amanda.c): whom a server asks to back up answers where it listens for what, and the server comes there. Every
 * datagram of the answers is read by itself, and keeps the connection for as long as what it asks for may take.
 *
 *     CONNECT DATA 10084 MESG 10085 INDEX 10086\n
 */
import { PACKET_LENGTH, PACKET_PAYLOAD_LENGTH, PACKET_TIME, VERDICT_ACCEPT, VERDICT_DROP } from "../../src/blob/layout";
import { packet } from "../packet";
import { payload } from "../payload";
import { digits, expectAt, NOWHERE, rewrites } from "./helper-expect";
import { datagramHeader, UDP_HEADER } from "./helper-read";
import { refresh } from "./sysctl";
import { connection, direction } from "./track";

/** Milliseconds for which an answer keeps the connection, and for which what it says is expected. */
const ANSWERED_MS: u32 = 300_000;
const EXPECTED_MS: u32 = 180_000;
/** So many may be open at a time. */
const MOST: u32 = 4;
/** Digits of a port that are read. */
const DIGITS: usize = 5;
/** "CONNECT ", and what is told behind it: "DATA ", "MESG ", "INDEX ", "STATE ". */
const CONNECT: u64 = 0x205443454e4e4f43;
const DATA: u64 = 0x2041544144;
const MESSAGES: u64 = 0x204753454d;
const INDEX: u64 = 0x205845444e49;
const STATE: u64 = 0x204554415453;
const NEWLINE: u8 = 10;

/** What the datagram in hand tells. */
let end: usize = 0;
let verdict: u32 = VERDICT_ACCEPT;

/** Reads the packet in hand; a VERDICT_*. */
export function readAnswer(): u32 {
  if (!direction) return VERDICT_ACCEPT;
  refresh(connection, load<u32>(packet, PACKET_TIME), ANSWERED_MS);
  const length = load<u32>(packet, PACKET_LENGTH);
  if (load<u32>(packet, PACKET_PAYLOAD_LENGTH) < length) return VERDICT_ACCEPT;
  const header = datagramHeader(length, UDP_HEADER + 1);
  if (!header) return VERDICT_ACCEPT;
  end = payload() + length;
  const line = behind(header + UDP_HEADER, CONNECT, 8);
  if (!line) return VERDICT_ACCEPT;
  let newline = line;
  while (newline < end && load<u8>(newline) != NEWLINE) newline++;
  if (newline == end) return VERDICT_ACCEPT;
  end = newline;
  verdict = VERDICT_ACCEPT;
  if (readPort(line, DATA, 5) && readPort(line, MESSAGES, 5) && readPort(line, INDEX, 6)) readPort(line, STATE, 6);
  return verdict;
}

/** Expects a connection to the port that stands behind `word`, if it stands in the line. False where something else does: no more is read then. */
function readPort(line: usize, word: u64, size: u32): bool {
  const first = behind(line, word, size);
  if (!first) return true;
  let at = first;
  let number: u32 = 0;
  for (; at < end && at < first + DIGITS && <u8>(load<u8>(at) - 48) <= 9; at++)
    number = number * 10 + (load<u8>(at) - 48);
  const port = <u16>number;
  if (!port) return false;
  const chosen = expectAt(1, port, MOST, false, EXPECTED_MS);
  if (chosen == NOWHERE) verdict = VERDICT_DROP;
  else if (rewrites()) {
    // NAT's helper writes the port that it chose, and the line's end is where it was.
    end -= digits(chosen) - <u32>(at - first);
    verdict = VERDICT_ACCEPT;
  }
  return true;
}

/** Where `word`, of `size` bytes, ends in the text from `at` on, 0 where it does not stand in it. */
function behind(at: usize, word: u64, size: u32): usize {
  const mask: u64 = size == 8 ? 0xffffffffffffffff : ((<u64>1) << (size << 3)) - 1;
  for (; at + size <= end; at++) if ((load<u64>(at) & mask) == word) return at + size;
  return 0;
}
