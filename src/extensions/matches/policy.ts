/** -m policy: the IPsec policy that a packet came by or will go by. */
import {
  MATCH_POLICY,
  POLICY_COUNT,
  POLICY_ELEMENT_DESTINATION,
  POLICY_ELEMENT_INVERT,
  POLICY_ELEMENT_MATCH,
  POLICY_ELEMENT_MODE,
  POLICY_ELEMENT_PROTOCOL,
  POLICY_ELEMENT_REQID,
  POLICY_ELEMENT_SIZE,
  POLICY_ELEMENT_SOURCE,
  POLICY_ELEMENT_SPI,
  POLICY_ELEMENTS,
  POLICY_ELEMENTS_COUNT,
  POLICY_FLAGS,
  POLICY_SIZE,
} from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";
import {
  ALL_HOOKS,
  type Extension,
  INPUT,
  type Option,
  OUTPUT,
  POSTROUTING,
  PREROUTING,
  type PrintedRule,
  type RecordMemory,
} from "../extension.js";
import { printAddress, printMaskUnlessFull } from "../values/address.js";
import { protocolName, readProtocol } from "../values/protocols.js";

const IN = 1;
const OUT = 2;
const NONE = 4;
const STRICT = 8;
const SOURCE = 1;
const DESTINATION = 2;
const PROTOCOL = 4;
const MODE = 8;
const SPI = 16;
const REQID = 32;
const MODES = ["transport", "tunnel"];
const TUNNEL = 1;
/** ah, esp, ipcomp. */
const PROTOCOLS = [51, 50, 108];

export const policy: Extension = {
  name: "policy",
  type: MATCH_POLICY,
  size: POLICY_SIZE,
  options: [
    { name: "dir", parse: (argument, record, at) => flag(record, at, argument.oneOf(["in", "out"]) === 0 ? IN : OUT) },
    {
      name: "pol",
      parse: (argument, record, at) => flag(record, at, argument.oneOf(["none", "ipsec"]) === 0 ? NONE : 0),
    },
    { name: "strict", arguments: 0, parse: (_, record, at) => flag(record, at, STRICT) },
    elementOption("reqid", REQID, (argument, record, element) =>
      record.view.setUint32(element + POLICY_ELEMENT_REQID, argument.unsigned(0, 0xffffffff), true),
    ),
    elementOption("spi", SPI, (argument, record, element) =>
      record.view.setUint32(element + POLICY_ELEMENT_SPI, argument.unsigned(0, 0xffffffff), true),
    ),
    elementOption("tunnel-src", SOURCE, (argument, record, element) =>
      argument.addressAndMask(record.bytes, element + POLICY_ELEMENT_SOURCE, element + POLICY_ELEMENT_SOURCE + 16),
    ),
    elementOption("tunnel-dst", DESTINATION, (argument, record, element) =>
      argument.addressAndMask(
        record.bytes,
        element + POLICY_ELEMENT_DESTINATION,
        element + POLICY_ELEMENT_DESTINATION + 16,
      ),
    ),
    elementOption("proto", PROTOCOL, (argument, record, element) => {
      const number = readProtocol(argument.bytes, argument.start, argument.end);
      if (!PROTOCOLS.includes(number)) argument.fail("bad-protocol", "ah, esp or ipcomp");
      record.bytes[element + POLICY_ELEMENT_PROTOCOL] = number;
    }),
    elementOption("mode", MODE, (argument, record, element) => {
      record.bytes[element + POLICY_ELEMENT_MODE] = argument.oneOf(MODES);
    }),
    {
      name: "next",
      arguments: 0,
      repeatable: true,
      requires: ["strict"],
      parse(argument, record, at) {
        const count = (record.bytes[at + POLICY_COUNT] as number) + 1;
        if (count === POLICY_ELEMENTS_COUNT) argument.fail("bad-value", `at most ${POLICY_ELEMENTS_COUNT} elements`);
        record.bytes[at + POLICY_COUNT] = count;
      },
    },
  ],

  finish(argument, record, at) {
    const flags = record.bytes[at + POLICY_FLAGS] as number;
    if (!(flags & (IN | OUT))) argument.fail("missing-option", "--dir in or --dir out");
    if (flags & NONE) {
      if (flags & STRICT) argument.fail("conflicting-options", "--pol none or --strict, not both");
    } else record.bytes[at + POLICY_COUNT] = (record.bytes[at + POLICY_COUNT] as number) + 1;
    for (let n = 0; n < (record.bytes[at + POLICY_COUNT] as number); n++)
      checkElement(argument, record, elementAt(at, n), flags);
    return POLICY_SIZE;
  },

  hooks(record, at) {
    const flags = record.bytes[at + POLICY_FLAGS] as number;
    return ALL_HOOKS & ~(flags & OUT ? PREROUTING | INPUT : 0) & ~(flags & IN ? POSTROUTING | OUTPUT : 0);
  },

  print(out, record, at, rule) {
    const flags = record.bytes[at + POLICY_FLAGS] as number;
    out.text(flags & IN ? " --dir in" : " --dir out");
    out.text(flags & NONE ? " --pol none" : " --pol ipsec");
    if (flags & STRICT) out.text(" --strict");
    for (let n = 0; n < (record.bytes[at + POLICY_COUNT] as number); n++) {
      if (n > 0) out.text(" --next");
      printElement(out, record, elementAt(at, n), rule);
    }
  },
};

function elementAt(at: number, n: number): number {
  return at + POLICY_ELEMENTS + n * POLICY_ELEMENT_SIZE;
}

function flag(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + POLICY_FLAGS] = (record.bytes[at + POLICY_FLAGS] as number) | bit;
}

/** An option of the element that is being described, once in each. */
function elementOption(name: string, bit: number, read: Option["parse"]): Option {
  return {
    name,
    invertible: true,
    repeatable: true,
    parse(argument, record, at) {
      const element = elementAt(at, record.bytes[at + POLICY_COUNT] as number);
      const given = record.bytes[element + POLICY_ELEMENT_MATCH] as number;
      if (given & bit) argument.fail("repeated-option", `--${name} once in an element`);
      record.bytes[element + POLICY_ELEMENT_MATCH] = given | bit;
      if (argument.inverted)
        record.bytes[element + POLICY_ELEMENT_INVERT] = (record.bytes[element + POLICY_ELEMENT_INVERT] as number) | bit;
      read(argument, record, element);
    },
  };
}

function checkElement(argument: Argument, record: RecordMemory, element: number, flags: number): void {
  const given = record.bytes[element + POLICY_ELEMENT_MATCH] as number;
  const inverted = ((record.bytes[element + POLICY_ELEMENT_INVERT] as number) & MODE) !== 0;
  if (flags & STRICT && given === 0)
    argument.fail("missing-option", "something in every element, as --strict is given");
  const tunnel = (record.bytes[element + POLICY_ELEMENT_MODE] === TUNNEL) !== inverted;
  if (given & (SOURCE | DESTINATION) && !tunnel)
    argument.fail("missing-option", "--mode tunnel with --tunnel-src and --tunnel-dst");
}

function printElement(out: ByteWriter, record: RecordMemory, element: number, rule: PrintedRule): void {
  const { bytes, view } = record;
  const given = bytes[element + POLICY_ELEMENT_MATCH] as number;
  const inverted = bytes[element + POLICY_ELEMENT_INVERT] as number;
  const start = (bit: number, name: string): boolean => {
    if (given & bit) out.text(inverted & bit ? ` ! --${name} ` : ` --${name} `);
    return (given & bit) !== 0;
  };
  const protocol = bytes[element + POLICY_ELEMENT_PROTOCOL] as number;
  if (start(REQID, "reqid")) out.number(view.getUint32(element + POLICY_ELEMENT_REQID, true));
  if (start(SPI, "spi")) out.text(`0x${view.getUint32(element + POLICY_ELEMENT_SPI, true).toString(16)}`);
  if (start(PROTOCOL, "proto")) out.text(protocolName(protocol) ?? `${protocol}`);
  if (start(MODE, "mode")) out.text(MODES[bytes[element + POLICY_ELEMENT_MODE] as number] as string);
  for (const [bit, name, field] of [
    [DESTINATION, "tunnel-dst", POLICY_ELEMENT_DESTINATION],
    [SOURCE, "tunnel-src", POLICY_ELEMENT_SOURCE],
  ] as const) {
    if (!start(bit, name)) continue;
    printAddress(out, bytes, element + field, rule.width);
    printMaskUnlessFull(out, bytes, element + field + 16, rule.width);
  }
}
