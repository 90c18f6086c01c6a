/** frag (ip6t_frag.c): the fragment header in the packet's bytes. A packet whose bytes are not known has none. */
import { PACKET_PAYLOAD_LENGTH } from "../../src/blob/layout";
import { FRAG_FLAGS, FRAG_ID_MAX, FRAG_ID_MIN, FRAG_INVERT } from "../../src/blob/payloads";
import { packet, setHotdrop } from "../packet";
import { HEADER_CUT, HEADER_NONE, headerOffset, payload } from "../payload";

const FRAGMENT: u8 = 44;
const HEADER: u32 = 8;
const ID: u8 = 1;
const RESERVED: u8 = 4;
const FIRST: u8 = 8;
const MORE: u8 = 16;
const LAST: u8 = 32;
/** Bits of the header's offset field. */
const MORE_FOLLOW: u16 = 1;
const RESERVED_BITS: u16 = 6;
const OFFSET_BITS: u16 = 0xfff8;

export function matchFrag(record: usize): bool {
  const bytes = payload();
  if (!bytes) return false;
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const at = headerOffset(bytes, length, FRAGMENT);
  if (at == HEADER_NONE) return false;
  if (at == HEADER_CUT || length - at < HEADER) {
    setHotdrop();
    return false;
  }
  const header = bytes + at;
  const id = bswap<u32>(load<u32>(header, 4));
  const inside = id >= load<u32>(record, FRAG_ID_MIN) && id <= load<u32>(record, FRAG_ID_MAX);
  if (inside == ((load<u8>(record, FRAG_INVERT) & ID) != 0)) return false;
  const flags = load<u8>(record, FRAG_FLAGS);
  const field = bswap<u16>(load<u16>(header, 2));
  if (flags & RESERVED && (load<u8>(header, 1) || field & RESERVED_BITS)) return false;
  if (flags & FIRST && field & OFFSET_BITS) return false;
  if (flags & MORE && !(field & MORE_FOLLOW)) return false;
  return !(flags & LAST) || !(field & MORE_FOLLOW);
}
