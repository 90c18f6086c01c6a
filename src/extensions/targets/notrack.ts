/** -j NOTRACK: the packet gets no connection. */
import { NOTRACK_SIZE, TARGET_NOTRACK } from "../../blob/payloads.js";
import type { Target } from "../extension.js";

export const notrack: Target = {
  name: "NOTRACK",
  type: TARGET_NOTRACK,
  size: NOTRACK_SIZE,
  tables: ["raw"],
  options: [],
  print() {},
};
