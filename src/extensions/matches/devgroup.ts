/** -m devgroup: groups of interfaces. */
import {
  DEVGROUP_DESTINATION,
  DEVGROUP_DESTINATION_MASK,
  DEVGROUP_FLAGS,
  DEVGROUP_SIZE,
  DEVGROUP_SOURCE,
  DEVGROUP_SOURCE_MASK,
  MATCH_DEVGROUP,
} from "../../blob/payloads.js";
import {
  ALL_HOOKS,
  type Extension,
  FORWARD,
  INPUT,
  type Option,
  OUTPUT,
  POSTROUTING,
  PREROUTING,
} from "../extension.js";
import { printMasked, readMasked } from "../values/masked.js";

const SOURCE = 1;
const DESTINATION = 4;
/** Name, bit (the next one inverts), fields. */
const SIDES = [
  ["src-group", SOURCE, DEVGROUP_SOURCE, DEVGROUP_SOURCE_MASK],
  ["dst-group", DESTINATION, DEVGROUP_DESTINATION, DEVGROUP_DESTINATION_MASK],
] as const;

const NAME_OF_ZERO = "default";

export const devgroup: Extension = {
  name: "devgroup",
  type: MATCH_DEVGROUP,
  size: DEVGROUP_SIZE,
  options: SIDES.map(
    ([name, bit, value, mask]): Option => ({
      name,
      invertible: true,
      parse(argument, record, at) {
        readMasked(argument, NAME_OF_ZERO);
        record.view.setUint32(at + value, argument.value, true);
        record.view.setUint32(at + mask, argument.mask, true);
        record.bytes[at + DEVGROUP_FLAGS] =
          (record.bytes[at + DEVGROUP_FLAGS] as number) | bit | (argument.inverted ? 2 * bit : 0);
      },
    }),
  ),

  finish(argument) {
    if (argument.seen === 0) argument.fail("missing-option", "--src-group or --dst-group");
    return DEVGROUP_SIZE;
  },

  hooks(record, at) {
    const flags = record.bytes[at + DEVGROUP_FLAGS] as number;
    return (
      (flags & SOURCE ? PREROUTING | INPUT | FORWARD : ALL_HOOKS) &
      (flags & DESTINATION ? FORWARD | OUTPUT | POSTROUTING : ALL_HOOKS)
    );
  },

  print(out, record, at) {
    const flags = record.bytes[at + DEVGROUP_FLAGS] as number;
    for (const [name, bit, value, mask] of SIDES) {
      if (!(flags & bit)) continue;
      out.text(flags & (2 * bit) ? ` ! --${name} ` : ` --${name} `);
      printMasked(out, record.view.getUint32(at + value, true), record.view.getUint32(at + mask, true), NAME_OF_ZERO);
    }
  },
};
