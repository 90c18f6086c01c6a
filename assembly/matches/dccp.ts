/**
 * dccp (xt_dccp.c): ports, and from the packet's bytes its type and options. Without bytes neither type nor option is known,
 * and a rule that asks for one does not match.
 */
import { PACKET_DESTINATION_PORT, PACKET_SOURCE_PORT } from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { packet, setHotdrop } from "../packet";
import { payload, payloadEnd, transportHeader } from "../payload";
import { hasTransport } from "./transport";

const SOURCE: u8 = 1;
const DESTINATION: u8 = 2;
const TYPES: u8 = 4;
const OPTION: u8 = 8;
const FLAGS_KNOWN: u8 = 15;
const HEADER: u32 = 12;
/** What the header grows by when its sequence number is a long one. */
const LONG_SEQUENCE: u32 = 4;
const TYPE_REQUEST: u32 = 0;
const TYPE_RESPONSE: u32 = 1;
const TYPE_DATA: u32 = 2;
const TYPE_RESET: u32 = 7;
const TYPE_SYNC_ACK: u32 = 9;

export function matchDccp(record: usize): bool {
  if (!hasTransport(false)) return false;
  const header = payload() ? transportHeader(HEADER) : 0;
  if (payload() && !header) return false;
  const flags = load<u8>(record, P.DCCP_FLAGS);
  const invert = load<u8>(record, P.PORTS_INVERT);
  if (flags & SOURCE) {
    const port = load<u16>(packet, PACKET_SOURCE_PORT);
    const inside = port >= load<u16>(record, P.PORTS_SOURCE_MIN) && port <= load<u16>(record, P.PORTS_SOURCE_MAX);
    if (inside == ((invert & SOURCE) != 0)) return false;
  }
  if (flags & DESTINATION) {
    const port = load<u16>(packet, PACKET_DESTINATION_PORT);
    const inside =
      port >= load<u16>(record, P.PORTS_DESTINATION_MIN) && port <= load<u16>(record, P.PORTS_DESTINATION_MAX);
    if (inside == ((invert & DESTINATION) != 0)) return false;
  }
  if (!(flags & (TYPES | OPTION))) return true;
  if (!header) return false;
  if (flags & TYPES) {
    const named = ((<u32>load<u16>(record, P.DCCP_TYPES) >> typeOf(header)) & 1) != 0;
    if (named == ((invert & TYPES) != 0)) return false;
  }
  return !(flags & OPTION) || hasOption(header, load<u8>(record, P.DCCP_OPTION)) != ((invert & OPTION) != 0);
}

export function checkDccp(record: usize): bool {
  return !(load<u8>(record, P.DCCP_FLAGS) & ~FLAGS_KNOWN) && !(load<u8>(record, P.PORTS_INVERT) & ~FLAGS_KNOWN);
}

function typeOf(header: usize): u32 {
  return (<u32>load<u8>(header, 8) >> 1) & 15;
}

/** Options lie behind what the type adds to the header. Where they are cut short the packet is dropped. */
function hasOption(header: usize, option: u8): bool {
  const type = typeOf(header);
  let added: u32 = 8;
  if (type == TYPE_DATA) added = 0;
  else if (type == TYPE_REQUEST) added = 4;
  else if (type == TYPE_RESPONSE || type == TYPE_RESET || type > TYPE_SYNC_ACK) added = 12;
  const from = HEADER + (load<u8>(header, 8) & 1 ? LONG_SEQUENCE : 0) + added;
  const to = (<u32>load<u8>(header, 4)) << 2;
  if (to < from || (to > from && header + to > payloadEnd())) {
    setHotdrop();
    return false;
  }
  for (let at = from; at < to; ) {
    const kind = load<u8>(header + at);
    if (kind == option) return true;
    const size: u32 = kind < 2 || at == to - 1 ? 1 : <u32>load<u8>(header + at, 1);
    at += size ? size : 1;
  }
  return false;
}
