/** -j TCPOPTSTRIP: overwrites TCP options with padding. */
import { TARGET_TCPOPTSTRIP, TCPOPTSTRIP_MAP, TCPOPTSTRIP_SIZE } from "../../blob/payloads.js";
import { wholeNumber } from "../values/number.js";
import type { Target } from "../extension.js";
import { onlyProtocols, PROTOCOL_TCP } from "../protocol-check.js";
import { COMMA } from "../argument.js";

const NAMES: Readonly<Record<string, number>> = {
  wscale: 3,
  mss: 2,
  "sack-permitted": 4,
  sack: 5,
  timestamp: 8,
  md5: 19,
};
export function tcpOptionName(kind: number): string | undefined {
  return Object.keys(NAMES).find((name) => NAMES[name] === kind);
}

/** Kinds 0 and 1 are the padding itself. */
const FIRST = 2;

export const tcpoptstrip: Target = {
  name: "TCPOPTSTRIP",
  type: TARGET_TCPOPTSTRIP,
  size: TCPOPTSTRIP_SIZE,
  tables: ["mangle"],
  options: [
    {
      name: "strip-options",
      parse(argument, record, at) {
        for (let from = argument.start; ; ) {
          const comma = argument.indexOf(COMMA, from);
          const to = comma < 0 ? argument.end : comma;
          const name = argument.text(from, to);
          const kind = Object.hasOwn(NAMES, name)
            ? (NAMES[name] as number)
            : wholeNumber(argument.bytes, from, to, FIRST, 255);
          if (kind < 0)
            argument.fail("bad-value", `kinds from ${FIRST} to 255, or of ${Object.keys(NAMES).join(", ")}`, from, to);
          const byte = at + TCPOPTSTRIP_MAP + (kind >> 3);
          if (((record.bytes[byte] as number) >> (kind & 7)) & 1)
            argument.fail("bad-value", "each kind once", from, to);
          record.bytes[byte] = (record.bytes[byte] as number) | (1 << (kind & 7));
          if (comma < 0) return;
          from = comma + 1;
        }
      },
    },
  ],
  protocol: (argument) => onlyProtocols(argument, "tcp", PROTOCOL_TCP),

  print(out, record, at) {
    let separator = " --strip-options ";
    for (let kind = 0; kind < 256; kind++) {
      if (!(((record.bytes[at + TCPOPTSTRIP_MAP + (kind >> 3)] as number) >> (kind & 7)) & 1)) continue;
      out.option(separator, kind);
      separator = ",";
    }
  },
};
