/** Packets cut into fragments, byte by byte, and what may be wrong with them. */
import { checksum } from "./checksum.js";
import type { Family } from "../../src/ruleset/row-store.js";
import type { Random } from "./random.js";

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const FRAGMENT = 44;
const HOP_BY_HOP = 0;
const DESTINATION_OPTIONS = 60;
const NO_OPERATION = 1;
const PADDING = 1;

export interface Cut {
  readonly offset: number;
  /** Behind the last of its bytes. */
  readonly end: number;
  readonly more: boolean;
  readonly id: number;
  /** Of its own IP header; undefined as the packet's. */
  readonly tos?: number;
  readonly dontFragment?: boolean;
  /** Units of 8 bytes of options, or as many headers of them, between the IP header and the rest. */
  readonly options?: number;
}

/** The fragment of `packet`, which has no options or extension headers, that `cut` says; what lies behind its end is zeros. */
export function fragmentOf(packet: Uint8Array, family: Family, cut: Cut): Buffer {
  const size = family === "ipv4" ? IPV4_HEADER : IPV6_HEADER;
  const header = Buffer.from(packet.subarray(0, size));
  const body = Buffer.alloc(cut.end - cut.offset);
  const options = Buffer.alloc(8 * (cut.options ?? 0), family === "ipv4" ? NO_OPERATION : 0);
  body.set(packet.subarray(size + cut.offset, size + cut.end));
  if (family === "ipv4") {
    if (cut.tos !== undefined) header[1] = cut.tos;
    header[0] = 0x45 + 2 * (cut.options ?? 0);
    header.writeUInt16BE(size + options.length + body.length, 2);
    header.writeUInt16BE(cut.id & 0xffff, 4);
    header.writeUInt16BE((cut.offset >> 3) | (cut.more ? 0x2000 : 0) | (cut.dontFragment ? 0x4000 : 0), 6);
    header.writeUInt16BE(0, 10);
    header.writeUInt16BE(checksum(Buffer.concat([header, options])), 10);
    return Buffer.concat([header, options, body]);
  }
  if (cut.tos !== undefined) header.writeUInt16BE(0x6000 | (cut.tos << 4), 0);
  const fragment = Buffer.alloc(8);
  fragment[0] = header[6] as number;
  fragment.writeUInt16BE(cut.offset | (cut.more ? 1 : 0), 2);
  fragment.writeUInt32BE(cut.id, 4);
  header[6] = FRAGMENT;
  // Headers of padding alone: those of each hop come first.
  for (let at = 0; at < options.length; at += 8)
    options.set([at + 8 < options.length ? DESTINATION_OPTIONS : FRAGMENT, 0, PADDING, 4], at);
  if (options.length > 0) header[6] = HOP_BY_HOP;
  header.writeUInt16BE(options.length + 8 + body.length, 4);
  return Buffer.concat([header, options, fragment, body]);
}

/** Cuts for a packet with `length` bytes behind its headers; mostly such as put it together again. */
export function randomCuts(random: Random, length: number, id: number): Cut[] {
  const cuts: Cut[] = [];
  const cut = (offset: number, end: number, more: boolean): Cut => ({ offset, end: Math.max(offset, end), more, id });
  const somewhere = () => 8 * random.below(1 + (length >> 3));
  for (let offset = 0; offset < length || cuts.length === 0; ) {
    const units = random.pick([1, 2, 3, 8, 20, 60]);
    const end = Math.min(length, offset + 8 * units);
    cuts.push(cut(offset, end, end < length));
    offset = end;
  }
  const wrong: readonly (() => void)[] = [
    () => cuts.push(random.pick(cuts)),
    () => cuts.splice(random.below(cuts.length), 1),
    () => cuts.push(cut(somewhere(), length, false)),
    () => cuts.push(cut(somewhere(), 8 * (1 + (length >> 3)), random.chance(0.5))),
    () => cuts.push(cut(somewhere(), length - 1, true)),
    () => cuts.push(cut(length & ~7, (length & ~7) + 64, random.chance(0.5))),
    () => {
      const at = somewhere();
      cuts.push(cut(at, at, random.chance(0.5)));
    },
    () => {
      const [first] = cuts;
      if (first) cuts.push(cut(0, 16 + first.end, true));
    },
    () => {
      const at = random.below(cuts.length);
      cuts[at] = { ...(cuts[at] as Cut), tos: random.below(4) };
    },
    () => {
      const at = random.below(cuts.length);
      cuts[at] = { ...(cuts[at] as Cut), id: id + 0x8000 };
    },
  ];
  while (random.chance(0.3) && cuts.length > 0) random.pick(wrong)();
  if (random.chance(0.3))
    cuts.forEach((one, at) => {
      if (random.chance(0.7)) cuts[at] = { ...one, dontFragment: true };
    });
  const tos = random.pick([undefined, undefined, 1, 2, 3]);
  if (tos !== undefined)
    cuts.forEach((one, at) => {
      cuts[at] = { ...one, tos: random.chance(0.8) ? tos : random.between(1, 3) };
    });
  if (random.chance(0.2)) {
    const options = random.between(1, 3);
    cuts.forEach((one, at) => {
      if (at === 0 || random.chance(0.7)) cuts[at] = { ...one, options };
    });
  }
  if (random.chance(0.6)) shuffle(random, cuts);
  return cuts;
}

function shuffle<Item>(random: Random, items: Item[]): void {
  for (let i = items.length - 1; i > 0; i--) {
    const other = random.below(i + 1);
    [items[i], items[other]] = [items[other] as Item, items[i] as Item];
  }
}
