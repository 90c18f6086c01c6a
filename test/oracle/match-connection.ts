/** Matches on marks and the connection: net/netfilter/xt_mark.c, xt_connmark.c, xt_conntrack.c, xt_state.c. */
import { CT_STATE_INVALID, CT_STATE_UNTRACKED } from "../../src/blob/layout.js";
import {
  CONNTRACK_HAS_STATE,
  CONNTRACK_HAS_STATUS,
  CONNTRACK_INVERT,
  CONNTRACK_MATCH,
  CONNTRACK_STATE_MASK,
  CONNTRACK_STATUS_MASK,
  MARK_INVERT,
  MARK_MASK,
  MARK_VALUE,
  STATE_INVERT,
  STATE_MASK,
} from "../../src/blob/payloads.js";
import type { Packet } from "./packet.js";
import type { RecordView } from "./rule.js";
import { inverted, type Walk } from "./walk.js";

/** An invalid or untracked packet has no connection behind it. */
export function hasConnection(packet: Packet): boolean {
  return (packet.ctState & (CT_STATE_INVALID | CT_STATE_UNTRACKED)) === 0;
}

function markMatches({ view, bytes }: RecordView, mark: number): boolean {
  const same = (mark & view.getUint32(MARK_MASK, true)) >>> 0 === view.getUint32(MARK_VALUE, true);
  return inverted(same, bytes[MARK_INVERT] as number, 1);
}

export function matchMark(record: RecordView, walk: Walk): boolean {
  return markMatches(record, walk.packet.mark);
}

export function matchConnmark(record: RecordView, walk: Walk): boolean {
  return hasConnection(walk.packet) && markMatches(record, walk.packet.ctMark);
}

export function matchState({ view, bytes }: RecordView, walk: Walk): boolean {
  const hit = (walk.packet.ctState & view.getUint16(STATE_MASK, true)) !== 0;
  return inverted(hit, bytes[STATE_INVERT] as number, 1);
}

/** State and status alone: the other conditions need a connection table. */
export function matchConntrack({ view }: RecordView, walk: Walk): boolean {
  const conditions = view.getUint16(CONNTRACK_MATCH, true);
  const invert = view.getUint16(CONNTRACK_INVERT, true);
  if (conditions & ~(CONNTRACK_HAS_STATE | CONNTRACK_HAS_STATUS))
    throw new Error(`conntrack 0x${conditions.toString(16)}`);
  if (conditions & CONNTRACK_HAS_STATE) {
    const hit = (walk.packet.ctState & view.getUint16(CONNTRACK_STATE_MASK, true)) !== 0;
    if (!inverted(hit, invert, CONNTRACK_HAS_STATE)) return false;
  }
  // Without a connection the state is all that counts, whatever else the rule asks.
  if (!hasConnection(walk.packet)) return (conditions & CONNTRACK_HAS_STATE) !== 0;
  if (!(conditions & CONNTRACK_HAS_STATUS)) return true;
  const hit = (walk.packet.ctStatus & view.getUint16(CONNTRACK_STATUS_MASK, true)) !== 0;
  return inverted(hit, invert, CONNTRACK_HAS_STATUS);
}
