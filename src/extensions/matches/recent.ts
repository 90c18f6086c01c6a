/** -m recent: named lists of addresses that were seen lately. */
import {
  MATCH_RECENT,
  RECENT_CHECK,
  RECENT_HITCOUNT,
  RECENT_INVERT,
  RECENT_MASK,
  RECENT_NAME,
  RECENT_NAME_BYTES,
  RECENT_SECONDS,
  RECENT_SIDE,
  RECENT_SIZE,
} from "../../blob/payloads.js";
import type { Extension, Option, RecordMemory } from "../extension.js";
import { printAddress } from "../values/address.js";

const SET = 2;
const REMOVE = 8;
const TTL = 16;
const REAP = 32;
/** What the rule does to the list, in the order in which they print. */
const OPERATIONS = [
  ["set", SET],
  ["rcheck", 1],
  ["update", 4],
  ["remove", REMOVE],
] as const;
const OPERATION_NAMES = OPERATIONS.map(([name]) => name);
const DEFAULT_NAME = "DEFAULT";
/** The kernel keeps at most this many times of an address. */
const MOST_HITS = 65535;

export const recent: Extension = {
  name: "recent",
  type: MATCH_RECENT,
  size: RECENT_SIZE,
  options: [
    ...OPERATIONS.map(
      ([name, bit]): Option => ({
        name,
        arguments: 0,
        invertible: true,
        excludes: OPERATION_NAMES.filter((other) => other !== name),
        parse(argument, record, at) {
          check(record, at, bit);
          if (argument.inverted) record.bytes[at + RECENT_INVERT] = 1;
        },
      }),
    ),
    {
      name: "seconds",
      excludes: ["set", "remove"],
      parse: (argument, record, at) =>
        record.view.setUint32(at + RECENT_SECONDS, argument.unsigned(1, 0xffffffff), true),
    },
    {
      name: "reap",
      arguments: 0,
      requires: ["seconds"],
      parse: (_, record, at) => check(record, at, REAP),
    },
    {
      name: "hitcount",
      excludes: ["set", "remove"],
      parse: (argument, record, at) =>
        record.view.setUint32(at + RECENT_HITCOUNT, argument.unsigned(0, MOST_HITS), true),
    },
    {
      name: "rttl",
      arguments: 0,
      excludes: ["set", "remove"],
      parse: (_, record, at) => check(record, at, TTL),
    },
    {
      name: "name",
      parse(argument, record, at) {
        argument.name(record.bytes, at + RECENT_NAME, RECENT_NAME_BYTES, "the name of a list");
        // Each list is a file in /proc.
        const text = argument.text();
        if (text === "" || text === "." || text === ".." || text.includes("/"))
          argument.fail("bad-name", "a name that could be a file's");
      },
    },
    {
      name: "rsource",
      arguments: 0,
      parse(_, record, at) {
        record.bytes[at + RECENT_SIDE] = 0;
      },
    },
    {
      name: "rdest",
      arguments: 0,
      parse(_, record, at) {
        record.bytes[at + RECENT_SIDE] = 1;
      },
    },
    {
      name: "mask",
      parse: (argument, record, at) => argument.address(record.bytes, at + RECENT_MASK),
    },
  ],

  initialise(record, at) {
    for (let i = 0; i < DEFAULT_NAME.length; i++) record.bytes[at + RECENT_NAME + i] = DEFAULT_NAME.charCodeAt(i);
  },

  finish(argument, record, at) {
    if (!OPERATION_NAMES.some((name) => argument.has(name)))
      argument.fail("missing-option", "one of --set, --rcheck, --update and --remove");
    if (!argument.has("mask")) record.bytes.fill(255, at + RECENT_MASK, at + RECENT_MASK + argument.width);
    return RECENT_SIZE;
  },

  print(out, record, at, rule) {
    const operation = record.bytes[at + RECENT_CHECK] as number;
    const seconds = record.view.getUint32(at + RECENT_SECONDS, true);
    const hits = record.view.getUint32(at + RECENT_HITCOUNT, true);
    if (record.bytes[at + RECENT_INVERT]) out.text(" !");
    for (const [name, bit] of OPERATIONS) {
      if (!(operation & bit)) continue;
      out.text(" --");
      out.text(name);
    }
    // Printed as a signed number.
    if (seconds) out.text(` --seconds ${seconds | 0}`);
    if (operation & REAP) out.text(" --reap");
    if (hits) {
      out.text(" --hitcount ");
      out.number(hits);
    }
    if (operation & TTL) out.text(" --rttl");
    out.text(" --name ");
    out.padded(record.bytes, at + RECENT_NAME, RECENT_NAME_BYTES);
    out.text(" --mask ");
    printAddress(out, record.bytes, at + RECENT_MASK, rule.width);
    out.text(record.bytes[at + RECENT_SIDE] ? " --rdest" : " --rsource");
  },
};

function check(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + RECENT_CHECK] = (record.bytes[at + RECENT_CHECK] as number) | bit;
}
