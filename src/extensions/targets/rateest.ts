/** -j RATEEST: measures the rate of what passes, for -m rateest. */
import {
  RATEEST_NAME_BYTES,
  SETRATEEST_EWMA,
  SETRATEEST_INTERVAL,
  SETRATEEST_NAME,
  SETRATEEST_SIZE,
  TARGET_RATEEST,
} from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import type { Option, RecordMemory, Target } from "../extension.js";

const SECOND = 1_000_000;
/** Microseconds of the shortest interval. */
const SHORTEST = SECOND / 4;
const LAST_INTERVAL = 5;
const LAST_EWMA = 30;
const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  us: 1,
  usec: 1,
  usecs: 1,
  ms: 1000,
  msec: 1000,
  msecs: 1000,
  s: SECOND,
  sec: SECOND,
  secs: SECOND,
};

export const setRateest: Target = {
  name: "RATEEST",
  type: TARGET_RATEEST,
  size: SETRATEEST_SIZE,
  options: [
    {
      name: "rateest-name",
      mandatory: true,
      parse: (argument, record, at) =>
        argument.name(record.bytes, at + SETRATEEST_NAME, RATEEST_NAME_BYTES, "the name of an estimator"),
    },
    {
      name: "rateest-interval",
      mandatory: true,
      parse(argument, record, at) {
        const time = timeOf(argument);
        let interval = 0;
        while (time > SHORTEST << interval) if (++interval > LAST_INTERVAL) argument.fail("bad-value", "at most 8s");
        record.bytes[at + SETRATEEST_INTERVAL] = interval;
      },
    },
    // The average's time is a power of two of intervals, so the interval must be known.
    ewmaOption(),
  ],

  print(out, record, at) {
    out.text(" --rateest-name ");
    out.padded(record.bytes, at + SETRATEEST_NAME, RATEEST_NAME_BYTES);
    out.text(` --rateest-interval ${intervalText(record, at)} --rateest-ewmalog ${averageText(record, at)}`);
  },
};

function ewmaOption(): Option {
  return {
    name: "rateest-ewmalog",
    mandatory: true,
    parse(argument, record, at) {
      if (!argument.has("rateest-interval")) argument.fail("missing-option", "--rateest-interval in front");
      const wanted = timeOf(argument);
      const interval = SHORTEST * 2 ** (record.bytes[at + SETRATEEST_INTERVAL] as number);
      let ewma = 1;
      while (ewma < LAST_EWMA && interval / -Math.log(1 - 2 ** -ewma) <= wanted) ewma++;
      if (--ewma === 0) argument.fail("bad-value", "a time that is longer than the interval");
      record.bytes[at + SETRATEEST_EWMA] = ewma;
    },
  };
}

export function intervalText({ bytes }: RecordMemory, at: number): string {
  return timeText(SHORTEST * 2 ** (bytes[at + SETRATEEST_INTERVAL] as number));
}

export function averageText({ bytes }: RecordMemory, at: number): string {
  const shift = (bytes[at + SETRATEEST_INTERVAL] as number) + (bytes[at + SETRATEEST_EWMA] as number);
  return timeText(SHORTEST * 2 ** shift);
}

/** Microseconds. */
function timeOf(argument: Argument): number {
  const found = /^(\d+(?:\.\d*)?(?:e\d+)?|\.\d+(?:e\d+)?)([a-z]*)$/i.exec(argument.text());
  const unit = found?.[2]?.toLowerCase() ?? "";
  if (!found || !Object.hasOwn(UNITS, unit)) argument.fail("bad-value", "a time such as 250ms or 2s");
  return Number(found[1]) * (UNITS[unit] as number);
}

function timeText(microseconds: number): string {
  return microseconds >= SECOND ? `${(microseconds / SECOND).toFixed(1)}s` : `${(microseconds / 1000).toFixed(1)}ms`;
}
