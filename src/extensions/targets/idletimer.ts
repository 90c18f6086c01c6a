/** -j IDLETIMER: a timer by label that every packet starts anew, so that someone may learn of a silence. */
import {
  IDLETIMER_ALARM,
  IDLETIMER_LABEL,
  IDLETIMER_LABEL_BYTES,
  IDLETIMER_SIZE,
  IDLETIMER_TIMEOUT,
  TARGET_IDLETIMER,
} from "../../blob/payloads.js";
import type { Target } from "../extension.js";

const ALL = 0xffffffff;
/** Linux counts milliseconds in 31 bits. */
const TIMEOUT_MOST = 2_147_482;
/** Files that lie where the labels do. */
const TAKEN = ["power", "subsystem", "uevent"];

export const idletimer: Target = {
  name: "IDLETIMER",
  type: TARGET_IDLETIMER,
  size: IDLETIMER_SIZE,
  options: [
    {
      name: "timeout",
      mandatory: true,
      parse(argument, record, at) {
        const timeout = argument.unsigned(0, ALL);
        if (timeout === 0 || timeout > TIMEOUT_MOST) argument.fail("bad-number", `seconds from 1 to ${TIMEOUT_MOST}`);
        record.view.setUint32(at + IDLETIMER_TIMEOUT, timeout, true);
      },
    },
    {
      name: "label",
      mandatory: true,
      parse(argument, record, at) {
        if (argument.start === argument.end || TAKEN.some((name) => argument.equals(name)))
          argument.fail("bad-name", `a label, none of ${TAKEN.join(", ")}`);
        // What is longer is cut, as Linux' tool does it.
        const end = Math.min(argument.end, argument.start + IDLETIMER_LABEL_BYTES - 1);
        record.bytes.set(argument.bytes.subarray(argument.start, end), at + IDLETIMER_LABEL);
      },
    },
    {
      name: "alarm",
      arguments: 0,
      parse(_, record, at) {
        record.bytes[at + IDLETIMER_ALARM] = 1;
      },
    },
  ],

  print(out, record, at) {
    out.option(" --timeout ", record.view.getUint32(at + IDLETIMER_TIMEOUT, true));
    out.text(" --label ");
    out.padded(record.bytes, at + IDLETIMER_LABEL, IDLETIMER_LABEL_BYTES);
    if (record.bytes[at + IDLETIMER_ALARM]) out.text(" --alarm");
  },
};
