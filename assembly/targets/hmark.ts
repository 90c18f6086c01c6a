/**
 * HMARK (xt_HMARK.c): a mark that is a hash of who talks to whom. Both directions hash alike: the lesser address comes first
 * and the greater port in the upper half of its word.
 *
 * The ends are those of the packet as it is now; of an ICMP error those of the packet that it quotes, where NAT has put them;
 * or those of the connection, as its opener and its answerer know themselves. IPsec's index stands for ports. What lies behind
 * the packet's record is read in its bytes, and is nought where these are not known.
 */
import {
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  NODE_TUPLE,
  TUPLE_PROTOCOL,
  TUPLE_SOURCE,
  TUPLE_SOURCE_PORT,
} from "../../src/blob/connections";
import {
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_FLAG_MORE,
  PACKET_FLAG_ODD,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_MARK,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  RESULT_FLAG_QUOTED,
  RESULT_FLAGS,
  RESULT_QUOTED_DESTINATION,
  RESULT_QUOTED_DESTINATION_PORT,
  RESULT_QUOTED_SOURCE,
  RESULT_QUOTED_SOURCE_PORT,
  VERDICT_CONTINUE,
} from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { connection, isTemplate } from "../conntrack/track";
import { wantsConnections } from "../conntrack/pool";
import { hasPorts, ICMP, ICMPV6 } from "../conntrack/tuple";
import { jhash, scaled } from "../jhash";
import { addressBytes, packet, result } from "../packet";
import { headerSize, isExtension, payload } from "../payload";

const DCCP: u8 = 33;
const FRAGMENT: u8 = 44;
const ENCAPSULATION: u8 = 50;
const AUTHENTICATION: u8 = 51;
const NO_NEXT: u8 = 59;
const IPV4_HEADER: u32 = 20;
const IPV6_HEADER: u32 = 40;
const ICMP_HEADER: u32 = 8;
/** IPv4: the bits of a fragment that is not the whole packet, as they lie there. */
const FRAGMENTED: u16 = 0xff3f;
const AUTHENTICATION_INDEX: u32 = 4;

/** What is hashed: words in the machine's order, and the protocol. */
let source: u32 = 0;
let destination: u32 = 0;
let ports: u32 = 0;
let protocol: u8 = 0;

export function markByHash(record: usize): u32 {
  source = destination = ports = protocol = 0;
  const known =
    load<u16>(record, P.HMARK_FLAGS) & P.HMARK_HAS_CONNECTION ? endsOfConnection(record) : endsOfPacket(record);
  if (!known) return VERDICT_CONTINUE;
  const lesser = min(source, destination);
  let hash = jhash(3, lesser, max(source, destination), ports, load<u32>(record, P.HMARK_SEED));
  hash ^= <u32>protocol & load<u16>(record, P.HMARK_PROTOCOL_MASK);
  store<u32>(packet, scaled(hash, load<u32>(record, P.HMARK_MODULUS)) + load<u32>(record, P.HMARK_OFFSET), PACKET_MARK);
  return VERDICT_CONTINUE;
}

export function checkHmark(record: usize): bool {
  const flags = load<u16>(record, P.HMARK_FLAGS);
  return load<u32>(record, P.HMARK_MODULUS) != 0 && (!(flags & P.HMARK_HAS_CONNECTION) || wantsConnections());
}

/** Where both ends say that they are. What raw sees behind a rule of CT has no ends. */
function endsOfConnection(record: usize): bool {
  if (!connection) return false;
  if (isTemplate()) {
    takePorts(record, 0, 0);
    return true;
  }
  const original = connection + CONNECTION_ORIGINAL + NODE_TUPLE;
  const reply = connection + CONNECTION_REPLY + NODE_TUPLE;
  takeAddresses(record, original + TUPLE_SOURCE, reply + TUPLE_SOURCE);
  protocol = load<u8>(original, TUPLE_PROTOCOL);
  if (protocol != ICMP) takePorts(record, load<u16>(original, TUPLE_SOURCE_PORT), load<u16>(reply, TUPLE_SOURCE_PORT));
  return true;
}

/** Of headersOf: the transport's protocol, where its header is, and whether the packet is a fragment; -1 what is cut short. */
let found: i32 = 0;
let foundAt: u32 = 0;
let foundFragment: bool = false;

function endsOfPacket(record: usize): bool {
  const bytes = payload();
  const length: u32 = bytes ? load<u32>(packet, PACKET_PAYLOAD_LENGTH) : 0;
  if (!bytes) headersOfRecord();
  else {
    headersOf(bytes, 0, length);
    const quoted = quoteAt(bytes, length);
    if (quoted) return endsOfQuote(record, bytes, quoted, length);
  }
  // Linux goes on with nothing where IPv6's headers are cut short.
  if (found < 0) return true;
  takeAddresses(record, packet + PACKET_SOURCE, packet + PACKET_DESTINATION);
  protocol = <u8>found;
  if (protocol == own(ICMP, ICMPV6) || foundFragment) return true;
  if (carriesPorts(protocol) && !(load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_ODD))
    takePorts(record, load<u16>(packet, PACKET_SOURCE_PORT), load<u16>(packet, PACKET_DESTINATION_PORT));
  else if (bytes) takeIndex(record, bytes, length);
  return true;
}

/** Of the packet that an ICMP error quotes at `at`. False where its header is cut short, and nothing is marked. */
function endsOfQuote(record: usize, bytes: usize, at: u32, length: u32): bool {
  const header = bytes + at;
  const ipv4 = addressBytes == 4;
  const least = ipv4 ? IPV4_HEADER : IPV6_HEADER;
  if (at > length || length - at < least) return false;
  if (!ipv4 && load<u8>(header) >> 4 != 6) return false;
  headersOf(bytes, at, length);
  if (found < 0) return false;
  const rewritten = (load<u8>(result, RESULT_FLAGS) & RESULT_FLAG_QUOTED) != 0;
  if (rewritten) takeAddresses(record, result + RESULT_QUOTED_SOURCE, result + RESULT_QUOTED_DESTINATION);
  else takeAddresses(record, header + (ipv4 ? 12 : 8), header + (ipv4 ? 16 : 24));
  protocol = <u8>found;
  if (protocol == own(ICMP, ICMPV6) || foundFragment) return true;
  if (rewritten && carriesPorts(protocol))
    takePorts(record, load<u16>(result, RESULT_QUOTED_SOURCE_PORT), load<u16>(result, RESULT_QUOTED_DESTINATION_PORT));
  else takeIndex(record, bytes, length);
  return true;
}

/** Offset of what an ICMP error quotes; 0 where the packet is none. */
function quoteAt(bytes: usize, length: u32): u32 {
  if (found != <i32>own(ICMP, ICMPV6) || (addressBytes != 4 && foundFragment)) return 0;
  if (foundAt > length || length - foundAt < ICMP_HEADER) return 0;
  const type = load<u8>(bytes + foundAt);
  const error =
    addressBytes == 4 ? type == 3 || type == 4 || type == 5 || type == 11 || type == 12 : type != 0 && type < 128;
  return error ? foundAt + ICMP_HEADER : 0;
}

function headersOfRecord(): void {
  found = load<u8>(packet, PACKET_PROTOCOL);
  foundFragment =
    load<u16>(packet, PACKET_FRAGMENT_OFFSET) != 0 || (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_MORE) != 0;
}

/** Looks for the transport header behind the IP header at `at`. An authentication header counts as one. */
function headersOf(bytes: usize, at: u32, length: u32): void {
  const header = bytes + at;
  foundFragment = false;
  if (addressBytes == 4) {
    found = load<u8>(header, 9);
    foundAt = at + ((<u32>load<u8>(header) & 15) << 2);
    foundFragment = (load<u16>(header, 6) & FRAGMENTED) != 0;
    return;
  }
  found = -1;
  let type = load<u8>(header, 6);
  at += IPV6_HEADER;
  while (isExtension(type) && type != NO_NEXT && type != AUTHENTICATION) {
    if (at > length || length - at < (type == FRAGMENT ? 4 : 2)) return;
    const next = bytes + at;
    if (type == FRAGMENT) {
      foundFragment = true;
      if (bswap<u16>(load<u16>(next, 2)) & 0xfff8) {
        // What a later fragment carries is not a header.
        if (!isExtension(load<u8>(next)) || load<u8>(next) == NO_NEXT) found = load<u8>(next);
        return;
      }
    }
    at += headerSize(type, next);
    type = load<u8>(next);
  }
  found = type;
  foundAt = at;
}

function takeAddresses(record: usize, from: usize, to: usize): void {
  source = maskedAddress(from, record + P.HMARK_SOURCE_MASK);
  destination = maskedAddress(to, record + P.HMARK_DESTINATION_MASK);
}

/** Words of an IPv6 address are put one upon the other. */
function maskedAddress(address: usize, mask: usize): u32 {
  let word: u32 = 0;
  for (let i: usize = 0; i < addressBytes; i += 4) word ^= load<u32>(address + i) & load<u32>(mask + i);
  return bswap<u32>(word);
}

/** The four bytes at the beginning of the transport header, of an authentication header behind it, where they are there. */
function takeIndex(record: usize, bytes: usize, length: u32): void {
  if (!carriesPorts(protocol) && protocol != ENCAPSULATION && protocol != AUTHENTICATION) return;
  const at = foundAt + (protocol == AUTHENTICATION ? AUTHENTICATION_INDEX : 0);
  if (at > length || length - at < 4) return;
  takePorts(record, bswap<u16>(load<u16>(bytes + at)), bswap<u16>(load<u16>(bytes + at, 2)));
}

function takePorts(record: usize, from: u16, to: u16): void {
  const first = chosen(from, record);
  const second = chosen(to, record + 2);
  ports = second > first ? (second << 16) | first : (first << 16) | second;
}

/** A port through its mask, with the bits that are to be set. */
function chosen(port: u16, record: usize): u32 {
  const mask = bswap<u16>(load<u16>(record, P.HMARK_PORT_MASK));
  return (port & mask) | bswap<u16>(load<u16>(record, P.HMARK_PORT_SET));
}

function carriesPorts(number: u8): bool {
  return hasPorts(number) || number == DCCP;
}

function own(ipv4: u8, ipv6: u8): u8 {
  return addressBytes == 4 ? ipv4 : ipv6;
}
