/** Tuples: from a packet, and turned around (nf_ct_get_tuple, nf_ct_invert_tuple). */
import {
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_FAMILY,
  PACKET_ICMP_ID,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_ZONE,
} from "../../src/blob/layout";
import {
  CONNECTION_TUPLE_SIZE,
  TUPLE_DESTINATION,
  TUPLE_DESTINATION_PORT,
  TUPLE_FAMILY,
  TUPLE_PROTOCOL,
  TUPLE_SOURCE,
  TUPLE_SOURCE_PORT,
  TUPLE_ZONE,
} from "../../src/blob/connections";
import { packet } from "../packet";

export const ICMP: u8 = 1;
export const TCP: u8 = 6;
export const UDP: u8 = 17;
export const DCCP: u8 = 33;
export const ICMPV6: u8 = 58;
export const SCTP: u8 = 132;
export const UDPLITE: u8 = 136;

export function hasPorts(protocol: u8): bool {
  return protocol == TCP || protocol == UDP || protocol == SCTP || protocol == UDPLITE || protocol == DCCP;
}

export function isIcmp(protocol: u8): bool {
  return protocol == ICMP || protocol == ICMPV6;
}

/** Writes the tuple of the packet being walked to `tuple`. */
export function tupleOfPacket(tuple: usize): void {
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
  }
  store<u16>(tuple, source, TUPLE_SOURCE_PORT);
  store<u16>(tuple, destination, TUPLE_DESTINATION_PORT);
  store<u8>(tuple, protocol, TUPLE_PROTOCOL);
  store<u8>(tuple, load<u8>(packet, PACKET_FAMILY), TUPLE_FAMILY);
  store<u16>(tuple, load<u16>(packet, PACKET_ZONE), TUPLE_ZONE);
}

/** Writes what the other end answers to `tuple` to `into`. False where nobody answers: an ICMP type without a reply. */
export function tupleInvert(tuple: usize, into: usize): bool {
  const source = load<u16>(tuple, TUPLE_SOURCE_PORT);
  const destination = load<u16>(tuple, TUPLE_DESTINATION_PORT);
  const protocol = load<u8>(tuple, TUPLE_PROTOCOL);
  const sourceAddress = v128.load(tuple, TUPLE_SOURCE);
  v128.store(into, v128.load(tuple, TUPLE_DESTINATION), TUPLE_SOURCE);
  v128.store(into, sourceAddress, TUPLE_DESTINATION);
  store<u32>(into, load<u32>(tuple, TUPLE_PROTOCOL), TUPLE_PROTOCOL);
  if (!isIcmp(protocol)) {
    store<u16>(into, destination, TUPLE_SOURCE_PORT);
    store<u16>(into, source, TUPLE_DESTINATION_PORT);
    return true;
  }
  const answer = icmpAnswer(protocol, <u8>(destination >> 8));
  store<u16>(into, source, TUPLE_SOURCE_PORT);
  store<u16>(into, ((<u16>answer) << 8) | (destination & 255), TUPLE_DESTINATION_PORT);
  return answer != NO_ANSWER;
}

export function tupleEqual(a: usize, b: usize): bool {
  return (
    !v128.any_true(
      v128.or(
        v128.xor(v128.load(a), v128.load(b)),
        v128.xor(v128.load(a, TUPLE_DESTINATION), v128.load(b, TUPLE_DESTINATION)),
      ),
    ) && load<u64>(a, TUPLE_SOURCE_PORT) == load<u64>(b, TUPLE_SOURCE_PORT)
  );
}

export function tupleHash(tuple: usize, seed: u32): u32 {
  let hash: u64 = seed;
  for (let at: usize = 0; at < <usize>CONNECTION_TUPLE_SIZE; at += 8) {
    hash = (hash ^ load<u64>(tuple + at)) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  return <u32>(hash >> 16);
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
