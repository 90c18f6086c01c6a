/** -m statistic: every nth packet, or each with a probability. */
import { VALUE_PROBABILITY } from "../../blob/reading.js";
import {
  MATCH_STATISTIC,
  STATISTIC_EVERY,
  STATISTIC_INVERT,
  STATISTIC_MODE,
  STATISTIC_PACKET,
  STATISTIC_PROBABILITY,
  STATISTIC_SIZE,
} from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import type { Extension, RecordMemory } from "../extension.js";

const MODES = ["random", "nth"];
const RANDOM = 0;
/** The kernel keeps a probability in units of 1/2^31. */
const CERTAIN = 2 ** 31;

export const statistic: Extension = {
  name: "statistic",
  type: MATCH_STATISTIC,
  size: STATISTIC_SIZE,
  options: [
    {
      name: "mode",
      mandatory: true,
      parse(argument, record, at) {
        record.bytes[at + STATISTIC_MODE] = argument.oneOf(MODES);
      },
    },
    {
      name: "probability",
      invertible: true,
      value: { kind: VALUE_PROBABILITY, at: STATISTIC_PROBABILITY },
      excludes: ["every", "packet"],
      parse(argument, record, at) {
        const share = probability(argument);
        record.view.setUint32(at + STATISTIC_PROBABILITY, Math.round(CERTAIN * share), true);
        invert(argument, record, at);
      },
    },
    {
      name: "every",
      invertible: true,
      requires: ["packet"],
      parse(argument, record, at) {
        record.view.setUint32(at + STATISTIC_EVERY, argument.unsigned(1, 0xffffffff) - 1, true);
        invert(argument, record, at);
      },
    },
    {
      name: "packet",
      requires: ["every"],
      parse(argument, record, at) {
        record.view.setUint32(at + STATISTIC_PACKET, argument.unsigned(0, 0xffffffff), true);
      },
    },
  ],

  finish(argument, record, at) {
    if (record.bytes[at + STATISTIC_MODE] === RANDOM) {
      if (!argument.has("probability")) argument.fail("missing-option", "--probability with --mode random");
    } else {
      if (!argument.has("every")) argument.fail("missing-option", "--every and --packet with --mode nth");
      if (record.view.getUint32(at + STATISTIC_PACKET, true) > record.view.getUint32(at + STATISTIC_EVERY, true))
        argument.fail("bad-number", "--packet below --every");
    }
    return STATISTIC_SIZE;
  },

  print(out, record, at) {
    const random = record.bytes[at + STATISTIC_MODE] === RANDOM;
    out.text(random ? " --mode random" : " --mode nth");
    if (record.bytes[at + STATISTIC_INVERT]) out.text(" !");
    if (random) {
      out.text(" --probability ");
      out.text((record.view.getUint32(at + STATISTIC_PROBABILITY, true) / CERTAIN).toFixed(11));
      return;
    }
    out.text(" --every ");
    out.number(record.view.getUint32(at + STATISTIC_EVERY, true) + 1);
    out.text(" --packet ");
    out.number(record.view.getUint32(at + STATISTIC_PACKET, true));
  },
};

/** A decimal fraction from 0 to 1. The common "0.33333333349" is read without a string. */
function probability(argument: Argument): number {
  const { bytes, start, end } = argument;
  if (end - start > 2 && end - start <= 17 && bytes[start] === 48 && bytes[start + 1] === 46) {
    let digits = 0;
    let i = start + 2;
    for (; i < end; i++) {
      const digit = (bytes[i] as number) - 48;
      if (digit < 0 || digit > 9) break;
      digits = digits * 10 + digit;
    }
    // Both are exact below 2^53 and 10^22, so one division rounds correctly.
    if (i === end) return digits / (POWERS[end - start - 2] as number);
  }
  const text = argument.text().trim();
  const value = /^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value <= 1)) argument.fail("bad-number", "a probability from 0 to 1");
  return value;
}

const POWERS = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

function invert(argument: Argument, record: RecordMemory, at: number): void {
  if (argument.inverted) record.bytes[at + STATISTIC_INVERT] = 1;
}
