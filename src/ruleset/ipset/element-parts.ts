/** Parts of elements between text and their values. */
import { Fault } from "../../extensions/fault.js";
import { ByteWriter } from "../../extensions/byte-writer.js";
import { printAddress, readAddress, writePrefixMask } from "../../extensions/values/address.js";
import { ANY_ICMP_TYPE, ICMP_NAMES, ICMPV6_NAMES, type IcmpName } from "../../extensions/values/icmp-types.js";
import { protocolName, protocolNumber } from "../../extensions/values/protocols.js";
import { servicePort } from "../../extensions/values/services.js";
import type { Family } from "../row-store.js";
import type { ElementPart } from "./ip-set.js";
import { numberOf, type Word } from "./words.js";

export const TCP = 6;
export const ICMP = 1;
export const ICMPV6 = 58;
const WITH_PORTS: readonly number[] = [TCP, 17, 132, 136];
const SERVICES: Readonly<Record<number, "tcp" | "udp">> = { [TCP]: "tcp", 17: "udp" };

export const widthOf = (family: Family): 4 | 16 => (family === "ipv4" ? 4 : 16);

export function addressOf(word: Word, family: Family): Uint8Array {
  const out = new Uint8Array(16);
  const bytes = new TextEncoder().encode(word.text);
  const width = widthOf(family);
  if (!readAddress(bytes, 0, bytes.length, width, out, 0))
    throw new Fault("bad-address", word.start, word.end, family === "ipv4" ? "an IPv4 address" : "an IPv6 address");
  return out.slice(0, width);
}

export function prefixOf(word: Word, least: number, family: Family): number {
  const full = 8 * widthOf(family);
  const value = /^\d{1,3}$/.test(word.text) ? Number(word.text) : -1;
  if (value < least || value > full)
    throw new Fault("bad-mask", word.start, word.end, `a prefix length from ${least} to ${full}`);
  return value;
}

/** The address with all but its first bits zero. */
export function masked(address: Uint8Array, prefix: number): Uint8Array {
  const mask = new Uint8Array(address.length);
  writePrefixMask(prefix, address.length, mask, 0);
  return address.map((byte, i) => byte & (mask[i] as number));
}

export function macOf(word: Word): Uint8Array {
  const parts = word.text.split(":");
  if (parts.length !== 6 || !parts.every((part) => /^[0-9a-fA-F]{1,2}$/.test(part)))
    throw new Fault("bad-mac-address", word.start, word.end, "six hexadecimal bytes with colons between them");
  return Uint8Array.from(parts, (part) => Number.parseInt(part, 16));
}

/** Protocol, first and last port of `[protocol:]port[-port]`. */
export interface PortRange {
  readonly protocol: number;
  readonly first: number;
  readonly last: number;
}

export function portsOf(word: Word, family: Family): PortRange {
  const colon = word.text.indexOf(":");
  if (colon < 0) return { protocol: TCP, ...numberedPorts(word, TCP) };
  const name = word.text.slice(0, colon);
  const number = /^\d+$/.test(name) ? Number(name) : protocolNumber(name.toLowerCase());
  if (!(number > 0 && number < 256))
    throw new Fault("bad-protocol", word.start, word.start + colon, "the name or number of a protocol");
  const rest = { text: word.text.slice(colon + 1), start: word.start + colon + 1, end: word.end };
  if (WITH_PORTS.includes(number)) return { protocol: number, ...numberedPorts(rest, number) };
  if (number === ICMP || number === ICMPV6) {
    if ((number === ICMP) !== (family === "ipv4"))
      throw new Fault("wrong-protocol", word.start, word.end, `a protocol of ${family}`);
    const type = icmpOf(rest, number === ICMP ? ICMP_CODES : ICMPV6_CODES);
    return { protocol: number, first: type, last: type };
  }
  if (rest.text !== "0") throw new Fault("bad-port", rest.start, rest.end, "0, as the protocol has no ports");
  return { protocol: number, first: 0, last: 0 };
}

export function numberedPorts(word: Word, protocol: number): { first: number; last: number } {
  const single = portOf(word.text, protocol);
  if (single >= 0) return { first: single, last: single };
  const dash = word.text.indexOf("-");
  const ends =
    dash < 0 ? [-1, -1] : [portOf(word.text.slice(0, dash), protocol), portOf(word.text.slice(dash + 1), protocol)];
  if (ends.some((end) => end < 0))
    throw new Fault(
      "bad-port",
      word.start,
      word.end,
      "a number from 0 to 65535, the name of a service, or two with a dash",
    );
  return { first: Math.min(...ends), last: Math.max(...ends) };
}

function portOf(text: string, protocol: number): number {
  const number = numberOf(text);
  if (number !== undefined) return number <= 65_535n ? Number(number) : -1;
  const service = SERVICES[protocol];
  return service ? servicePort(text, service) : -1;
}

/** A type and a code that have a name: those of iptables' names that stand for one code. */
interface IcmpCode {
  readonly name: string;
  readonly port: number;
}

function codesOf(names: readonly IcmpName[], ranged: readonly number[], unnamed: readonly number[]): IcmpCode[] {
  return names
    .filter(([, type, first, last]) => type !== ANY_ICMP_TYPE && (first === last || !ranged.includes(type)))
    .map(([name, type, first]) => ({ name, port: 256 * type + first }))
    .filter(({ port }) => !unnamed.includes(port));
}

/** Types of several codes, and codes that ipset has no name for. */
const ICMP_CODES = codesOf(ICMP_NAMES, [3, 5, 11, 12], []);
const ICMPV6_CODES = codesOf(ICMPV6_NAMES, [1, 3, 4], [256 + 2, 256 + 5, 256 + 6]);

function icmpOf(word: Word, codes: readonly IcmpCode[]): number {
  const known = codes.find(({ name }) => name === word.text);
  if (known) return known.port;
  const [, type = "", code = ""] = /^(\d{1,3})\/(\d{1,3})$/.exec(word.text) ?? [];
  if (type === "" || Number(type) > 255 || Number(code) > 255)
    throw new Fault("bad-value", word.start, word.end, "an ICMP type and code by name or as type/code");
  return 256 * Number(type) + Number(code);
}

/** As ipset prints it. */
export function partText(part: ElementPart): string {
  switch (part.kind) {
    case "address":
      return addressText(part.address) + (part.prefix === 8 * part.address.length ? "" : `/${part.prefix}`);
    case "port":
      return part.protocol === 0 ? `${part.port}` : portText(part.protocol, part.port);
    case "device":
      return part.physical ? `physdev:${part.name}` : part.name;
    case "mac":
      return Array.from(part.mac, (byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(":");
    case "mark":
      return `0x${part.mark.toString(16).padStart(8, "0")}`;
    case "set":
      return part.name;
  }
}

export function addressText(address: Uint8Array): string {
  // A writer of bytes for every address of a large set would be most of the work.
  if (address.length === 4) return address.join(".");
  const out = new ByteWriter();
  printAddress(out, address, 0, 16);
  return out.toString();
}

function portText(protocol: number, port: number): string {
  const name = protocolName(protocol) ?? `${protocol}`;
  if (protocol !== ICMP && protocol !== ICMPV6) return `${name}:${port}`;
  const known = (protocol === ICMP ? ICMP_CODES : ICMPV6_CODES).find((code) => code.port === port);
  return `${name}:${known?.name ?? `${port >> 8}/${port & 255}`}`;
}
