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
  TUPLE_SOURCE_PORT,
} from "../../src/blob/connections";
import {
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
import { connection, scratchTuple } from "./track";
import { tupleCopy, UDP } from "./tuple";

/** Numbers of helpers (helper-name.ts). */
const FTP: u8 = 1;
const TFTP: u8 = 2;
/** Either expects one connection at a time, for so many milliseconds. */
const MOST: u32 = 1;
const EXPECTED_MS: u32 = 300_000;
/** Ports that are tried where the one that was told is expected by another connection. */
const ATTEMPTS: u32 = 128;
const PORT_LAST: u32 = 65535;
const UDP_HEADER: u32 = 8;
const OPCODE_READ: u16 = 1;
const OPCODE_WRITE: u16 = 2;

/** What the helper of the packet's connection makes of it; a VERDICT_*. */
export function help(): u32 {
  const helper = connection ? load<u8>(connection, CONNECTION_HELPER) : 0;
  if (helper == FTP) return readLine();
  return helper == TFTP ? readRequest() : VERDICT_ACCEPT;
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
  return noteTowards(0, to, from) == EXPECTED ? <u32>VERDICT_ACCEPT : <u32>VERDICT_DROP;
}

/** What `expectAt` answers where nothing can be expected. */
export const NOWHERE: i32 = -1;

/**
 * Expects a connection to whom the packet came from, which went `told` and said `port`: at what port, or NOWHERE. Where NAT
 * rewrites, another port stands for one that is expected already (nf_nat_exp_find_port).
 */
export function expectAt(told: u32, port: u16): i32 {
  let chosen = port;
  let outcome = noteTowards(told, chosen, port);
  if (rewrites()) {
    if (!port) return NOWHERE;
    const range = PORT_LAST - <u32>port;
    for (let left = min(range, ATTEMPTS); left && outcome == BUSY; left--) {
      chosen = port + <u16>(random32() % range);
      outcome = noteTowards(told, chosen, port);
    }
  }
  return outcome == EXPECTED ? <i32>chosen : NOWHERE;
}

/** Notes what is expected as the other direction's packets are, but from any port; NAT takes it to port `own` of who told of it. */
function noteTowards(told: u32, port: u16, own: u16): u32 {
  const from = scratchTuple(8);
  memory.fill(from, 0, EXPECTED_SIZE);
  tupleCopy(from + EXPECTED_TUPLE, connection + (told ? CONNECTION_ORIGINAL : CONNECTION_REPLY) + NODE_TUPLE);
  store<u16>(from + EXPECTED_TUPLE, 0, TUPLE_SOURCE_PORT);
  store<u16>(from + EXPECTED_TUPLE, port, TUPLE_DESTINATION_PORT);
  memory.fill(from + EXPECTED_MASK_SOURCE, 255, addressBytes);
  const now = load<u32>(packet, PACKET_TIME);
  store<u32>(from, now + EXPECTED_MS, EXPECTED_EXPIRES);
  if (rewrites()) {
    store<u32>(from, EXPECTED_FLAG_FOLLOWS | (told ? EXPECTED_FLAG_REPLY : 0), EXPECTED_FLAGS);
    store<u16>(from, own, EXPECTED_PORT);
  }
  return note(connection, from, now, MOST);
}

/** Whether NAT rewrites the connection of the packet in hand. */
export function rewrites(): bool {
  return (load<u32>(connection, CONNECTION_STATUS) & (STATUS_SOURCE_NAT | STATUS_DESTINATION_NAT)) != 0;
}
