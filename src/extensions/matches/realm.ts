/** -m realm: of the packet's route. */
import { MARK_INVERT, MARK_MASK, MARK_SIZE, MARK_VALUE, MATCH_REALM } from "../../blob/payloads.js";
import { type Extension, FORWARD, INPUT, OUTPUT, POSTROUTING } from "../extension.js";
import { printMasked, readMasked } from "../values/masked.js";

const NAME_OF_ZERO = "cosmos";

export const realm: Extension = {
  name: "realm",
  type: MATCH_REALM,
  size: MARK_SIZE,
  family: "ipv4",
  hooks: () => INPUT | FORWARD | OUTPUT | POSTROUTING,
  options: [
    {
      name: "realm",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        readMasked(argument, NAME_OF_ZERO);
        record.view.setUint32(at + MARK_VALUE, argument.value, true);
        record.view.setUint32(at + MARK_MASK, argument.mask, true);
        if (argument.inverted) record.bytes[at + MARK_INVERT] = 1;
      },
    },
  ],

  print(out, record, at) {
    out.text(record.bytes[at + MARK_INVERT] ? " ! --realm " : " --realm ");
    printMasked(
      out,
      record.view.getUint32(at + MARK_VALUE, true),
      record.view.getUint32(at + MARK_MASK, true),
      NAME_OF_ZERO,
    );
  },
};
