/** ICMP's part of tracking (nf_conntrack_proto_icmp.c, nf_conntrack_proto_icmpv6.c): errors, and what may begin an exchange. */
import {
  NODE_TUPLE,
  TUPLE_DESTINATION,
  TUPLE_DESTINATION_PORT,
  TUPLE_FAMILY,
  TUPLE_PROTOCOL,
  TUPLE_SOURCE,
  TUPLE_SOURCE_PORT,
  TUPLE_ZONE,
} from "../../src/blob/connections";
import {
  FAMILY_IPV4,
  PACKET_DESTINATION,
  PACKET_FAMILY,
  PACKET_PAYLOAD_LENGTH,
  PACKET_SOURCE_PORT,
  PACKET_TIME,
  RESULT_FLAG_QUOTED,
  RESULT_FLAGS,
  RESULT_QUOTED_DESTINATION,
  RESULT_QUOTED_DESTINATION_PORT,
  RESULT_QUOTED_SOURCE,
  RESULT_QUOTED_SOURCE_PORT,
} from "../../src/blob/layout";
import { packet, result } from "../packet";
import { HEADER_CUT, HEADER_TRANSPORT, headerOffset, payload, transportOffset } from "../payload";
import { recordOf, release } from "./pool";
import { findInZones } from "./table";
import { hasPorts, ICMPV6, isIcmp, tupleInvert } from "./tuple";

const ICMP_HEADER: u32 = 8;
/** Bytes that tell the ports. */
const PORTS: u32 = 4;
/** Bytes of a transport header that NAT wants to write to where it has ports. */
const PORTS_WRITTEN: u32 = 8;
const REDIRECT: u32 = 5;
const REDIRECT6: u32 = 137;

export function isIcmpError(protocol: u8): bool {
  const type = load<u16>(packet, PACKET_SOURCE_PORT);
  if (protocol == ICMPV6) return type < 128;
  return type == 3 || type == 4 || type == REDIRECT || type == 11 || type == 12;
}

export function isRedirect(protocol: u8): bool {
  return load<u16>(packet, PACKET_SOURCE_PORT) == (protocol == ICMPV6 ? REDIRECT6 : REDIRECT);
}

/** Neighbour and router discovery, and listener reports, which are not tracked. */
export function isUntrackedIcmp6(): bool {
  const type = load<u16>(packet, PACKET_SOURCE_PORT);
  return (type >= 130 && type <= 137) || type == 143;
}

/** Requests alone begin an exchange, of the packet's own family. */
export function icmpMayBegin(protocol: u8): bool {
  const type = load<u16>(packet, PACKET_SOURCE_PORT);
  const ipv4 = load<u8>(packet, PACKET_FAMILY) == FAMILY_IPV4;
  if (protocol == ICMPV6) return !ipv4 && (type == 128 || type == 139);
  return ipv4 && (type == 8 || type == 13 || type == 15 || type == 17);
}

/**
 * The node that answers the packet which an error quotes, its connection referred to; 0 where there is none. `tuple` and
 * `inverse` are scratch. The quoted packet stands in the error's own bytes.
 */
export function relatedNode(tuple: usize, inverse: usize, zoneOriginal: u16, zoneReply: u16): usize {
  if (!quotedTuple(tuple) || !tupleInvert(tuple, inverse)) return 0;
  store<u16>(inverse, zoneOriginal, TUPLE_ZONE);
  const node = findInZones(inverse, zoneReply, load<u32>(packet, PACKET_TIME));
  if (!node) return 0;
  // An error that does not go to the one who sent the quoted packet is forged.
  const expected = v128.load(node + NODE_TUPLE, TUPLE_DESTINATION);
  if (!v128.any_true(v128.xor(expected, v128.load(packet, PACKET_DESTINATION)))) return node;
  release(recordOf(node));
  return 0;
}

/** Shows in the result what the error quotes, unless it is there already. False where its bytes are not. */
export function showQuoted(scratch: usize): bool {
  if (!quotedTuple(scratch)) return false;
  if (load<u8>(result, RESULT_FLAGS) & RESULT_FLAG_QUOTED) return true;
  v128.store(result, v128.load(scratch, TUPLE_SOURCE), RESULT_QUOTED_SOURCE);
  v128.store(result, v128.load(scratch, TUPLE_DESTINATION), RESULT_QUOTED_DESTINATION);
  store<u16>(result, load<u16>(scratch, TUPLE_SOURCE_PORT), RESULT_QUOTED_SOURCE_PORT);
  store<u16>(result, load<u16>(scratch, TUPLE_DESTINATION_PORT), RESULT_QUOTED_DESTINATION_PORT);
  store<u8>(result, <u8>(load<u8>(result, RESULT_FLAGS) | RESULT_FLAG_QUOTED), RESULT_FLAGS);
  return true;
}

/** Whether of the packet that was read last the ports are there, but too little of its transport header for NAT to write to it. */
export let quotedShort: bool = false;

/** Writes the tuple of the packet that the error quotes. False where its bytes are not there. */
export function quotedTuple(tuple: usize): bool {
  const bytes = payload();
  if (!bytes) return false;
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const outer = transportOffset(bytes, length);
  if (outer == HEADER_CUT || outer + ICMP_HEADER > length) return false;
  const inner = bytes + outer + ICMP_HEADER;
  const left = length - outer - ICMP_HEADER;
  const ipv4 = load<u8>(packet, PACKET_FAMILY) == FAMILY_IPV4;
  if (left < <u32>(ipv4 ? 20 : 40)) return false;
  const head: u32 = ipv4 ? (<u32>load<u8>(inner) & 15) << 2 : headerOffset(inner, left, HEADER_TRANSPORT);
  const protocol = load<u8>(inner + (ipv4 ? 9 : 6));
  if (head == HEADER_CUT || head + (hasPorts(protocol) ? PORTS : isIcmp(protocol) ? ICMP_HEADER : 0) > left)
    return false;
  quotedShort = hasPorts(protocol) && head + PORTS_WRITTEN > left;
  // A later fragment does not say whose it is.
  if (ipv4 && bswap<u16>(load<u16>(inner, 6)) & 0x1fff) return false;
  v128.store(tuple, v128.splat<u32>(0), TUPLE_SOURCE);
  v128.store(tuple, v128.splat<u32>(0), TUPLE_DESTINATION);
  store<u64>(tuple, 0, TUPLE_SOURCE_PORT);
  if (ipv4) {
    store<u32>(tuple, load<u32>(inner, 12), TUPLE_SOURCE);
    store<u32>(tuple, load<u32>(inner, 16), TUPLE_DESTINATION);
  } else {
    v128.store(tuple, v128.load(inner, 8), TUPLE_SOURCE);
    v128.store(tuple, v128.load(inner, 24), TUPLE_DESTINATION);
  }
  store<u8>(tuple, protocol, TUPLE_PROTOCOL);
  store<u8>(tuple, load<u8>(packet, PACKET_FAMILY), TUPLE_FAMILY);
  const transport = inner + head;
  if (hasPorts(protocol)) {
    store<u16>(tuple, bswap<u16>(load<u16>(transport)), TUPLE_SOURCE_PORT);
    store<u16>(tuple, bswap<u16>(load<u16>(transport, 2)), TUPLE_DESTINATION_PORT);
  } else if (isIcmp(protocol)) {
    store<u16>(tuple, bswap<u16>(load<u16>(transport, 4)), TUPLE_SOURCE_PORT);
    store<u16>(tuple, ((<u16>load<u8>(transport)) << 8) | load<u8>(transport, 1), TUPLE_DESTINATION_PORT);
  }
  return true;
}
