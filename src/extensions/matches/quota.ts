/** -m quota: until so many bytes have matched. */
import { MATCH_QUOTA, QUOTA_BYTES, QUOTA_INVERT, QUOTA_SIZE } from "../../blob/payloads.js";
import type { Extension } from "../extension.js";

export const quota: Extension = {
  name: "quota",
  type: MATCH_QUOTA,
  size: QUOTA_SIZE,
  options: [
    {
      name: "quota",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        record.view.setBigUint64(at + QUOTA_BYTES, argument.wide(), true);
        if (argument.inverted) record.bytes[at + QUOTA_INVERT] = 1;
      },
    },
  ],

  print(out, record, at) {
    out.text(record.bytes[at + QUOTA_INVERT] ? " ! --quota " : " --quota ");
    out.wide(record.view.getUint32(at + QUOTA_BYTES, true), record.view.getUint32(at + QUOTA_BYTES + 4, true));
  },
};
