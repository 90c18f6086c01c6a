/** Targets that write a header field, or another field of the packet: xt_HL.c, xt_DSCP.c, xt_CLASSIFY.c, xt_TPROXY.c. */
import { PACKET_FLAG_ODD, VERDICT_ACCEPT, VERDICT_CONTINUE, VERDICT_DROP } from "../../src/blob/layout.js";
import {
  CLASSIFY_PRIORITY,
  SETDSCP_VALUE,
  SETTOS_MASK,
  SETTOS_VALUE,
  SETTTL_MODE,
  SETTTL_VALUE,
  TPROXY_MARK_MASK,
  TPROXY_MARK_VALUE,
} from "../../src/blob/payloads.js";
import type { RecordView } from "./rule.js";
import type { Walk } from "./walk.js";

export function setTtl({ bytes }: RecordView, { packet }: Walk): number {
  const value = bytes[SETTTL_VALUE] as number;
  const wanted = [value, packet.ttl + value, packet.ttl - value][bytes[SETTTL_MODE] as number] as number;
  packet.ttl = Math.max(0, Math.min(255, wanted));
  return VERDICT_CONTINUE;
}

export function setTos({ bytes }: RecordView, { packet }: Walk): number {
  packet.tos = (packet.tos & ~(bytes[SETTOS_MASK] as number)) ^ (bytes[SETTOS_VALUE] as number);
  return VERDICT_CONTINUE;
}

/** The two lower bits stay. */
export function setDscp({ bytes }: RecordView, { packet }: Walk): number {
  packet.tos = 4 * (bytes[SETDSCP_VALUE] as number) + (packet.tos % 4);
  return VERDICT_CONTINUE;
}

export function classify({ view }: RecordView, { packet }: Walk): number {
  packet.priority = view.getUint32(CLASSIFY_PRIORITY, true);
  return VERDICT_CONTINUE;
}

/** The proxy's socket is there; a packet without a whole header finds none. */
export function giveToProxy({ view }: RecordView, { packet }: Walk): number {
  if (packet.flags & PACKET_FLAG_ODD) return VERDICT_DROP;
  const kept = packet.mark & ~view.getUint32(TPROXY_MARK_MASK, true);
  packet.mark = (kept ^ view.getUint32(TPROXY_MARK_VALUE, true)) >>> 0;
  return VERDICT_ACCEPT;
}
