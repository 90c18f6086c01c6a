/** -m rpfilter: whether an answer would go out by the interface that the packet came in by. */
import { MATCH_RPFILTER, RPFILTER_FLAGS, RPFILTER_SIZE } from "../../blob/payloads.js";
import { type Extension, type Option, PREROUTING } from "../extension.js";

/** By bit. */
const OPTIONS = ["loose", "validmark", "accept-local", "invert"];

export const rpfilter: Extension = {
  name: "rpfilter",
  type: MATCH_RPFILTER,
  size: RPFILTER_SIZE,
  tables: ["raw", "mangle"],
  hooks: () => PREROUTING,
  options: OPTIONS.map(
    (name, bit): Option => ({
      name,
      arguments: 0,
      parse(_, record, at) {
        record.bytes[at + RPFILTER_FLAGS] = (record.bytes[at + RPFILTER_FLAGS] as number) | (1 << bit);
      },
    }),
  ),

  print(out, record, at) {
    for (const [bit, name] of OPTIONS.entries())
      if (((record.bytes[at + RPFILTER_FLAGS] as number) >> bit) & 1) out.text(` --${name}`);
  },
};
