/** -m connlimit: how many connections a network of sources, or of destinations, has. */
import {
  CONNLIMIT_FLAGS,
  CONNLIMIT_LIMIT,
  CONNLIMIT_MASK,
  CONNLIMIT_SIZE,
  MATCH_CONNLIMIT,
} from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import type { Extension, Option, RecordMemory } from "../extension.js";
import { prefixLength, writePrefixMask } from "../values/address.js";

const UP_TO = 1;
const DESTINATION = 2;

export const connlimit: Extension = {
  name: "connlimit",
  type: MATCH_CONNLIMIT,
  size: CONNLIMIT_SIZE,
  options: [
    limitOption("connlimit-upto", true, "connlimit-above"),
    limitOption("connlimit-above", false, "connlimit-upto"),
    {
      name: "connlimit-mask",
      parse: (argument, record, at) =>
        writePrefixMask(argument.prefix(), argument.width, record.bytes, at + CONNLIMIT_MASK),
    },
    { name: "connlimit-saddr", arguments: 0, excludes: ["connlimit-daddr"], parse() {} },
    {
      name: "connlimit-daddr",
      arguments: 0,
      parse(_, record, at) {
        record.bytes[at + CONNLIMIT_FLAGS] = (record.bytes[at + CONNLIMIT_FLAGS] as number) | DESTINATION;
      },
    },
  ],

  finish(argument, record, at) {
    if (!argument.has("connlimit-upto") && !argument.has("connlimit-above"))
      argument.fail("missing-option", "--connlimit-above or --connlimit-upto");
    if (!argument.has("connlimit-mask"))
      writePrefixMask(8 * argument.width, argument.width, record.bytes, at + CONNLIMIT_MASK);
    return CONNLIMIT_SIZE;
  },

  print(out, record, at, rule) {
    const flags = record.bytes[at + CONNLIMIT_FLAGS] as number;
    const limit = record.view.getUint32(at + CONNLIMIT_LIMIT, true);
    out.option(flags & UP_TO ? " --connlimit-upto " : " --connlimit-above ", limit);
    out.option(" --connlimit-mask ", prefixLength(record.bytes, at + CONNLIMIT_MASK, rule.width));
    out.text(flags & DESTINATION ? " --connlimit-daddr" : " --connlimit-saddr");
  },
};

function limitOption(name: string, upTo: boolean, other: string): Option {
  return {
    name,
    invertible: true,
    excludes: [other],
    parse(argument: Argument, record: RecordMemory, at: number) {
      record.view.setUint32(at + CONNLIMIT_LIMIT, argument.unsigned(0, 0xffffffff), true);
      if (argument.inverted !== upTo)
        record.bytes[at + CONNLIMIT_FLAGS] = (record.bytes[at + CONNLIMIT_FLAGS] as number) | UP_TO;
    },
  };
}
