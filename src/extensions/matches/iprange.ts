/** -m iprange: addresses from one to another. */
import {
  IPRANGE_DESTINATION_MAX,
  IPRANGE_DESTINATION_MIN,
  IPRANGE_FLAGS,
  IPRANGE_SIZE,
  IPRANGE_SOURCE_MAX,
  IPRANGE_SOURCE_MIN,
  MATCH_IPRANGE,
} from "../../blob/payloads.js";
import { type Argument, DASH } from "../argument.js";
import type { Extension, Option, RecordMemory } from "../extension.js";
import { printAddress, readAddress, readLooseIPv4 } from "../values/address.js";

/** Name, bit, bit of the inversion, fields. */
const SIDES = [
  ["src-range", 1, 16, IPRANGE_SOURCE_MIN, IPRANGE_SOURCE_MAX],
  ["dst-range", 2, 32, IPRANGE_DESTINATION_MIN, IPRANGE_DESTINATION_MAX],
] as const;

export const iprange: Extension = {
  name: "iprange",
  type: MATCH_IPRANGE,
  size: IPRANGE_SIZE,
  options: SIDES.map(
    ([name, bit, invertBit, minimum, maximum]): Option => ({
      name,
      invertible: true,
      parse(argument, record, at) {
        const dash = argument.indexOf(DASH);
        readEnd(argument, argument.start, dash < 0 ? argument.end : dash, record, at + minimum);
        readEnd(argument, dash < 0 ? argument.start : dash + 1, argument.end, record, at + maximum);
        record.bytes[at + IPRANGE_FLAGS] =
          (record.bytes[at + IPRANGE_FLAGS] as number) | bit | (argument.inverted ? invertBit : 0);
      },
    }),
  ),

  finish(argument) {
    if (argument.seen === 0) argument.fail("missing-option", "--src-range or --dst-range");
    return IPRANGE_SIZE;
  },

  print(out, record, at, rule) {
    const flags = record.bytes[at + IPRANGE_FLAGS] as number;
    for (const [name, bit, invertBit, minimum, maximum] of SIDES) {
      if (!(flags & bit)) continue;
      out.text(flags & invertBit ? " ! --" : " --");
      out.text(name);
      out.byte(32);
      printAddress(out, record.bytes, at + minimum, rule.width);
      out.byte(DASH);
      printAddress(out, record.bytes, at + maximum, rule.width);
    }
  },
};

function readEnd(argument: Argument, start: number, end: number, record: RecordMemory, at: number): void {
  const { bytes, width } = argument;
  if (readAddress(bytes, start, end, width, record.bytes, at)) return;
  if (width === 16 || !readLooseIPv4(bytes, start, end, record.bytes, at, false))
    argument.fail("bad-address", `${argument.addressKind()}, or two with a dash`, start, end);
}
