/** -m tos: the type of service, or traffic class, under a mask. */
import { MATCH_TOS, TOS_INVERT, TOS_MASK, TOS_SIZE, TOS_VALUE } from "../../blob/payloads.js";
import type { Extension } from "../extension.js";
import { readTos } from "../values/tos.js";

export const tos: Extension = {
  name: "tos",
  type: MATCH_TOS,
  size: TOS_SIZE,
  options: [
    {
      name: "tos",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        readTos(argument);
        record.bytes[at + TOS_VALUE] = argument.value;
        record.bytes[at + TOS_MASK] = argument.mask;
        if (argument.inverted) record.bytes[at + TOS_INVERT] = 1;
      },
    },
  ],

  print(out, record, at) {
    out.text(record.bytes[at + TOS_INVERT] ? " ! --tos 0x" : " --tos 0x");
    out.hexadecimal(record.bytes[at + TOS_VALUE] as number, 2);
    out.text("/0x");
    out.hexadecimal(record.bytes[at + TOS_MASK] as number, 2);
  },
};
