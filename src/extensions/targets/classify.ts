/** -j CLASSIFY: the packet's class for queueing. */
import { CLASSIFY_PRIORITY, CLASSIFY_SIZE, TARGET_CLASSIFY } from "../../blob/payloads.js";
import { FORWARD, OUTPUT, POSTROUTING, type Target } from "../extension.js";

export const classify: Target = {
  name: "CLASSIFY",
  type: TARGET_CLASSIFY,
  size: CLASSIFY_SIZE,
  hooks: () => FORWARD | OUTPUT | POSTROUTING,
  options: [
    {
      name: "set-class",
      mandatory: true,
      parse(argument, record, at) {
        const found = /^(?:0x)?([0-9a-f]{1,8}):(?:0x)?([0-9a-f]{1,8})$/i.exec(argument.text());
        if (!found) return argument.fail("bad-value", "a class as major:minor in hexadecimal");
        const major = Number.parseInt(found[1] as string, 16) & 0xffff;
        const minor = Number.parseInt(found[2] as string, 16) & 0xffff;
        record.view.setUint32(at + CLASSIFY_PRIORITY, (major << 16) | minor, true);
      },
    },
  ],

  print(out, record, at) {
    const priority = record.view.getUint32(at + CLASSIFY_PRIORITY, true);
    out.text(" --set-class ");
    out.hexadecimal(priority >>> 16, 4);
    out.byte(58);
    out.hexadecimal(priority & 0xffff, 4);
  },
};
