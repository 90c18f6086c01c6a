/** -j DNAT: rewrites the destination. */
import { NAT_SIZE, TARGET_DNAT } from "../../blob/payloads.js";
import { OUTPUT, PREROUTING, type Target } from "../extension.js";
import { persistentOption, printRange, randomOption, rangeOption } from "./nat-range.js";

export const dnat: Target = {
  name: "DNAT",
  type: TARGET_DNAT,
  size: NAT_SIZE,
  tables: ["nat"],
  hooks: () => PREROUTING | OUTPUT,
  options: [rangeOption("to-destination", true), randomOption, persistentOption],
  print: (out, record, at, rule) => printRange(out, " --to-destination ", record, at, rule),
};
