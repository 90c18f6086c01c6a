/** -j MASQUERADE: rewrites the source to an address of the outgoing interface. */
import { NAT_SHORT_SIZE, TARGET_MASQUERADE } from "../../blob/payloads.js";
import { POSTROUTING, type Target } from "../extension.js";
import { portsOption, printRange, randomFullyOption, randomOption } from "./nat-range.js";

export const masquerade: Target = {
  name: "MASQUERADE",
  type: TARGET_MASQUERADE,
  size: NAT_SHORT_SIZE,
  tables: ["nat"],
  hooks: () => POSTROUTING,
  options: [portsOption, randomOption, randomFullyOption],
  print: (out, record, at, rule) => printRange(out, " --to-ports ", record, at, rule),
};
