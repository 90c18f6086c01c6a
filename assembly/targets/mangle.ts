/** TTL, HL, TOS, DSCP, CLASSIFY, TPROXY: targets that write a field of the packet (xt_HL.c, xt_DSCP.c, xt_CLASSIFY.c, xt_TPROXY.c). */
import {
  PACKET_FLAG_ODD,
  PACKET_FLAGS,
  PACKET_MARK,
  PACKET_PRIORITY,
  PACKET_TOS,
  PACKET_TTL,
  VERDICT_ACCEPT,
  VERDICT_CONTINUE,
  VERDICT_DROP,
} from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { packet } from "../packet";

const SET: u8 = 0;
const INCREASE: u8 = 1;
const DSCP_SHIFT: u32 = 2;
/** The bits of the field that DSCP leaves alone: congestion notification. */
const ECN_MASK: u32 = 3;

/** TTL and hop limit alike; they stop at 0 and 255. */
export function setTtl(record: usize): u32 {
  const mode = load<u8>(record, P.SETTTL_MODE);
  const value = <i32>load<u8>(record, P.SETTTL_VALUE);
  const old = <i32>load<u8>(packet, PACKET_TTL);
  let ttl = value;
  if (mode == INCREASE) ttl = min(old + value, 255);
  else if (mode != SET) ttl = max(old - value, 0);
  store<u8>(packet, <u8>ttl, PACKET_TTL);
  return VERDICT_CONTINUE;
}

export function setTos(record: usize): u32 {
  const kept = load<u8>(packet, PACKET_TOS) & ~load<u8>(record, P.SETTOS_MASK);
  store<u8>(packet, kept ^ load<u8>(record, P.SETTOS_VALUE), PACKET_TOS);
  return VERDICT_CONTINUE;
}

export function setDscp(record: usize): u32 {
  const kept = <u32>load<u8>(packet, PACKET_TOS) & ECN_MASK;
  store<u8>(packet, <u8>(kept | ((<u32>load<u8>(record, P.SETDSCP_VALUE)) << DSCP_SHIFT)), PACKET_TOS);
  return VERDICT_CONTINUE;
}

export function classify(record: usize): u32 {
  store<u32>(packet, load<u32>(record, P.CLASSIFY_PRIORITY), PACKET_PRIORITY);
  return VERDICT_CONTINUE;
}

/**
 * The engine has no sockets: the one that the rule is written for is taken to be there, so that the packet is marked and
 * goes to it. A header that is cut short is dropped.
 */
export function giveToProxy(record: usize): u32 {
  if (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_ODD) return VERDICT_DROP;
  const kept = load<u32>(packet, PACKET_MARK) & ~load<u32>(record, P.TPROXY_MARK_MASK);
  store<u32>(packet, kept ^ load<u32>(record, P.TPROXY_MARK_VALUE), PACKET_MARK);
  return VERDICT_ACCEPT;
}
