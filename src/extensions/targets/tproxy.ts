/** -j TPROXY: gives the packet to a local socket, unchanged. */
import {
  TARGET_TPROXY,
  TPROXY_ADDRESS,
  TPROXY_MARK_MASK,
  TPROXY_MARK_VALUE,
  TPROXY_PORT,
  TPROXY_SIZE,
} from "../../blob/payloads.js";
import { PREROUTING, type Target } from "../extension.js";
import { onlyProtocols, PROTOCOL_TCP, PROTOCOL_UDP } from "../protocol-check.js";
import { printAddress } from "../values/address.js";

export const tproxy: Target = {
  name: "TPROXY",
  type: TARGET_TPROXY,
  size: TPROXY_SIZE,
  tables: ["mangle"],
  hooks: () => PREROUTING,
  options: [
    {
      name: "on-port",
      mandatory: true,
      parse: (argument, record, at) => record.view.setUint16(at + TPROXY_PORT, argument.resolvedPort(), true),
    },
    { name: "on-ip", parse: (argument, record, at) => argument.address(record.bytes, at + TPROXY_ADDRESS) },
    {
      name: "tproxy-mark",
      parse(argument, record, at) {
        argument.maskedMark();
        record.view.setUint32(at + TPROXY_MARK_VALUE, argument.value, true);
        record.view.setUint32(at + TPROXY_MARK_MASK, argument.mask, true);
      },
    },
  ],
  protocol: (argument) => onlyProtocols(argument, "tcp or udp", PROTOCOL_TCP, PROTOCOL_UDP),

  print(out, record, at, rule) {
    out.option(" --on-port ", record.view.getUint16(at + TPROXY_PORT, true));
    out.text(" --on-ip ");
    printAddress(out, record.bytes, at + TPROXY_ADDRESS, rule.width);
    out.text(" --tproxy-mark 0x");
    out.hexadecimal(record.view.getUint32(at + TPROXY_MARK_VALUE, true));
    out.text("/0x");
    out.hexadecimal(record.view.getUint32(at + TPROXY_MARK_MASK, true));
  },
};
