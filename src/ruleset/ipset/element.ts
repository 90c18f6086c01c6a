/** Elements of sets between text and parts. One text may stand for many elements: ranges, networks of addresses, ports. */
import { Fault } from "../../extensions/fault.js";
import { addressOf, macOf, masked, numberedPorts, partText, portsOf, prefixOf, TCP, widthOf } from "./element-parts.js";
import type { ElementPart, SetHeader } from "./ip-set.js";
import { type Part, setType } from "./set-types.js";
import { numberOf, type Word } from "./words.js";

/** More elements than these are not made of one line. */
const MOST_ELEMENTS = 1 << 20;

export interface Element {
  readonly parts: readonly ElementPart[];
  readonly text: string;
}

/** @throws Fault with places in the line. */
export function elementsOf(word: Word, header: SetHeader): Element[] {
  const { parts } = setType(header.type);
  const words = cut(word, parts);
  let found: ElementPart[][] = [[]];
  for (const [n, part] of parts.entries()) {
    const own = words[n];
    if (!own) continue;
    const values = readPart(own, part, header);
    if (found.length * values.length > MOST_ELEMENTS)
      throw new Fault("bad-value", own.start, own.end, `at most ${MOST_ELEMENTS} elements`);
    found = found.flatMap((before) => values.map((value) => [...before, value]));
  }
  return found.map((one) => ({ parts: one, text: one.map(partText).join(",") }));
}

function cut(word: Word, parts: readonly Part[]): Word[] {
  const words: Word[] = [];
  let start = word.start;
  for (const text of word.text.split(",")) {
    words.push({ text, start, end: start + text.length });
    start += text.length + 1;
  }
  const needed = parts.filter(({ optional }) => !optional).length;
  if (words.length < needed || words.length > parts.length) {
    const expected = parts.map(({ kind, optional }) => (optional ? `[,${NAMES[kind]}]` : NAMES[kind])).join(",");
    throw new Fault("bad-value", word.start, word.end, `an element as ${expected.replace(",[", "[")}`);
  }
  return words;
}

const NAMES = {
  ip: "address",
  net: "network",
  port: "[protocol:]port",
  "plain-port": "port",
  device: "device",
  mac: "MAC address",
  mark: "mark",
  set: "name of a set",
} as const;

function readPart(word: Word, part: Part, header: SetHeader): ElementPart[] {
  switch (part.kind) {
    case "ip":
      return readIps(word, part, header);
    case "net":
      return readNets(word, part, header);
    case "port": {
      const { protocol, first, last } = portsOf(word, header.family);
      return ports(protocol, first, last);
    }
    case "plain-port": {
      const colon = word.text.indexOf(":");
      const { first, last } = colon < 0 ? numberedPorts(word, TCP) : portsOf(word, header.family);
      if (first < header.first || last > header.last)
        throw new Fault("bad-port", word.start, word.end, `a port from ${header.first} to ${header.last}`);
      return ports(0, first, last);
    }
    case "device":
      return [readDevice(word)];
    case "mac":
      return [{ kind: "mac", mac: macOf(word) }];
    case "mark": {
      const mark = numberOf(word.text);
      if (mark === undefined || mark > 0xffff_ffffn)
        throw new Fault("bad-number", word.start, word.end, "a mark of 32 bits");
      return [{ kind: "mark", mark: (Number(mark) & header.markmask) >>> 0 }];
    }
    case "set":
      return [{ kind: "set", name: word.text }];
  }
}

function ports(protocol: number, first: number, last: number): ElementPart[] {
  return Array.from({ length: last - first + 1 }, (_, n) => ({ kind: "port", protocol, port: first + n }));
}

const PHYSICAL = "physdev:";
const LONGEST_DEVICE = 15;

function readDevice(word: Word): ElementPart {
  const physical = word.text.startsWith(PHYSICAL);
  const name = physical ? word.text.slice(PHYSICAL.length) : word.text;
  if (name.length === 0 || name.length > LONGEST_DEVICE)
    throw new Fault("bad-interface", word.start, word.end, `a device's name of 1 to ${LONGEST_DEVICE} characters`);
  return { kind: "device", name, physical };
}

/** Words of `first-last` or `address/prefix`. */
function ends(word: Word): { first: Word; last?: Word; prefix?: Word } {
  const at = word.text.search(/[-/]/);
  if (at < 0) return { first: word };
  const first = { text: word.text.slice(0, at), start: word.start, end: word.start + at };
  const rest = { text: word.text.slice(at + 1), start: first.end + 1, end: word.end };
  return word.text[at] === "-" ? { first, last: rest } : { first, prefix: rest };
}

/** Single addresses, each under the set's mask. */
function readIps(word: Word, part: Part, header: SetHeader): ElementPart[] {
  const { family } = header;
  const full = 8 * widthOf(family);
  const { first, last, prefix } = ends(word);
  const address = addressOf(first, family);
  const bits = prefix ? prefixOf(prefix, 1, family) : full;
  if ((last || bits < full) && (family === "ipv6" || !part.ranged))
    throw new Fault("bad-address", word.start, word.end, "a single address");
  const kept = keptPart(address, word, header);
  if (!last && bits === full) return [kept];
  // Linux masks the first address and counts on from there: with a netmask, hash:ip in whole networks, a bitmap in steps.
  const from = toNumber(header.type === "bitmap:ip" ? address : kept.address);
  const least = last ? Math.min(from, toNumber(addressOf(last, family))) : toNumber(masked(fromNumber(from), bits));
  const end = last ? Math.max(from, toNumber(addressOf(last, family))) : least + 2 ** (full - bits) - 1;
  const stepped = header.netmask !== undefined && header.type !== "hash:ip,port";
  const step = stepped ? 2 ** (full - (header.netmask ?? full)) : 1;
  const start = header.type === "hash:ip" ? Math.floor(least / step) * step : least;
  if ((end - start) / step >= MOST_ELEMENTS)
    throw new Fault("bad-address", word.start, word.end, `at most ${MOST_ELEMENTS} addresses`);
  const found: ElementPart[] = [];
  for (let at = start; at <= end; at += step) {
    const one = fromNumber(at);
    found.push(stepped ? keptPart(one, word, header) : { ...kept, address: one });
  }
  return found;
}

type AddressPart = ElementPart & { kind: "address" };

function keptPart(address: Uint8Array, word: Word, header: SetHeader): AddressPart {
  const kept = keep(address, header);
  const refuse = (expected: string): never => {
    throw new Fault("bad-address", word.start, word.end, expected);
  };
  if ((header.type === "hash:ip" || header.type === "hash:ip,port") && kept.every((byte) => byte === 0))
    refuse("an address that is not zero");
  if (header.type.startsWith("bitmap") && (toNumber(address) < header.first || toNumber(address) > header.last))
    refuse("an address in the range of the set");
  return { kind: "address", address: kept, prefix: 8 * kept.length };
}

/** The address under the set's mask. */
function keep(address: Uint8Array, { netmask, bitmask }: SetHeader): Uint8Array {
  if (bitmask) return address.map((byte, i) => byte & (bitmask[i] as number));
  return netmask === undefined ? address : masked(address, netmask);
}

/** Networks; a range is the fewest that make it up. */
function readNets(word: Word, part: Part, header: SetHeader): ElementPart[] {
  const { family } = header;
  const full = 8 * widthOf(family);
  const { first, last, prefix } = ends(word);
  const address = addressOf(first, family);
  if (!last) {
    const bits = prefix ? prefixOf(prefix, part.everything ? 0 : 1, family) : full;
    return [{ kind: "address", address: keep(masked(address, bits), header), prefix: bits }];
  }
  if (family === "ipv6") throw new Fault("bad-address", word.start, word.end, "a network, as IPv6 has no ranges here");
  const [low, high] = [toNumber(address), toNumber(addressOf(last, family))];
  const nets: ElementPart[] = [];
  for (let at = Math.min(low, high), end = Math.max(low, high); at <= end; ) {
    let bits = 32;
    while (bits > 1 && at % 2 ** (33 - bits) === 0 && at + 2 ** (33 - bits) - 1 <= end) bits--;
    nets.push({ kind: "address", address: fromNumber(at), prefix: bits });
    at += 2 ** (32 - bits);
  }
  return nets;
}

/** Of an IPv4 address. */
export function toNumber(address: Uint8Array): number {
  return address.reduce((value, byte) => 256 * value + byte, 0);
}

export function fromNumber(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}
