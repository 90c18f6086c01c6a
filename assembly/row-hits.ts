/** Whether a packet satisfies a row: its fixed part, then its matches in order. What chunks and indexes say before is but a hint. */
import {
  PACKET_DESTINATION,
  PACKET_FLAG_HEADERS_CUT,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_INPUT,
  PACKET_OUTPUT,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  ROW_BORN,
  ROW_DIED,
  ROW_FLAG_FRAGMENT,
  ROW_FLAG_INPUT,
  ROW_FLAG_OUTPUT,
  ROW_FLAGS,
  ROW_INVERT,
  ROW_INVERT_DESTINATION,
  ROW_INVERT_FRAGMENT,
  ROW_INVERT_INPUT,
  ROW_INVERT_OUTPUT,
  ROW_INVERT_PROTOCOL,
  ROW_INVERT_SOURCE,
  ROW_PROTOCOL,
  ROW_SOURCE,
  ROW_TARGET,
} from "../src/blob/layout";
import { counting, rowChecked } from "./effort";
import { interfaceMatches } from "./interface";
import { matches } from "./match";
import { addressBytes, generationSeen, packet, setHotdrop } from "./packet";

/** Whether the packet's generation sees the row, and the packet satisfies it. */
export function rowHits(row: usize): bool {
  if (counting) rowChecked();
  if (load<u32>(row, ROW_BORN) > generationSeen || generationSeen >= load<u32>(row, ROW_DIED)) return false;
  const flags = load<u8>(row, ROW_FLAGS);
  const invert = load<u8>(row, ROW_INVERT);
  const protocol = load<u8>(row, ROW_PROTOCOL);
  const addresses = row + ROW_SOURCE;
  if (addressBytes == 4) {
    const source = (load<u32>(packet, PACKET_SOURCE) & load<u32>(addresses, 4)) == load<u32>(addresses);
    if (source == ((invert & ROW_INVERT_SOURCE) != 0)) return false;
    const destination = (load<u32>(packet, PACKET_DESTINATION) & load<u32>(addresses, 12)) == load<u32>(addresses, 8);
    if (destination == ((invert & ROW_INVERT_DESTINATION) != 0)) return false;
  } else {
    if (inPrefix(packet + PACKET_SOURCE, addresses) == ((invert & ROW_INVERT_SOURCE) != 0)) return false;
    if (inPrefix(packet + PACKET_DESTINATION, addresses + 32) == ((invert & ROW_INVERT_DESTINATION) != 0)) return false;
  }
  let at = addresses + 4 * addressBytes;
  if (flags & ROW_FLAG_INPUT) {
    if (interfaceMatches(packet + PACKET_INPUT, at) == ((invert & ROW_INVERT_INPUT) != 0)) return false;
    at += 32;
  }
  if (flags & ROW_FLAG_OUTPUT) {
    if (interfaceMatches(packet + PACKET_OUTPUT, at) == ((invert & ROW_INVERT_OUTPUT) != 0)) return false;
    at += 32;
  }
  if (protocol && addressBytes != 4 && load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_HEADERS_CUT) {
    setHotdrop();
    return false;
  }
  if (protocol && (load<u8>(packet, PACKET_PROTOCOL) == protocol) == ((invert & ROW_INVERT_PROTOCOL) != 0))
    return false;
  if (
    flags & ROW_FLAG_FRAGMENT &&
    (load<u16>(packet, PACKET_FRAGMENT_OFFSET) != 0) == ((invert & ROW_INVERT_FRAGMENT) != 0)
  )
    return false;
  const target = row + load<u16>(row, ROW_TARGET);
  while (at < target) {
    const record = load<u32>(at);
    if (!matches(record >>> 16, at)) return false;
    at += record & 0xffff;
  }
  return true;
}

/** 16 bytes of address, and behind them 16 of mask. */
function inPrefix(address: usize, prefix: usize): bool {
  const masked = v128.and(v128.load(address), v128.load(prefix + 16));
  return !v128.any_true(v128.xor(masked, v128.load(prefix)));
}
