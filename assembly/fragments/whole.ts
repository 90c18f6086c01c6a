/**
 * A whole datagram out of its fragments (ip_frag_reasm, nf_ct_frag6_reasm): the headers of the first, and behind them the
 * bytes of all. What is not known of a fragment's bytes ends what is known of the packet's.
 */
import {
  CELL_NEXT,
  DATAGRAM_BYTES,
  DATAGRAM_CONGESTION,
  DATAGRAM_FRAGMENTS,
  DATAGRAM_HEADERS,
  DATAGRAM_HEADERS_SIZE,
  DATAGRAM_LARGEST,
  DATAGRAM_LARGEST_DF,
  DATAGRAM_LENGTH,
  DATAGRAM_RECORD,
  FRAGMENT_KNOWN,
  FRAGMENT_LENGTH,
  FRAGMENT_OFFSET,
  WHOLE_BYTES,
  WHOLE_HEADERS,
  WHOLE_PIECES,
  WHOLE_PIECES_BYTES,
} from "../../src/blob/fragments";
import {
  PACKET_FLAG_MORE,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_INPUT,
  PACKET_KNOWN,
  PACKET_LENGTH,
  PACKET_OUTPUT,
  PACKET_PATH,
  PACKET_PAYLOAD,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PHYSICAL_INPUT,
  PACKET_PHYSICAL_OUTPUT,
  PACKET_SIZE,
  PACKET_TIME,
  PACKET_TOS,
} from "../../src/blob/layout";
import { READER_WHOLE } from "../../src/blob/memory";
import { connections } from "../conntrack/pool";
import { addressBytes, packet, reader } from "../packet";
import { headerSize } from "../payload";
import { copyBytes } from "./pieces";
import { rereadTransport } from "./reread";

const LENGTH_MOST: u32 = 65535;
const IPV6_HEADER: u32 = 40;
const FRAGMENT_HEADER: u32 = 8;
const FRAGMENT: u8 = 44;
const DONT_FRAGMENT: u16 = 0x4000;
const CONGESTION_MET: u8 = 3;
const CONGESTION_INVALID: u8 = 0xff;

/** Puts the whole packet in the place of the one being walked, the last to come. False where it is too long, or may not be. */
export function putTogether(datagram: usize): bool {
  const ipv4 = addressBytes == 4;
  const headersThen = load<u32>(datagram, DATAGRAM_HEADERS_SIZE);
  const headers = ipv4 ? headersThen : headersThen - FRAGMENT_HEADER;
  const length = headers + load<u32>(datagram, DATAGRAM_LENGTH);
  if (length - (ipv4 ? 0 : IPV6_HEADER) > LENGTH_MOST) return false;
  const congestion = congestionOf(load<u8>(datagram, DATAGRAM_CONGESTION));
  if (congestion == CONGESTION_INVALID) return false;
  const whole: usize = load<u32>(reader, READER_WHOLE);
  const bytes = whole + WHOLE_BYTES;
  memory.copy(whole, datagram + DATAGRAM_RECORD, PACKET_SIZE);
  asTheLast(whole);
  store<u32>(whole, length, PACKET_LENGTH);
  store<u16>(whole, 0, PACKET_FRAGMENT_OFFSET);
  store<u8>(whole, load<u8>(whole, PACKET_FLAGS) & ~(<u8>PACKET_FLAG_MORE), PACKET_FLAGS);
  store<u8>(whole, load<u8>(whole, PACKET_TOS) | congestion, PACKET_TOS);
  // What is put together in front of INPUT alone is joined to one piece where there is room, which nobody can tell.
  store<u32>(whole, connections() ? headers : 0, WHOLE_HEADERS);
  memory.fill(whole + WHOLE_PIECES, 0, WHOLE_PIECES_BYTES);
  const known = copyAll(datagram, whole, headersThen, headers);
  store<u32>(whole, known ? <u32>bytes : 0, PACKET_PAYLOAD);
  store<u32>(whole, known, PACKET_PAYLOAD_LENGTH);
  if (known) {
    if (ipv4) restateIpv4(datagram, bytes, length, congestion);
    else restateIpv6(bytes, length, congestion);
    rereadTransport(whole, bytes, known);
  }
  memory.copy(packet, whole, PACKET_SIZE);
  return true;
}

/** What is known of where and when the last fragment came. */
function asTheLast(whole: usize): void {
  v128.store(whole, v128.load(packet, PACKET_INPUT), PACKET_INPUT);
  v128.store(whole, v128.load(packet, PACKET_OUTPUT), PACKET_OUTPUT);
  v128.store(whole, v128.load(packet, PACKET_PHYSICAL_INPUT), PACKET_PHYSICAL_INPUT);
  v128.store(whole, v128.load(packet, PACKET_PHYSICAL_OUTPUT), PACKET_PHYSICAL_OUTPUT);
  store<u32>(whole, load<u32>(packet, PACKET_TIME), PACKET_TIME);
  store<u32>(whole, load<u32>(packet, PACKET_KNOWN), PACKET_KNOWN);
  store<u8>(whole, load<u8>(packet, PACKET_PATH), PACKET_PATH);
}

/** Copies headers, of IPv6 without the fragment header, and fragments, and notes where each begins; how many bytes are known. */
function copyAll(datagram: usize, whole: usize, headersThen: u32, headers: u32): u32 {
  const into = whole + WHOLE_BYTES;
  if (load<u32>(datagram, DATAGRAM_HEADERS) != headersThen) return 0;
  const from = datagram + DATAGRAM_BYTES;
  memory.copy(into, from, headers);
  if (headers != headersThen) linkPast(into, headers, load<u8>(from + headers));
  let known = headers;
  for (let at: usize = load<u32>(datagram, DATAGRAM_FRAGMENTS); at; at = load<u32>(at, CELL_NEXT)) {
    const place = load<u32>(at, FRAGMENT_OFFSET) >> 3;
    const pieces = whole + (place >> 3);
    store<u8>(pieces, load<u8>(pieces, WHOLE_PIECES) | ((<u8>1) << (<u8>(place & 7))), WHOLE_PIECES);
    copyBytes(at, into + known);
    known += load<u32>(at, FRAGMENT_KNOWN);
    if (load<u32>(at, FRAGMENT_KNOWN) != load<u32>(at, FRAGMENT_LENGTH)) break;
  }
  return known;
}

/** The header in front of the fragment header, which was behind `headers` bytes, names what came behind that. */
function linkPast(bytes: usize, headers: u32, next: u8): void {
  let type = load<u8>(bytes, 6);
  let names: u32 = 6;
  let header = IPV6_HEADER;
  while (type != FRAGMENT && header < headers) {
    names = header;
    header += headerSize(type, bytes + header);
    type = load<u8>(bytes + names);
  }
  store<u8>(bytes + names, next);
}

/** ECN of the whole: that one has met congestion; a mixture of those that know of ECN and those that do not is invalid. */
function congestionOf(fields: u8): u8 {
  if (fields & 1 && fields != 1) return CONGESTION_INVALID;
  return fields & 8 ? CONGESTION_MET : 0;
}

/** Where the largest fragment was not to be cut, neither is the whole. */
function restateIpv4(datagram: usize, bytes: usize, length: u32, congestion: u8): void {
  const whole = load<u32>(datagram, DATAGRAM_LARGEST_DF) == load<u32>(datagram, DATAGRAM_LARGEST);
  store<u8>(bytes, load<u8>(bytes, 1) | congestion, 1);
  store<u16>(bytes, bswap<u16>(<u16>length), 2);
  store<u16>(bytes, whole ? bswap<u16>(DONT_FRAGMENT) : 0, 6);
  store<u16>(bytes, 0, 10);
  let sum: u32 = 0;
  const end = bytes + ((<u32>load<u8>(bytes) & 15) << 2);
  for (let at = bytes; at < end; at += 2) sum += bswap<u16>(load<u16>(at));
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  store<u16>(bytes, bswap<u16>(~(<u16>sum)), 10);
}

/** The traffic class lies across the first two bytes. */
function restateIpv6(bytes: usize, length: u32, congestion: u8): void {
  store<u8>(bytes, load<u8>(bytes, 1) | (congestion << 4), 1);
  store<u16>(bytes, bswap<u16>(<u16>(length - IPV6_HEADER)), 4);
}

/**
 * Whether bytes `from` to `end` of what the reader put together lie in two of the kernel's pieces of memory. The first holds the
 * headers and the first fragment, each other one a fragment.
 */
export function acrossPieces(from: usize, end: usize): bool {
  const whole: usize = load<u32>(reader, READER_WHOLE);
  const headers = load<u32>(whole, WHOLE_HEADERS);
  const start = whole + WHOLE_BYTES + headers;
  if (!headers || from < whole + WHOLE_BYTES || end > whole + WHOLE_HEADERS) return false;
  for (let place: usize = from < start ? 1 : ((from - start) >> 3) + 1; start + (place << 3) < end; place++)
    if ((load<u8>(whole + (place >> 3), WHOLE_PIECES) >> (<u8>place & 7)) & 1) return true;
  return false;
}
