/** -m cpu: the processor that handles the packet. */
import { CPU_INVERT, CPU_NUMBER, CPU_SIZE, MATCH_CPU } from "../../blob/payloads.js";
import type { Extension } from "../extension.js";

export const cpu: Extension = {
  name: "cpu",
  type: MATCH_CPU,
  size: CPU_SIZE,
  options: [
    {
      name: "cpu",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        record.view.setUint32(at + CPU_NUMBER, argument.unsigned(0, 0xffffffff), true);
        if (argument.inverted) record.bytes[at + CPU_INVERT] = 1;
      },
    },
  ],
  print: (out, record, at) =>
    out.option(record.bytes[at + CPU_INVERT] ? " ! --cpu " : " --cpu ", record.view.getUint32(at + CPU_NUMBER, true)),
};
