/**
 * Helpers: what they read in front of confirmation of a connection that has one (nf_confirm), and expect of it. Those of FTP, TFTP,
 * IRC, Amanda and SANE read the packet's own bytes, where they are known; the others are names that rules may ask for.
 */
import {
  CONNECTION_HELPER,
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  NODE_TUPLE,
  TUPLE_DESTINATION_PORT,
  TUPLE_SOURCE_PORT,
} from "../../src/blob/connections";
import {
  CT_STATE_ESTABLISHED,
  PACKET_CT_STATE,
  PACKET_LENGTH,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PROTOCOL,
  VERDICT_ACCEPT,
  VERDICT_DROP,
} from "../../src/blob/layout";
import { packet } from "../packet";
import { HEADER_CUT, payload, transportOffset } from "../payload";
import { readAnswer } from "./helper-amanda";
import { expectAnswer } from "./helper-expect";
import { readLine } from "./helper-ftp";
import { readMessage } from "./helper-irc";
import { readScan } from "./helper-sane";
import { optionBytes, segmentHeader, segmentKnown, segmentRead } from "./segment";
import { connection } from "./track";
import { TCP, UDP } from "./tuple";

/** Numbers of helpers (helper-name.ts). */
const FTP: u8 = 1;
const TFTP: u8 = 2;
const IRC: u8 = 3;
const AMANDA: u8 = 5;
const SANE: u8 = 9;
const TCP_HEADER: u32 = 20;
export const UDP_HEADER: u32 = 8;
const OPCODE_READ: u16 = 1;
const OPCODE_WRITE: u16 = 2;

/** What the helper of the packet's connection makes of it; a VERDICT_*. */
export function help(): u32 {
  switch (connection ? load<u8>(connection, CONNECTION_HELPER) : 0) {
    case FTP:
      return readLine();
    case TFTP:
      return readRequest();
    case IRC:
      return readMessage();
    case AMANDA:
      return readAnswer();
    case SANE:
      return readScan();
    default:
      return VERDICT_ACCEPT;
  }
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

/** Address of the UDP header in the packet's first `length` bytes, `size` bytes of which are to be there with what follows; else 0. */
export function datagramHeader(length: u32, size: u32): usize {
  const bytes = payload();
  const at = bytes && load<u8>(packet, PACKET_PROTOCOL) == UDP ? transportOffset(bytes, length) : HEADER_CUT;
  return at == HEADER_CUT || at + size > length ? 0 : bytes + at;
}

/** Whom a file is asked of answers from another port. */
function readRequest(): u32 {
  const header = datagramHeader(load<u32>(packet, PACKET_PAYLOAD_LENGTH), UDP_HEADER + 2);
  if (!header) return VERDICT_ACCEPT;
  const opcode = bswap<u16>(load<u16>(header, UDP_HEADER));
  if (opcode != OPCODE_READ && opcode != OPCODE_WRITE) return VERDICT_ACCEPT;
  const from = load<u16>(connection + CONNECTION_ORIGINAL + NODE_TUPLE, TUPLE_SOURCE_PORT);
  const to = load<u16>(connection + CONNECTION_REPLY + NODE_TUPLE, TUPLE_DESTINATION_PORT);
  return expectAnswer(to, from) ? <u32>VERDICT_ACCEPT : <u32>VERDICT_DROP;
}
