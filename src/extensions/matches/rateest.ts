/**
 * -m rateest: rates that -j RATEEST measured. An estimator is compared with another, or with given rates; with
 * --rateest-delta it is the difference to a first rate that is compared.
 */
import {
  MATCH_RATEEST,
  RATEEST_COMPARE,
  RATEEST_FIRST,
  RATEEST_FIRST_BYTES,
  RATEEST_FIRST_PACKETS,
  RATEEST_FLAGS,
  RATEEST_NAME_BYTES,
  RATEEST_SECOND,
  RATEEST_SECOND_BYTES,
  RATEEST_SECOND_PACKETS,
  RATEEST_SIZE,
} from "../../blob/payloads.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Extension, Option, RecordMemory } from "../extension.js";
import { printBitRate, readBitRate } from "../values/bit-rate.js";

const INVERT = 1;
const SECOND = 2;
const DELTA = 4;
const BYTES = 8;
const PACKETS = 16;
const COMPARISONS = ["lt", "gt", "eq"];

interface Bound {
  readonly names: readonly [string, ...string[]];
  readonly field: number;
  readonly flag: number;
}

/** `--rateest-bps` is the bound that there is without a difference. Of two estimators none needs a number. */
const BOUNDS: readonly Bound[] = [
  { names: ["rateest-bps1"], field: RATEEST_FIRST_BYTES, flag: BYTES },
  { names: ["rateest-bps2", "rateest-bps"], field: RATEEST_SECOND_BYTES, flag: BYTES },
  { names: ["rateest-pps1"], field: RATEEST_FIRST_PACKETS, flag: PACKETS },
  { names: ["rateest-pps2", "rateest-pps"], field: RATEEST_SECOND_PACKETS, flag: PACKETS },
];

export const rateest: Extension = {
  name: "rateest",
  type: MATCH_RATEEST,
  size: RATEEST_SIZE,
  options: [
    {
      name: "rateest1",
      aliases: ["rateest"],
      mandatory: true,
      parse: (argument, record, at) =>
        argument.name(record.bytes, at + RATEEST_FIRST, RATEEST_NAME_BYTES, "the name of an estimator"),
    },
    {
      name: "rateest2",
      parse(argument, record, at) {
        argument.name(record.bytes, at + RATEEST_SECOND, RATEEST_NAME_BYTES, "the name of an estimator");
        flag(record, at, SECOND);
      },
    },
    { name: "rateest-delta", arguments: 0, parse: (_, record, at) => flag(record, at, DELTA) },
    ...BOUNDS.map(
      (bound): Option => ({
        name: bound.names[0],
        aliases: bound.names.slice(1),
        optional: true,
        parse(argument, record, at) {
          flag(record, at, bound.flag);
          if (argument.start === argument.end) return;
          const value = bound.flag === BYTES ? readBitRate(argument) : argument.unsigned(0, 0xffffffff);
          record.view.setUint32(at + bound.field, value, true);
        },
      }),
    ),
    ...COMPARISONS.map(
      (name, index): Option => ({
        name: `rateest-${name}`,
        arguments: 0,
        invertible: true,
        parse(argument, record, at) {
          record.bytes[at + RATEEST_COMPARE] = index + 1;
          if (argument.inverted) flag(record, at, INVERT);
        },
      }),
    ),
  ],

  finish(argument, record, at) {
    if (record.bytes[at + RATEEST_COMPARE] === 0)
      argument.fail("missing-option", "--rateest-lt, --rateest-gt or --rateest-eq");
    if (((record.bytes[at + RATEEST_FLAGS] as number) & (BYTES | PACKETS)) === 0)
      argument.fail("missing-option", "--rateest-bps or --rateest-pps");
    return RATEEST_SIZE;
  },

  print(out, record, at) {
    const flags = record.bytes[at + RATEEST_FLAGS] as number;
    const comparison = ` ${comparisonOf(record, at, "--rateest-")}`;
    if (flags & DELTA) out.text(" --rateest-delta");
    out.text(flags & SECOND ? " --rateest1 " : " --rateest ");
    out.padded(record.bytes, at + RATEEST_FIRST, RATEEST_NAME_BYTES);
    for (const [unit, bit, first, second] of UNITS) {
      if (!(flags & bit)) continue;
      if (flags & DELTA) {
        out.text(` --rateest-${unit}1 `);
        printRate(out, record, at, first);
      }
      out.text(comparison);
      out.text(` --rateest-${unit}${flags & DELTA ? "2" : ""}`);
      // Without a difference two estimators are compared as they are.
      if (!(flags & DELTA) && flags & SECOND) continue;
      out.byte(SPACE);
      printRate(out, record, at, second);
    }
    if (!(flags & SECOND)) return;
    out.text(" --rateest2 ");
    out.padded(record.bytes, at + RATEEST_SECOND, RATEEST_NAME_BYTES);
  },
};

/** Unit, its bit, its two bounds. In the order in which they print. */
const UNITS = [
  ["bps", BYTES, RATEEST_FIRST_BYTES, RATEEST_SECOND_BYTES],
  ["pps", PACKETS, RATEEST_FIRST_PACKETS, RATEEST_SECOND_PACKETS],
] as const;

const SPACE = 32;

/** ` RE1 delta bps 8bit 16bit lt`: how a listing says it. */
export function listRates(out: ByteWriter, record: RecordMemory, at: number, numeric: boolean): void {
  const flags = record.bytes[at + RATEEST_FLAGS] as number;
  const comparison = ` ${comparisonOf(record, at, "")}`;
  const units = UNITS.filter(([, bit]) => flags & bit);
  const rate = (field: number): void => {
    out.byte(SPACE);
    if (numeric) out.number(record.view.getUint32(at + field, true));
    else printRate(out, record, at, field);
  };
  out.padded(record.bytes, at + RATEEST_FIRST, RATEEST_NAME_BYTES);
  if (flags & DELTA) out.text(" delta");
  for (const [unit, bit, first, second] of units) {
    out.text(` ${unit}`);
    if (flags & DELTA) rate(first);
    if (flags & SECOND) continue;
    // The comparison stands behind rates of bytes and in front of those of packets.
    if (bit === PACKETS) out.text(comparison);
    rate(second);
    if (bit === BYTES) out.text(comparison);
  }
  if (!(flags & SECOND)) return;
  out.text(`${comparison} `);
  out.padded(record.bytes, at + RATEEST_SECOND, RATEEST_NAME_BYTES);
  for (const [unit, , , second] of units) {
    out.text(` ${unit}`);
    if (flags & DELTA) rate(second);
  }
}

function printRate(out: ByteWriter, { view }: RecordMemory, at: number, field: number): void {
  const value = view.getUint32(at + field, true);
  if (field === RATEEST_FIRST_BYTES || field === RATEEST_SECOND_BYTES) printBitRate(out, value);
  else out.number(value);
}

function comparisonOf({ bytes }: RecordMemory, at: number, prefix: string): string {
  const name = COMPARISONS[(bytes[at + RATEEST_COMPARE] as number) - 1] as string;
  return `${(bytes[at + RATEEST_FLAGS] as number) & INVERT ? "! " : ""}${prefix}${name}`;
}

function flag(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + RATEEST_FLAGS] = (record.bytes[at + RATEEST_FLAGS] as number) | bit;
}
