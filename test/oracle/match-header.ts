/** Matches on header fields: xt_hl.c, xt_dscp.c, xt_ecn.c, xt_pkttype.c, xt_tcpmss.c, and xt_policy.c on a machine without IPsec. */
import { PACKET_FLAG_MSS_ZERO, PACKET_FLAG_ODD, PACKET_FLAG_OPTIONS_CUT } from "../../src/blob/layout.js";
import {
  DSCP_INVERT,
  DSCP_VALUE,
  ECN_ECT,
  ECN_INVERT,
  ECN_OPERATION,
  MSS_INVERT,
  MSS_MAX,
  MSS_MIN,
  PKTTYPE_INVERT,
  PKTTYPE_TYPE,
  POLICY_FLAGS,
  TOS_INVERT,
  TOS_MASK,
  TOS_VALUE,
  TTL_MODE,
  TTL_VALUE,
} from "../../src/blob/payloads.js";
import type { Packet } from "./packet.js";
import type { RecordView } from "./rule.js";
import { inverted, type Walk } from "./walk.js";

/** By mode: equal, not equal, less, greater. */
const COMPARISONS: readonly ((a: number, b: number) => boolean)[] = [
  (a, b) => a === b,
  (a, b) => a !== b,
  (a, b) => a < b,
  (a, b) => a > b,
];

export function matchTtl({ bytes }: RecordView, { packet }: Walk): boolean {
  const compare = COMPARISONS[bytes[TTL_MODE] as number];
  return compare?.(packet.ttl, bytes[TTL_VALUE] as number) ?? false;
}

export function matchTos({ bytes }: RecordView, { packet }: Walk): boolean {
  const same = (packet.tos & (bytes[TOS_MASK] as number)) === bytes[TOS_VALUE];
  return inverted(same, bytes[TOS_INVERT] as number, 1);
}

/** The upper six bits. */
export function matchDscp({ bytes }: RecordView, { packet }: Walk): boolean {
  return inverted(packet.tos >> 2 === bytes[DSCP_VALUE], bytes[DSCP_INVERT] as number, 1);
}

const ECT = 1;
const ECE = 16;
const CWR = 32;

/** Two bits of the IP header, two flags of TCP's; a header that is cut short has neither. */
export function matchEcn({ bytes }: RecordView, { packet }: Walk): boolean {
  const asked = bytes[ECN_OPERATION] as number;
  const invert = bytes[ECN_INVERT] as number;
  if (asked & ECT && !inverted((packet.tos & 3) === bytes[ECN_ECT], invert, ECT)) return false;
  if (!(asked & (ECE | CWR))) return true;
  if (packet.flags & PACKET_FLAG_ODD && packet.fragmentOffset === 0) return false;
  if (asked & ECE && !inverted((packet.tcpFlags & 64) !== 0, invert, ECE)) return false;
  return !(asked & CWR) || inverted((packet.tcpFlags & 128) !== 0, invert, CWR);
}

const BROADCAST = 1;
const MULTICAST = 2;
const LOOPED_BACK = 5;

export function matchPkttype({ bytes }: RecordView, { packet }: Walk): boolean {
  return inverted(linkType(packet) === bytes[PKTTYPE_TYPE], bytes[PKTTYPE_INVERT] as number, 1);
}

/** What was looped back is multicast when its IPv4 destination is, and always in IPv6. */
function linkType({ type, family, destination }: Packet): number {
  if (type !== LOOPED_BACK) return type;
  const first = destination[0] as number;
  return family === "ipv6" || (first >= 224 && first <= 239) ? MULTICAST : BROADCAST;
}

/** No size is no size of the range. Linux does not mind that a later fragment has no header. */
export function matchTcpmss({ view, bytes }: RecordView, walk: Walk): boolean {
  const { fragmentOffset, flags, mss } = walk.packet;
  if ((flags & PACKET_FLAG_ODD && fragmentOffset === 0) || flags & PACKET_FLAG_OPTIONS_CUT) {
    walk.hotdrop = true;
    return false;
  }
  const announced = mss !== 0 || (flags & PACKET_FLAG_MSS_ZERO) !== 0;
  const within = announced && mss >= view.getUint16(MSS_MIN, true) && mss <= view.getUint16(MSS_MAX, true);
  return inverted(within, bytes[MSS_INVERT] as number, 1);
}

const NONE = 4;

/** No packet has a policy: what asks for none has it. */
export function matchPolicy({ bytes }: RecordView): boolean {
  return ((bytes[POLICY_FLAGS] as number) & NONE) !== 0;
}
