/** -m string: bytes somewhere in the packet. */
import {
  MATCH_STRING,
  STRING_ALGORITHM,
  STRING_FLAGS,
  STRING_FROM,
  STRING_LENGTH,
  STRING_PATTERN,
  STRING_PATTERN_BYTES,
  STRING_SIZE,
  STRING_TO,
} from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import type { Extension, RecordMemory } from "../extension.js";
import { hexDigit } from "../values/number.js";

const INVERT = 1;
const IGNORE_CASE = 2;
const ALGORITHMS = ["bm", "kmp"];
const ALGORITHM_BYTES = 16;
const LAST = 65_535;
const QUOTE = 34;
const BACKSLASH = 92;
const BAR = 124;
const SPACE = 32;

export const string: Extension = {
  name: "string",
  type: MATCH_STRING,
  size: STRING_SIZE,
  options: [
    {
      name: "from",
      parse: (argument, record, at) => record.view.setUint16(at + STRING_FROM, argument.unsigned(0, LAST), true),
    },
    {
      name: "to",
      parse: (argument, record, at) => record.view.setUint16(at + STRING_TO, argument.unsigned(0, LAST), true),
    },
    {
      name: "algo",
      mandatory: true,
      parse(argument, record, at) {
        argument.oneOf(ALGORITHMS);
        argument.name(record.bytes, at + STRING_ALGORITHM, ALGORITHM_BYTES, "an algorithm");
      },
    },
    {
      name: "string",
      invertible: true,
      excludes: ["hex-string"],
      parse: (argument, record, at) =>
        setPattern(argument, record, at, argument.bytes.subarray(argument.start, argument.end)),
    },
    {
      name: "hex-string",
      invertible: true,
      parse: (argument, record, at) => setPattern(argument, record, at, readHex(argument)),
    },
    { name: "icase", arguments: 0, parse: (_, record, at) => flag(record, at, IGNORE_CASE) },
  ],

  initialise: (record, at) => record.view.setUint16(at + STRING_TO, LAST, true),

  finish(argument, record, at) {
    if (!argument.has("string") && !argument.has("hex-string"))
      argument.fail("missing-option", "--string or --hex-string");
    if (record.view.getUint16(at + STRING_FROM, true) > record.view.getUint16(at + STRING_TO, true))
      argument.fail("bad-number", "--from not above --to");
    return STRING_SIZE;
  },

  print(out, record, at) {
    const { bytes, view } = record;
    const flags = bytes[at + STRING_FLAGS] as number;
    const pattern = bytes.subarray(at + STRING_PATTERN, at + STRING_PATTERN + (bytes[at + STRING_LENGTH] as number));
    const hex = pattern.at(-1) === BACKSLASH || pattern.some((byte) => byte < SPACE || byte > 126);
    out.text(flags & INVERT ? " !" : "");
    out.text(hex ? ' --hex-string "|' : ' --string "');
    for (const byte of pattern) {
      if (hex) out.hexadecimal(byte, 2);
      else {
        if (byte === QUOTE || byte === BACKSLASH) out.byte(BACKSLASH);
        out.byte(byte);
      }
    }
    out.text(hex ? '|" --algo ' : '" --algo ');
    out.padded(bytes, at + STRING_ALGORITHM, ALGORITHM_BYTES);
    const from = view.getUint16(at + STRING_FROM, true);
    const to = view.getUint16(at + STRING_TO, true);
    if (from !== 0) out.option(" --from ", from);
    if (to !== LAST) out.option(" --to ", to);
    if (flags & IGNORE_CASE) out.text(" --icase");
  },
};

function flag(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + STRING_FLAGS] = (record.bytes[at + STRING_FLAGS] as number) | bit;
}

function setPattern(argument: Argument, record: RecordMemory, at: number, pattern: Uint8Array): void {
  if (pattern.length === 0 || pattern.length > STRING_PATTERN_BYTES)
    argument.fail("bad-value", `a pattern of 1 to ${STRING_PATTERN_BYTES} bytes`);
  record.bytes.set(pattern, at + STRING_PATTERN);
  record.bytes[at + STRING_LENGTH] = pattern.length;
  if (argument.inverted) flag(record, at, INVERT);
}

/** Text in which `|0d 0a|` stands for bytes, and a backslash for the byte behind it. */
function readHex(argument: Argument): Uint8Array {
  const { bytes, end } = argument;
  const pattern: number[] = [];
  let hex = false;
  for (let i = argument.start; i < end; ) {
    const byte = bytes[i] as number;
    if (byte === BAR) {
      hex = !hex;
      i++;
      while (hex && bytes[i] === SPACE && i < end) i++;
    } else if (hex) {
      const high = hexDigit(byte);
      const low = i + 1 < end ? hexDigit(bytes[i + 1] as number) : -1;
      if (high < 0 || low < 0) argument.fail("bad-value", "pairs of hexadecimal digits between bars", i);
      pattern.push(16 * high + low);
      i += 2;
      if (i < end && bytes[i] === SPACE) i++;
      if (i === end) argument.fail("bad-value", "a bar behind the hexadecimal digits", i);
    } else if (byte === BACKSLASH) {
      if (i + 1 === end) argument.fail("bad-value", "a byte behind the backslash", i);
      pattern.push(bytes[i + 1] as number);
      i += 2;
    } else {
      pattern.push(byte);
      i++;
    }
  }
  return Uint8Array.from(pattern);
}
