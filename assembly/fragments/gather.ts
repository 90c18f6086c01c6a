/**
 * Fragments, put together in front of every hook where connections are tracked (nf_defrag_ipv4.c, nf_conntrack_reasm.c):
 * rules and tracking see the whole packet, once, when its last missing fragment comes, and by the interface of that one.
 * Where they are not, those of IPv4 that are for this machine are put together in front of INPUT (ip_local_deliver), and what
 * PREROUTING's rules have made of the first is the whole packet's; IPv6 does so behind INPUT, where no rule looks.
 *
 * Problem. Only the first fragment has ports, but a connection is all of its packets.
 *
 * Idea. A fragment waits in shared memory with the others of its datagram: those of one source, destination, id, and, of
 * IPv4, protocol. Each is its place in the datagram, so they may come in any order and by any reader. An example, lengths
 * behind the headers:
 *
 *     0..1480, more      kept; 1480 bytes are there, how many there will be is unknown
 *     2960..3000         kept; the last: 3000 there will be, 1520 are there
 *     1480..2960, more   3000 of 3000: the packet goes its way, 3020 bytes long
 *
 * What does not fit. A fragment that lies within a run of those that came one behind the other is one that came twice, and is
 * thrown away. One that overlaps others otherwise throws all of them away (RFC 5722). One that is empty, or contradicts the
 * end, does so in IPv4 and is thrown away alone in IPv6. An IPv6 fragment that should be followed, but does not end at a
 * multiple of eight, ends the waiting and goes on as it is.
 *
 * Cost. One lock for all; time and room for 4 MiB, as Linux has it. An IPv4 datagram that has missed 64 other fragments of its
 * source begins anew (ipfrag_max_dist), so a source's datagrams lie in one bucket, and each fragment is shown to all of them.
 * Of Linux it leaves out that the machine complains of what it waited for in vain.
 *
 * Threads. Fragments are written and read under the lock; the whole packet lies in the reader's own memory.
 */
import { SYSCTL_FRAG6 } from "../../src/blob/connections";
import {
  DATAGRAM_ARRIVED,
  DATAGRAM_CONGESTION,
  DATAGRAM_ENDS,
  DATAGRAM_HAS_FIRST,
  DATAGRAM_HAS_LAST,
  DATAGRAM_LARGEST,
  DATAGRAM_LARGEST_DF,
  DATAGRAM_LENGTH,
  DATAGRAM_MISSED,
  FRAGMENTS_LOCK,
  WHOLE_LENGTH_MOST,
} from "../../src/blob/fragments";
import {
  FRAGMENTS_DISCARDED,
  FRAGMENTS_KEPT,
  FRAGMENTS_WHOLE,
  PACKET_FLAG_MORE,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_LENGTH,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PROTOCOL,
  PACKET_TIME,
  PACKET_TOS,
} from "../../src/blob/layout";
import { lock, unlock } from "../conntrack/pool";
import { sysctl } from "../conntrack/sysctl";
import { ICMPV6, TCP, UDP } from "../conntrack/tuple";
import { addressBytes, packet } from "../packet";
import { HEADER_CUT, HEADER_TRANSPORT, headerOffset, headerSize, isExtension, ipBytes } from "../payload";
import { datagramBegin, datagramFind, datagramForget, fragments } from "./cells";
import { keyOfPacket } from "./key";
import { insertFragment, INSERTED, keepHeaders, TWICE } from "./pieces";
import { putTogether } from "./whole";

/** ipfrag_time; ipfrag_max_dist, that one which comes counted. */
const IPV4_TIMEOUT: u32 = 30_000;
const MISSED_MOST: u16 = 64;
const IPV6_LENGTH_MOST: u32 = 65535;
const IPV4_HEADER: u32 = 20;
const IPV6_HEADER: u32 = 40;
const FRAGMENT_HEADER: u32 = 8;
/** Bytes of it up to behind its place in the datagram. */
const FRAGMENT_PLACE: u32 = 4;
const EXTENSION_LEAST: u32 = 2;
const FRAGMENT: u8 = 44;
const NO_NEXT: u8 = 59;
const DONT_FRAGMENT: u8 = 0x40;

/** Of the packet in hand: its place in the datagram, and whether others follow. */
let offset: u32 = 0;
let follows: bool = false;

/** What becomes of the packet being walked: FRAGMENTS_*, 0 where it is no fragment. The whole one takes its place. */
export function gather(): u32 {
  if (!mayBeFragment()) return 0;
  offset = (<u32>load<u16>(packet, PACKET_FRAGMENT_OFFSET)) << 3;
  follows = (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_MORE) != 0;
  const headers = headersSize();
  if (!headers) return 0;
  if (headers == HEADER_CUT) return FRAGMENTS_DISCARDED;
  const ipv4 = addressBytes == 4;
  const length = load<u32>(packet, PACKET_LENGTH);
  if (!ipv4 && !offset && isTruncated(headers)) return 0;
  if (length < headers || length > <u32>WHOLE_LENGTH_MOST || (!ipv4 && offset + length - headers > IPV6_LENGTH_MOST))
    return FRAGMENTS_DISCARDED;
  const word = fragments() + FRAGMENTS_LOCK;
  lock(word);
  const outcome = add(headers, offset + length - headers);
  unlock(word);
  return outcome;
}

/** A fragment header of IPv6 that says the packet is whole is one as well. */
function mayBeFragment(): bool {
  if (load<u16>(packet, PACKET_FRAGMENT_OFFSET) || load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_MORE) return true;
  const bytes: usize = addressBytes == 4 ? 0 : ipBytes();
  return bytes != 0 && load<u32>(packet, PACKET_PAYLOAD_LENGTH) > IPV6_HEADER && isExtension(load<u8>(bytes, 6));
}

/**
 * Bytes in front of what it is a fragment of; 0 where IPv6's headers, as far as they are known, do not say that it is one, and
 * HEADER_CUT where the packet ends within the one that does. Of several such headers the first counts.
 */
function headersSize(): u32 {
  const bytes = ipBytes();
  if (addressBytes == 4) return bytes ? (<u32>load<u8>(bytes) & 15) << 2 : IPV4_HEADER;
  if (!bytes) return IPV6_HEADER + FRAGMENT_HEADER;
  const known = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  let type = load<u8>(bytes, 6);
  let at = IPV6_HEADER;
  while (type != FRAGMENT) {
    if (!isExtension(type) || type == NO_NEXT || at + EXTENSION_LEAST > known) return 0;
    const header = bytes + at;
    at += headerSize(type, header);
    type = load<u8>(header);
  }
  if (at + FRAGMENT_HEADER > known) return known < load<u32>(packet, PACKET_LENGTH) ? 0 : headerEnds(bytes, at, known);
  const field = <u32>bswap<u16>(load<u16>(bytes + at, 2));
  offset = field & ~7;
  follows = (field & 1) != 0;
  return at + FRAGMENT_HEADER;
}

/** The packet ends at `end`, within a fragment header or in front of it. Where the header says that none of IPv6's follows, it goes on. */
function headerEnds(bytes: usize, at: u32, end: u32): u32 {
  if (at > end) return 0;
  if (at + FRAGMENT_PLACE > end || bswap<u16>(load<u16>(bytes + at, 2)) & ~7) return HEADER_CUT;
  return isExtension(load<u8>(bytes + at)) ? HEADER_CUT : 0;
}

/** An IPv6 packet whose first fragment does not hold all headers (RFC 8200, 4.5) is not put together: it goes on as it is. */
function isTruncated(headers: u32): bool {
  const bytes = ipBytes();
  const at = bytes ? headerOffset(bytes, load<u32>(packet, PACKET_PAYLOAD_LENGTH), HEADER_TRANSPORT) : headers;
  const protocol = load<u8>(packet, PACKET_PROTOCOL);
  if (at == HEADER_CUT || protocol == NO_NEXT) return false;
  const least: u32 = protocol == TCP ? 20 : protocol == UDP || protocol == ICMPV6 ? 8 : 1;
  return at + least > load<u32>(packet, PACKET_LENGTH);
}

function add(headers: u32, end: u32): u32 {
  const ipv4 = addressBytes == 4;
  const now = load<u32>(packet, PACKET_TIME);
  const key = keyOfPacket(headers);
  let datagram = datagramFind(key, now);
  if (datagram && ipv4 && load<u16>(datagram, DATAGRAM_MISSED) >= MISSED_MOST) {
    datagramForget(datagram);
    datagram = 0;
  }
  if (!datagram) datagram = datagramBegin(key, now + (ipv4 ? IPV4_TIMEOUT : sysctl(SYSCTL_FRAG6)), now);
  if (!datagram) return FRAGMENTS_DISCARDED;
  store<u16>(datagram, 0, DATAGRAM_MISSED);
  if (follows && end & 7) {
    if (!ipv4) {
      datagramForget(datagram);
      return 0;
    }
    end &= ~7;
  }
  const known = load<u32>(datagram, DATAGRAM_LENGTH);
  const ends = load<u8>(datagram, DATAGRAM_ENDS);
  const hasLast = (ends & DATAGRAM_HAS_LAST) != 0;
  const contradicts = follows ? hasLast && end > known : end < known || (hasLast && end != known);
  if (!contradicts) {
    if (!follows) store<u8>(datagram, ends | DATAGRAM_HAS_LAST, DATAGRAM_ENDS);
    if (end > known) store<u32>(datagram, end, DATAGRAM_LENGTH);
  }
  if (contradicts || end == offset) return refuse(datagram, ipv4);
  const outcome = insertFragment(datagram, headers, offset, end, now);
  if (outcome == TWICE) return FRAGMENTS_DISCARDED;
  if (outcome != INSERTED) return refuse(datagram, true);
  note(datagram, headers, end - offset);
  if (!offset && !keepHeaders(datagram, headers)) return refuse(datagram, true);
  if (load<u32>(datagram, DATAGRAM_ARRIVED) != load<u32>(datagram, DATAGRAM_LENGTH)) return FRAGMENTS_KEPT;
  if (load<u8>(datagram, DATAGRAM_ENDS) != (DATAGRAM_HAS_FIRST | DATAGRAM_HAS_LAST)) return FRAGMENTS_KEPT;
  const whole = putTogether(datagram);
  datagramForget(datagram);
  return whole ? FRAGMENTS_WHOLE : FRAGMENTS_DISCARDED;
}

/** The fragment is thrown away, with `all` every other of its datagram, too. */
function refuse(datagram: usize, all: bool): u32 {
  if (all) datagramForget(datagram);
  return FRAGMENTS_DISCARDED;
}

/** What the whole packet has of all fragments. */
function note(datagram: usize, headers: u32, length: u32): void {
  store<u32>(datagram, load<u32>(datagram, DATAGRAM_ARRIVED) + length, DATAGRAM_ARRIVED);
  const congestion = load<u8>(datagram, DATAGRAM_CONGESTION) | ((<u8>1) << (load<u8>(packet, PACKET_TOS) & 3));
  store<u8>(datagram, congestion, DATAGRAM_CONGESTION);
  const size = headers + length;
  if (size > load<u32>(datagram, DATAGRAM_LARGEST)) store<u32>(datagram, size, DATAGRAM_LARGEST);
  const bytes = ipBytes();
  if (!bytes || !(load<u8>(bytes, 6) & DONT_FRAGMENT)) return;
  if (size > load<u32>(datagram, DATAGRAM_LARGEST_DF)) store<u32>(datagram, size, DATAGRAM_LARGEST_DF);
}
