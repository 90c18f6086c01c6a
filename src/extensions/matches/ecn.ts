/** -m ecn: congestion notification in the IP and TCP headers. */
import { ECN_ECT, ECN_INVERT, ECN_OPERATION, ECN_SIZE, MATCH_ECN } from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import type { Extension, RecordMemory } from "../extension.js";
import { onlyProtocols, PROTOCOL_TCP } from "../protocol-check.js";

const ECT = 1;
const ECE = 16;
const CWR = 32;

export const ecn: Extension = {
  name: "ecn",
  type: MATCH_ECN,
  size: ECN_SIZE,
  options: [
    {
      name: "ecn-tcp-cwr",
      arguments: 0,
      invertible: true,
      parse: (argument, record, at) => give(argument, record, at, CWR),
    },
    {
      name: "ecn-tcp-ece",
      arguments: 0,
      invertible: true,
      parse: (argument, record, at) => give(argument, record, at, ECE),
    },
    {
      name: "ecn-ip-ect",
      invertible: true,
      parse(argument, record, at) {
        record.bytes[at + ECN_ECT] = argument.unsigned(0, 3);
        give(argument, record, at, ECT);
      },
    },
  ],

  finish(argument) {
    if (argument.seen === 0) argument.fail("missing-option", "--ecn-tcp-cwr, --ecn-tcp-ece or --ecn-ip-ect");
    return ECN_SIZE;
  },

  protocol: (argument, record, at) =>
    (record.bytes[at + ECN_OPERATION] as number) & (ECE | CWR) ? onlyProtocols(argument, "tcp", PROTOCOL_TCP) : "",

  print(out, record, at) {
    const operation = record.bytes[at + ECN_OPERATION] as number;
    const inverted = record.bytes[at + ECN_INVERT] as number;
    if (operation & ECE) out.text(inverted & ECE ? " ! --ecn-tcp-ece" : " --ecn-tcp-ece");
    if (operation & CWR) out.text(inverted & CWR ? " ! --ecn-tcp-cwr" : " --ecn-tcp-cwr");
    if (operation & ECT)
      out.option(inverted & ECT ? " ! --ecn-ip-ect " : " --ecn-ip-ect ", record.bytes[at + ECN_ECT] as number);
  },
};

function give(argument: Argument, record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + ECN_OPERATION] = (record.bytes[at + ECN_OPERATION] as number) | bit;
  if (argument.inverted) record.bytes[at + ECN_INVERT] = (record.bytes[at + ECN_INVERT] as number) | bit;
}
