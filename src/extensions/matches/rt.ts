/** -m rt: IPv6's routing header. */
import {
  MATCH_RT,
  RT_ADDRESSES,
  RT_ADDRESSES_COUNT,
  RT_COUNT,
  RT_FLAGS,
  RT_INVERT,
  RT_LENGTH,
  RT_SEGMENTS_MAX,
  RT_SEGMENTS_MIN,
  RT_SIZE,
  RT_TYPE,
} from "../../blob/payloads.js";
import { type Argument, COLON, COMMA } from "../argument.js";
import type { Extension, RecordMemory } from "../extension.js";
import { printAddress } from "../values/address.js";

const TYPE = 1;
const SEGMENTS = 2;
const LENGTH = 4;
const RESERVED = 8;
const ADDRESSES = 16;
const NOT_STRICT = 32;
const LARGEST = 0xffffffff;

export const rt: Extension = {
  name: "rt",
  type: MATCH_RT,
  size: RT_SIZE,
  family: "ipv6",
  options: [
    {
      name: "rt-type",
      invertible: true,
      parse(argument, record, at) {
        record.view.setUint32(at + RT_TYPE, argument.unsigned(0, LARGEST), true);
        give(argument, record, at, TYPE);
      },
    },
    {
      name: "rt-segsleft",
      invertible: true,
      parse(argument, record, at) {
        argument.range(LARGEST);
        record.view.setUint32(at + RT_SEGMENTS_MIN, argument.value, true);
        record.view.setUint32(at + RT_SEGMENTS_MAX, argument.mask, true);
        give(argument, record, at, SEGMENTS);
      },
    },
    {
      name: "rt-len",
      invertible: true,
      parse(argument, record, at) {
        record.view.setUint32(at + RT_LENGTH, argument.unsigned(0, LARGEST), true);
        give(argument, record, at, LENGTH);
      },
    },
    {
      name: "rt-0-res",
      arguments: 0,
      parse(argument, record, at) {
        needTypeZero(argument, record, at);
        give(argument, record, at, RESERVED);
      },
    },
    {
      name: "rt-0-addrs",
      parse(argument, record, at) {
        needTypeZero(argument, record, at);
        readAddresses(argument, record, at);
        give(argument, record, at, ADDRESSES);
      },
    },
    {
      name: "rt-0-not-strict",
      arguments: 0,
      parse(argument, record, at) {
        if (!argument.has("rt-0-addrs")) argument.fail("missing-option", "--rt-0-addrs in front");
        give(argument, record, at, NOT_STRICT);
      },
    },
  ],

  initialise: (record, at) => record.view.setUint32(at + RT_SEGMENTS_MAX, LARGEST, true),

  print(out, record, at) {
    const { bytes, view } = record;
    const flags = bytes[at + RT_FLAGS] as number;
    const inverted = bytes[at + RT_INVERT] as number;
    const minimum = view.getUint32(at + RT_SEGMENTS_MIN, true);
    const maximum = view.getUint32(at + RT_SEGMENTS_MAX, true);
    if (flags & TYPE) out.option(inverted & TYPE ? " ! --rt-type " : " --rt-type ", view.getUint32(at + RT_TYPE, true));
    if (minimum !== 0 || maximum !== LARGEST) {
      out.option(inverted & SEGMENTS ? " ! --rt-segsleft " : " --rt-segsleft ", minimum);
      if (maximum !== minimum) {
        out.byte(COLON);
        out.number(maximum);
      }
    }
    if (flags & LENGTH)
      out.option(inverted & LENGTH ? " ! --rt-len " : " --rt-len ", view.getUint32(at + RT_LENGTH, true));
    if (flags & RESERVED) out.text(" --rt-0-res");
    if (flags & ADDRESSES) out.text(" --rt-0-addrs");
    for (let n = 0; n < (bytes[at + RT_COUNT] as number); n++) {
      out.byte(n === 0 ? 32 : COMMA);
      printAddress(out, bytes, at + RT_ADDRESSES + 16 * n, 16);
    }
    if (flags & NOT_STRICT) out.text(" --rt-0-not-strict");
  },
};

function give(argument: Argument, record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + RT_FLAGS] = (record.bytes[at + RT_FLAGS] as number) | bit;
  if (argument.inverted) record.bytes[at + RT_INVERT] = (record.bytes[at + RT_INVERT] as number) | bit;
}

function needTypeZero(argument: Argument, record: RecordMemory, at: number): void {
  const type = record.view.getUint32(at + RT_TYPE, true);
  if (!argument.has("rt-type") || type !== 0 || (record.bytes[at + RT_INVERT] as number) & TYPE)
    argument.fail("missing-option", "--rt-type 0 in front");
}

function readAddresses(argument: Argument, record: RecordMemory, at: number): void {
  let count = 0;
  for (let from = argument.start; ; ) {
    const comma = argument.indexOf(COMMA, from);
    if (count === RT_ADDRESSES_COUNT) argument.fail("bad-address", `at most ${RT_ADDRESSES_COUNT} addresses`);
    argument.address(record.bytes, at + RT_ADDRESSES + 16 * count++, from, comma < 0 ? argument.end : comma);
    if (comma < 0) break;
    from = comma + 1;
  }
  record.bytes[at + RT_COUNT] = count;
}
