/** -m set: membership in a set of ipset's. */
import { VALUE_NAME } from "../../blob/reading.js";
import {
  MATCH_SET,
  SET_BYTES,
  SET_BYTES_OPERATION,
  SET_DIMENSIONS,
  SET_DIRECTIONS,
  SET_FLAGS,
  SET_INVERT,
  SET_NAME,
  SET_NAME_BYTES,
  SET_NO_UPDATE_COUNTERS,
  SET_NO_UPDATE_SUBCOUNTERS,
  SET_PACKETS,
  SET_PACKETS_OPERATION,
  SET_RETURN_NOMATCH,
  SET_SIZE,
} from "../../blob/payloads.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Extension, Option, RecordMemory } from "../extension.js";
import { printDirections, readDirections } from "../values/set-directions.js";
import { readCounter } from "../values/number.js";

/** Operations by number: what prints between the counter's name and its value. */
const EQUAL = 1;
const NOT_EQUAL = 2;
const OPERATIONS = ["", "-eq", "-eq", "-lt", "-gt"];

export const set: Extension = {
  name: "set",
  type: MATCH_SET,
  size: SET_SIZE,
  options: [
    {
      name: "match-set",
      aliases: ["set"],
      arguments: 2,
      invertible: true,
      mandatory: true,
      value: { kind: VALUE_NAME, at: SET_NAME },
      parse(argument, record, at) {
        if (argument.start === argument.end) argument.fail("bad-name", "the name of a set");
        argument.name(record.bytes, at + SET_NAME, SET_NAME_BYTES, "the name of a set");
        if (argument.inverted) flag(record, at, SET_INVERT);
        readDirections(argument.second());
        record.bytes[at + SET_DIRECTIONS] = argument.value;
        record.bytes[at + SET_DIMENSIONS] = argument.mask;
      },
    },
    flagOption("return-nomatch", SET_RETURN_NOMATCH, false),
    flagOption("update-counters", SET_NO_UPDATE_COUNTERS, true),
    flagOption("update-subcounters", SET_NO_UPDATE_SUBCOUNTERS, true),
    ...counterOptions("packets", SET_PACKETS, SET_PACKETS_OPERATION),
    ...counterOptions("bytes", SET_BYTES, SET_BYTES_OPERATION),
  ],

  print(out, record, at) {
    const { bytes } = record;
    const flags = bytes[at + SET_FLAGS] as number;
    out.text(flags & SET_INVERT ? " ! --match-set " : " --match-set ");
    out.padded(bytes, at + SET_NAME, SET_NAME_BYTES);
    printDirections(out, bytes[at + SET_DIRECTIONS] as number, bytes[at + SET_DIMENSIONS] as number);
    if (flags & SET_RETURN_NOMATCH) out.text(" --return-nomatch");
    if (flags & SET_NO_UPDATE_COUNTERS) out.text(" ! --update-counters");
    if (flags & SET_NO_UPDATE_SUBCOUNTERS) out.text(" ! --update-subcounters");
    printCounter(out, record, at + SET_PACKETS, bytes[at + SET_PACKETS_OPERATION] as number, "packets");
    printCounter(out, record, at + SET_BYTES, bytes[at + SET_BYTES_OPERATION] as number, "bytes");
  },
};

/** An option without an argument: it sets its flag, or only its inversion does. */
function flagOption(name: string, bit: number, whenInverted: boolean): Option {
  return {
    name,
    arguments: 0,
    invertible: whenInverted,
    repeatable: true,
    parse(argument, record, at) {
      if (argument.inverted === whenInverted) flag(record, at, bit);
    },
  };
}

function counterOptions(counter: string, field: number, operationField: number): Option[] {
  const names = ["eq", "lt", "gt"].map((comparison) => `${counter}-${comparison}`);
  return names.map((name, index) => ({
    name,
    invertible: index === 0,
    excludes: names.filter((other) => other !== name),
    parse(argument, record, at) {
      const words = new Uint32Array(2);
      if (!readCounter(argument.bytes, argument.start, argument.end, words, 0))
        argument.fail("bad-number", "a number of at most 64 bits");
      record.view.setUint32(at + field, words[0] as number, true);
      record.view.setUint32(at + field + 4, words[1] as number, true);
      const equality = argument.inverted ? NOT_EQUAL : EQUAL;
      record.bytes[at + operationField] = index === 0 ? equality : index + 2;
    },
  }));
}

function printCounter(out: ByteWriter, record: RecordMemory, field: number, operation: number, name: string): void {
  if (operation === 0) return;
  out.text(operation === NOT_EQUAL ? " ! --" : " --");
  out.text(name);
  out.text(OPERATIONS[operation] as string);
  out.byte(32);
  out.wide(record.view.getUint32(field, true), record.view.getUint32(field + 4, true));
}

function flag(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + SET_FLAGS] = (record.bytes[at + SET_FLAGS] as number) | bit;
}
