/** Random matches on IPv6's extension headers, and packets that have such headers. */
import { addressBytes } from "./address.js";
import type { ExtensionHeader, Packet } from "./packet.js";
import type { Random } from "./random.js";
import { OTHER_HEADERS } from "./random-bytes.js";
import { type Condition, maybeNot, together } from "./random-condition.js";
import { randomAddress } from "./random-pool.js";

const HOP_BY_HOP = 0;
const ROUTING = 43;
const ENCAPSULATION = 50;
const NO_NEXT = 59;
const DESTINATION_OPTIONS = 60;
export const PROTOCOL_MOBILITY = 135;

const PLAIN_ROUTING = { type: ROUTING, bytes: Buffer.from([0, 0, 2, 0, 0, 0, 0, 0]) };
const HEADER_NAMES = ["hop", "dst", "route", "frag", "auth", "esp", "none", "prot"];
/** Bits of a rule's mask, by name. */
const TYPES: Readonly<Record<string, number>> = { hop: 0, dst: 60, route: 43, frag: 44, auth: 51 };

export function randomIpv6header(random: Random): Condition {
  const names = random.some(HEADER_NAMES);
  const soft = random.chance(0.6);
  const inner = maybeNot(random, {
    text: `--header ${names.join(",")}`,
    aim: (packet) => {
      const headers = [...OTHER_HEADERS, PLAIN_ROUTING];
      packet.extensions = headers.filter(({ type }) => names.some((name) => TYPES[name] === type));
      if (random.chance(0.2)) packet.extensions = [...packet.extensions, random.pick(headers)];
      if (names.includes("esp")) packet.protocol = ENCAPSULATION;
      else if (names.includes("none")) packet.protocol = NO_NEXT;
    },
  });
  return together("-m ipv6header", [inner, ...(soft ? [{ text: "--soft", aim: () => undefined }] : [])]);
}

/** Type and length: padding of a byte and of several, router alert, and ones that are to be skipped by who knows them not. */
const OPTIONS = [
  [0, 0],
  [1, 0],
  [1, 2],
  [5, 2],
  [0x1e, 2],
  [0x1e, 4],
  [0x1f, 0],
] as const;
const LONGEST_PADDING = 5;

function optionBytes([type, length]: (typeof OPTIONS)[number]): number[] {
  return type === 0 ? [0] : [type, length, ...Array<number>(length).fill(0)];
}

/** Filled up to a multiple of eight with padding that Linux takes: it counts no more than seven bytes of it in a row. */
function optionsHeader(type: number, options: readonly (typeof OPTIONS)[number][]): ExtensionHeader {
  const body = options.flatMap(optionBytes);
  while ((body.length + 2) % 8 !== 0 && body.length < 2) body.push(0x1f, 0);
  const missing = (8 - ((body.length + 2) % 8)) % 8;
  if (missing > LONGEST_PADDING) body.push(0x1e, missing - 2, ...Array<number>(missing - 2).fill(0));
  else if (missing === 1) body.push(0);
  else if (missing > 1) body.push(1, missing - 2, ...Array<number>(missing - 2).fill(0));
  return { type, bytes: Buffer.from([0, (body.length + 2) / 8 - 1, ...body]) };
}

function randomOptions(random: Random): (typeof OPTIONS)[number][] {
  // Of paddings one: several in a row are more than Linux takes.
  const padding = random.pick(OPTIONS.filter(([type]) => type < 2));
  const others = Array.from({ length: random.below(4) }, () => random.pick(OPTIONS.filter(([type]) => type >= 2)));
  return random.chance(0.5) ? [padding, ...others] : others;
}

function randomHeaderOptions(random: Random, name: string, type: number): Condition {
  const options = randomOptions(random);
  const header = optionsHeader(type, options);
  const aim: Condition["aim"] = (packet) => {
    const shown = random.chance(0.3) ? optionsHeader(type, randomOptions(random)) : header;
    // What is for the destination alone nobody reads on the way: its lengths may lie.
    if (type === DESTINATION_OPTIONS && random.chance(0.2))
      shown.bytes[random.pick([1, 3])] = random.pick([0, 1, 6, 200]);
    const others = random.chance(0.3) ? [random.pick(OTHER_HEADERS.filter((other) => other.type !== HOP_BY_HOP))] : [];
    packet.extensions = [{ ...shown, bytes: Buffer.from(shown.bytes) }, ...others];
  };
  const parts: Condition[] = [];
  if (random.chance(0.5))
    parts.push(maybeNot(random, { text: `--${name}-len ${random.pick([header.bytes.length, 8, 16])}`, aim }));
  if (random.chance(0.7) || parts.length === 0) {
    const listed = options.length > 0 ? options : [random.pick(OPTIONS)];
    const some = listed.slice(0, random.between(1, listed.length));
    if (random.chance(0.15)) some.push(random.pick(OPTIONS));
    const text = some.map(([kind, length]) => (kind === 0 || random.chance(0.4) ? `${kind}` : `${kind}:${length}`));
    parts.push({ text: `--${name}-opts ${text.join(",")}`, aim });
  }
  return together(`-m ${name}`, parts);
}

export const randomHbh = (random: Random): Condition => randomHeaderOptions(random, "hbh", HOP_BY_HOP);
export const randomDst = (random: Random): Condition => randomHeaderOptions(random, "dst", DESTINATION_OPTIONS);

/** Behind `-p mobility-header`. A packet that no rule has made has data behind its header, which it may not have. */
export function randomMh(random: Random): Condition {
  const [min, max] = [random.below(9), random.below(9)].sort((a, b) => a - b) as [number, number];
  const inner = maybeNot(random, {
    text: `--mh-type ${random.chance(0.4) ? min : `${min}:${max}`}`,
    aim: (packet: Packet) => {
      packet.data = Buffer.from([random.chance(0.95) ? NO_NEXT : 6, 0, min, 0, 0, 0, 0, 0]);
    },
  });
  return together("-m mh", [inner]);
}

const NUMBERED = ["hdr-len", "segs-left", "last-entry"];

export function randomSrh(random: Random): Condition {
  const segments = Array.from({ length: random.between(1, 3) }, () => randomAddress(random, "ipv6"));
  const last = segments.length - 1;
  const left = random.between(0, last);
  const numbers = [2 * segments.length, left, last];
  const tag = random.pick([0, 1, 256, 0x1234]);
  const aim: Condition["aim"] = (packet) => {
    const listed = segments.map(addressBytes);
    const [leftShown, lastShown] = [
      random.chance(0.2) ? random.below(4) : left,
      random.chance(0.2) ? random.below(4) : last,
    ];
    const fixed = Buffer.from([
      0,
      2 * listed.length,
      random.chance(0.95) ? 4 : 2,
      leftShown,
      lastShown,
      0,
      tag & 255,
      tag >> 8,
    ]);
    const routing = { type: ROUTING, bytes: Buffer.concat([fixed, ...listed]) };
    packet.extensions = random.chance(0.3) ? [random.pick(OTHER_HEADERS), routing] : [routing];
  };
  const option = (text: string): Condition => maybeNot(random, { text: `--srh-${text}`, aim });
  const parts: Condition[] = [];
  NUMBERED.forEach((name, n) => {
    if (random.chance(0.4))
      parts.push(
        option(`${name}-${random.pick(["eq", "gt", "lt"])} ${(numbers[n] as number) + random.pick([0, 0, 1])}`),
      );
  });
  if (random.chance(0.2)) parts.push(option(`next-hdr ${random.pick([6, 17])}`));
  if (random.chance(0.3)) parts.push(option(`tag ${tag}`));
  for (const [name, n] of [
    ["psid", left + 1],
    ["nsid", left - 1],
    ["lsid", 0],
  ] as const)
    if (random.chance(0.3) || parts.length === 0)
      parts.push(option(`${name} ${segments[n] ?? randomAddress(random, "ipv6")}/${random.pick([128, 64, 16])}`));
  return together("-m srh", parts);
}
