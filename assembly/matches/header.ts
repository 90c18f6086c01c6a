/**
 * ttl, hl, tos, dscp, ecn, pkttype, tcpmss, policy: fields of the headers, and what the link layer says
 * (xt_hl.c, xt_dscp.c, xt_ecn.c, xt_pkttype.c, xt_tcpmss.c, xt_policy.c).
 */
import {
  PACKET_DESTINATION,
  PACKET_FLAG_MSS_ZERO,
  PACKET_FLAG_ODD,
  PACKET_FLAG_OPTIONS_CUT,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_MSS,
  PACKET_TCP_FLAGS,
  PACKET_TOS,
  PACKET_TTL,
  PACKET_TYPE,
} from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { addressBytes, packet, setHotdrop } from "../packet";
import { placeHas, transportHas } from "../payload";

const EQUAL: u8 = 0;
const NOT_EQUAL: u8 = 1;
const LESS: u8 = 2;
const TYPE_BROADCAST: u8 = 1;
const TYPE_MULTICAST: u8 = 2;
const TYPE_LOOPED: u8 = 5;
const DSCP_SHIFT: u8 = 2;
const TCP_HEADER: u32 = 20;
const ECT: u8 = 1;
const ECE: u8 = 16;
const CWR: u8 = 32;
const ECT_MASK: u8 = 3;
const FLAG_ECE: u8 = 64;
const FLAG_CWR: u8 = 128;
const POLICY_DIRECTIONS: u8 = 3;
const POLICY_NONE: u8 = 4;

/** TTL and hop limit alike. */
export function matchTtl(record: usize): bool {
  const ttl = load<u8>(packet, PACKET_TTL);
  const value = load<u8>(record, P.TTL_VALUE);
  const mode = load<u8>(record, P.TTL_MODE);
  if (mode == EQUAL) return ttl == value;
  if (mode == NOT_EQUAL) return ttl != value;
  return mode == LESS ? ttl < value : ttl > value;
}

export function matchTos(record: usize): bool {
  const same = (load<u8>(packet, PACKET_TOS) & load<u8>(record, P.TOS_MASK)) == load<u8>(record, P.TOS_VALUE);
  return same != (load<u8>(record, P.TOS_INVERT) != 0);
}

export function matchDscp(record: usize): bool {
  const same = load<u8>(packet, PACKET_TOS) >> DSCP_SHIFT == load<u8>(record, P.DSCP_VALUE);
  return same != (load<u8>(record, P.DSCP_INVERT) != 0);
}

/** Congestion notification: two bits of the IP header, two of TCP's. A header that is cut short does not match. */
export function matchEcn(record: usize): bool {
  const operation = load<u8>(record, P.ECN_OPERATION);
  const invert = load<u8>(record, P.ECN_INVERT);
  if (operation & ECT) {
    const same = (load<u8>(packet, PACKET_TOS) & ECT_MASK) == load<u8>(record, P.ECN_ECT);
    if (same == ((invert & ECT) != 0)) return false;
  }
  if (!(operation & (ECE | CWR))) return true;
  const later = load<u16>(packet, PACKET_FRAGMENT_OFFSET) != 0;
  if (later ? addressBytes == 4 && !placeHas(TCP_HEADER) : !transportHas(TCP_HEADER)) return false;
  const flags = load<u8>(packet, PACKET_TCP_FLAGS);
  if (operation & ECE && ((flags & FLAG_ECE) != 0) == ((invert & ECE) != 0)) return false;
  return !(operation & CWR) || ((flags & FLAG_CWR) != 0) != ((invert & CWR) != 0);
}

export function checkEcnMatch(record: usize): bool {
  return !((load<u8>(record, P.ECN_OPERATION) | load<u8>(record, P.ECN_INVERT)) & ~(ECT | ECE | CWR));
}

/** A frame that was looped back counts as what its destination says. */
export function matchPkttype(record: usize): bool {
  let type = load<u8>(packet, PACKET_TYPE);
  if (type == TYPE_LOOPED) {
    const multicast = addressBytes != 4 || (load<u8>(packet, PACKET_DESTINATION) & 0xf0) == 0xe0;
    type = multicast ? TYPE_MULTICAST : TYPE_BROADCAST;
  }
  return (type == load<u8>(record, P.PKTTYPE_TYPE)) != (load<u8>(record, P.PKTTYPE_INVERT) != 0);
}

/**
 * A header without the option matches when inverted; one that is cut short, or whose options are, drops the packet. In a
 * later fragment Linux takes for a header what lies in its place, and so does its record.
 */
export function matchTcpmss(record: usize): bool {
  const flags = load<u8>(packet, PACKET_FLAGS);
  const cut = (flags & PACKET_FLAG_ODD) != 0 && !load<u16>(packet, PACKET_FRAGMENT_OFFSET);
  if (cut || flags & PACKET_FLAG_OPTIONS_CUT) {
    setHotdrop();
    return false;
  }
  const size = load<u16>(packet, PACKET_MSS);
  const announced = size != 0 || (flags & PACKET_FLAG_MSS_ZERO) != 0;
  const inside = announced && size >= load<u16>(record, P.MSS_MIN) && size <= load<u16>(record, P.MSS_MAX);
  return inside != (load<u8>(record, P.MSS_INVERT) != 0);
}

/** Without IPsec no packet came by a policy, and none will go by one: only `--pol none` matches. */
export function matchPolicy(record: usize): bool {
  return (load<u8>(record, P.POLICY_FLAGS) & POLICY_NONE) != 0;
}

export function checkPolicy(record: usize): bool {
  return (
    (load<u8>(record, P.POLICY_FLAGS) & POLICY_DIRECTIONS) != 0 &&
    load<u8>(record, P.POLICY_COUNT) <= <u8>P.POLICY_ELEMENTS_COUNT
  );
}
