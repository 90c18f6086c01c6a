/** -j TEE: sends a copy of the packet to another host. */
import { INTERFACE_SIZE } from "../../blob/layout.js";
import { TARGET_TEE, TEE_GATEWAY, TEE_INTERFACE, TEE_SIZE } from "../../blob/payloads.js";
import type { Target } from "../extension.js";
import { printAddress } from "../values/address.js";

export const tee: Target = {
  name: "TEE",
  type: TARGET_TEE,
  size: TEE_SIZE,
  options: [
    {
      name: "gateway",
      mandatory: true,
      parse(argument, record, at) {
        argument.address(record.bytes, at + TEE_GATEWAY);
        if (record.bytes.subarray(at + TEE_GATEWAY, at + TEE_GATEWAY + 16).every((byte) => byte === 0))
          argument.fail("bad-address", "an address that is not zero");
      },
    },
    {
      name: "oif",
      parse: (argument, record, at) => argument.name(record.bytes, at + TEE_INTERFACE, INTERFACE_SIZE, "a name"),
    },
  ],

  print(out, record, at, rule) {
    out.text(" --gateway ");
    printAddress(out, record.bytes, at + TEE_GATEWAY, rule.width);
    if (record.bytes[at + TEE_INTERFACE] === 0) return;
    out.text(" --oif ");
    out.padded(record.bytes, at + TEE_INTERFACE, INTERFACE_SIZE);
  },
};
