/** -m icmp and -m icmp6: type and code. */
import {
  ICMP_CODE_MAX,
  ICMP_CODE_MIN,
  ICMP_INVERT,
  ICMP_SIZE,
  ICMP_TYPE,
  MATCH_ICMP,
  MATCH_ICMP6,
} from "../../blob/payloads.js";
import { type Argument, COLON, SLASH } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Extension, RecordMemory } from "../extension.js";
import { Fault } from "../fault.js";
import { nearest } from "../nearest.js";
import { onlyProtocols, PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from "../protocol-check.js";
import { ANY_ICMP_TYPE, ICMP_NAMES, ICMPV6_NAMES, NEWER_ICMPV6_NAMES, type IcmpName } from "../values/icmp-types.js";

export const icmp: Extension = {
  name: "icmp",
  type: MATCH_ICMP,
  size: ICMP_SIZE,
  family: "ipv4",
  options: [typeOption("icmp-type", ICMP_NAMES)],
  protocol: (argument) => onlyProtocols(argument, "icmp", PROTOCOL_ICMP),

  print(out, record, at) {
    out.text(record.bytes[at + ICMP_INVERT] ? " ! --icmp-type " : " --icmp-type ");
    if (record.bytes[at + ICMP_TYPE] === ANY_ICMP_TYPE) out.text("any");
    else printType(out, record, at);
  },
};

export const icmp6: Extension = {
  name: "icmp6",
  aliases: ["icmpv6", "ipv6-icmp"],
  type: MATCH_ICMP6,
  size: ICMP_SIZE,
  family: "ipv6",
  options: [typeOption("icmpv6-type", [...ICMPV6_NAMES, ...NEWER_ICMPV6_NAMES])],
  protocol: (argument) => onlyProtocols(argument, "icmpv6", PROTOCOL_ICMPV6),

  print(out, record, at) {
    out.text(record.bytes[at + ICMP_INVERT] ? " ! --icmpv6-type " : " --icmpv6-type ");
    printType(out, record, at);
  },
};

function typeOption(name: string, names: readonly IcmpName[]): Extension["options"][number] {
  return {
    name,
    invertible: true,
    mandatory: true,
    parse(argument, record, at) {
      const { bytes } = record;
      const named = byName(argument, names);
      if (named) {
        bytes[at + ICMP_TYPE] = named[1];
        bytes[at + ICMP_CODE_MIN] = named[2];
        bytes[at + ICMP_CODE_MAX] = named[3];
      } else readNumbers(argument, names, record, at);
      if (argument.inverted) bytes[at + ICMP_INVERT] = 1;
    },
  };
}

/** The only name that begins so, in any case. */
function byName(argument: Argument, names: readonly IcmpName[]): IcmpName | undefined {
  const text = argument.text().toLowerCase();
  const found = names.filter(([name]) => name.toLowerCase().startsWith(text));
  if (found.length > 1) argument.fail("bad-value", `one of ${found.map(([name]) => name).join(", ")}`);
  return found[0];
}

/** `type`, `type/code`, `type/code:code`. */
function readNumbers(argument: Argument, names: readonly IcmpName[], record: RecordMemory, at: number): void {
  const { bytes, start, end } = argument;
  const first = bytes[start] as number;
  if (start === end || first < 48 || first > 57) {
    const suggestion = nearest(
      argument.text(),
      names.map(([name]) => name),
    );
    throw new Fault("bad-value", start, end, "a type by number or name, or type/code", suggestion);
  }
  const slash = argument.indexOf(SLASH);
  record.bytes[at + ICMP_TYPE] = argument.unsigned(0, 255, start, slash < 0 ? end : slash);
  let minimum = 0;
  let maximum = 255;
  if (slash >= 0) {
    const colon = argument.indexOf(COLON, slash);
    minimum = argument.unsigned(0, 255, slash + 1, colon < 0 ? end : colon);
    maximum = colon < 0 ? minimum : argument.unsigned(0, 255, colon + 1, end);
  }
  record.bytes[at + ICMP_CODE_MIN] = minimum;
  record.bytes[at + ICMP_CODE_MAX] = maximum;
}

/** The first code alone prints, even of several. */
function printType(out: ByteWriter, record: RecordMemory, at: number): void {
  const { bytes } = record;
  out.number(bytes[at + ICMP_TYPE] as number);
  if (bytes[at + ICMP_CODE_MIN] === 0 && bytes[at + ICMP_CODE_MAX] === 255) return;
  out.byte(SLASH);
  out.number(bytes[at + ICMP_CODE_MIN] as number);
}
