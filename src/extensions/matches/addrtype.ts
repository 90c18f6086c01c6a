/** -m addrtype: what kind of address the source or the destination is to this host's routes. */
import {
  ADDRTYPE_DESTINATION,
  ADDRTYPE_FLAGS,
  ADDRTYPE_INVERT_DESTINATION,
  ADDRTYPE_INVERT_SOURCE,
  ADDRTYPE_LIMIT_IN,
  ADDRTYPE_LIMIT_OUT,
  ADDRTYPE_SIZE,
  ADDRTYPE_SOURCE,
  MATCH_ADDRTYPE,
} from "../../blob/payloads.js";
import type { Keyword } from "../argument.js";
import {
  ALL_HOOKS,
  type Extension,
  FORWARD,
  INPUT,
  OUTPUT,
  POSTROUTING,
  PREROUTING,
  type RecordMemory,
} from "../extension.js";
import { printWords } from "./conntrack.js";

/** Route types in the order of their numbers (linux/rtnetlink.h). */
const TYPES: readonly Keyword[] = [
  "UNSPEC",
  "UNICAST",
  "LOCAL",
  "BROADCAST",
  "ANYCAST",
  "MULTICAST",
  "BLACKHOLE",
  "UNREACHABLE",
  "PROHIBIT",
  "THROW",
  "NAT",
  "XRESOLVE",
].map((name, number) => [name, 1 << number]);
/** The kernel knows no such types in IPv6: broadcast, blackhole, and prohibit and all above. */
const NOT_IN_IPV6 = (1 << 3) | (1 << 6) | 0xff00;

export const addrtype: Extension = {
  name: "addrtype",
  type: MATCH_ADDRTYPE,
  size: ADDRTYPE_SIZE,
  options: [
    {
      name: "src-type",
      invertible: true,
      parse(argument, record, at) {
        record.view.setUint16(at + ADDRTYPE_SOURCE, argument.keywords(TYPES), true);
        if (argument.inverted) flag(record, at, ADDRTYPE_INVERT_SOURCE);
      },
    },
    {
      name: "dst-type",
      invertible: true,
      parse(argument, record, at) {
        record.view.setUint16(at + ADDRTYPE_DESTINATION, argument.keywords(TYPES), true);
        if (argument.inverted) flag(record, at, ADDRTYPE_INVERT_DESTINATION);
      },
    },
    {
      name: "limit-iface-in",
      arguments: 0,
      excludes: ["limit-iface-out"],
      parse: (_, record, at) => flag(record, at, ADDRTYPE_LIMIT_IN),
    },
    {
      name: "limit-iface-out",
      arguments: 0,
      parse: (_, record, at) => flag(record, at, ADDRTYPE_LIMIT_OUT),
    },
  ],

  finish(argument, record, at) {
    const types =
      record.view.getUint16(at + ADDRTYPE_SOURCE, true) | record.view.getUint16(at + ADDRTYPE_DESTINATION, true);
    if (!argument.has("src-type") && !argument.has("dst-type"))
      argument.fail("missing-option", "--src-type or --dst-type");
    if (argument.width === 16 && types & NOT_IN_IPV6)
      argument.fail("bad-value", "types that IPv6 has: no BROADCAST, BLACKHOLE, PROHIBIT, THROW, NAT or XRESOLVE");
    return ADDRTYPE_SIZE;
  },

  hooks(record, at) {
    const flags = record.bytes[at + ADDRTYPE_FLAGS] as number;
    if (flags & ADDRTYPE_LIMIT_OUT) return FORWARD | OUTPUT | POSTROUTING;
    return flags & ADDRTYPE_LIMIT_IN ? PREROUTING | INPUT | FORWARD : ALL_HOOKS;
  },

  print(out, record, at) {
    const source = record.view.getUint16(at + ADDRTYPE_SOURCE, true);
    const destination = record.view.getUint16(at + ADDRTYPE_DESTINATION, true);
    const flags = record.bytes[at + ADDRTYPE_FLAGS] as number;
    if (source) {
      out.text(flags & ADDRTYPE_INVERT_SOURCE ? " ! --src-type " : " --src-type ");
      printWords(out, TYPES, source);
    }
    if (destination) {
      out.text(flags & ADDRTYPE_INVERT_DESTINATION ? " ! --dst-type " : " --dst-type ");
      printWords(out, TYPES, destination);
    }
    if (flags & ADDRTYPE_LIMIT_IN) out.text(" --limit-iface-in");
    if (flags & ADDRTYPE_LIMIT_OUT) out.text(" --limit-iface-out");
  },
};

function flag(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + ADDRTYPE_FLAGS] = (record.bytes[at + ADDRTYPE_FLAGS] as number) | bit;
}
