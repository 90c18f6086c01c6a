/** -m dscp: the DiffServ code point. */
import { DSCP_INVERT, DSCP_SIZE, DSCP_VALUE, MATCH_DSCP } from "../../blob/payloads.js";
import type { Extension } from "../extension.js";
import { readDscpClass } from "../values/tos.js";

const LARGEST = 63;

export const dscp: Extension = {
  name: "dscp",
  type: MATCH_DSCP,
  size: DSCP_SIZE,
  options: [
    {
      name: "dscp",
      invertible: true,
      excludes: ["dscp-class"],
      parse(argument, record, at) {
        record.bytes[at + DSCP_VALUE] = argument.unsigned(0, LARGEST);
        if (argument.inverted) record.bytes[at + DSCP_INVERT] = 1;
      },
    },
    {
      name: "dscp-class",
      invertible: true,
      parse(argument, record, at) {
        record.bytes[at + DSCP_VALUE] = readDscpClass(argument);
        if (argument.inverted) record.bytes[at + DSCP_INVERT] = 1;
      },
    },
  ],

  finish(argument) {
    if (argument.seen === 0) argument.fail("missing-option", "--dscp or --dscp-class");
    return DSCP_SIZE;
  },

  print(out, record, at) {
    out.text(record.bytes[at + DSCP_INVERT] ? " ! --dscp 0x" : " --dscp 0x");
    out.hexadecimal(record.bytes[at + DSCP_VALUE] as number, 2);
  },
};
