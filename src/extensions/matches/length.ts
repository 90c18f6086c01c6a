/** -m length: bytes of the packet. */
import { LENGTH_INVERT, LENGTH_MAX, LENGTH_MIN, LENGTH_SIZE, MATCH_LENGTH } from "../../blob/payloads.js";
import { COLON } from "../argument.js";
import type { Extension } from "../extension.js";

export const length: Extension = {
  name: "length",
  type: MATCH_LENGTH,
  size: LENGTH_SIZE,
  options: [
    {
      name: "length",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        argument.range(65_535);
        record.view.setUint16(at + LENGTH_MIN, argument.value, true);
        record.view.setUint16(at + LENGTH_MAX, argument.mask, true);
        if (argument.inverted) record.bytes[at + LENGTH_INVERT] = 1;
      },
    },
  ],

  print(out, record, at) {
    const minimum = record.view.getUint16(at + LENGTH_MIN, true);
    const maximum = record.view.getUint16(at + LENGTH_MAX, true);
    out.text(record.bytes[at + LENGTH_INVERT] ? " ! --length " : " --length ");
    out.number(minimum);
    if (maximum === minimum) return;
    out.byte(COLON);
    out.number(maximum);
  },
};
