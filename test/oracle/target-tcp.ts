/** Targets that write TCP's header: net/ipv4/netfilter/ipt_ECN.c, net/netfilter/xt_TCPOPTSTRIP.c. */
import { PACKET_FLAG_ODD, PACKET_FLAG_OPTIONS_CUT, VERDICT_CONTINUE, VERDICT_DROP } from "../../src/blob/layout.js";
import { SETECN_CWR, SETECN_ECE, SETECN_ECT, SETECN_OPERATION, TCPOPTSTRIP_MAP } from "../../src/blob/payloads.js";
import { PROTOCOL_TCP } from "./packet.js";
import type { RecordView } from "./rule.js";
import type { Walk } from "./walk.js";

const ECE = 64;
const CWR = 128;

export function setEcn({ bytes }: RecordView, { packet }: Walk): number {
  const operation = bytes[SETECN_OPERATION] as number;
  if (operation & 1) packet.tos = (packet.tos & ~3) | (bytes[SETECN_ECT] as number);
  if (!(operation & 48) || packet.protocol !== PROTOCOL_TCP) return VERDICT_CONTINUE;
  if (packet.flags & PACKET_FLAG_ODD && packet.fragmentOffset === 0) return VERDICT_DROP;
  const put = (flag: number, on: boolean): void => {
    packet.tcpFlags = on ? packet.tcpFlags | flag : packet.tcpFlags & ~flag;
  };
  if (operation & 16) put(ECE, bytes[SETECN_ECE] !== 0);
  if (operation & 32) put(CWR, bytes[SETECN_CWR] !== 0);
  return VERDICT_CONTINUE;
}

const NO_OPERATION = 1;
const SEGMENT_SIZE = 2;

/** Options give way to no-operations. */
export function stripOptions({ bytes }: RecordView, { packet }: Walk): number {
  if (packet.fragmentOffset !== 0) return VERDICT_CONTINUE;
  if (packet.flags & (PACKET_FLAG_ODD | PACKET_FLAG_OPTIONS_CUT)) return VERDICT_DROP;
  for (let kind = 0; kind < 32; kind++) {
    const strips = ((bytes[TCPOPTSTRIP_MAP + (kind >> 3)] as number) >> (kind & 7)) & 1;
    if (!strips || !((packet.tcpOptions >>> kind) & 1)) continue;
    packet.tcpOptions = (packet.tcpOptions & ~(1 << kind)) | (1 << NO_OPERATION);
    if (kind === SEGMENT_SIZE) packet.mss = 0;
  }
  packet.tcpOptions >>>= 0;
  return VERDICT_CONTINUE;
}
