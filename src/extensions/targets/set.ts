/** -j SET: adds the packet's addresses to sets of ipset's, takes them out, or maps by them. */
import {
  SET_NAME_BYTES,
  SETTARGET_ADD,
  SETTARGET_DELETE,
  SETTARGET_FLAGS,
  SETTARGET_MAP,
  SETTARGET_PART_DIMENSIONS,
  SETTARGET_PART_DIRECTIONS,
  SETTARGET_PART_NAME,
  SETTARGET_SIZE,
  SETTARGET_TIMEOUT,
  TARGET_SET,
} from "../../blob/payloads.js";
import type { ByteWriter } from "../byte-writer.js";
import { ALL_HOOKS, FORWARD, type Option, OUTPUT, POSTROUTING, type RecordMemory, type Target } from "../extension.js";
import { printDirections, readDirections } from "../values/set-directions.js";

const TIMEOUT = 1;
const EXIST = 2;
/** What a map sets, in the order in which they print. */
const MAPS = [
  ["map-mark", 4],
  ["map-prio", 8],
  ["map-queue", 16],
] as const;

/** Priority and queue are for packets on their way out. */
const MAPS_FOR_SENDING = 8 | 16;

export const setTarget: Target = {
  name: "SET",
  type: TARGET_SET,
  size: SETTARGET_SIZE,
  options: [
    partOption("add-set", SETTARGET_ADD),
    partOption("del-set", SETTARGET_DELETE),
    partOption("map-set", SETTARGET_MAP),
    { name: "exist", arguments: 0, requires: ["add-set"], parse: (_, record, at) => flag(record, at, EXIST) },
    {
      name: "timeout",
      requires: ["add-set"],
      parse(argument, record, at) {
        record.view.setUint32(at + SETTARGET_TIMEOUT, argument.unsigned(0, 0xfffffffe), true);
        flag(record, at, TIMEOUT);
      },
    },
    ...MAPS.map(
      ([name, bit]): Option => ({
        name,
        arguments: 0,
        requires: ["map-set"],
        parse: (_, record, at) => flag(record, at, bit),
      }),
    ),
  ],

  finish(argument) {
    if (!argument.has("add-set") && !argument.has("del-set") && !argument.has("map-set"))
      argument.fail("missing-option", "--add-set, --del-set or --map-set");
    if (argument.has("map-set") && !MAPS.some(([name]) => argument.has(name)))
      argument.fail("missing-option", "--map-mark, --map-prio or --map-queue with --map-set");
    if (argument.has("map-set") && argument.table !== "mangle")
      argument.fail("wrong-table", "table mangle for --map-set");
    return SETTARGET_SIZE;
  },

  hooks: (record, at) =>
    (record.bytes[at + SETTARGET_FLAGS] as number) & MAPS_FOR_SENDING ? FORWARD | OUTPUT | POSTROUTING : ALL_HOOKS,

  print(out, record, at) {
    const flags = record.bytes[at + SETTARGET_FLAGS] as number;
    printPart(out, " --add-set ", record, at + SETTARGET_ADD);
    if (flags & EXIST) out.text(" --exist");
    if (flags & TIMEOUT) out.option(" --timeout ", record.view.getUint32(at + SETTARGET_TIMEOUT, true));
    printPart(out, " --del-set ", record, at + SETTARGET_DELETE);
    printPart(out, " --map-set ", record, at + SETTARGET_MAP);
    for (const [name, bit] of MAPS) if (flags & bit) out.text(` --${name}`);
  },
};

function flag(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + SETTARGET_FLAGS] = (record.bytes[at + SETTARGET_FLAGS] as number) | bit;
}

function partOption(name: string, field: number): Option {
  return {
    name,
    arguments: 2,
    parse(argument, record, at) {
      const part = at + field;
      if (argument.start === argument.end) argument.fail("bad-name", "the name of a set");
      argument.name(record.bytes, part + SETTARGET_PART_NAME, SET_NAME_BYTES, "the name of a set");
      readDirections(argument.second());
      record.bytes[part + SETTARGET_PART_DIRECTIONS] = argument.value;
      record.bytes[part + SETTARGET_PART_DIMENSIONS] = argument.mask;
    },
  };
}

function printPart(out: ByteWriter, option: string, record: RecordMemory, part: number): void {
  const dimensions = record.bytes[part + SETTARGET_PART_DIMENSIONS] as number;
  if (dimensions === 0) return;
  out.text(option);
  out.padded(record.bytes, part + SETTARGET_PART_NAME, SET_NAME_BYTES);
  printDirections(out, record.bytes[part + SETTARGET_PART_DIRECTIONS] as number, dimensions);
}
