/** -j CHECKSUM: fills in what offloading left out. */
import { CHECKSUM_SIZE, TARGET_CHECKSUM } from "../../blob/payloads.js";
import type { Target } from "../extension.js";

export const checksum: Target = {
  name: "CHECKSUM",
  type: TARGET_CHECKSUM,
  size: CHECKSUM_SIZE,
  tables: ["mangle"],
  options: [{ name: "checksum-fill", arguments: 0, mandatory: true, parse() {} }],
  print: (out) => out.text(" --checksum-fill"),
};
