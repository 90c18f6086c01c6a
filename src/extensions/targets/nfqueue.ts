/** -j NFQUEUE: hands the packet to a queue of user space. */
import { NFQUEUE_FLAGS, NFQUEUE_NUMBER, NFQUEUE_SIZE, NFQUEUE_TOTAL, TARGET_NFQUEUE } from "../../blob/payloads.js";
import { COLON } from "../argument.js";
import type { RecordMemory, Target } from "../extension.js";

const BYPASS = 1;
const CPU_FANOUT = 2;

export const nfqueue: Target = {
  name: "NFQUEUE",
  type: TARGET_NFQUEUE,
  size: NFQUEUE_SIZE,
  options: [
    {
      name: "queue-num",
      excludes: ["queue-balance"],
      parse: (argument, record, at) => record.view.setUint16(at + NFQUEUE_NUMBER, argument.unsigned(0, 65_535), true),
    },
    {
      name: "queue-balance",
      parse(argument, record, at) {
        argument.range(65_535);
        const total = argument.mask - argument.value + 1;
        if (argument.indexOf(COLON) < 0 || total < 2 || total > 65_535)
          argument.fail("bad-number", "first:last, the first below the last");
        record.view.setUint16(at + NFQUEUE_NUMBER, argument.value, true);
        record.view.setUint16(at + NFQUEUE_TOTAL, total, true);
      },
    },
    { name: "queue-bypass", arguments: 0, parse: (_, record, at) => flag(record, at, BYPASS) },
    {
      name: "queue-cpu-fanout",
      arguments: 0,
      requires: ["queue-balance"],
      parse: (_, record, at) => flag(record, at, CPU_FANOUT),
    },
  ],

  initialise: (record, at) => record.view.setUint16(at + NFQUEUE_TOTAL, 1, true),

  print(out, record, at) {
    const number = record.view.getUint16(at + NFQUEUE_NUMBER, true);
    const total = record.view.getUint16(at + NFQUEUE_TOTAL, true);
    const flags = record.view.getUint16(at + NFQUEUE_FLAGS, true);
    out.option(total > 1 ? " --queue-balance " : " --queue-num ", number);
    if (total > 1) {
      out.byte(COLON);
      out.number(number + total - 1);
    }
    if (flags & BYPASS) out.text(" --queue-bypass");
    if (flags & CPU_FANOUT) out.text(" --queue-cpu-fanout");
  },
};

function flag(record: RecordMemory, at: number, bit: number): void {
  record.view.setUint16(at + NFQUEUE_FLAGS, record.view.getUint16(at + NFQUEUE_FLAGS, true) | bit, true);
}
