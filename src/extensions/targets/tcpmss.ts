/** -j TCPMSS: rewrites the maximum segment size of a SYN. */
import {
  MATCH_TCP,
  PORTS_INVERT,
  TARGET_TCPMSS,
  TCP_FLAG_COMPARE,
  TCP_INVERT_FLAGS,
  TCPMSS_SIZE,
  TCPMSS_VALUE,
} from "../../blob/payloads.js";
import { ALL_HOOKS, FORWARD, OUTPUT, POSTROUTING, type Target } from "../extension.js";
import { onlyProtocols, PROTOCOL_TCP } from "../protocol-check.js";

const CLAMP = 0xffff;
const SYN = 2;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;

export const tcpmss: Target = {
  name: "TCPMSS",
  type: TARGET_TCPMSS,
  size: TCPMSS_SIZE,
  options: [
    {
      name: "set-mss",
      parse(argument, record, at) {
        const most = 0xffff - (argument.width === 4 ? IPV4_HEADER : IPV6_HEADER);
        record.view.setUint16(at + TCPMSS_VALUE, argument.unsigned(0, most), true);
      },
    },
    {
      name: "clamp-mss-to-pmtu",
      arguments: 0,
      parse: (_, record, at) => record.view.setUint16(at + TCPMSS_VALUE, CLAMP, true),
    },
  ],

  finish(argument) {
    if (argument.seen === 0) argument.fail("missing-option", "--set-mss or --clamp-mss-to-pmtu");
    return TCPMSS_SIZE;
  },

  protocol(argument, record) {
    const expected = onlyProtocols(argument, "tcp", PROTOCOL_TCP);
    if (expected !== "") return expected;
    for (const at of argument.rule.recordsOf(MATCH_TCP)) {
      const inverted = (record.bytes[at + PORTS_INVERT] as number) & TCP_INVERT_FLAGS;
      if ((record.bytes[at + TCP_FLAG_COMPARE] as number) & SYN && !inverted) return "";
    }
    return "-p tcp --syn in the same rule";
  },

  hooks: (record, at) =>
    record.view.getUint16(at + TCPMSS_VALUE, true) === CLAMP ? FORWARD | OUTPUT | POSTROUTING : ALL_HOOKS,

  print(out, record, at) {
    const value = record.view.getUint16(at + TCPMSS_VALUE, true);
    if (value === CLAMP) out.text(" --clamp-mss-to-pmtu");
    else out.option(" --set-mss ", value);
  },
};
