/** -m conntrack: state, status and addresses of the packet's connection (xt_conntrack_mtinfo3). */
import {
  CT_STATE_DNAT,
  CT_STATE_ESTABLISHED,
  CT_STATE_INVALID,
  CT_STATE_NEW,
  CT_STATE_RELATED,
  CT_STATE_SNAT,
  CT_STATE_UNTRACKED,
  CT_STATUS_ASSURED,
  CT_STATUS_CONFIRMED,
  CT_STATUS_EXPECTED,
  CT_STATUS_SEEN_REPLY,
} from "../../blob/layout.js";
import {
  CONNTRACK_EXPIRES_MAX,
  CONNTRACK_EXPIRES_MIN,
  CONNTRACK_HAS_DIRECTION,
  CONNTRACK_HAS_EXPIRES,
  CONNTRACK_HAS_ORIGIN_DESTINATION,
  CONNTRACK_HAS_ORIGIN_DESTINATION_PORT,
  CONNTRACK_HAS_ORIGIN_SOURCE,
  CONNTRACK_HAS_ORIGIN_SOURCE_PORT,
  CONNTRACK_HAS_PROTOCOL,
  CONNTRACK_HAS_REPLY_DESTINATION,
  CONNTRACK_HAS_REPLY_DESTINATION_PORT,
  CONNTRACK_HAS_REPLY_SOURCE,
  CONNTRACK_HAS_REPLY_SOURCE_PORT,
  CONNTRACK_HAS_STATE,
  CONNTRACK_HAS_STATUS,
  CONNTRACK_INVERT,
  CONNTRACK_MATCH,
  CONNTRACK_ORIGIN_DESTINATION,
  CONNTRACK_ORIGIN_DESTINATION_PORT,
  CONNTRACK_ORIGIN_SOURCE,
  CONNTRACK_ORIGIN_SOURCE_PORT,
  CONNTRACK_PROTOCOL,
  CONNTRACK_REPLY_DESTINATION,
  CONNTRACK_REPLY_DESTINATION_PORT,
  CONNTRACK_REPLY_SOURCE,
  CONNTRACK_REPLY_SOURCE_PORT,
  CONNTRACK_SHORT_SIZE,
  CONNTRACK_SIZE,
  CONNTRACK_STATE_MASK,
  CONNTRACK_STATUS_MASK,
  MATCH_CONNTRACK,
} from "../../blob/payloads.js";
import { type Argument, COLON, type Keyword } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Extension, Option, PrintedRule, RecordMemory } from "../extension.js";
import { printAddress, printMaskUnlessFull } from "../values/address.js";
import { protocolNames, readProtocol } from "../values/protocols.js";

/** In the order in which they print. */
export const STATES: readonly Keyword[] = [
  ["INVALID", CT_STATE_INVALID],
  ["NEW", CT_STATE_NEW],
  ["RELATED", CT_STATE_RELATED],
  ["ESTABLISHED", CT_STATE_ESTABLISHED],
  ["UNTRACKED", CT_STATE_UNTRACKED],
  ["SNAT", CT_STATE_SNAT],
  ["DNAT", CT_STATE_DNAT],
];

const NONE: Keyword = ["NONE", 0];
const STATUSES: readonly Keyword[] = [
  ["EXPECTED", CT_STATUS_EXPECTED],
  ["SEEN_REPLY", CT_STATUS_SEEN_REPLY],
  ["ASSURED", CT_STATUS_ASSURED],
  ["CONFIRMED", CT_STATUS_CONFIRMED],
];
const STATUSES_OR_NONE = [NONE, ...STATUSES];

/** Options of one kind: name, bit, field of the record. In the order in which they print. */
const ADDRESSES = [
  ["ctorigsrc", CONNTRACK_HAS_ORIGIN_SOURCE, CONNTRACK_ORIGIN_SOURCE],
  ["ctorigdst", CONNTRACK_HAS_ORIGIN_DESTINATION, CONNTRACK_ORIGIN_DESTINATION],
  ["ctreplsrc", CONNTRACK_HAS_REPLY_SOURCE, CONNTRACK_REPLY_SOURCE],
  ["ctrepldst", CONNTRACK_HAS_REPLY_DESTINATION, CONNTRACK_REPLY_DESTINATION],
] as const;
const PORTS = [
  ["ctorigsrcport", CONNTRACK_HAS_ORIGIN_SOURCE_PORT, CONNTRACK_ORIGIN_SOURCE_PORT],
  ["ctorigdstport", CONNTRACK_HAS_ORIGIN_DESTINATION_PORT, CONNTRACK_ORIGIN_DESTINATION_PORT],
  ["ctreplsrcport", CONNTRACK_HAS_REPLY_SOURCE_PORT, CONNTRACK_REPLY_SOURCE_PORT],
  ["ctrepldstport", CONNTRACK_HAS_REPLY_DESTINATION_PORT, CONNTRACK_REPLY_DESTINATION_PORT],
] as const;
/** A record that has nothing but these is cut. */
const SHORT = CONNTRACK_HAS_STATE | CONNTRACK_HAS_STATUS | CONNTRACK_HAS_PROTOCOL | CONNTRACK_HAS_DIRECTION;
const DIRECTIONS: readonly Keyword[] = [
  ["ORIGINAL", 0],
  ["REPLY", 1],
];

export const conntrack: Extension = {
  name: "conntrack",
  type: MATCH_CONNTRACK,
  size: CONNTRACK_SIZE,
  options: [
    {
      name: "ctstate",
      invertible: true,
      parse(argument, record, at) {
        record.view.setUint16(at + CONNTRACK_STATE_MASK, argument.keywords(STATES), true);
        given(argument, record, at, CONNTRACK_HAS_STATE);
      },
    },
    {
      name: "ctproto",
      invertible: true,
      parse(argument, record, at) {
        const number = readProtocol(argument.bytes, argument.start, argument.end);
        if (number < 0) argument.fail("bad-protocol", `a number from 0 to 255 or a name such as ${protocolNames()[0]}`);
        record.view.setUint16(at + CONNTRACK_PROTOCOL, number, true);
        given(argument, record, at, CONNTRACK_HAS_PROTOCOL);
      },
    },
    ...ADDRESSES.map(addressOption),
    {
      name: "ctstatus",
      invertible: true,
      parse(argument, record, at) {
        record.view.setUint16(at + CONNTRACK_STATUS_MASK, argument.keywords(STATUSES_OR_NONE), true);
        given(argument, record, at, CONNTRACK_HAS_STATUS);
      },
    },
    {
      name: "ctexpire",
      invertible: true,
      parse(argument, record, at) {
        argument.range(0xffffffff);
        record.view.setUint32(at + CONNTRACK_EXPIRES_MIN, argument.value, true);
        record.view.setUint32(at + CONNTRACK_EXPIRES_MAX, argument.mask, true);
        given(argument, record, at, CONNTRACK_HAS_EXPIRES);
      },
    },
    ...PORTS.map(portOption),
    {
      name: "ctdir",
      parse(argument, record, at) {
        argument.inverted = argument.keyword(DIRECTIONS) === 1;
        given(argument, record, at, CONNTRACK_HAS_DIRECTION);
      },
    },
  ],

  finish(argument, record, at) {
    if (argument.seen === 0) argument.fail("missing-option", "at least one option of the conntrack match");
    return record.view.getUint16(at + CONNTRACK_MATCH, true) & ~SHORT ? CONNTRACK_SIZE : CONNTRACK_SHORT_SIZE;
  },

  print(out, record, at, rule) {
    const { view } = record;
    const has = view.getUint16(at + CONNTRACK_MATCH, true);
    const inverted = view.getUint16(at + CONNTRACK_INVERT, true);
    const start = (bit: number, name: string): boolean => {
      if (!(has & bit)) return false;
      out.text(inverted & bit ? " ! --" : " --");
      out.text(name);
      out.byte(32);
      return true;
    };
    if (start(CONNTRACK_HAS_STATE, "ctstate")) printWords(out, STATES, view.getUint16(at + CONNTRACK_STATE_MASK, true));
    if (start(CONNTRACK_HAS_PROTOCOL, "ctproto")) out.number(view.getUint16(at + CONNTRACK_PROTOCOL, true));
    for (const [name, bit, field] of ADDRESSES) if (start(bit, name)) printMasked(out, record, at + field, rule);
    for (const [name, bit, field] of PORTS)
      if (start(bit, name)) printRange(out, view.getUint16(at + field, true), view.getUint16(at + field + 2, true));
    if (start(CONNTRACK_HAS_STATUS, "ctstatus")) {
      const statuses = view.getUint16(at + CONNTRACK_STATUS_MASK, true);
      if (statuses === 0) out.text(NONE[0]);
      else printWords(out, STATUSES, statuses);
    }
    if (start(CONNTRACK_HAS_EXPIRES, "ctexpire"))
      printRange(
        out,
        view.getUint32(at + CONNTRACK_EXPIRES_MIN, true),
        view.getUint32(at + CONNTRACK_EXPIRES_MAX, true),
      );
    if (has & CONNTRACK_HAS_DIRECTION)
      out.text(inverted & CONNTRACK_HAS_DIRECTION ? " --ctdir REPLY" : " --ctdir ORIGINAL");
  },
};

export function printWords(out: ByteWriter, words: readonly Keyword[], bits: number): void {
  let separate = false;
  for (const [name, bit] of words) {
    if ((bits & bit) === 0) continue;
    if (separate) out.byte(44);
    out.text(name);
    separate = true;
  }
}

function addressOption([name, bit, field]: (typeof ADDRESSES)[number]): Option {
  return {
    name,
    invertible: true,
    parse(argument, record, at) {
      argument.addressAndMask(record.bytes, at + field, at + field + 16);
      given(argument, record, at, bit);
    },
  };
}

function portOption([name, bit, field]: (typeof PORTS)[number]): Option {
  return {
    name,
    invertible: true,
    parse(argument, record, at) {
      const { start, end } = argument;
      const colon = argument.indexOf(COLON);
      let minimum = 0;
      let maximum = 0xffff;
      if (colon < 0) minimum = maximum = argument.resolvedPort();
      else {
        if (colon > start) minimum = argument.resolvedPort(start, colon);
        if (colon + 1 < end) maximum = argument.resolvedPort(colon + 1, end);
      }
      record.view.setUint16(at + field, minimum, true);
      record.view.setUint16(at + field + 2, maximum, true);
      given(argument, record, at, bit);
    },
  };
}

function given(argument: Argument, record: RecordMemory, at: number, bit: number): void {
  const { view } = record;
  view.setUint16(at + CONNTRACK_MATCH, view.getUint16(at + CONNTRACK_MATCH, true) | bit, true);
  if (argument.inverted) view.setUint16(at + CONNTRACK_INVERT, view.getUint16(at + CONNTRACK_INVERT, true) | bit, true);
}

function printMasked(out: ByteWriter, record: RecordMemory, at: number, rule: PrintedRule): void {
  printAddress(out, record.bytes, at, rule.width);
  printMaskUnlessFull(out, record.bytes, at + 16, rule.width);
}

function printRange(out: ByteWriter, minimum: number, maximum: number): void {
  out.number(minimum);
  if (maximum === minimum || maximum === 0) return;
  out.byte(COLON);
  out.number(maximum);
}
