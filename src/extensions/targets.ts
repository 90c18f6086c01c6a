/** Every target there is, but for chains. */
import type { Target } from "./extension.js";
import { audit } from "./targets/audit.js";
import { checksum } from "./targets/checksum.js";
import { classify } from "./targets/classify.js";
import { clusterip } from "./targets/clusterip.js";
import { connmarkTarget } from "./targets/connmark.js";
import { connsecmark } from "./targets/connsecmark.js";
import { ct } from "./targets/ct.js";
import { dnat } from "./targets/dnat.js";
import { setDscp } from "./targets/dscp.js";
import { setEcn } from "./targets/ecn.js";
import { hmark } from "./targets/hmark.js";
import { idletimer } from "./targets/idletimer.js";
import { led } from "./targets/led.js";
import { log } from "./targets/log.js";
import { setMark } from "./targets/mark.js";
import { masquerade } from "./targets/masquerade.js";
import { netmap } from "./targets/netmap.js";
import { nflog } from "./targets/nflog.js";
import { nfqueue } from "./targets/nfqueue.js";
import { notrack } from "./targets/notrack.js";
import { dnpt, snpt } from "./targets/npt.js";
import { setRateest } from "./targets/rateest.js";
import { redirect } from "./targets/redirect.js";
import { reject } from "./targets/reject.js";
import { secmark } from "./targets/secmark.js";
import { setTarget } from "./targets/set.js";
import { snat } from "./targets/snat.js";
import { synproxy } from "./targets/synproxy.js";
import { tcpmss } from "./targets/tcpmss.js";
import { tcpoptstrip } from "./targets/tcpoptstrip.js";
import { tee } from "./targets/tee.js";
import { setTos } from "./targets/tos.js";
import { tproxy } from "./targets/tproxy.js";
import { trace } from "./targets/trace.js";
import { setHl, setTtl } from "./targets/ttl.js";
import { accept, drop, queue, returnToCaller } from "./targets/verdict.js";

export const TARGETS: Readonly<Record<string, Target>> = {
  ACCEPT: accept,
  AUDIT: audit,
  CHECKSUM: checksum,
  CLASSIFY: classify,
  CLUSTERIP: clusterip,
  CONNMARK: connmarkTarget,
  CONNSECMARK: connsecmark,
  CT: ct,
  DNAT: dnat,
  DNPT: dnpt,
  DROP: drop,
  DSCP: setDscp,
  ECN: setEcn,
  HL: setHl,
  HMARK: hmark,
  IDLETIMER: idletimer,
  LED: led,
  LOG: log,
  MARK: setMark,
  MASQUERADE: masquerade,
  NETMAP: netmap,
  NFLOG: nflog,
  NFQUEUE: nfqueue,
  NOTRACK: notrack,
  QUEUE: queue,
  RATEEST: setRateest,
  REDIRECT: redirect,
  REJECT: reject,
  RETURN: returnToCaller,
  SECMARK: secmark,
  SET: setTarget,
  SNAT: snat,
  SNPT: snpt,
  SYNPROXY: synproxy,
  TCPMSS: tcpmss,
  TCPOPTSTRIP: tcpoptstrip,
  TEE: tee,
  TOS: setTos,
  TPROXY: tproxy,
  TRACE: trace,
  TTL: setTtl,
};
