/**
 * IRC (nf_conntrack_irc.c): a client says in a message to another by DCC where it listens, and anyone may come. Every packet of its is
 * read by itself. One that names another host than its sender, as it is or as NAT shows it, expects nothing.
 *
 *     PRIVMSG friend :\1DCC SEND file 167772169 5121 1000\1\r\n
 */
import {
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  NODE_TUPLE,
  TUPLE_DESTINATION,
  TUPLE_SOURCE,
} from "../../src/blob/connections";
import { VERDICT_ACCEPT, VERDICT_DROP } from "../../src/blob/layout";
import { shiftFrom } from "./helped";
import { digits, EXPECTED_MS, expectAt, NOWHERE, rewrites } from "./helper-expect";
import { data, dataEnd, readData } from "./helper-read";
import { segmentSequence } from "./segment";
import { connection, direction } from "./track";

/** Bytes that are left in front of a message at least, and behind " :". */
const PRIVATE_LEAST: i32 = 10;
const MESSAGE_LEAST: i32 = 26;
/** Of what stands behind a command, to its end. */
const NUMBERS_LEAST: i32 = 12;
/** So many may be open at a time. */
const MOST: u32 = 8;
/** "PRIVMSG " in small letters, " :", "\1DCC ". */
const PRIVATE: u64 = 0x2067736d76697270;
const MESSAGE: u16 = 0x3a20;
const DCC: u32 = 0x43434401;
/** "SEND", "CHAT", "MOVE", "TSEN", "SCHA". */
const SEND: u32 = 0x444e4553;
const CHAT: u32 = 0x54414843;
const MOVE: u32 = 0x45564f4d;
const TURBO_SEND: u32 = 0x4e455354;
const SECURE_CHAT: u32 = 0x41484353;
const SPACE: u8 = 32;
const NEWLINE: u8 = 10;
const RETURN: u8 = 13;

/** Where decimal digits end, and what they say. */
let digitsEnd: usize = 0;

/** Reads the packet in hand; a VERDICT_*. */
export function readMessage(): u32 {
  if (direction || !readData()) return VERDICT_ACCEPT;
  let at = data;
  while (left(at) > PRIVATE_LEAST && (load<u8>(at) == SPACE || load<u8>(at) == RETURN || load<u8>(at) == NEWLINE)) at++;
  if (left(at) > PRIVATE_LEAST) {
    if ((load<u64>(at) | 0x0020202020202020) != PRIVATE) return VERDICT_ACCEPT;
    at += 8;
  }
  while (left(at) > MESSAGE_LEAST && load<u16>(at) != MESSAGE) at++;
  if (left(at) <= MESSAGE_LEAST) return VERDICT_ACCEPT;
  at += 2;
  if (load<u32>(at) != DCC || load<u8>(at, 4) != SPACE) return VERDICT_ACCEPT;
  at = behindCommand(at + 5);
  return at ? readNumbers(at) : VERDICT_ACCEPT;
}

/** Where a command that opens a connection ends, 0 where it is none. */
function behindCommand(at: usize): usize {
  const word = load<u32>(at);
  if (word == SEND || word == CHAT || word == MOVE) return load<u8>(at, 4) == SPACE ? at + 5 : 0;
  const last: u8 = word == TURBO_SEND ? 68 : word == SECURE_CHAT ? 84 : 0;
  return last && load<u8>(at, 4) == last && load<u8>(at, 5) == SPACE ? at + 6 : 0;
}

/** A file's name, an address and a port, as numbers. */
function readNumbers(at: usize): u32 {
  while (load<u8>(at++) != SPACE) if (left(at) < NUMBERS_LEAST) return VERDICT_ACCEPT;
  let newline = at;
  while (newline < dataEnd && load<u8>(newline) != NEWLINE) newline++;
  if (newline == dataEnd) return VERDICT_ACCEPT;
  const first = at;
  const address = bswap<u32>(<u32>readDigits(at));
  at = digitsEnd;
  while (load<u8>(at) == SPACE) at++;
  const port = <u16>readDigits(at);
  const shown = load<u32>(connection + CONNECTION_REPLY + NODE_TUPLE, TUPLE_DESTINATION);
  if (address != load<u32>(connection + CONNECTION_ORIGINAL + NODE_TUPLE, TUPLE_SOURCE) && address != shown)
    return VERDICT_ACCEPT;
  const end = digitsEnd;
  const chosen = expectAt(0, port, MOST, true, EXPECTED_MS);
  if (chosen == NOWHERE) return VERDICT_DROP;
  if (rewrites())
    shiftFrom(connection, 0, segmentSequence, digits(bswap<u32>(shown)) + 1 + digits(chosen) - <u32>(end - first));
  return VERDICT_ACCEPT;
}

/** Digits from `at` on, none of them 0. There is a newline in front of the end. */
function readDigits(at: usize): u64 {
  let number: u64 = 0;
  for (; <u8>(load<u8>(at) - 48) <= 9; at++) number = number * 10 + (load<u8>(at) - 48);
  digitsEnd = at;
  return number;
}

function left(at: usize): i32 {
  return <i32>(dataEnd - at);
}
