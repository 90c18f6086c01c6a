/** -j DSCP: sets the DiffServ code point. */
import { SETDSCP_SIZE, SETDSCP_VALUE, TARGET_DSCP } from "../../blob/payloads.js";
import type { Target } from "../extension.js";
import { readDscpClass } from "../values/tos.js";

const LARGEST = 63;

export const setDscp: Target = {
  name: "DSCP",
  type: TARGET_DSCP,
  size: SETDSCP_SIZE,
  tables: ["mangle"],
  options: [
    {
      name: "set-dscp",
      excludes: ["set-dscp-class"],
      parse(argument, record, at) {
        record.bytes[at + SETDSCP_VALUE] = argument.unsigned(0, LARGEST);
      },
    },
    {
      name: "set-dscp-class",
      parse(argument, record, at) {
        record.bytes[at + SETDSCP_VALUE] = readDscpClass(argument);
      },
    },
  ],

  finish(argument) {
    if (argument.seen === 0) argument.fail("missing-option", "--set-dscp or --set-dscp-class");
    return SETDSCP_SIZE;
  },

  print(out, record, at) {
    out.text(" --set-dscp 0x");
    out.hexadecimal(record.bytes[at + SETDSCP_VALUE] as number, 2);
  },
};
