/** Tuples: from a packet, and turned around (nf_ct_get_tuple, nf_ct_invert_tuple). */
import {
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_FAMILY,
  PACKET_ICMP_ID,
  PACKET_LENGTH,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
} from "../../src/blob/layout";
import { TUPLE_DESTINATION, TUPLE_DESTINATION_PORT, TUPLE_SOURCE, TUPLE_SOURCE_PORT } from "../../src/blob/connections";
import { addressBytes, packet } from "../packet";
import { HEADER_CUT, payload, transportOffset } from "../payload";
import { GRE_FOREIGN, greCall } from "./gre";

export const ICMP: u8 = 1;
export const TCP: u8 = 6;
export const UDP: u8 = 17;
export const GRE: u8 = 47;
export const ICMPV6: u8 = 58;
const NO_NEXT: u8 = 59;
export const SCTP: u8 = 132;
export const UDPLITE: u8 = 136;
const UDP_HEADER: u32 = 8;

/** Protocols that are told apart by ports. DCCP is not: Linux 6.18 has no tracker for it. */
export function hasPorts(protocol: u8): bool {
  return protocol == TCP || protocol == UDP || protocol == SCTP || protocol == UDPLITE;
}

/** Protocols whose header tracking reads: of others it may be cut short. */
export function isRead(protocol: u8): bool {
  return hasPorts(protocol) || isIcmp(protocol);
}

/** Linux finds nothing to track: in IPv6 nothing comes behind the headers, or GRE is of a kind that it does not know. */
export function isNothing(protocol: u8): bool {
  return protocol == GRE ? greCall() == GRE_FOREIGN : protocol == NO_NEXT && addressBytes != 4;
}

export function isIcmp(protocol: u8): bool {
  return protocol == ICMP || protocol == ICMPV6;
}

/** Writes the tuple of the packet being walked to `tuple`, in a zone. */
export function tupleOfPacket(tuple: usize, zone: u16): void {
  v128.store(tuple, v128.load(packet, PACKET_SOURCE), TUPLE_SOURCE);
  v128.store(tuple, v128.load(packet, PACKET_DESTINATION), TUPLE_DESTINATION);
  const protocol = load<u8>(packet, PACKET_PROTOCOL);
  let source: u16 = 0;
  let destination: u16 = 0;
  if (isIcmp(protocol)) {
    source = load<u16>(packet, PACKET_ICMP_ID);
    destination = (load<u16>(packet, PACKET_SOURCE_PORT) << 8) | (load<u16>(packet, PACKET_DESTINATION_PORT) & 255);
  } else if (hasPorts(protocol)) {
    source = load<u16>(packet, PACKET_SOURCE_PORT);
    destination = load<u16>(packet, PACKET_DESTINATION_PORT);
  } else if (protocol == GRE) destination = <u16>greCall();
  store<u64>(tuple, tupleEnds(source, destination, protocol, load<u8>(packet, PACKET_FAMILY), zone), TUPLE_SOURCE_PORT);
}

/** What a tuple has behind its addresses, as one word: it is read as one, and soon, which a processor likes to be so. */
export function tupleEnds(source: u16, destination: u16, protocol: u8, family: u8, zone: u16): u64 {
  return (
    <u64>(<u32>source | ((<u32>destination) << 16)) |
    ((<u64>(<u32>protocol | ((<u32>family) << 8) | ((<u32>zone) << 16))) << 32)
  );
}

/**
 * Whether a UDP datagram is as long as it says, where its bytes are known. UDP-Lite says how much its checksum covers, 0 for
 * all of it, and has to have one.
 */
export function udpValid(): bool {
  const bytes = payload();
  if (!bytes) return true;
  const at = transportOffset(bytes, load<u32>(packet, PACKET_PAYLOAD_LENGTH));
  if (at == HEADER_CUT || at + UDP_HEADER > load<u32>(packet, PACKET_PAYLOAD_LENGTH)) return false;
  const lite = load<u8>(packet, PACKET_PROTOCOL) == UDPLITE;
  const said = <u32>bswap<u16>(load<u16>(bytes + at, 4));
  if (lite && !load<u16>(bytes + at, 6)) return false;
  return (lite && !said) || (said >= UDP_HEADER && said <= load<u32>(packet, PACKET_LENGTH) - at);
}

/** Writes what the other end answers to `tuple` to `into`, in the same zone. False where nobody answers: an ICMP type without a reply. */
export function tupleInvert(tuple: usize, into: usize): bool {
  const ends = load<u64>(tuple, TUPLE_SOURCE_PORT);
  const protocol = <u8>(ends >> 32);
  const sourceAddress = v128.load(tuple, TUPLE_SOURCE);
  v128.store(into, v128.load(tuple, TUPLE_DESTINATION), TUPLE_SOURCE);
  v128.store(into, sourceAddress, TUPLE_DESTINATION);
  if (!isIcmp(protocol)) {
    store<u64>(into, (ends & 0xffffffff00000000) | rotl<u32>(<u32>ends, 16), TUPLE_SOURCE_PORT);
    return true;
  }
  const destination = <u16>(ends >> 16);
  const answer = icmpAnswer(protocol, <u8>(destination >> 8));
  store<u64>(into, ends, TUPLE_SOURCE_PORT);
  store<u16>(into, ((<u16>answer) << 8) | (destination & 255), TUPLE_DESTINATION_PORT);
  return answer != NO_ANSWER;
}

export function tupleCopy(into: usize, from: usize): void {
  v128.store(into, v128.load(from));
  v128.store(into, v128.load(from, 16), 16);
  store<u64>(into, load<u64>(from, 32), 32);
}

export function tupleEqual(a: usize, b: usize): bool {
  return sameAddresses(a, b) && load<u64>(a, TUPLE_SOURCE_PORT) == load<u64>(b, TUPLE_SOURCE_PORT);
}

/** Ports, protocol and family, in front of the zone. */
const BESIDE_ZONE: u64 = 0x0000ffffffffffff;

/** Whether both are equal but for their zones. */
export function tupleSameEnds(a: usize, b: usize): bool {
  return sameAddresses(a, b) && !((load<u64>(a, TUPLE_SOURCE_PORT) ^ load<u64>(b, TUPLE_SOURCE_PORT)) & BESIDE_ZONE);
}

function sameAddresses(a: usize, b: usize): bool {
  return !v128.any_true(
    v128.or(
      v128.xor(v128.load(a), v128.load(b)),
      v128.xor(v128.load(a, TUPLE_DESTINATION), v128.load(b, TUPLE_DESTINATION)),
    ),
  );
}

/**
 * Each word of the tuple times an odd number of its own, added, and mixed so that every bit counts. A directory of chains
 * asks for the last bits.
 */
export function tupleHash(tuple: usize, seed: u32): u32 {
  return hashOfWords(tuple + TUPLE_SOURCE, tuple + TUPLE_DESTINATION, load<u64>(tuple, TUPLE_SOURCE_PORT), seed);
}

/** The same of the two addresses that lie at `source` and `destination`, and of what a tuple has behind them. */
export function hashOfWords(source: usize, destination: usize, ends: u64, seed: u32): u32 {
  let hash: u64 = <u64>seed * 0x9e3779b97f4a7c15;
  hash += load<u64>(source) * 0xa0761d6478bd642f;
  hash += load<u64>(source, 8) * 0xe7037ed1a0b428db;
  hash += load<u64>(destination) * 0x8ebc6af09c88c6e3;
  hash += load<u64>(destination, 8) * 0x589965cc75374cc3;
  hash += ends * 0x1d8e4e27c47d124f;
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93;
  return <u32>(hash >> 32);
}

/** -1, 0 or 1: how two addresses of the family being walked follow each other. */
export function addressCompare(a: usize, b: usize): i32 {
  for (let i: usize = 0; i < addressBytes; i += 4) {
    const left = bswap<u32>(load<u32>(a + i));
    const right = bswap<u32>(load<u32>(b + i));
    if (left != right) return left < right ? -1 : 1;
  }
  return 0;
}

const NO_ANSWER: u8 = 254;

/** The type that answers a type, in either direction (nf_conntrack_proto_icmp.c, nf_conntrack_proto_icmpv6.c). */
function icmpAnswer(protocol: u8, type: u8): u8 {
  if (protocol == ICMP) {
    if (type == 8) return 0;
    if (type == 0) return 8;
    if (type == 13 || type == 15 || type == 17) return type + 1;
    if (type == 14 || type == 16 || type == 18) return type - 1;
    return NO_ANSWER;
  }
  if (type == 128) return 129;
  if (type == 129) return 128;
  if (type == 139) return 140;
  return type == 140 ? 139 : NO_ANSWER;
}
