/**
 * The TCP segment in hand. A packet's record holds no sequence numbers; they are read from the packet's own bytes, and
 * nothing of the segment is known without them.
 */
import { WINDOW_FLAG_SACK, WINDOW_FLAG_SCALE } from "../../src/blob/connections";
import {
  PACKET_FLAG_OPTIONS_CUT,
  PACKET_FLAGS,
  PACKET_LENGTH,
  PACKET_PAYLOAD_LENGTH,
  PACKET_TCP_FLAGS,
} from "../../src/blob/layout";
import { packet } from "../packet";
import { HEADER_CUT, payload, transportOffset } from "../payload";

const FIN: u32 = 1;
const SYN: u32 = 2;
const HEADER: u32 = 20;
const OPTION_END: u8 = 0;
const OPTION_NOTHING: u8 = 1;
const OPTION_SCALE: u8 = 3;
const OPTION_SACK_PERMITTED: u8 = 4;
const OPTION_SACK: u8 = 5;
const SCALE_MOST: u8 = 14;

export let segmentKnown: bool = false;
export let segmentSequence: u32 = 0;
export let segmentAck: u32 = 0;
export let segmentEnd: u32 = 0;
export let segmentWindow: u16 = 0;
/** Address of the header, where it is known. */
export let segmentHeader: usize = 0;
export let optionBytes: i32 = 0;
export let segmentFlags: u32 = 0;
/** What the options said that were last read. */
let noted: u8 = 0;
export let notedScale: u8 = 0;

/** Reads the packet's header. False when it is malformed. */
export function segmentRead(): bool {
  segmentKnown = false;
  segmentFlags = load<u8>(packet, PACKET_TCP_FLAGS);
  if (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_OPTIONS_CUT) return false;
  const bytes = payload();
  if (!bytes) return true;
  const at = transportOffset(bytes, load<u32>(packet, PACKET_PAYLOAD_LENGTH));
  if (at == HEADER_CUT || at + HEADER > load<u32>(packet, PACKET_PAYLOAD_LENGTH)) return false;
  const header = bytes + at;
  const size = (<u32>load<u8>(header, 12) >> 4) << 2;
  const length = load<u32>(packet, PACKET_LENGTH);
  if (size < HEADER || at + size > length || at + size > load<u32>(packet, PACKET_PAYLOAD_LENGTH)) return false;
  segmentKnown = true;
  segmentSequence = bswap<u32>(load<u32>(header, 4));
  segmentAck = bswap<u32>(load<u32>(header, 8));
  segmentWindow = bswap<u16>(load<u16>(header, 14));
  segmentEnd = segmentSequence + (length - at - size) + (segmentFlags & SYN ? 1 : 0) + (segmentFlags & FIN ? 1 : 0);
  segmentHeader = header;
  optionBytes = <i32>(size - HEADER);
  return true;
}

/** WINDOW_FLAG_* of a SYN's options; `notedScale` beside them. */
export function segmentOptions(): u8 {
  noted = 0;
  notedScale = 0;
  if (segmentKnown) eachOption();
  return noted;
}

/** What of its options concerns windows. */
function eachOption(): void {
  let at = segmentHeader + HEADER;
  const last = at + optionBytes;
  while (at < last) {
    const kind = load<u8>(at);
    if (kind == OPTION_END) return;
    if (kind == OPTION_NOTHING) {
      at++;
      continue;
    }
    if (at + 1 >= last) return;
    const size = <u32>load<u8>(at, 1);
    if (size < 2 || at + size > last) return;
    if (kind == OPTION_SACK_PERMITTED && size == 2) noted |= <u8>WINDOW_FLAG_SACK;
    else if (kind == OPTION_SCALE && size == 3) {
      noted |= <u8>WINDOW_FLAG_SCALE;
      notedScale = load<u8>(at, 2) > SCALE_MOST ? SCALE_MOST : load<u8>(at, 2);
    }
    at += size;
  }
}

/** The right edge of what is acknowledged, SACK included. */
export function highestSack(ack: u32): u32 {
  let highest = ack;
  let at = segmentHeader + HEADER;
  const last = at + optionBytes;
  while (at < last) {
    const kind = load<u8>(at);
    if (kind == OPTION_END) break;
    if (kind == OPTION_NOTHING) {
      at++;
      continue;
    }
    if (at + 1 >= last) break;
    const size = <u32>load<u8>(at, 1);
    if (size < 2 || at + size > last) break;
    if (kind == OPTION_SACK && size >= 10 && (size - 2) % 8 == 0) {
      for (let block: u32 = 2; block < size; block += 8) {
        const edge = bswap<u32>(load<u32>(at + block, 4));
        if (after(edge, highest)) highest = edge;
      }
      break;
    }
    at += size;
  }
  return highest;
}

export function before(a: u32, b: u32): bool {
  return <i32>(a - b) < 0;
}

export function after(a: u32, b: u32): bool {
  return <i32>(b - a) < 0;
}
