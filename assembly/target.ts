/**
 * Targets: what a rule does to the packet that satisfied its matches. Each returns a verdict, or CONTINUE to go on with the
 * next rule. Verdict and jump targets are the walk's own.
 */
import {
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_MARK,
  PACKET_OUTPUT,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  RESULT_FLAG_DNAT,
  RESULT_FLAG_MASQUERADE,
  RESULT_FLAG_NOTRACK,
  RESULT_FLAG_SNAT,
  RESULT_QUEUE,
  RESULT_REJECT,
  VERDICT_CONTINUE,
  VERDICT_QUEUE,
  VERDICT_REJECT,
} from "../src/blob/layout";
import * as P from "../src/blob/payloads";
import { track } from "./conntrack/ct";
import { natBindRange } from "./conntrack/nat";
import { connections } from "./conntrack/pool";
import { trackNot } from "./conntrack/track";
import { eventAudit, eventLog, eventNflog, traceThis } from "./events";
import { measure } from "./matches/rateest";
import { flagResult, packet, result } from "./packet";
import { route } from "./routing/decide";
import { sourceOn } from "./routing/source";
import { connmark } from "./targets/connmark";
import { markByHash } from "./targets/hmark";
import { startTimer } from "./targets/idletimer";
import { classify, giveToProxy, setDscp, setTos, setTtl } from "./targets/mangle";
import { masquerade, netmap, redirect, rewrite } from "./targets/nat";
import { mapPrefix } from "./targets/npt";
import { changeSets } from "./targets/set";
import { proxySyn } from "./targets/synproxy";
import { setEcn, stripOptions } from "./targets/tcp-header";
import { clampMss } from "./targets/tcpmss";
import { sendCopy } from "./targets/tee";
import { traceOn } from "./trace";

/** Does what the target record at `record` says; a VERDICT_*. */
export function fire(type: u32, record: usize): u32 {
  switch (type) {
    case P.TARGET_NONE:
      return VERDICT_CONTINUE;
    case P.TARGET_REJECT:
      store<u8>(result, load<u8>(record, P.REJECT_WITH), RESULT_REJECT);
      return VERDICT_REJECT;
    case P.TARGET_NFQUEUE:
      store<u16>(result, load<u16>(record, P.NFQUEUE_NUMBER), RESULT_QUEUE);
      return VERDICT_QUEUE;
    case P.TARGET_MARK:
      store<u32>(
        packet,
        (load<u32>(packet, PACKET_MARK) & ~load<u32>(record, P.SETMARK_MASK)) ^ load<u32>(record, P.SETMARK_VALUE),
        PACKET_MARK,
      );
      return VERDICT_CONTINUE;
    case P.TARGET_CONNMARK:
      return connmark(record);
    case P.TARGET_DNAT:
      if (connections()) return natBindRange(record);
      return rewrite(record, PACKET_DESTINATION, PACKET_DESTINATION_PORT, record + P.NAT_ADDRESS_MIN, RESULT_FLAG_DNAT);
    case P.TARGET_SNAT:
      if (connections()) return natBindRange(record);
      return rewrite(record, PACKET_SOURCE, PACKET_SOURCE_PORT, record + P.NAT_ADDRESS_MIN, RESULT_FLAG_SNAT);
    case P.TARGET_REDIRECT:
      return redirect(record);
    case P.TARGET_MASQUERADE:
      if (connections()) return masquerade(record);
      return rewrite(
        record,
        PACKET_SOURCE,
        PACKET_SOURCE_PORT,
        sourceOn(packet + PACKET_OUTPUT, route),
        RESULT_FLAG_MASQUERADE,
      );
    case P.TARGET_LOG:
      eventLog(record);
      return VERDICT_CONTINUE;
    case P.TARGET_NFLOG:
      eventNflog(record);
      return VERDICT_CONTINUE;
    case P.TARGET_AUDIT:
      eventAudit(record);
      return VERDICT_CONTINUE;
    case P.TARGET_CT:
      if (track(record)) flagResult(RESULT_FLAG_NOTRACK);
      return VERDICT_CONTINUE;
    case P.TARGET_NOTRACK:
      trackNot();
      flagResult(RESULT_FLAG_NOTRACK);
      return VERDICT_CONTINUE;
    case P.TARGET_TCPMSS:
      return clampMss(record);
    case P.TARGET_NETMAP:
      return netmap(record);
    case P.TARGET_TTL:
    case P.TARGET_HL:
      return setTtl(record);
    case P.TARGET_TOS:
      return setTos(record);
    case P.TARGET_DSCP:
      return setDscp(record);
    case P.TARGET_CLASSIFY:
      return classify(record);
    case P.TARGET_TPROXY:
      return giveToProxy(record);
    case P.TARGET_ECN:
      return setEcn(record);
    case P.TARGET_SNPT:
      return mapPrefix(record, true);
    case P.TARGET_DNPT:
      return mapPrefix(record, false);
    case P.TARGET_TCPOPTSTRIP:
      return stripOptions(record);
    case P.TARGET_SET:
      return changeSets(record);
    case P.TARGET_TRACE:
      if (traceThis()) traceOn();
      return VERDICT_CONTINUE;
    case P.TARGET_TEE:
      return sendCopy(record);
    case P.TARGET_RATEEST:
      measure(record);
      return VERDICT_CONTINUE;
    case P.TARGET_IDLETIMER:
      startTimer(record);
      return VERDICT_CONTINUE;
    case P.TARGET_HMARK:
      return markByHash(record);
    case P.TARGET_SYNPROXY:
      return proxySyn(record);
    // Nothing that a rule can see: CHECKSUM fills in what hardware left open, LED lights a lamp, the others label for a
    // security module.
    case P.TARGET_CHECKSUM:
    case P.TARGET_LED:
    case P.TARGET_SECMARK:
    case P.TARGET_CONNSECMARK:
      return VERDICT_CONTINUE;
    default:
      return VERDICT_CONTINUE;
  }
}
