/** Targets before they act: whether the walk can do what a record says. Asked once, when a row is validated. */
import * as P from "../src/blob/payloads";
import { checkCt } from "./conntrack/ct";
import { wantsConnections } from "./conntrack/pool";
import { checkRateestTarget } from "./matches/rateest";
import { checkHmark } from "./targets/hmark";
import { checkIdletimer } from "./targets/idletimer";
import { checkPrefixes } from "./targets/npt";
import { checkSetTarget } from "./targets/set";
import { checkEcn } from "./targets/tcp-header";

/** Whether the walk can do a target of this type whose record has `bytes` bytes. */
export function targetSize(type: u32, bytes: u32): bool {
  switch (type) {
    case P.TARGET_NONE:
    case P.TARGET_VERDICT:
    case P.TARGET_JUMP:
    case P.TARGET_REJECT:
    case P.TARGET_NOTRACK:
    case P.TARGET_TCPMSS:
    case P.TARGET_CHECKSUM:
    case P.TARGET_TRACE:
    case P.TARGET_TTL:
    case P.TARGET_HL:
    case P.TARGET_TOS:
    case P.TARGET_DSCP:
    case P.TARGET_CLASSIFY:
    case P.TARGET_ECN:
    case P.TARGET_AUDIT:
    case P.TARGET_CONNSECMARK:
      return bytes == 8;
    case P.TARGET_SECMARK:
      return bytes == P.SECMARK_SIZE;
    case P.TARGET_SNPT:
    case P.TARGET_DNPT:
      return bytes == P.NPT_SIZE;
    case P.TARGET_TEE:
      return bytes == P.TEE_SIZE;
    case P.TARGET_RATEEST:
      return bytes == P.SETRATEEST_SIZE;
    case P.TARGET_IDLETIMER:
      return bytes == P.IDLETIMER_SIZE;
    case P.TARGET_HMARK:
      return bytes == P.HMARK_SIZE;
    case P.TARGET_LED:
      return bytes == P.LED_SIZE;
    case P.TARGET_SYNPROXY:
      return bytes == P.SYNPROXY_SIZE && wantsConnections();
    case P.TARGET_TCPOPTSTRIP:
      return bytes == P.TCPOPTSTRIP_SIZE;
    case P.TARGET_SET:
      return bytes == P.SETTARGET_SIZE;
    case P.TARGET_NFQUEUE:
    case P.TARGET_MARK:
    case P.TARGET_MASQUERADE:
    case P.TARGET_REDIRECT:
      return bytes == 16;
    case P.TARGET_CONNMARK:
      return bytes == P.SETCONNMARK_SIZE;
    case P.TARGET_DNAT:
    case P.TARGET_SNAT:
    case P.TARGET_NETMAP:
      return bytes == P.NAT_SIZE;
    case P.TARGET_TPROXY:
      return bytes == P.TPROXY_SIZE;
    case P.TARGET_LOG:
      return bytes == P.LOG_SIZE;
    case P.TARGET_NFLOG:
      return bytes == P.NFLOG_SIZE;
    case P.TARGET_CT:
      return bytes == P.CT_SIZE;
    default:
      return false;
  }
}

/** Whether the values of a record of a known type are ones that the walk can do. */
export function checkTarget(type: u32, record: usize): bool {
  if (type == P.TARGET_VERDICT) {
    const verdict = load<u32>(record, P.VERDICT_VALUE);
    return verdict == 0 || verdict == 1 || verdict == 3 || verdict == 5;
  }
  if (type == P.TARGET_CT) return checkCt(record);
  if (type == P.TARGET_SET) return checkSetTarget(record);
  if (type == P.TARGET_IDLETIMER) return checkIdletimer(record);
  if (type == P.TARGET_RATEEST) return checkRateestTarget(record);
  if (type == P.TARGET_HMARK) return checkHmark(record);
  if (type == P.TARGET_NETMAP) return (load<u32>(record, P.NAT_FLAGS) & P.NAT_FLAG_ADDRESS) != 0;
  if (type == P.TARGET_TTL || type == P.TARGET_HL)
    return (
      load<u8>(record, P.SETTTL_MODE) == 0 ||
      (load<u8>(record, P.SETTTL_MODE) <= 2 && load<u8>(record, P.SETTTL_VALUE) != 0)
    );
  if (type == P.TARGET_ECN) return checkEcn(record);
  if (type == P.TARGET_SNPT || type == P.TARGET_DNPT) return checkPrefixes(record);
  if (type == P.TARGET_DSCP) return load<u8>(record, P.SETDSCP_VALUE) <= 63;
  return true;
}
