/** -j SNAT: rewrites the source. */
import { NAT_SIZE, TARGET_SNAT } from "../../blob/payloads.js";
import { INPUT, POSTROUTING, type Target } from "../extension.js";
import { persistentOption, printRange, randomFullyOption, randomOption, rangeOption } from "./nat-range.js";

export const snat: Target = {
  name: "SNAT",
  type: TARGET_SNAT,
  size: NAT_SIZE,
  tables: ["nat"],
  hooks: () => INPUT | POSTROUTING,
  options: [rangeOption("to-source", false), randomOption, randomFullyOption, persistentOption],
  print: (out, record, at, rule) => printRange(out, " --to-source ", record, at, rule),
};
