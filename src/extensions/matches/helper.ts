/** -m helper: the connection was expected by a helper. */
import { HELPER_INVERT, HELPER_NAME, HELPER_NAME_BYTES, HELPER_SIZE, MATCH_HELPER } from "../../blob/payloads.js";
import type { Extension } from "../extension.js";

export const helper: Extension = {
  name: "helper",
  type: MATCH_HELPER,
  size: HELPER_SIZE,
  options: [
    {
      name: "helper",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        argument.name(record.bytes, at + HELPER_NAME, HELPER_NAME_BYTES, "the name of a helper");
        if (argument.inverted) record.bytes[at + HELPER_INVERT] = 1;
      },
    },
  ],

  print(out, record, at) {
    const end = record.bytes.indexOf(0, at + HELPER_NAME);
    out.text(record.bytes[at + HELPER_INVERT] ? " ! --helper " : " --helper ");
    out.quoted(record.bytes, at + HELPER_NAME, end);
  },
};
