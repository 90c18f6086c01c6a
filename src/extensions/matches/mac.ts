/** -m mac: the source address of the Ethernet frame. */
import { MAC_ADDRESS, MAC_INVERT, MAC_SIZE, MATCH_MAC } from "../../blob/payloads.js";
import { type Extension, FORWARD, INPUT, PREROUTING } from "../extension.js";

export const mac: Extension = {
  name: "mac",
  type: MATCH_MAC,
  size: MAC_SIZE,
  hooks: () => PREROUTING | INPUT | FORWARD,
  options: [
    {
      name: "mac-source",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        argument.macAddress(record.bytes, at + MAC_ADDRESS);
        if (argument.inverted) record.bytes[at + MAC_INVERT] = 1;
      },
    },
  ],

  print(out, record, at) {
    out.text(record.bytes[at + MAC_INVERT] ? " ! --mac-source " : " --mac-source ");
    out.macAddress(record.bytes, at + MAC_ADDRESS);
  },
};
