/** -j TRACE: the kernel reports every rule that the packet matches from here on. */
import { TARGET_TRACE, TRACE_TARGET_SIZE } from "../../blob/payloads.js";
import type { Target } from "../extension.js";

export const trace: Target = {
  name: "TRACE",
  type: TARGET_TRACE,
  size: TRACE_TARGET_SIZE,
  tables: ["raw"],
  options: [],
  print() {},
};
