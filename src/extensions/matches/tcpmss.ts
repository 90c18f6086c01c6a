/** -m tcpmss: the maximum segment size that a TCP header names. */
import { MATCH_TCPMSS, MSS_INVERT, MSS_MAX, MSS_MIN, MSS_SIZE } from "../../blob/payloads.js";
import { COLON } from "../argument.js";
import type { Extension } from "../extension.js";
import { onlyProtocols, PROTOCOL_TCP } from "../protocol-check.js";

export const tcpmssMatch: Extension = {
  name: "tcpmss",
  type: MATCH_TCPMSS,
  size: MSS_SIZE,
  options: [
    {
      name: "mss",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        argument.range(65_535);
        if (argument.mask < argument.value)
          argument.fail("bad-number", "a range whose first number is not above its last");
        record.view.setUint16(at + MSS_MIN, argument.value, true);
        record.view.setUint16(at + MSS_MAX, argument.mask, true);
        if (argument.inverted) record.bytes[at + MSS_INVERT] = 1;
      },
    },
  ],
  protocol: (argument) => onlyProtocols(argument, "tcp", PROTOCOL_TCP),

  print(out, record, at) {
    const minimum = record.view.getUint16(at + MSS_MIN, true);
    const maximum = record.view.getUint16(at + MSS_MAX, true);
    out.option(record.bytes[at + MSS_INVERT] ? " ! --mss " : " --mss ", minimum);
    if (maximum === minimum) return;
    out.byte(COLON);
    out.number(maximum);
  },
};
