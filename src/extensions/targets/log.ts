/** -j LOG: a line in the kernel's log; goes on with the next rule. */
import { LOG_FLAGS, LOG_LEVEL, LOG_PREFIX, LOG_PREFIX_BYTES, LOG_SIZE, TARGET_LOG } from "../../blob/payloads.js";
import type { Option, Target } from "../extension.js";
import { nearest } from "../nearest.js";
import { Fault } from "../fault.js";
import { wholeNumber } from "../values/number.js";

const LEVELS: Readonly<Record<string, number>> = {
  emerg: 0,
  panic: 0,
  alert: 1,
  crit: 2,
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
};
const DEFAULT_LEVEL = 4;
/** In the order in which they print. */
const FLAGS = [
  ["log-tcp-sequence", 1],
  ["log-tcp-options", 2],
  ["log-ip-options", 4],
  ["log-uid", 8],
  ["log-macdecode", 32],
] as const;

export const log: Target = {
  name: "LOG",
  type: TARGET_LOG,
  size: LOG_SIZE,
  options: [
    {
      name: "log-level",
      parse(argument, record, at) {
        const name = argument.text();
        const number = wholeNumber(argument.bytes, argument.start, argument.end, 0, 7);
        const level = number < 0 && Object.hasOwn(LEVELS, name) ? (LEVELS[name] as number) : number;
        if (level < 0) {
          const names = Object.keys(LEVELS);
          throw new Fault(
            "bad-value",
            argument.start,
            argument.end,
            `a level from 0 to 7, or one of ${names.join(", ")}`,
            nearest(name, names),
          );
        }
        record.bytes[at + LOG_LEVEL] = level;
      },
    },
    {
      name: "log-prefix",
      parse(argument, record, at) {
        if (argument.start === argument.end) argument.fail("bad-name", "a prefix that is not empty");
        argument.name(record.bytes, at + LOG_PREFIX, LOG_PREFIX_BYTES, "a prefix");
      },
    },
    ...FLAGS.map(
      ([name, bit]): Option => ({
        name,
        arguments: 0,
        parse(_, record, at) {
          record.bytes[at + LOG_FLAGS] = (record.bytes[at + LOG_FLAGS] as number) | bit;
        },
      }),
    ),
  ],

  initialise(record, at) {
    record.bytes[at + LOG_LEVEL] = DEFAULT_LEVEL;
  },

  print(out, record, at) {
    const { bytes } = record;
    const flags = bytes[at + LOG_FLAGS] as number;
    const level = bytes[at + LOG_LEVEL] as number;
    out.optionalText(" --log-prefix ", bytes, at + LOG_PREFIX, LOG_PREFIX_BYTES);
    if (level !== DEFAULT_LEVEL) {
      out.text(" --log-level ");
      out.number(level);
    }
    for (const [name, bit] of FLAGS) if (flags & bit) out.text(` --${name}`);
  },
};
