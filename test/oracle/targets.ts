/** Targets of the oracle, each as its kernel module does: a verdict, or CONTINUE after a side effect. */
import {
  PACKET_FLAG_MSS_ZERO,
  PACKET_FLAGS_DROPPED,
  CT_STATE_UNTRACKED,
  RESULT_FLAG_CT_MARK,
  RESULT_FLAG_NOTRACK,
  VERDICT_CONTINUE,
  VERDICT_DROP,
  VERDICT_QUEUE,
  VERDICT_REJECT,
} from "../../src/blob/layout.js";
import * as payloads from "../../src/blob/payloads.js";
import { hasConnection } from "./match-connection.js";
import { changeSets } from "./match-set.js";
import { destinationNat, masquerade, netmap, redirect, sourceNat } from "./nat.js";
import type { Outcome } from "./result.js";
import type { RecordView } from "./rule.js";
import { classify, giveToProxy, setDscp, setTos, setTtl } from "./target-mangle.js";
import { mapDestination, mapSource } from "./target-npt.js";
import { setEcn, stripOptions } from "./target-tcp.js";
import type { Walk } from "./walk.js";

export type Target = (record: RecordView, walk: Walk, outcome: Outcome) => number;

/** Everything but jumps. */
export const TARGETS: Readonly<Record<number, Target>> = {
  [payloads.TARGET_NONE]: () => VERDICT_CONTINUE,
  [payloads.TARGET_VERDICT]: ({ view }) => view.getUint32(payloads.VERDICT_VALUE, true),
  [payloads.TARGET_REJECT]: ({ bytes }, _walk, outcome) => {
    outcome.reject = bytes[payloads.REJECT_WITH] as number;
    return VERDICT_REJECT;
  },
  [payloads.TARGET_NFQUEUE]: ({ view }, _walk, outcome) => {
    outcome.queue = view.getUint16(payloads.NFQUEUE_NUMBER, true);
    return VERDICT_QUEUE;
  },
  [payloads.TARGET_MARK]: ({ view }, { packet }) => {
    const kept = packet.mark & ~view.getUint32(payloads.SETMARK_MASK, true);
    packet.mark = (kept ^ view.getUint32(payloads.SETMARK_VALUE, true)) >>> 0;
    return VERDICT_CONTINUE;
  },
  [payloads.TARGET_CONNMARK]: setConnmark,
  [payloads.TARGET_DNAT]: destinationNat,
  [payloads.TARGET_SNAT]: sourceNat,
  [payloads.TARGET_MASQUERADE]: masquerade,
  [payloads.TARGET_REDIRECT]: redirect,
  [payloads.TARGET_LOG]: countEvent,
  [payloads.TARGET_NFLOG]: countEvent,
  [payloads.TARGET_NOTRACK]: notrack,
  [payloads.TARGET_CT]: (record, walk, outcome) =>
    record.view.getUint16(payloads.CT_FLAGS, true) & 1 ? notrack(record, walk, outcome) : VERDICT_CONTINUE,
  [payloads.TARGET_TCPMSS]: setMss,
  [payloads.TARGET_NETMAP]: netmap,
  [payloads.TARGET_TTL]: setTtl,
  [payloads.TARGET_HL]: setTtl,
  [payloads.TARGET_TOS]: setTos,
  [payloads.TARGET_DSCP]: setDscp,
  [payloads.TARGET_CLASSIFY]: classify,
  [payloads.TARGET_TPROXY]: giveToProxy,
  [payloads.TARGET_ECN]: setEcn,
  [payloads.TARGET_SNPT]: mapSource,
  [payloads.TARGET_DNPT]: mapDestination,
  [payloads.TARGET_TCPOPTSTRIP]: stripOptions,
  [payloads.TARGET_SET]: changeSets,
  [payloads.TARGET_CHECKSUM]: () => VERDICT_CONTINUE,
  [payloads.TARGET_TRACE]: () => VERDICT_CONTINUE,
};

function countEvent(_record: RecordView, _walk: Walk, outcome: Outcome): number {
  outcome.events = Math.min(outcome.events + 1, 255);
  return VERDICT_CONTINUE;
}

function notrack(_record: RecordView, { packet }: Walk, outcome: Outcome): number {
  packet.ctState = CT_STATE_UNTRACKED;
  outcome.flags |= RESULT_FLAG_NOTRACK;
  return VERDICT_CONTINUE;
}

/** net/netfilter/xt_connmark.c, revision 2. */
function setConnmark({ view, bytes }: RecordView, { packet }: Walk, outcome: Outcome): number {
  if (!hasConnection(packet)) return VERDICT_CONTINUE;
  const value = view.getUint32(payloads.SETCONNMARK_VALUE, true);
  const ctMask = view.getUint32(payloads.SETCONNMARK_CT_MASK, true);
  const nfMask = view.getUint32(payloads.SETCONNMARK_NF_MASK, true);
  const bits = bytes[payloads.SETCONNMARK_SHIFT] as number;
  const right = bytes[payloads.SETCONNMARK_SHIFT_DIRECTION] === 1;
  const shifted = (mark: number): number => (right ? (mark >>> 0) >>> bits : mark << bits);
  const mode = bytes[payloads.SETCONNMARK_MODE];
  if (mode === 0) packet.ctMark = shifted((packet.ctMark & ~ctMask) ^ value) >>> 0;
  else if (mode === 1) packet.ctMark = ((packet.ctMark & ~ctMask) ^ shifted(packet.mark & nfMask)) >>> 0;
  else packet.mark = ((packet.mark & ~nfMask) ^ shifted(packet.ctMark & ctMask)) >>> 0;
  if (mode !== 2) outcome.flags |= RESULT_FLAG_CT_MARK;
  return VERDICT_CONTINUE;
}

/** The size that a SYN without the option is taken to ask for. */
const ASSUMED_MSS = { ipv4: 536, ipv6: 1220 };
const OPTION_BYTES = 4;
const MSS_OPTION = 2;

/** net/netfilter/xt_TCPMSS.c: never raises the size; adds the option only where no data lies behind a header with room. */
function setMss({ view }: RecordView, { packet }: Walk): number {
  const size = view.getUint16(payloads.TCPMSS_VALUE, true);
  if (packet.fragmentOffset !== 0) return VERDICT_CONTINUE;
  if (packet.flags & PACKET_FLAGS_DROPPED) return VERDICT_DROP;
  if (packet.mss !== 0 || packet.flags & PACKET_FLAG_MSS_ZERO) {
    packet.mss = Math.min(packet.mss, size);
    return VERDICT_CONTINUE;
  }
  const extensions = packet.bytes ? packet.extensions : [];
  const header = extensions.reduce((sum, one) => sum + one.bytes.length, packet.family === "ipv4" ? 20 : 40);
  if (packet.length > header + packet.tcpDataOffset || packet.tcpDataOffset >= 60) return VERDICT_CONTINUE;
  packet.mss = Math.min(size, ASSUMED_MSS[packet.family]);
  packet.tcpOptions = (packet.tcpOptions | (1 << MSS_OPTION)) >>> 0;
  packet.tcpDataOffset += OPTION_BYTES;
  packet.length += OPTION_BYTES;
  return VERDICT_CONTINUE;
}
