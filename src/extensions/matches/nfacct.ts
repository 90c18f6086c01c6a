/** -m nfacct: counts the packet in an object that `nfacct` made. Matches everything. */
import { MATCH_NFACCT, NFACCT_NAME, NFACCT_NAME_BYTES, NFACCT_SIZE } from "../../blob/payloads.js";
import type { Extension } from "../extension.js";

export const nfacct: Extension = {
  name: "nfacct",
  type: MATCH_NFACCT,
  size: NFACCT_SIZE,
  options: [
    {
      name: "nfacct-name",
      mandatory: true,
      parse: (argument, record, at) =>
        argument.name(record.bytes, at + NFACCT_NAME, NFACCT_NAME_BYTES, "the name of an object"),
    },
  ],

  print(out, record, at) {
    // Two spaces, as Linux has it.
    out.text(" --nfacct-name  ");
    out.padded(record.bytes, at + NFACCT_NAME, NFACCT_NAME_BYTES);
  },
};
