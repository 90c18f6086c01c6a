/** -j AUDIT: writes a record to the audit log. */
import { AUDIT_SIZE, AUDIT_TYPE, TARGET_AUDIT } from "../../blob/payloads.js";
import type { Target } from "../extension.js";

/** By number. */
const TYPES = ["accept", "drop", "reject"];

export const audit: Target = {
  name: "AUDIT",
  type: TARGET_AUDIT,
  size: AUDIT_SIZE,
  options: [
    {
      name: "type",
      mandatory: true,
      parse(argument, record, at) {
        const type = TYPES.indexOf(argument.text().toLowerCase());
        if (type < 0) argument.fail("bad-value", `one of ${TYPES.join(", ")}`);
        record.bytes[at + AUDIT_TYPE] = type;
      },
    },
  ],
  print: (out, record, at) => out.text(` --type ${TYPES[record.bytes[at + AUDIT_TYPE] as number]}`),
};
