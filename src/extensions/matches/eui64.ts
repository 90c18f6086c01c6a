/** -m eui64: the IPv6 source address ends in what its Ethernet source makes of it. */
import { EUI64_SIZE, MATCH_EUI64 } from "../../blob/payloads.js";
import { type Extension, FORWARD, INPUT, PREROUTING } from "../extension.js";

export const eui64: Extension = {
  name: "eui64",
  type: MATCH_EUI64,
  size: EUI64_SIZE,
  family: "ipv6",
  hooks: () => PREROUTING | INPUT | FORWARD,
  options: [],
  print() {},
};
