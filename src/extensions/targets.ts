/** Every target there is, but for chains. */
import type { Target } from "./extension.js";
import { connmarkTarget } from "./targets/connmark.js";
import { ct } from "./targets/ct.js";
import { dnat } from "./targets/dnat.js";
import { log } from "./targets/log.js";
import { setMark } from "./targets/mark.js";
import { masquerade } from "./targets/masquerade.js";
import { nflog } from "./targets/nflog.js";
import { nfqueue } from "./targets/nfqueue.js";
import { notrack } from "./targets/notrack.js";
import { redirect } from "./targets/redirect.js";
import { reject } from "./targets/reject.js";
import { snat } from "./targets/snat.js";
import { tcpmss } from "./targets/tcpmss.js";
import { accept, drop, queue, returnToCaller } from "./targets/verdict.js";

export const TARGETS: Readonly<Record<string, Target>> = {
  ACCEPT: accept,
  CONNMARK: connmarkTarget,
  CT: ct,
  DNAT: dnat,
  DROP: drop,
  LOG: log,
  MARK: setMark,
  MASQUERADE: masquerade,
  NFLOG: nflog,
  NFQUEUE: nfqueue,
  NOTRACK: notrack,
  QUEUE: queue,
  REDIRECT: redirect,
  REJECT: reject,
  RETURN: returnToCaller,
  SNAT: snat,
  TCPMSS: tcpmss,
};
