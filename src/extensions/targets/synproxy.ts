/**
 * -j SYNPROXY: answers SYNs in the name of the server behind, and opens a connection to it when a client acknowledges the
 * answer. Asks for an engine that tracks connections. Packets that it keeps are STOLEN, those that it sends are events.
 * Numbers are read from packets' own bytes: without them every acknowledgement counts as one of the right cookie.
 */
import {
  SYNPROXY_MSS,
  SYNPROXY_OPTIONS,
  SYNPROXY_SIZE,
  SYNPROXY_WSCALE,
  TARGET_SYNPROXY,
} from "../../blob/payloads.js";
import { FORWARD, INPUT, type RecordMemory, type Target } from "../extension.js";
import { onlyProtocols, PROTOCOL_TCP } from "../protocol-check.js";

const MSS = 1;
const WSCALE = 2;
const SACK = 4;
const TIMESTAMP = 8;
const ECN = 16;

export const synproxy: Target = {
  name: "SYNPROXY",
  type: TARGET_SYNPROXY,
  size: SYNPROXY_SIZE,
  hooks: () => INPUT | FORWARD,
  options: [
    { name: "sack-perm", arguments: 0, parse: (_, record, at) => give(record, at, SACK) },
    { name: "timestamp", arguments: 0, parse: (_, record, at) => give(record, at, TIMESTAMP) },
    {
      name: "wscale",
      parse(argument, record, at) {
        record.bytes[at + SYNPROXY_WSCALE] = argument.unsigned(0, 0xffffffff);
        give(record, at, WSCALE);
      },
    },
    {
      name: "mss",
      parse(argument, record, at) {
        record.view.setUint16(at + SYNPROXY_MSS, argument.unsigned(0, 0xffffffff), true);
        give(record, at, MSS);
      },
    },
    { name: "ecn", arguments: 0, parse: (_, record, at) => give(record, at, ECN) },
  ],
  protocol: (argument) => onlyProtocols(argument, "tcp", PROTOCOL_TCP),

  print(out, record, at) {
    const options = record.bytes[at + SYNPROXY_OPTIONS] as number;
    if (options & SACK) out.text(" --sack-perm");
    if (options & TIMESTAMP) out.text(" --timestamp");
    if (options & WSCALE) out.option(" --wscale ", record.bytes[at + SYNPROXY_WSCALE] as number);
    if (options & MSS) out.option(" --mss ", record.view.getUint16(at + SYNPROXY_MSS, true));
    if (options & ECN) out.text(" --ecn");
  },
};

function give(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + SYNPROXY_OPTIONS] = (record.bytes[at + SYNPROXY_OPTIONS] as number) | bit;
}
