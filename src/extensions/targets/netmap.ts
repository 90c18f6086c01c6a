/** -j NETMAP: moves addresses into another network, host by host. */
import {
  NAT_ADDRESS_MAX,
  NAT_ADDRESS_MIN,
  NAT_FLAG_ADDRESS,
  NAT_FLAGS,
  NAT_SIZE,
  TARGET_NETMAP,
} from "../../blob/payloads.js";
import { INPUT, OUTPUT, POSTROUTING, PREROUTING, type Target } from "../extension.js";
import { printAddress, printMask } from "../values/address.js";

const mask = new Uint8Array(16);

export const netmap: Target = {
  name: "NETMAP",
  type: TARGET_NETMAP,
  size: NAT_SIZE,
  tables: ["nat"],
  hooks: () => PREROUTING | INPUT | OUTPUT | POSTROUTING,
  options: [
    {
      name: "to",
      mandatory: true,
      parse(argument, record, at) {
        const { bytes } = record;
        argument.addressAndMask(bytes, at + NAT_ADDRESS_MIN, at + NAT_ADDRESS_MAX);
        for (let i = 0; i < argument.width; i++) {
          const ones = bytes[at + NAT_ADDRESS_MAX + i] as number;
          const first = (bytes[at + NAT_ADDRESS_MIN + i] as number) & ones;
          bytes[at + NAT_ADDRESS_MIN + i] = first;
          bytes[at + NAT_ADDRESS_MAX + i] = first | ~ones;
        }
        record.view.setUint32(at + NAT_FLAGS, NAT_FLAG_ADDRESS, true);
      },
    },
  ],

  print(out, record, at, rule) {
    const { bytes } = record;
    for (let i = 0; i < rule.width; i++)
      mask[i] = ~((bytes[at + NAT_ADDRESS_MIN + i] as number) ^ (bytes[at + NAT_ADDRESS_MAX + i] as number));
    out.text(" --to ");
    printAddress(out, bytes, at + NAT_ADDRESS_MIN, rule.width);
    printMask(out, mask, 0, rule.width);
  },
};
