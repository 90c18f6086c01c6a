/** -m frag: IPv6's fragment header. */
import {
  FRAG_FLAGS,
  FRAG_ID_MAX,
  FRAG_ID_MIN,
  FRAG_INVERT,
  FRAG_LENGTH,
  FRAG_SIZE,
  MATCH_FRAG,
} from "../../blob/payloads.js";
import { type Argument, COLON } from "../argument.js";
import type { Extension, Option, RecordMemory } from "../extension.js";

const ID = 1;
const LENGTH = 2;
const LARGEST = 0xffffffff;
/** Options without an argument, in the order in which they print. */
const FLAGS = [
  ["fragres", 4],
  ["fragfirst", 8],
  ["fragmore", 16],
  ["fraglast", 32],
] as const;
const OPPOSITE: Readonly<Record<string, string>> = { fragmore: "fraglast", fraglast: "fragmore" };

export const frag: Extension = {
  name: "frag",
  type: MATCH_FRAG,
  size: FRAG_SIZE,
  family: "ipv6",
  options: [
    {
      name: "fragid",
      invertible: true,
      parse(argument, record, at) {
        argument.range(LARGEST);
        record.view.setUint32(at + FRAG_ID_MIN, argument.value, true);
        record.view.setUint32(at + FRAG_ID_MAX, argument.mask, true);
        give(argument, record, at, ID);
      },
    },
    {
      name: "fraglen",
      invertible: true,
      parse(argument, record, at) {
        record.view.setUint32(at + FRAG_LENGTH, argument.unsigned(0, LARGEST), true);
        give(argument, record, at, LENGTH);
      },
    },
    ...FLAGS.map(
      ([name, bit]): Option => ({
        name,
        arguments: 0,
        excludes: OPPOSITE[name] ? [OPPOSITE[name]] : [],
        parse: (argument, record, at) => give(argument, record, at, bit),
      }),
    ),
  ],

  initialise: (record, at) => record.view.setUint32(at + FRAG_ID_MAX, LARGEST, true),

  print(out, record, at) {
    const flags = record.bytes[at + FRAG_FLAGS] as number;
    const inverted = record.bytes[at + FRAG_INVERT] as number;
    const minimum = record.view.getUint32(at + FRAG_ID_MIN, true);
    const maximum = record.view.getUint32(at + FRAG_ID_MAX, true);
    if (minimum !== 0 || maximum !== LARGEST) {
      out.option(inverted & ID ? " ! --fragid " : " --fragid ", minimum);
      if (maximum !== minimum) {
        out.byte(COLON);
        out.number(maximum);
      }
    }
    if (flags & LENGTH)
      out.option(inverted & LENGTH ? " ! --fraglen " : " --fraglen ", record.view.getUint32(at + FRAG_LENGTH, true));
    for (const [name, bit] of FLAGS) if (flags & bit) out.text(` --${name}`);
  },
};

function give(argument: Argument, record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + FRAG_FLAGS] = (record.bytes[at + FRAG_FLAGS] as number) | bit;
  if (argument.inverted) record.bytes[at + FRAG_INVERT] = (record.bytes[at + FRAG_INVERT] as number) | bit;
}
