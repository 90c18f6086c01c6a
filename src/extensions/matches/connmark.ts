/** -m connmark: the connection's mark under a mask. */
import { MARK_SIZE, MATCH_CONNMARK } from "../../blob/payloads.js";
import type { Extension } from "../extension.js";
import { markOption, printMark } from "./mark.js";

export const connmark: Extension = {
  name: "connmark",
  type: MATCH_CONNMARK,
  size: MARK_SIZE,
  options: [markOption],
  print: printMark,
};
