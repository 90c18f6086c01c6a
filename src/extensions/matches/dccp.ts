/** -m dccp: ports, packet types and one option of a DCCP packet. */
import { DCCP_FLAGS, DCCP_OPTION, DCCP_SIZE, DCCP_TYPES, MATCH_DCCP, PORTS_INVERT } from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Extension, Option, RecordMemory } from "../extension.js";
import { onlyProtocols, PROTOCOL_DCCP } from "../protocol-check.js";
import { initialisePorts, portOptions, printPorts } from "./ports.js";

const SOURCE = 1;
const DESTINATION = 2;
const TYPE = 4;
const OPTION = 8;
/** By number. The last stands for all above it. */
const TYPES = [
  "REQUEST",
  "RESPONSE",
  "DATA",
  "ACK",
  "DATAACK",
  "CLOSEREQ",
  "CLOSE",
  "RESET",
  "SYNC",
  "SYNCACK",
  "INVALID",
];
const INVALID = 10;
const ALL_INVALID = 0xffff & ~((1 << INVALID) - 1);

export const dccp: Extension = {
  name: "dccp",
  type: MATCH_DCCP,
  size: DCCP_SIZE,
  options: [
    ...portOptions(undefined, true).map(
      (option, side): Option => ({
        ...option,
        parse(argument, record, at) {
          option.parse(argument, record, at);
          give(record, at, side === 0 ? SOURCE : DESTINATION);
        },
      }),
    ),
    {
      name: "dccp-types",
      invertible: true,
      parse(argument, record, at) {
        record.view.setUint16(at + DCCP_TYPES, readTypes(argument), true);
        give(record, at, TYPE);
        if (argument.inverted) invert(record, at, TYPE);
      },
    },
    {
      name: "dccp-option",
      invertible: true,
      parse(argument, record, at) {
        record.bytes[at + DCCP_OPTION] = argument.unsigned(1, 255);
        give(record, at, OPTION);
        if (argument.inverted) invert(record, at, OPTION);
      },
    },
  ],
  initialise: initialisePorts,
  protocol: (argument) => onlyProtocols(argument, "dccp", PROTOCOL_DCCP),

  print(out, record, at) {
    const flags = record.bytes[at + DCCP_FLAGS] as number;
    const inverted = record.bytes[at + PORTS_INVERT] as number;
    printPorts(out, record, at, (flags & SOURCE) !== 0, (flags & DESTINATION) !== 0);
    if (flags & TYPE) {
      out.text(inverted & TYPE ? " ! --dccp-types " : " --dccp-types ");
      printTypes(out, record.view.getUint16(at + DCCP_TYPES, true));
    }
    if (flags & OPTION)
      out.option(inverted & OPTION ? " ! --dccp-option " : " --dccp-option ", record.bytes[at + DCCP_OPTION] as number);
  },
};

function give(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + DCCP_FLAGS] = (record.bytes[at + DCCP_FLAGS] as number) | bit;
}

function invert(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + PORTS_INVERT] = (record.bytes[at + PORTS_INVERT] as number) | bit;
}

function readTypes(argument: Argument): number {
  let types = 0;
  for (const word of argument.text().split(",")) {
    if (word === "") continue;
    const type = TYPES.indexOf(word.toUpperCase());
    if (type < 0) argument.fail("bad-value", `a comma list of ${TYPES.join(", ")}`);
    types |= type === INVALID ? ALL_INVALID : 1 << type;
  }
  return types;
}

function printTypes(out: ByteWriter, types: number): void {
  const names = TYPES.filter((_, type) => (types >> type) & 1);
  out.text(names.join(","));
}
