/** -m tcp: ports, flags and one option of a TCP header. */
import {
  MATCH_TCP,
  PORTS_INVERT,
  TCP_FLAG_COMPARE,
  TCP_FLAG_MASK,
  TCP_INVERT_FLAGS,
  TCP_INVERT_OPTION,
  TCP_OPTION,
  TCP_SIZE,
} from "../../blob/payloads.js";
import type { Argument, Keyword } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Extension, RecordMemory } from "../extension.js";
import { onlyProtocols, PROTOCOL_TCP } from "../protocol-check.js";
import { initialisePorts, portOptions, printPorts } from "./ports.js";

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const FLAGS: readonly Keyword[] = [
  ["FIN", FIN],
  ["SYN", SYN],
  ["RST", RST],
  ["PSH", 8],
  ["ACK", ACK],
  ["URG", 32],
  ["ALL", 63],
  ["NONE", 0],
];

export const tcp: Extension = {
  name: "tcp",
  type: MATCH_TCP,
  size: TCP_SIZE,
  options: [
    ...portOptions("tcp", false),
    {
      name: "syn",
      arguments: 0,
      invertible: true,
      excludes: ["tcp-flags"],
      parse(argument, record, at) {
        setFlags(argument, record, at, FIN | SYN | RST | ACK, SYN);
      },
    },
    {
      name: "tcp-flags",
      arguments: 2,
      invertible: true,
      parse(argument, record, at) {
        const mask = readFlags(argument);
        setFlags(argument, record, at, mask, readFlags(argument.second()));
      },
    },
    {
      name: "tcp-option",
      invertible: true,
      parse(argument, record, at) {
        record.bytes[at + TCP_OPTION] = argument.unsigned(1, 255);
        if (argument.inverted) invert(record, at, TCP_INVERT_OPTION);
      },
    },
  ],
  initialise: initialisePorts,
  protocol: (argument) => onlyProtocols(argument, "tcp", PROTOCOL_TCP),

  print(out, record, at) {
    const inverted = record.bytes[at + PORTS_INVERT] as number;
    printPorts(out, record, at);
    const option = record.bytes[at + TCP_OPTION] as number;
    if (option || inverted & TCP_INVERT_OPTION) {
      if (inverted & TCP_INVERT_OPTION) out.text(" !");
      out.text(" --tcp-option ");
      out.number(option);
    }
    const mask = record.bytes[at + TCP_FLAG_MASK] as number;
    if (mask || inverted & TCP_INVERT_FLAGS) {
      if (inverted & TCP_INVERT_FLAGS) out.text(" !");
      out.text(" --tcp-flags ");
      printFlags(out, mask);
      out.byte(32);
      printFlags(out, record.bytes[at + TCP_FLAG_COMPARE] as number);
    }
  },
};

/** Whole names in any case; empty ones between commas are skipped. */
function readFlags(argument: Argument): number {
  let flags = 0;
  for (const name of argument.text().split(",")) {
    if (name === "") continue;
    const known = FLAGS.find(([flag]) => flag === name.toUpperCase());
    if (!known) argument.fail("bad-value", "a comma list of FIN, SYN, RST, PSH, ACK, URG, or ALL, or NONE");
    flags |= known[1];
  }
  return flags;
}

function setFlags(argument: Argument, record: RecordMemory, at: number, mask: number, compare: number): void {
  record.bytes[at + TCP_FLAG_MASK] = mask;
  record.bytes[at + TCP_FLAG_COMPARE] = compare;
  if (argument.inverted) invert(record, at, TCP_INVERT_FLAGS);
}

function invert(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + PORTS_INVERT] = (record.bytes[at + PORTS_INVERT] as number) | bit;
}

function printFlags(out: ByteWriter, flags: number): void {
  if (flags === 0) {
    out.text("NONE");
    return;
  }
  let separate = false;
  for (const [name, bit] of FLAGS) {
    if (bit === 63) return;
    if ((flags & bit) === 0) continue;
    if (separate) out.byte(44);
    out.text(name);
    separate = true;
  }
}
