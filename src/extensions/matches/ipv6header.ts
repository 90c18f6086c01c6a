/** -m ipv6header: which extension headers an IPv6 packet has. */
import {
  IPV6HEADER_INVERT,
  IPV6HEADER_MASK,
  IPV6HEADER_SIZE,
  IPV6HEADER_SOFT,
  MATCH_IPV6HEADER,
} from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import type { Extension } from "../extension.js";

/** Bit, and names and number that say it, the printed one first. In the order in which they print. */
const HEADERS: readonly (readonly [bit: number, names: readonly string[]])[] = [
  [128, ["hop-by-hop", "hop", "0"]],
  [64, ["ipv6-opts", "dst", "60"]],
  [32, ["ipv6-route", "route", "43"]],
  [16, ["ipv6-frag", "frag", "44"]],
  [8, ["ah", "auth", "51"]],
  [4, ["esp", "50"]],
  [2, ["ipv6-nonxt", "none", "59"]],
  [1, ["protocol", "prot", "255"]],
];

export const ipv6header: Extension = {
  name: "ipv6header",
  type: MATCH_IPV6HEADER,
  size: IPV6HEADER_SIZE,
  family: "ipv6",
  options: [
    {
      name: "header",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        record.bytes[at + IPV6HEADER_MASK] = readHeaders(argument);
        if (argument.inverted) record.bytes[at + IPV6HEADER_INVERT] = 1;
      },
    },
    {
      name: "soft",
      arguments: 0,
      parse(_, record, at) {
        record.bytes[at + IPV6HEADER_SOFT] = 1;
      },
    },
  ],

  print(out, record, at) {
    const mask = record.bytes[at + IPV6HEADER_MASK] as number;
    const names = HEADERS.filter(([bit]) => mask & bit).map(([, [name]]) => name);
    out.text(`${record.bytes[at + IPV6HEADER_INVERT] ? " !" : ""} --header ${names.join(",")}`);
    if (record.bytes[at + IPV6HEADER_SOFT]) out.text(" --soft");
  },
};

function readHeaders(argument: Argument): number {
  let mask = 0;
  for (const word of argument.text().split(",")) {
    const header = HEADERS.find(([, names]) => names.includes(word));
    if (!header) {
      const known = HEADERS.flatMap(([, names]) => names.filter((name) => !/^\d/.test(name)));
      argument.fail("bad-value", `a comma list of ${known.join(", ")}`);
    }
    mask |= header[0];
  }
  return mask;
}
