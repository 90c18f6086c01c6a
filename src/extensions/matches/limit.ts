/** -m limit: a token bucket of the rule's own. */
import { LIMIT_AVERAGE, LIMIT_BURST, LIMIT_SIZE, MATCH_LIMIT } from "../../blob/payloads.js";
import type { Extension } from "../extension.js";
import { printRate, readRate } from "../values/rate.js";

/** Ticks a second. */
const SCALE = 10_000;
const DEFAULT_AVERAGE = (SCALE * 3600) / 3;
const DEFAULT_BURST = 5;
const LARGEST_BURST = 10_000;
/** Credits that a kernel of 250 or 1000 ticks a second gives a second: a power of two a tick. */
const CREDITS_A_SECOND = 32_000;

/** What the kernel makes of a period, in 32 bits. It refuses a burst that is too large for them. */
function credits(period: number): number {
  if (period > 0xffffffff / CREDITS_A_SECOND) return Math.imul(Math.floor(period / SCALE), CREDITS_A_SECOND) >>> 0;
  return Math.floor((period * CREDITS_A_SECOND) / SCALE);
}

export const limit: Extension = {
  name: "limit",
  type: MATCH_LIMIT,
  size: LIMIT_SIZE,
  options: [
    {
      name: "limit",
      parse: (argument, record, at) => record.view.setUint32(at + LIMIT_AVERAGE, readRate(argument, SCALE), true),
    },
    {
      name: "limit-burst",
      parse: (argument, record, at) =>
        record.view.setUint32(at + LIMIT_BURST, argument.unsigned(1, LARGEST_BURST), true),
    },
  ],

  initialise(record, at) {
    record.view.setUint32(at + LIMIT_AVERAGE, DEFAULT_AVERAGE, true);
    record.view.setUint32(at + LIMIT_BURST, DEFAULT_BURST, true);
  },

  finish(argument, record, at) {
    const average = record.view.getUint32(at + LIMIT_AVERAGE, true);
    const burst = record.view.getUint32(at + LIMIT_BURST, true);
    if (credits(Math.imul(average, burst) >>> 0) < credits(average))
      argument.fail("bad-number", "a smaller burst for so slow a rate");
    return LIMIT_SIZE;
  },

  print(out, record, at) {
    out.text(" --limit ");
    printRate(out, record.view.getUint32(at + LIMIT_AVERAGE, true), SCALE);
    const burst = record.view.getUint32(at + LIMIT_BURST, true);
    if (burst === DEFAULT_BURST) return;
    out.text(" --limit-burst ");
    out.number(burst);
  },
};
