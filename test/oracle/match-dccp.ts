/** dccp: net/netfilter/xt_dccp.c. */
import { PACKET_FLAG_ODD } from "../../src/blob/layout.js";
import {
  DCCP_FLAGS,
  DCCP_OPTION,
  DCCP_TYPES,
  PORTS_DESTINATION_MAX,
  PORTS_DESTINATION_MIN,
  PORTS_INVERT,
  PORTS_SOURCE_MAX,
  PORTS_SOURCE_MIN,
} from "../../src/blob/payloads.js";
import { transportBytes } from "./match-spi.js";
import type { RecordView } from "./rule.js";
import { inverted, type Walk } from "./walk.js";

const SOURCE = 1;
const DESTINATION = 2;
const TYPES = 4;
const OPTION = 8;
const HEADER = 12;
/** By type: what it adds to the header. REQUEST, RESPONSE, DATA, ACK, DATAACK, CLOSEREQ, CLOSE, RESET, SYNC, SYNCACK. */
const ADDED = [4, 12, 0, 8, 8, 8, 8, 12, 8, 8];
const ADDED_BY_OTHERS = 12;

export function matchDccp({ view, bytes }: RecordView, walk: Walk): boolean {
  const { packet } = walk;
  if (packet.fragmentOffset !== 0) return false;
  const header = transportBytes(walk, packet.bytes ? HEADER : 0);
  if (walk.hotdrop || packet.flags & PACKET_FLAG_ODD) return false;
  const asked = bytes[DCCP_FLAGS] as number;
  const invert = bytes[PORTS_INVERT] as number;
  const agrees = (bit: number, fact: () => boolean): boolean => !(asked & bit) || inverted(fact(), invert, bit);
  const within = (port: number, min: number, max: number): boolean =>
    port >= view.getUint16(min, true) && port <= view.getUint16(max, true);
  if (!agrees(SOURCE, () => within(packet.sourcePort, PORTS_SOURCE_MIN, PORTS_SOURCE_MAX))) return false;
  if (!agrees(DESTINATION, () => within(packet.destinationPort, PORTS_DESTINATION_MIN, PORTS_DESTINATION_MAX)))
    return false;
  if (!(asked & (TYPES | OPTION))) return true;
  if (!header) return false;
  const type = (header.getUint8(8) >> 1) & 15;
  if (!agrees(TYPES, () => ((view.getUint16(DCCP_TYPES, true) >> type) & 1) === 1)) return false;
  return agrees(OPTION, () => hasOption(header, type, bytes[DCCP_OPTION] as number, walk));
}

function hasOption(header: DataView, type: number, option: number, walk: Walk): boolean {
  const longSequence = header.getUint8(8) & 1 ? 4 : 0;
  const from = HEADER + longSequence + (ADDED[type] ?? ADDED_BY_OTHERS);
  const to = 4 * header.getUint8(4);
  if (to < from || (to > from && to > header.byteLength)) {
    walk.hotdrop = true;
    return false;
  }
  for (let at = from; at < to; ) {
    const kind = header.getUint8(at);
    if (kind === option) return true;
    at += kind < 2 || at === to - 1 ? 1 : header.getUint8(at + 1) || 1;
  }
  return false;
}
