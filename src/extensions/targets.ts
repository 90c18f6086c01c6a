/** Every target there is, but for chains. */
import type { Target } from "./extension.js";
import { dnat } from "./targets/dnat.js";
import { setMark } from "./targets/mark.js";
import { masquerade } from "./targets/masquerade.js";
import { redirect } from "./targets/redirect.js";
import { reject } from "./targets/reject.js";
import { snat } from "./targets/snat.js";
import { accept, drop, queue, returnToCaller } from "./targets/verdict.js";

export const TARGETS: Readonly<Record<string, Target>> = {
  ACCEPT: accept,
  DNAT: dnat,
  DROP: drop,
  MARK: setMark,
  MASQUERADE: masquerade,
  QUEUE: queue,
  REDIRECT: redirect,
  REJECT: reject,
  RETURN: returnToCaller,
  SNAT: snat,
};
