/** -j MARK: sets bits of the packet's mark. */
import { SETMARK_MASK, SETMARK_SIZE, SETMARK_VALUE, TARGET_MARK } from "../../blob/payloads.js";
import type { Option, RecordMemory, Target } from "../extension.js";

const OPERATIONS = ["set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark"];

/** The new mark is (old & ~mask) ^ value. */
function write(record: RecordMemory, at: number, value: number, mask: number): void {
  record.view.setUint32(at + SETMARK_VALUE, value, true);
  record.view.setUint32(at + SETMARK_MASK, mask, true);
}

function operation(name: string, parse: Option["parse"]): Option {
  return { name, excludes: OPERATIONS.filter((other) => other !== name), parse };
}

export const setMark: Target = {
  name: "MARK",
  type: TARGET_MARK,
  size: SETMARK_SIZE,
  options: [
    operation("set-xmark", (argument, record, at) => {
      argument.maskedMark();
      write(record, at, argument.value, argument.mask);
    }),
    operation("set-mark", (argument, record, at) => {
      argument.maskedMark();
      write(record, at, argument.value, argument.value | argument.mask);
    }),
    operation("and-mark", (argument, record, at) => write(record, at, 0, ~argument.unsigned(0, 0xffffffff))),
    operation("or-mark", (argument, record, at) => {
      const bits = argument.unsigned(0, 0xffffffff);
      write(record, at, bits, bits);
    }),
    operation("xor-mark", (argument, record, at) => write(record, at, argument.unsigned(0, 0xffffffff), 0)),
  ],

  finish(argument) {
    if (argument.seen === 0) argument.fail("missing-option", `one of --${OPERATIONS.join(", --")}`);
    return SETMARK_SIZE;
  },

  print(out, record, at) {
    out.text(" --set-xmark 0x");
    out.hexadecimal(record.view.getUint32(at + SETMARK_VALUE, true));
    out.text("/0x");
    out.hexadecimal(record.view.getUint32(at + SETMARK_MASK, true));
  },
};
