/** -m dst, -m hbh: options of IPv6's destination and hop-by-hop headers. */
import {
  HEADER_OPTIONS,
  HEADER_OPTIONS_COUNT,
  HEADER_OPTIONS_FLAGS,
  HEADER_OPTIONS_INVERT,
  HEADER_OPTIONS_LENGTH,
  HEADER_OPTIONS_LIMIT,
  HEADER_OPTIONS_SIZE,
  MATCH_DST,
  MATCH_HBH,
} from "../../blob/payloads.js";
import { type Argument, COLON, COMMA } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Extension, RecordMemory } from "../extension.js";
import { numberEnd, readNumber } from "../values/number.js";

const LENGTH = 1;
const OPTIONS = 2;
const ANY_LENGTH = 255;

function headerOptions(name: string, type: number): Extension {
  return {
    name,
    type,
    size: HEADER_OPTIONS_SIZE,
    family: "ipv6",
    options: [
      {
        name: `${name}-len`,
        invertible: true,
        parse(argument, record, at) {
          record.view.setUint32(at + HEADER_OPTIONS_LENGTH, argument.unsigned(0, 0xffffffff), true);
          give(record, at, LENGTH);
          if (argument.inverted) record.bytes[at + HEADER_OPTIONS_INVERT] = LENGTH;
        },
      },
      {
        name: `${name}-opts`,
        parse(argument, record, at) {
          readOptions(argument, record, at);
          give(record, at, OPTIONS);
        },
      },
    ],

    print(out, record, at) {
      const flags = record.bytes[at + HEADER_OPTIONS_FLAGS] as number;
      if (flags & LENGTH) {
        if (record.bytes[at + HEADER_OPTIONS_INVERT]) out.text(" !");
        out.option(` --${name}-len `, record.view.getUint32(at + HEADER_OPTIONS_LENGTH, true));
      }
      if (flags & OPTIONS) {
        out.text(` --${name}-opts `);
        printOptions(out, record, at);
      }
    },
  };
}

function give(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + HEADER_OPTIONS_FLAGS] = (record.bytes[at + HEADER_OPTIONS_FLAGS] as number) | bit;
}

/** `type[:length],...`. Of greater numbers Linux keeps the last byte. */
function readOptions(argument: Argument, record: RecordMemory, at: number): void {
  let count = 0;
  for (let from = argument.start; ; ) {
    if (count === HEADER_OPTIONS_LIMIT) argument.fail("bad-value", `at most ${HEADER_OPTIONS_LIMIT} options`);
    const comma = argument.indexOf(COMMA, from);
    const end = comma < 0 ? argument.end : comma;
    const colon = argument.indexOf(COLON, from);
    const hasLength = colon >= 0 && colon < end;
    const type = byteOf(argument, from, hasLength ? colon : end);
    if (hasLength && type === 0) argument.fail("bad-value", "no length behind type 0, padding of one byte", colon, end);
    const length = hasLength ? byteOf(argument, colon + 1, end) : ANY_LENGTH;
    record.view.setUint16(at + HEADER_OPTIONS + 2 * count++, (type << 8) | length, true);
    if (comma < 0) break;
    from = comma + 1;
  }
  record.bytes[at + HEADER_OPTIONS_COUNT] = count;
}

function byteOf(argument: Argument, start: number, end: number): number {
  const value = readNumber(argument.bytes, start, end);
  if (value < 0 || numberEnd !== end) argument.fail("bad-number", "a type, or type:length", start, end);
  return value % 256;
}

function printOptions(out: ByteWriter, record: RecordMemory, at: number): void {
  for (let n = 0; n < (record.bytes[at + HEADER_OPTIONS_COUNT] as number); n++) {
    const option = record.view.getUint16(at + HEADER_OPTIONS + 2 * n, true);
    if (n > 0) out.byte(COMMA);
    out.number(option >> 8);
    if ((option & 255) !== ANY_LENGTH) out.option(":", option & 255);
  }
}

export const dst = headerOptions("dst", MATCH_DST);
export const hbh = headerOptions("hbh", MATCH_HBH);
