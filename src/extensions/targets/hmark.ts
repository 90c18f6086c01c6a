/**
 * -j HMARK: marks the packet by a hash of its ends, so that what belongs together gets the same mark. The ends are those of
 * the packet, of the packet that an ICMP error quotes, or (`--hmark-tuple ct`) of its connection, which asks for an engine
 * that tracks connections. What lies behind the ends of the packet's record, IPsec's indexes and quotes, takes its bytes.
 */
import {
  HMARK_DESTINATION_MASK,
  HMARK_FLAGS,
  HMARK_HAS_CONNECTION,
  HMARK_HAS_DESTINATION_MASK,
  HMARK_HAS_DPORT,
  HMARK_HAS_DPORT_MASK,
  HMARK_HAS_MODULUS,
  HMARK_HAS_OFFSET,
  HMARK_HAS_PROTOCOL_MASK,
  HMARK_HAS_SEED,
  HMARK_HAS_SOURCE_MASK,
  HMARK_HAS_SPI,
  HMARK_HAS_SPI_MASK,
  HMARK_HAS_SPORT,
  HMARK_HAS_SPORT_MASK,
  HMARK_MODULUS,
  HMARK_OFFSET,
  HMARK_PORT_MASK,
  HMARK_PORT_SET,
  HMARK_PROTOCOL_MASK,
  HMARK_SEED,
  HMARK_SIZE,
  HMARK_SOURCE_MASK,
  TARGET_HMARK,
} from "../../blob/payloads.js";
import type { Argument, Keyword } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Option, PrintedRule, RecordMemory, Target } from "../extension.js";
import { prefixLength, writePrefixMask } from "../values/address.js";
import { wholeNumber } from "../values/number.js";

const ALL = 0xffffffff;
const ADDRESS_BYTES = 16;

/** In the order in which a beginning of a word is looked for. */
const TUPLE: readonly Keyword[] = [
  ["ct", HMARK_HAS_CONNECTION],
  ["src", HMARK_HAS_SOURCE_MASK],
  ["dst", HMARK_HAS_DESTINATION_MASK],
  ["sport", HMARK_HAS_SPORT_MASK],
  ["dport", HMARK_HAS_DPORT_MASK],
  ["proto", HMARK_HAS_PROTOCOL_MASK],
  ["spi", HMARK_HAS_SPI_MASK],
];

/** Where a field is, its bytes, and whether they are in network order. */
const FIELDS: readonly (readonly [name: string, bit: number, at: number, bytes: 2 | 4, network: boolean])[] = [
  ["sport-mask", HMARK_HAS_SPORT_MASK, HMARK_PORT_MASK, 2, true],
  ["dport-mask", HMARK_HAS_DPORT_MASK, HMARK_PORT_MASK + 2, 2, true],
  ["spi-mask", HMARK_HAS_SPI_MASK, HMARK_PORT_MASK, 4, true],
  ["sport", HMARK_HAS_SPORT, HMARK_PORT_SET, 2, true],
  ["dport", HMARK_HAS_DPORT, HMARK_PORT_SET + 2, 2, true],
  ["spi", HMARK_HAS_SPI, HMARK_PORT_SET, 4, true],
  ["proto-mask", HMARK_HAS_PROTOCOL_MASK, HMARK_PROTOCOL_MASK, 2, false],
  ["rnd", HMARK_HAS_SEED, HMARK_SEED, 4, false],
];

const PREFIXES = [
  ["src-prefix", HMARK_HAS_SOURCE_MASK, HMARK_SOURCE_MASK],
  ["dst-prefix", HMARK_HAS_DESTINATION_MASK, HMARK_DESTINATION_MASK],
] as const;

/** One of these has to be there. */
const SELECTORS = HMARK_HAS_CONNECTION | (HMARK_HAS_SEED - 1);

export const hmark: Target = {
  name: "HMARK",
  type: TARGET_HMARK,
  size: HMARK_SIZE,
  options: [
    { name: "hmark-tuple", parse: readTuple },
    ...PREFIXES.map(
      ([name, bit, at]): Option => ({
        name: `hmark-${name}`,
        parse(argument, record, start) {
          give(argument, record, start, bit);
          writePrefixMask(readPrefix(argument), argument.width, record.bytes, start + at);
        },
      }),
    ),
    ...FIELDS.map(
      ([name, bit, at, bytes, network]): Option => ({
        name: `hmark-${name}`,
        mandatory: name === "rnd",
        parse(argument, record, start) {
          give(argument, record, start, bit);
          const value = argument.unsigned(0, bytes === 2 ? 0xffff : ALL);
          if (bytes === 2) record.view.setUint16(start + at, value, !network);
          else record.view.setUint32(start + at, value, !network);
        },
      }),
    ),
    {
      name: "hmark-mod",
      mandatory: true,
      parse(argument, record, at) {
        give(argument, record, at, HMARK_HAS_MODULUS);
        record.view.setUint32(at + HMARK_MODULUS, argument.unsigned(1, ALL), true);
      },
    },
    {
      name: "hmark-offset",
      parse(argument, record, at) {
        give(argument, record, at, HMARK_HAS_OFFSET);
        record.view.setUint32(at + HMARK_OFFSET, argument.unsigned(0, ALL), true);
      },
    },
  ],

  finish(argument, record, at) {
    const flags = record.view.getUint16(at + HMARK_FLAGS, true);
    if (!(flags & SELECTORS)) argument.fail("missing-option", "--hmark-tuple, or a prefix or mask");
    if (flags & HMARK_HAS_SPI_MASK && flags & (HMARK_HAS_SPORT_MASK | HMARK_HAS_DPORT_MASK))
      argument.fail("conflicting-options", "ports or an spi, not both");
    if (flags & HMARK_HAS_SPI && flags & (HMARK_HAS_SPORT | HMARK_HAS_DPORT))
      argument.fail("conflicting-options", "ports or an spi, not both");
    return HMARK_SIZE;
  },

  print(out, record, at, rule) {
    const { view } = record;
    const flags = view.getUint16(at + HMARK_FLAGS, true);
    for (const [name, length] of printedPrefixes(record, at, rule)) out.option(` --hmark-${name} `, length);
    for (const [name, bit, field, bytes, network] of FIELDS)
      if (flags & bit) {
        const value = bytes === 2 ? view.getUint16(at + field, !network) : view.getUint32(at + field, !network);
        printHex(out, ` --hmark-${name} 0x`, value, name === "proto-mask" ? 2 : 2 * bytes);
      }
    out.option(" --hmark-mod ", view.getUint32(at + HMARK_MODULUS, true));
    if (flags & HMARK_HAS_OFFSET) out.option(" --hmark-offset ", view.getUint32(at + HMARK_OFFSET, true));
    if (flags & HMARK_HAS_CONNECTION) out.text(" --hmark-tuple ct");
  },
};

/** Each word stands for a mask of ones, whatever mask was there. */
function readTuple(argument: Argument, record: RecordMemory, at: number): void {
  const { bytes, view } = record;
  const bits = argument.keywords(TUPLE);
  for (const [, bit, field] of PREFIXES)
    if (bits & bit) bytes.fill(255, at + field, at + field + (argument.width === 4 ? 4 : ADDRESS_BYTES));
  for (const [, bit, field, size] of FIELDS) if (bits & bit) bytes.fill(255, at + field, at + field + size);
  view.setUint16(at + HMARK_FLAGS, view.getUint16(at + HMARK_FLAGS, true) | bits, true);
}

/** A mask that the tuple has given already is not given again. */
function give(argument: Argument, { view }: RecordMemory, at: number, bit: number): void {
  const flags = view.getUint16(at + HMARK_FLAGS, true);
  if (flags & bit) argument.fail("repeated-option");
  view.setUint16(at + HMARK_FLAGS, flags | bit, true);
}

/** Longer ones than the family's addresses are as long as these. */
function readPrefix(argument: Argument): number {
  const length = wholeNumber(argument.bytes, argument.start, argument.end, 0, 8 * ADDRESS_BYTES);
  return length < 0 ? argument.prefix() : Math.min(length, 8 * argument.width);
}

export function printedPrefixes({ bytes, view }: RecordMemory, at: number, { width }: PrintedRule): [string, number][] {
  const flags = view.getUint16(at + HMARK_FLAGS, true);
  return PREFIXES.filter(([, bit]) => flags & bit).map(([name, , field]) => [
    name,
    prefixLength(bytes, at + field, width),
  ]);
}

function printHex(out: ByteWriter, name: string, value: number, digits: number): void {
  out.text(name);
  out.hexadecimal(value, digits);
}
