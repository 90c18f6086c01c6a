/** -m physdev: the bridge's ports that a packet came in or goes out by. */
import { INTERFACE_SIZE } from "../../blob/layout.js";
import {
  MATCH_PHYSDEV,
  PHYSDEV_FLAGS,
  PHYSDEV_INPUT,
  PHYSDEV_INVERT,
  PHYSDEV_OUTPUT,
  PHYSDEV_SIZE,
} from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import { ALL_HOOKS, type Extension, type Option, OUTPUT, type RecordMemory } from "../extension.js";
import { readInterface } from "../values/interface.js";

const IN = 1;
const OUT = 2;
const BRIDGED = 4;
const IS_IN = 8;
const IS_OUT = 16;
/** In the order in which they print; the ones with a name have its field. */
const OPTIONS: readonly (readonly [name: string, bit: number, field: number])[] = [
  ["physdev-is-in", IS_IN, 0],
  ["physdev-in", IN, PHYSDEV_INPUT],
  ["physdev-is-out", IS_OUT, 0],
  ["physdev-out", OUT, PHYSDEV_OUTPUT],
  ["physdev-is-bridged", BRIDGED, 0],
];

export const physdev: Extension = {
  name: "physdev",
  type: MATCH_PHYSDEV,
  size: PHYSDEV_SIZE,
  options: OPTIONS.map(
    ([name, bit, field]): Option => ({
      name,
      arguments: field === 0 ? 0 : 1,
      invertible: true,
      parse(argument, record, at) {
        if (field !== 0) readInterface(argument.bytes, argument.start, argument.end, record.bytes, at + field);
        give(argument, record, at, bit);
      },
    }),
  ),

  finish(argument) {
    if (argument.seen === 0) argument.fail("missing-option", `one of --${OPTIONS.map(([name]) => name).join(", --")}`);
    return PHYSDEV_SIZE;
  },

  hooks(record, at) {
    const given = record.bytes[at + PHYSDEV_FLAGS] as number;
    const bridged = given & BRIDGED && !((record.bytes[at + PHYSDEV_INVERT] as number) & BRIDGED);
    return given & (OUT | IS_OUT) && !bridged ? ALL_HOOKS & ~OUTPUT : ALL_HOOKS;
  },

  print(out, record, at) {
    const given = record.bytes[at + PHYSDEV_FLAGS] as number;
    const inverted = record.bytes[at + PHYSDEV_INVERT] as number;
    for (const [name, bit, field] of OPTIONS) {
      if (!(given & bit)) continue;
      out.text(inverted & bit ? " ! --" : " --");
      out.text(name);
      if (field === 0) continue;
      out.byte(32);
      out.padded(record.bytes, at + field, INTERFACE_SIZE);
    }
  },
};

function give(argument: Argument, record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + PHYSDEV_FLAGS] = (record.bytes[at + PHYSDEV_FLAGS] as number) | bit;
  if (argument.inverted) record.bytes[at + PHYSDEV_INVERT] = (record.bytes[at + PHYSDEV_INVERT] as number) | bit;
}
