/** -j ECN: sets the bits of congestion notification. */
import { SETECN_CWR, SETECN_ECE, SETECN_ECT, SETECN_OPERATION, SETECN_SIZE, TARGET_ECN } from "../../blob/payloads.js";
import type { Option, RecordMemory, Target } from "../extension.js";
import { onlyProtocols, PROTOCOL_TCP } from "../protocol-check.js";

const ECT = 1;
const ECE = 16;
const CWR = 32;
/** Name, bit, field, largest value. In the order in which they print. */
const BITS = [
  ["ecn-tcp-ece", ECE, SETECN_ECE, 1],
  ["ecn-tcp-cwr", CWR, SETECN_CWR, 1],
  ["ecn-ip-ect", ECT, SETECN_ECT, 3],
] as const;

export const setEcn: Target = {
  name: "ECN",
  type: TARGET_ECN,
  size: SETECN_SIZE,
  family: "ipv4",
  tables: ["mangle"],
  options: [
    {
      name: "ecn-tcp-remove",
      arguments: 0,
      excludes: ["ecn-tcp-cwr", "ecn-tcp-ece"],
      parse(_, record, at) {
        record.bytes[at + SETECN_OPERATION] = ECE | CWR;
      },
    },
    ...BITS.map(
      ([name, bit, field, largest]): Option => ({
        name,
        parse(argument, record, at) {
          record.bytes[at + field] = argument.unsigned(0, largest);
          record.bytes[at + SETECN_OPERATION] = (record.bytes[at + SETECN_OPERATION] as number) | bit;
        },
      }),
    ),
  ],

  finish(argument) {
    if (argument.seen === 0)
      argument.fail("missing-option", "--ecn-tcp-remove, --ecn-tcp-cwr, --ecn-tcp-ece or --ecn-ip-ect");
    return SETECN_SIZE;
  },

  protocol: (argument, record, at) =>
    (record.bytes[at + SETECN_OPERATION] as number) & (ECE | CWR) ? onlyProtocols(argument, "tcp", PROTOCOL_TCP) : "",

  print(out, record, at) {
    if (removes(record, at)) out.text(" --ecn-tcp-remove");
    else
      for (const [name, bit, field] of BITS)
        if ((record.bytes[at + SETECN_OPERATION] as number) & bit)
          out.option(` --${name} `, record.bytes[at + field] as number);
  },
};

function removes(record: RecordMemory, at: number): boolean {
  return (
    record.bytes[at + SETECN_OPERATION] === (ECE | CWR) &&
    !record.bytes[at + SETECN_ECE] &&
    !record.bytes[at + SETECN_CWR]
  );
}
