/** Address and port ranges of DNAT, SNAT, MASQUERADE, REDIRECT and NETMAP (nf_nat_range2). */
import { VALUE_NAT } from "../../blob/reading.js";
import {
  NAT_ADDRESS_MAX,
  NAT_ADDRESS_MIN,
  NAT_FLAG_ADDRESS,
  NAT_FLAG_PERSISTENT,
  NAT_FLAG_PORT,
  NAT_FLAG_PORT_OFFSET,
  NAT_FLAG_RANDOM,
  NAT_FLAG_RANDOM_FULLY,
  NAT_FLAGS,
  NAT_PORT_BASE,
  NAT_PORT_MAX,
  NAT_PORT_MIN,
} from "../../blob/payloads.js";
import { type Argument, COLON, DASH, SLASH } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Option, PrintedRule, RecordMemory } from "../extension.js";
import { PROTOCOL_DCCP, PROTOCOL_ICMP, PROTOCOL_SCTP, PROTOCOL_TCP, PROTOCOL_UDP } from "../protocol-check.js";
import { printAddress } from "../values/address.js";

const OPEN = 91;
const CLOSE = 93;
const WITH_PORTS = [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_DCCP, PROTOCOL_ICMP];

/** `--to-destination`, `--to-source`: addresses, ports or both; `shifted` allows a base port behind the range. */
export function rangeOption(name: string, shifted: boolean): Option {
  return {
    name,
    mandatory: true,
    value: { kind: VALUE_NAT, at: 0 },
    parse(argument, record, at) {
      readRange(argument, record, at, shifted);
    },
  };
}

/** `--to-ports`. */
export const portsOption: Option = {
  name: "to-ports",
  parse(argument, record, at) {
    readPorts(argument, argument.start, record, at, false);
  },
};

export const randomOption = flagOption("random", NAT_FLAG_RANDOM);
export const randomFullyOption = flagOption("random-fully", NAT_FLAG_RANDOM_FULLY);
export const persistentOption = flagOption("persistent", NAT_FLAG_PERSISTENT);

/** The range behind `option`, and the flags. */
export function printRange(out: ByteWriter, option: string, record: RecordMemory, at: number, rule: PrintedRule): void {
  const flags = record.view.getUint32(at + NAT_FLAGS, true);
  if (flags & (NAT_FLAG_ADDRESS | NAT_FLAG_PORT)) {
    out.text(option);
    if (flags & NAT_FLAG_ADDRESS) printAddresses(out, record, at, rule, (flags & NAT_FLAG_PORT) !== 0);
    if (flags & NAT_FLAG_PORT) printPorts(out, record, at, option !== " --to-ports ");
  }
  if (flags & NAT_FLAG_RANDOM) out.text(" --random");
  if (flags & NAT_FLAG_RANDOM_FULLY) out.text(" --random-fully");
  if (flags & NAT_FLAG_PERSISTENT) out.text(" --persistent");
}

function flagOption(name: string, bit: number): Option {
  return { name, arguments: 0, parse: (_, record, at) => flag(record, at, bit) };
}

function flag(record: RecordMemory, at: number, bit: number): void {
  record.view.setUint32(at + NAT_FLAGS, record.view.getUint32(at + NAT_FLAGS, true) | bit, true);
}

/** `address[-address][:ports]`. IPv6 with ports has brackets around the addresses; two colons and none is IPv6 alone. */
function readRange(argument: Argument, record: RecordMemory, at: number, shifted: boolean): void {
  let { start, end } = argument;
  let colon: number;
  const open = argument.indexOf(OPEN);
  if (open < 0) {
    colon = argument.indexOf(COLON);
    if (colon >= 0 && argument.indexOf(COLON, colon + 1) >= 0) colon = -1;
    if (colon >= 0) end = colon;
  } else {
    const close = argument.indexOf(CLOSE, open);
    if (close < 0 || open !== start || argument.width === 4) argument.fail("bad-address", argument.addressKind());
    colon = close + 1 < end ? close + 1 : -1;
    if (colon >= 0 && argument.bytes[colon] !== COLON)
      argument.fail("bad-address", "a colon and ports behind the bracket");
    start = open + 1;
    end = close;
  }
  if (colon >= 0) {
    readPorts(argument, colon + 1, record, at, shifted);
    if (start === end) return;
  }
  flag(record, at, NAT_FLAG_ADDRESS);
  let dash = argument.indexOf(DASH, start);
  if (dash >= end) dash = -1;
  argument.address(record.bytes, at + NAT_ADDRESS_MIN, start, dash < 0 ? end : dash);
  if (dash >= 0) argument.address(record.bytes, at + NAT_ADDRESS_MAX, dash + 1, end);
  else record.bytes.copyWithin(at + NAT_ADDRESS_MAX, at + NAT_ADDRESS_MIN, at + NAT_ADDRESS_MIN + argument.width);
}

/** `port[-port[/base]]` from byte `start` to the argument's end. */
function readPorts(argument: Argument, start: number, record: RecordMemory, at: number, shifted: boolean): void {
  const { end } = argument;
  if (!WITH_PORTS.includes(argument.protocol))
    argument.fail("wrong-protocol", "-p tcp, udp, sctp, dccp or icmp in front of the ports", start);
  flag(record, at, NAT_FLAG_PORT);
  // A service's name may have a dash in it, so a range begins with a digit.
  const first = argument.bytes[start] as number;
  let dash = first >= 48 && first <= 57 ? argument.indexOf(DASH, start) : -1;
  if (dash < 0) dash = end;
  const minimum = argument.port(undefined, start, dash);
  let maximum = minimum;
  if (dash < end) {
    const slash = argument.indexOf(SLASH, dash);
    maximum = argument.unsigned(0, 65535, dash + 1, slash < 0 ? end : slash);
    if (maximum < minimum) argument.fail("bad-port", "a range whose first port is not above its last", start);
    if (slash >= 0) {
      if (!shifted) argument.fail("bad-port", "no base port: DNAT alone shifts ranges", slash);
      const base = argument.port(undefined, slash + 1, end);
      if (base === 0) argument.fail("bad-port", "a base port from 1 to 65535", slash + 1);
      record.view.setUint16(at + NAT_PORT_BASE, base, true);
      flag(record, at, NAT_FLAG_PORT_OFFSET);
    }
  }
  record.view.setUint16(at + NAT_PORT_MIN, minimum, true);
  record.view.setUint16(at + NAT_PORT_MAX, maximum, true);
}

function printAddresses(out: ByteWriter, record: RecordMemory, at: number, rule: PrintedRule, ports: boolean): void {
  const { bytes } = record;
  const brackets = ports && rule.width === 16;
  if (brackets) out.byte(OPEN);
  printAddress(out, bytes, at + NAT_ADDRESS_MIN, rule.width);
  let same = true;
  for (let i = 0; i < 16; i++) if (bytes[at + NAT_ADDRESS_MIN + i] !== bytes[at + NAT_ADDRESS_MAX + i]) same = false;
  if (!same) {
    out.byte(DASH);
    printAddress(out, bytes, at + NAT_ADDRESS_MAX, rule.width);
  }
  if (brackets) out.byte(CLOSE);
}

function printPorts(out: ByteWriter, record: RecordMemory, at: number, colon: boolean): void {
  const minimum = record.view.getUint16(at + NAT_PORT_MIN, true);
  const maximum = record.view.getUint16(at + NAT_PORT_MAX, true);
  if (colon) out.byte(COLON);
  out.number(minimum);
  if (maximum !== minimum) {
    out.byte(DASH);
    out.number(maximum);
  }
  if (record.view.getUint32(at + NAT_FLAGS, true) & NAT_FLAG_PORT_OFFSET) {
    out.byte(SLASH);
    out.number(record.view.getUint16(at + NAT_PORT_BASE, true));
  }
}
