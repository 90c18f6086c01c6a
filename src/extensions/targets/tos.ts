/** -j TOS: sets bits of the type of service, or traffic class. */
import { SETTOS_MASK, SETTOS_SIZE, SETTOS_VALUE, TARGET_TOS } from "../../blob/payloads.js";
import type { Option, RecordMemory, Target } from "../extension.js";
import { readTos } from "../values/tos.js";

const OPERATIONS = ["set-tos", "and-tos", "or-tos", "xor-tos"];

function operation(name: string, parse: Option["parse"]): Option {
  return { name, excludes: OPERATIONS.filter((other) => other !== name), parse };
}

/** The new byte is (old & ~mask) ^ value. */
function write(record: RecordMemory, at: number, value: number, mask: number): void {
  record.bytes[at + SETTOS_VALUE] = value;
  record.bytes[at + SETTOS_MASK] = mask;
}

export const setTos: Target = {
  name: "TOS",
  type: TARGET_TOS,
  size: SETTOS_SIZE,
  tables: ["mangle"],
  options: [
    operation("set-tos", (argument, record, at) => {
      readTos(argument);
      write(record, at, argument.value, argument.mask);
    }),
    operation("and-tos", (argument, record, at) => write(record, at, 0, ~argument.unsigned(0, 255))),
    operation("or-tos", (argument, record, at) => {
      const bits = argument.unsigned(0, 255);
      write(record, at, bits, bits);
    }),
    operation("xor-tos", (argument, record, at) => write(record, at, argument.unsigned(0, 255), 0)),
  ],

  finish(argument) {
    if (argument.seen === 0) argument.fail("missing-option", `one of --${OPERATIONS.join(", --")}`);
    return SETTOS_SIZE;
  },

  print(out, record, at) {
    out.text(" --set-tos 0x");
    out.hexadecimal(record.bytes[at + SETTOS_VALUE] as number, 2);
    out.text("/0x");
    out.hexadecimal(record.bytes[at + SETTOS_MASK] as number, 2);
  },
};
