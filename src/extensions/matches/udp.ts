/** -m udp: ports of a UDP header. */
import { MATCH_UDP, UDP_SIZE } from "../../blob/payloads.js";
import type { Extension } from "../extension.js";
import { onlyProtocols, PROTOCOL_UDP } from "../protocol-check.js";
import { initialisePorts, portOptions, printPorts } from "./ports.js";

export const udp: Extension = {
  name: "udp",
  type: MATCH_UDP,
  size: UDP_SIZE,
  options: portOptions(undefined, true),
  initialise: initialisePorts,
  protocol: (argument) => onlyProtocols(argument, "udp", PROTOCOL_UDP),
  print: (out, record, at) => printPorts(out, record, at),
};
