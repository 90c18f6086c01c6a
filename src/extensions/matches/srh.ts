/** -m srh: IPv6's segment routing header. */
import {
  MATCH_SRH,
  SRH_FLAGS,
  SRH_HAS_LAST,
  SRH_HAS_LAST_EQUAL,
  SRH_HAS_LAST_GREATER,
  SRH_HAS_LAST_LESS,
  SRH_HAS_LENGTH_EQUAL,
  SRH_HAS_LENGTH_GREATER,
  SRH_HAS_LENGTH_LESS,
  SRH_HAS_NEXT,
  SRH_HAS_NEXT_HEADER,
  SRH_HAS_PREVIOUS,
  SRH_HAS_SEGMENTS_EQUAL,
  SRH_HAS_SEGMENTS_GREATER,
  SRH_HAS_SEGMENTS_LESS,
  SRH_HAS_TAG,
  SRH_INVERT,
  SRH_LAST,
  SRH_LAST_ENTRY,
  SRH_LENGTH,
  SRH_NEXT,
  SRH_NEXT_HEADER,
  SRH_PREVIOUS,
  SRH_SEGMENTS_LEFT,
  SRH_SIZE,
  SRH_TAG,
} from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import type { Extension, Option, RecordMemory } from "../extension.js";
import { prefixLength, printAddress } from "../values/address.js";

/** Name, bit, field of one byte. Comparisons of one field share its number, so the last one given holds for all. */
const NUMBERS = [
  ["srh-next-hdr", SRH_HAS_NEXT_HEADER, SRH_NEXT_HEADER],
  ["srh-hdr-len-eq", SRH_HAS_LENGTH_EQUAL, SRH_LENGTH],
  ["srh-hdr-len-gt", SRH_HAS_LENGTH_GREATER, SRH_LENGTH],
  ["srh-hdr-len-lt", SRH_HAS_LENGTH_LESS, SRH_LENGTH],
  ["srh-segs-left-eq", SRH_HAS_SEGMENTS_EQUAL, SRH_SEGMENTS_LEFT],
  ["srh-segs-left-gt", SRH_HAS_SEGMENTS_GREATER, SRH_SEGMENTS_LEFT],
  ["srh-segs-left-lt", SRH_HAS_SEGMENTS_LESS, SRH_SEGMENTS_LEFT],
  ["srh-last-entry-eq", SRH_HAS_LAST_EQUAL, SRH_LAST_ENTRY],
  ["srh-last-entry-gt", SRH_HAS_LAST_GREATER, SRH_LAST_ENTRY],
  ["srh-last-entry-lt", SRH_HAS_LAST_LESS, SRH_LAST_ENTRY],
] as const;

/** Name, bit, field: an address, and its mask 16 bytes behind. */
const SEGMENTS = [
  ["srh-psid", SRH_HAS_PREVIOUS, SRH_PREVIOUS],
  ["srh-nsid", SRH_HAS_NEXT, SRH_NEXT],
  ["srh-lsid", SRH_HAS_LAST, SRH_LAST],
] as const;
const MASK = 16;

export const srh: Extension = {
  name: "srh",
  type: MATCH_SRH,
  size: SRH_SIZE,
  family: "ipv6",
  options: [
    ...NUMBERS.map(
      ([name, bit, field]): Option => ({
        name,
        invertible: true,
        parse(argument, record, at) {
          record.bytes[at + field] = argument.unsigned(0, 255);
          give(argument, record, at, bit);
        },
      }),
    ),
    {
      name: "srh-tag",
      invertible: true,
      parse(argument, record, at) {
        record.view.setUint16(at + SRH_TAG, argument.unsigned(0, 65_535), true);
        give(argument, record, at, SRH_HAS_TAG);
      },
    },
    ...SEGMENTS.map(
      ([name, bit, field]): Option => ({
        name,
        invertible: true,
        parse(argument, record, at) {
          argument.addressAndMask(record.bytes, at + field, at + field + MASK);
          give(argument, record, at, bit);
        },
      }),
    ),
  ],

  print(out, record, at) {
    const { bytes, view } = record;
    const flags = view.getUint16(at + SRH_FLAGS, true);
    const inverted = view.getUint16(at + SRH_INVERT, true);
    const option = (name: string, bit: number): void => out.text(inverted & bit ? ` ! --${name} ` : ` --${name} `);
    for (const [name, bit, field] of NUMBERS) {
      if (!(flags & bit)) continue;
      option(name, bit);
      out.number(bytes[at + field] as number);
    }
    if (flags & SRH_HAS_TAG) {
      option("srh-tag", SRH_HAS_TAG);
      out.number(view.getUint16(at + SRH_TAG, true));
    }
    for (const [name, bit, field] of SEGMENTS) {
      if (!(flags & bit)) continue;
      option(name, bit);
      printAddress(out, bytes, at + field, 16);
      out.option("/", prefixLength(bytes, at + field + MASK, 16));
    }
  },
};

function give(argument: Argument, { view }: RecordMemory, at: number, bit: number): void {
  view.setUint16(at + SRH_FLAGS, view.getUint16(at + SRH_FLAGS, true) | bit, true);
  if (argument.inverted) view.setUint16(at + SRH_INVERT, view.getUint16(at + SRH_INVERT, true) | bit, true);
}
