/** rt (ip6t_rt.c): the routing header in the packet's bytes. A packet whose bytes are not known has none. */
import { PACKET_PAYLOAD_LENGTH } from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { packet, setHotdrop } from "../packet";
import { HEADER_CUT, HEADER_NONE, headerOffset, headerSize, payload } from "../payload";

const ROUTING: u8 = 43;
const TYPE: u8 = 1;
const SEGMENTS: u8 = 2;
const LENGTH: u8 = 4;
const RESERVED: u8 = 8;
const ADDRESSES: u8 = 16;
const NOT_STRICT: u8 = 32;
const INVERT_KNOWN: u8 = 7;
/** What may stand behind `--rt-type 0` only. */
const OF_TYPE_0: u8 = RESERVED | ADDRESSES | NOT_STRICT;
const FIXED_SIZE: u32 = 8;

export function matchRt(record: usize): bool {
  const bytes = payload();
  if (!bytes) return false;
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const offset = headerOffset(bytes, length, ROUTING);
  if (offset == HEADER_NONE) return false;
  const header = bytes + offset;
  const size: u32 = offset == HEADER_CUT ? 0 : headerSize(ROUTING, header);
  if (!size || length - offset < size) {
    setHotdrop();
    return false;
  }
  const flags = load<u8>(record, P.RT_FLAGS);
  const invert = load<u8>(record, P.RT_INVERT);
  const left = <u32>load<u8>(header, 3);
  const inside = left >= load<u32>(record, P.RT_SEGMENTS_MIN) && left <= load<u32>(record, P.RT_SEGMENTS_MAX);
  if (inside == ((invert & SEGMENTS) != 0)) return false;
  if (flags & LENGTH && (size == load<u32>(record, P.RT_LENGTH)) == ((invert & LENGTH) != 0)) return false;
  if (flags & TYPE && (<u32>load<u8>(header, 2) == load<u32>(record, P.RT_TYPE)) == ((invert & TYPE) != 0))
    return false;
  if (flags & RESERVED && load<u32>(header, 4)) return false;
  if (!(flags & ADDRESSES)) return true;
  const wanted = <u32>load<u8>(record, P.RT_COUNT);
  const listed = (size - FIXED_SIZE) >> 4;
  return flags & NOT_STRICT
    ? wanted <= listed && agreeing(header, listed, record, wanted, false) == wanted
    : wanted == listed && agreeing(header, listed, record, wanted, true) == wanted;
}

export function checkRt(record: usize): bool {
  const flags = load<u8>(record, P.RT_FLAGS);
  const invert = load<u8>(record, P.RT_INVERT);
  if (invert & ~INVERT_KNOWN || load<u8>(record, P.RT_COUNT) > <u8>P.RT_ADDRESSES_COUNT) return false;
  return !(flags & OF_TYPE_0) || ((flags & TYPE) != 0 && !(invert & TYPE) && load<u32>(record, P.RT_TYPE) == 0);
}

/** How many of the rule's addresses the header lists in their order; `strict`: without others in between. */
function agreeing(header: usize, listed: u32, record: usize, wanted: u32, strict: bool): u32 {
  let found: u32 = 0;
  for (let i: u32 = 0; i < listed && found < wanted; i++) {
    const address = v128.load(header + FIXED_SIZE + (i << 4));
    if (!v128.any_true(v128.xor(address, v128.load(record + P.RT_ADDRESSES + (found << 4))))) found++;
    else if (strict) break;
  }
  return found;
}
