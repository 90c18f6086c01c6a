/**
 * srh (ip6t_srh.c): the segment routing header in the packet's bytes, as they came in. A packet whose bytes are not known
 * has none. The list of segments is read from its end: the first entry is the last one to be visited.
 */
import { PACKET_PAYLOAD_LENGTH } from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { packet } from "../packet";
import { HEADER_CUT, HEADER_NONE, headerOffset, headerSize, payload } from "../payload";

const ROUTING: u8 = 43;
const SEGMENT_ROUTING: u8 = 4;
const FIXED_SIZE: u32 = 8;
const ADDRESS_SIZE: u32 = 16;
const KNOWN: u32 = 2 * P.SRH_HAS_LAST - 1;

export function matchSrh(record: usize): bool {
  const bytes = payload();
  if (!bytes) return false;
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const at = headerOffset(bytes, length, ROUTING);
  if (at == HEADER_NONE || at == HEADER_CUT) return false;
  const left = length - at;
  const header = bytes + at;
  if (left < FIXED_SIZE || left < headerSize(ROUTING, header) || load<u8>(header, 2) != SEGMENT_ROUTING) return false;
  return load<u8>(header, 3) <= load<u8>(header, 4) && fields(record, header) && segments(record, header, left);
}

export function checkSrh(record: usize): bool {
  return !((<u32>load<u16>(record, P.SRH_FLAGS) | <u32>load<u16>(record, P.SRH_INVERT)) & ~KNOWN);
}

function fields(record: usize, header: usize): bool {
  const nextHeader = load<u8>(header);
  const size = load<u8>(header, 1);
  const left = load<u8>(header, 3);
  const last = load<u8>(header, 4);
  const sizeAsked = load<u8>(record, P.SRH_LENGTH);
  const leftAsked = load<u8>(record, P.SRH_SEGMENTS_LEFT);
  const lastAsked = load<u8>(record, P.SRH_LAST_ENTRY);
  return (
    agrees(record, P.SRH_HAS_NEXT_HEADER, nextHeader == load<u8>(record, P.SRH_NEXT_HEADER)) &&
    agrees(record, P.SRH_HAS_LENGTH_EQUAL, size == sizeAsked) &&
    agrees(record, P.SRH_HAS_LENGTH_GREATER, size > sizeAsked) &&
    agrees(record, P.SRH_HAS_LENGTH_LESS, size < sizeAsked) &&
    agrees(record, P.SRH_HAS_SEGMENTS_EQUAL, left == leftAsked) &&
    agrees(record, P.SRH_HAS_SEGMENTS_GREATER, left > leftAsked) &&
    agrees(record, P.SRH_HAS_SEGMENTS_LESS, left < leftAsked) &&
    agrees(record, P.SRH_HAS_LAST_EQUAL, last == lastAsked) &&
    agrees(record, P.SRH_HAS_LAST_GREATER, last > lastAsked) &&
    agrees(record, P.SRH_HAS_LAST_LESS, last < lastAsked) &&
    // Linux compares the tag as it lies in the packet with a number of its own.
    agrees(record, P.SRH_HAS_TAG, load<u16>(header, 6) == load<u16>(record, P.SRH_TAG))
  );
}

/** The segments visited last, to be visited next, and to be visited at the end. `bytes` are known from the header on. */
function segments(record: usize, header: usize, bytes: u32): bool {
  const flags = <u32>load<u16>(record, P.SRH_FLAGS);
  const left = <u32>load<u8>(header, 3);
  if (flags & P.SRH_HAS_PREVIOUS) {
    if (left == <u32>load<u8>(header, 4)) return false;
    if (!segmentAgrees(record, P.SRH_HAS_PREVIOUS, P.SRH_PREVIOUS, header, left + 1, bytes)) return false;
  }
  if (flags & P.SRH_HAS_NEXT) {
    if (!left || !segmentAgrees(record, P.SRH_HAS_NEXT, P.SRH_NEXT, header, left - 1, bytes)) return false;
  }
  return !(flags & P.SRH_HAS_LAST) || segmentAgrees(record, P.SRH_HAS_LAST, P.SRH_LAST, header, 0, bytes);
}

/** Entry `index` of the list against the address at `field` of the record and its mask. It may lie behind the header. */
function segmentAgrees(record: usize, bit: u32, field: u32, header: usize, index: u32, bytes: u32): bool {
  const at = FIXED_SIZE + index * ADDRESS_SIZE;
  if (at + ADDRESS_SIZE > bytes) return false;
  const differ = v128.xor(v128.load(header + at), v128.load(record + field));
  const same = !v128.any_true(v128.and(differ, v128.load(record + field + ADDRESS_SIZE)));
  return agrees(record, bit, same);
}

/** Whether a rule that asks gets the answer that it wants. */
function agrees(record: usize, bit: u32, fact: bool): bool {
  if (!(<u32>load<u16>(record, P.SRH_FLAGS) & bit)) return true;
  return fact != ((<u32>load<u16>(record, P.SRH_INVERT) & bit) != 0);
}
