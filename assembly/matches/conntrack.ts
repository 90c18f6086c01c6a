/** conntrack, state and connmark (xt_conntrack.c, xt_connmark.c), on the connection as the packet's record describes it. */
import {
  CT_STATE_INVALID,
  CT_STATE_UNTRACKED,
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_CT_STATUS,
} from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { packet } from "../packet";

/** Whether a connection belongs to the packet. */
export function tracked(): bool {
  return (<u32>load<u16>(packet, PACKET_CT_STATE) & (<u32>CT_STATE_INVALID | <u32>CT_STATE_UNTRACKED)) == 0;
}

export function matchConntrack(record: usize): bool {
  const match = load<u16>(record, P.CONNTRACK_MATCH);
  const invert = load<u16>(record, P.CONNTRACK_INVERT);
  if (match & P.CONNTRACK_HAS_STATE) {
    const has = (load<u16>(record, P.CONNTRACK_STATE_MASK) & load<u16>(packet, PACKET_CT_STATE)) != 0;
    if (has == ((invert & P.CONNTRACK_HAS_STATE) != 0)) return false;
  }
  if (!tracked()) return (match & P.CONNTRACK_HAS_STATE) != 0;
  if (match & P.CONNTRACK_HAS_STATUS) {
    const has = (load<u16>(record, P.CONNTRACK_STATUS_MASK) & load<u16>(packet, PACKET_CT_STATUS)) != 0;
    if (has == ((invert & P.CONNTRACK_HAS_STATUS) != 0)) return false;
  }
  return true;
}

/** What the connection's tuples would tell is not known from a packet's record. */
export function checkConntrack(record: usize): bool {
  return (<u32>load<u16>(record, P.CONNTRACK_MATCH) & ~(<u32>P.CONNTRACK_HAS_STATE | <u32>P.CONNTRACK_HAS_STATUS)) == 0;
}

export function matchState(record: usize): bool {
  const has = (load<u16>(record, P.STATE_MASK) & load<u16>(packet, PACKET_CT_STATE)) != 0;
  return has != (load<u8>(record, P.STATE_INVERT) != 0);
}

export function matchConnmark(record: usize): bool {
  if (!tracked()) return false;
  const same = (load<u32>(packet, PACKET_CT_MARK) & load<u32>(record, P.MARK_MASK)) == load<u32>(record, P.MARK_VALUE);
  return same != (load<u8>(record, P.MARK_INVERT) != 0);
}
