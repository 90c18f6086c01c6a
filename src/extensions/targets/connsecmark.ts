/** -j CONNSECMARK: copies the security mark between a packet and its connection. */
import { CONNSECMARK_MODE, CONNSECMARK_SIZE, TARGET_CONNSECMARK } from "../../blob/payloads.js";
import type { Option, Target } from "../extension.js";

/** By number, from 1. */
const MODES = ["save", "restore"];

export const connsecmark: Target = {
  name: "CONNSECMARK",
  type: TARGET_CONNSECMARK,
  size: CONNSECMARK_SIZE,
  tables: ["mangle", "security"],
  options: MODES.map(
    (name, index): Option => ({
      name,
      arguments: 0,
      excludes: MODES.filter((other) => other !== name),
      parse(_, record, at) {
        record.bytes[at + CONNSECMARK_MODE] = index + 1;
      },
    }),
  ),

  finish(argument) {
    if (argument.seen === 0) argument.fail("missing-option", "--save or --restore");
    return CONNSECMARK_SIZE;
  },

  print: (out, record, at) => out.text(` --${MODES[(record.bytes[at + CONNSECMARK_MODE] as number) - 1]}`),
};
