/** -m ipvs: what the load balancer in the kernel knows of the packet's connection. A packet's description says it. */
import {
  IPVS_ADDRESS,
  IPVS_CONTROL_PORT,
  IPVS_FLAGS,
  IPVS_INVERT,
  IPVS_METHOD,
  IPVS_PORT,
  IPVS_PROTOCOL,
  IPVS_SIZE,
  MATCH_IPVS,
} from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Extension, PrintedRule, RecordMemory } from "../extension.js";
import { printAddress, printMaskUnlessFull } from "../values/address.js";
import { protocolNumber, readProtocol } from "../values/protocols.js";

const PROPERTY = 1;
const PROTOCOL = 2;
const ADDRESS = 4;
const PORT = 8;
const DIRECTION = 16;
const METHOD = 32;
const CONTROL_PORT = 64;

const METHODS = [
  ["GATE", 3],
  ["IPIP", 2],
  ["MASQ", 0],
] as const;
const DIRECTIONS = ["ORIGINAL", "REPLY"];

/** Name, bit and printed value. In the order in which they print. */
const VALUES: readonly (readonly [
  name: string,
  bit: number,
  print: (out: ByteWriter, record: RecordMemory, at: number, rule: PrintedRule) => void,
])[] = [
  ["vproto", PROTOCOL, (out, { bytes }, at) => out.number(bytes[at + IPVS_PROTOCOL] as number)],
  [
    "vaddr",
    ADDRESS,
    (out, { bytes }, at, { width }) => {
      printAddress(out, bytes, at + IPVS_ADDRESS, width);
      printMaskUnlessFull(out, bytes, at + IPVS_ADDRESS + 16, width);
    },
  ],
  ["vport", PORT, (out, { view }, at) => out.number(view.getUint16(at + IPVS_PORT, true))],
  [
    "vdir",
    DIRECTION,
    (out, { bytes }, at) => out.text(DIRECTIONS[(bytes[at + IPVS_INVERT] as number) & DIRECTION ? 1 : 0] as string),
  ],
  [
    "vmethod",
    METHOD,
    (out, { bytes }, at) => out.text(METHODS.find(([, method]) => method === bytes[at + IPVS_METHOD])?.[0] ?? ""),
  ],
  ["vportctl", CONTROL_PORT, (out, { view }, at) => out.number(view.getUint16(at + IPVS_CONTROL_PORT, true))],
];

export const ipvs: Extension = {
  name: "ipvs",
  type: MATCH_IPVS,
  size: IPVS_SIZE,
  options: [
    {
      name: "ipvs",
      arguments: 0,
      invertible: true,
      parse: (argument, record, at) => give(argument, record, at, PROPERTY),
    },
    {
      name: "vproto",
      invertible: true,
      parse(argument, record, at) {
        record.bytes[at + IPVS_PROTOCOL] = protocolOf(argument);
        give(argument, record, at, PROTOCOL);
      },
    },
    {
      name: "vaddr",
      invertible: true,
      parse(argument, record, at) {
        argument.addressAndMask(record.bytes, at + IPVS_ADDRESS, at + IPVS_ADDRESS + 16);
        give(argument, record, at, ADDRESS);
      },
    },
    {
      name: "vport",
      invertible: true,
      parse(argument, record, at) {
        record.view.setUint16(at + IPVS_PORT, argument.resolvedPort(), true);
        give(argument, record, at, PORT);
      },
    },
    {
      name: "vdir",
      parse(argument, record, at) {
        const direction = DIRECTIONS.indexOf(argument.text().toUpperCase());
        if (direction < 0) argument.fail("bad-value", DIRECTIONS.join(" or "));
        argument.inverted = direction === 1;
        give(argument, record, at, DIRECTION);
      },
    },
    {
      name: "vmethod",
      invertible: true,
      parse(argument, record, at) {
        record.bytes[at + IPVS_METHOD] = methodOf(argument);
        give(argument, record, at, METHOD);
      },
    },
    {
      name: "vportctl",
      invertible: true,
      parse(argument, record, at) {
        record.view.setUint16(at + IPVS_CONTROL_PORT, argument.resolvedPort(), true);
        give(argument, record, at, CONTROL_PORT);
      },
    },
  ],

  finish(argument) {
    if (argument.seen === 0)
      argument.fail("missing-option", "--ipvs, --vproto, --vaddr, --vport, --vdir, --vmethod or --vportctl");
    return IPVS_SIZE;
  },

  print(out, record, at, rule) {
    const flags = record.bytes[at + IPVS_FLAGS] as number;
    const inverted = record.bytes[at + IPVS_INVERT] as number;
    if (flags & PROPERTY) out.text(inverted & PROPERTY ? " ! --ipvs" : " --ipvs");
    for (const [name, bit, print] of VALUES) {
      if (!(flags & bit)) continue;
      out.text(inverted & bit & ~DIRECTION ? ` ! --${name} ` : ` --${name} `);
      print(out, record, at, rule);
    }
  },
};

function give(argument: Argument, record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + IPVS_FLAGS] = (record.bytes[at + IPVS_FLAGS] as number) | bit;
  if (argument.inverted) record.bytes[at + IPVS_INVERT] = (record.bytes[at + IPVS_INVERT] as number) | bit;
}

function protocolOf(argument: Argument): number {
  const given = readProtocol(argument.bytes, argument.start, argument.end);
  const number = given >= 0 ? given : protocolNumber(argument.text().toLowerCase());
  if (number < 0) argument.fail("bad-protocol", "a number from 0 to 255 or the name of a protocol");
  return number;
}

function methodOf(argument: Argument): number {
  const method = METHODS.find(([name]) => name === argument.text().toUpperCase());
  return method ? method[1] : argument.fail("bad-value", METHODS.map(([name]) => name).join(", "));
}
