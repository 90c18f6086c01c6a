/** -j REDIRECT: rewrites the destination to this host. */
import { NAT_SHORT_SIZE, TARGET_REDIRECT } from "../../blob/payloads.js";
import { OUTPUT, PREROUTING, type Target } from "../extension.js";
import { portsOption, printRange, randomOption } from "./nat-range.js";

export const redirect: Target = {
  name: "REDIRECT",
  type: TARGET_REDIRECT,
  size: NAT_SHORT_SIZE,
  tables: ["nat"],
  hooks: () => PREROUTING | OUTPUT,
  options: [portsOption, randomOption],
  print: (out, record, at, rule) => printRange(out, " --to-ports ", record, at, rule),
};
