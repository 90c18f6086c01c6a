/** -j SECMARK: gives the packet a security mark. */
import { SECMARK_CONTEXT, SECMARK_CONTEXT_BYTES, SECMARK_SIZE, TARGET_SECMARK } from "../../blob/payloads.js";
import type { Target } from "../extension.js";

export const secmark: Target = {
  name: "SECMARK",
  type: TARGET_SECMARK,
  size: SECMARK_SIZE,
  tables: ["mangle", "security"],
  options: [
    {
      name: "selctx",
      mandatory: true,
      parse: (argument, record, at) =>
        argument.name(record.bytes, at + SECMARK_CONTEXT, SECMARK_CONTEXT_BYTES, "a security context"),
    },
  ],

  print(out, record, at) {
    out.text(" --selctx ");
    out.padded(record.bytes, at + SECMARK_CONTEXT, SECMARK_CONTEXT_BYTES);
  },
};
