/**
 * Helpers: what they read in front of confirmation of a connection that has one (nf_confirm), and expect of it. FTP's and TFTP's
 * read the packet's own bytes, where they are known; the others are names that rules may ask for.
 */
import {
  CONNECTION_HELPER,
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  CONNECTION_STATUS,
  EXPECTED_EXPIRES,
  EXPECTED_FLAG_FOLLOWS,
  EXPECTED_FLAG_REPLY,
  EXPECTED_FLAGS,
  EXPECTED_MASK_SOURCE,
  EXPECTED_PORT,
  EXPECTED_SIZE,
  EXPECTED_TUPLE,
  NODE_TUPLE,
  STATUS_DESTINATION_NAT,
  STATUS_SOURCE_NAT,
  TUPLE_DESTINATION_PORT,
  TUPLE_SOURCE,
  TUPLE_SOURCE_PORT,
} from "../../src/blob/connections";
import {
  CT_STATE_ESTABLISHED,
  PACKET_CT_STATE,
  PACKET_LENGTH,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PROTOCOL,
  PACKET_TIME,
  VERDICT_ACCEPT,
  VERDICT_DROP,
} from "../../src/blob/layout";
import { addressBytes, packet } from "../packet";
import { HEADER_CUT, payload, transportOffset } from "../payload";
import { random32 } from "../random";
import { BUSY, EXPECTED, note } from "./expect";
import { readLine } from "./helper-ftp";
import { readMessage } from "./helper-irc";
import { optionBytes, segmentHeader, segmentKnown, segmentRead } from "./segment";
import { connection, scratchTuple } from "./track";
import { TCP, tupleCopy, UDP } from "./tuple";

/** Numbers of helpers (helper-name.ts). */
const FTP: u8 = 1;
const TFTP: u8 = 2;
const IRC: u8 = 3;
/** As long as each expects a connection, in milliseconds. */
const EXPECTED_MS: u32 = 300_000;
/** Ports that are tried where the one that was told is expected by another connection. */
const ATTEMPTS: u32 = 128;
const PORT_LAST: u32 = 65535;
const TCP_HEADER: u32 = 20;
const UDP_HEADER: u32 = 8;
const OPCODE_READ: u16 = 1;
const OPCODE_WRITE: u16 = 2;

/** What the helper of the packet's connection makes of it; a VERDICT_*. */
export function help(): u32 {
  const helper = connection ? load<u8>(connection, CONNECTION_HELPER) : 0;
  if (helper == FTP) return readLine();
  if (helper == IRC) return readMessage();
  return helper == TFTP ? readRequest() : VERDICT_ACCEPT;
}

/** What a segment carries, and where that ends. */
export let data: usize = 0;
export let dataEnd: usize = 0;

/** Whether the packet is a segment with data, of a connection that has been answered, all of whose bytes are known. */
export function readData(): bool {
  const length = load<u32>(packet, PACKET_LENGTH);
  if (!(load<u16>(packet, PACKET_CT_STATE) & CT_STATE_ESTABLISHED) || load<u8>(packet, PACKET_PROTOCOL) != TCP)
    return false;
  if (load<u32>(packet, PACKET_PAYLOAD_LENGTH) < length || !segmentRead() || !segmentKnown) return false;
  data = segmentHeader + TCP_HEADER + optionBytes;
  dataEnd = payload() + length;
  return data < dataEnd;
}

/** Whom a file is asked of answers from another port. */
function readRequest(): u32 {
  const bytes = payload();
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const at = bytes && load<u8>(packet, PACKET_PROTOCOL) == UDP ? transportOffset(bytes, length) : HEADER_CUT;
  if (at == HEADER_CUT || at + UDP_HEADER + 2 > length) return VERDICT_ACCEPT;
  const opcode = bswap<u16>(load<u16>(bytes + at, UDP_HEADER));
  if (opcode != OPCODE_READ && opcode != OPCODE_WRITE) return VERDICT_ACCEPT;
  const from = load<u16>(connection + CONNECTION_ORIGINAL + NODE_TUPLE, TUPLE_SOURCE_PORT);
  const to = load<u16>(connection + CONNECTION_REPLY + NODE_TUPLE, TUPLE_DESTINATION_PORT);
  return noteTowards(0, to, from, 1, false) == EXPECTED ? <u32>VERDICT_ACCEPT : <u32>VERDICT_DROP;
}

/** What `expectAt` answers where nothing can be expected. */
export const NOWHERE: i32 = -1;

/**
 * Expects a connection to whom the packet came from, which went `told` and said `port`: at what port, or NOWHERE. Where NAT
 * rewrites, another port stands for one that is expected already (nf_nat_exp_find_port). `most`, `anyone`: as noteTowards.
 */
export function expectAt(told: u32, port: u16, most: u32, anyone: bool): i32 {
  let chosen = port;
  let outcome = noteTowards(told, chosen, port, most, anyone);
  if (rewrites()) {
    if (!port) return NOWHERE;
    const range = PORT_LAST - <u32>port;
    for (let left = min(range, ATTEMPTS); left && outcome == BUSY; left--) {
      chosen = port + <u16>(random32() % range);
      outcome = noteTowards(told, chosen, port, most, anyone);
    }
  }
  return outcome == EXPECTED ? <i32>chosen : NOWHERE;
}

/**
 * Notes what is expected as the other direction's packets are, but from any port, or from `anyone`, no more than `most` at a time;
 * NAT takes it to port `own` of who told of it.
 */
function noteTowards(told: u32, port: u16, own: u16, most: u32, anyone: bool): u32 {
  const from = scratchTuple(8);
  memory.fill(from, 0, EXPECTED_SIZE);
  tupleCopy(from + EXPECTED_TUPLE, connection + (told ? CONNECTION_ORIGINAL : CONNECTION_REPLY) + NODE_TUPLE);
  store<u16>(from + EXPECTED_TUPLE, 0, TUPLE_SOURCE_PORT);
  store<u16>(from + EXPECTED_TUPLE, port, TUPLE_DESTINATION_PORT);
  if (anyone) memory.fill(from + EXPECTED_TUPLE + TUPLE_SOURCE, 0, 16);
  else memory.fill(from + EXPECTED_MASK_SOURCE, 255, addressBytes);
  const now = load<u32>(packet, PACKET_TIME);
  store<u32>(from, now + EXPECTED_MS, EXPECTED_EXPIRES);
  if (rewrites()) {
    store<u32>(from, EXPECTED_FLAG_FOLLOWS | (told ? EXPECTED_FLAG_REPLY : 0), EXPECTED_FLAGS);
    store<u16>(from, own, EXPECTED_PORT);
  }
  return note(connection, from, now, most);
}

/** Whether NAT rewrites the connection of the packet in hand. */
export function rewrites(): bool {
  return (load<u32>(connection, CONNECTION_STATUS) & (STATUS_SOURCE_NAT | STATUS_DESTINATION_NAT)) != 0;
}
