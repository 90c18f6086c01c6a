/** Sets and their elements between TypeScript and the records of blob/sets.ts. */
import { FAMILY_IPV4, FAMILY_IPV6 } from "../blob/layout.js";
import * as S from "../blob/sets.js";
import { masked, partText } from "../ruleset/ipset/element-parts.js";
import type { Beside, ElementPart, SetEntry, SetHeader } from "../ruleset/ipset/ip-set.js";
import { type PartKind, SET_TYPE_NAMES, setType } from "../ruleset/ipset/set-types.js";
import { nameAt } from "./name-text.js";

const PARTS: Readonly<Record<PartKind, number>> = {
  ip: S.PART_IP,
  net: S.PART_NET,
  port: S.PART_PORT,
  "plain-port": S.PART_PLAIN_PORT,
  device: S.PART_DEVICE,
  mac: S.PART_MAC,
  mark: S.PART_MARK,
  set: 0,
};

/** Flags of a set and the fields that hold them. */
const OPTIONS = [
  ["counters", S.OPTION_COUNTERS],
  ["comment", S.OPTION_COMMENT],
  ["skbinfo", S.OPTION_INFO],
  ["forceadd", S.OPTION_FORCEADD],
] as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** IPv6 keys hold addresses as vectors of their own. */
const isWide = ({ type, family }: SetHeader): boolean =>
  family === "ipv6" && (setType(type).options as readonly string[]).includes("family");

const kindsOf = (header: SetHeader): PartKind[] => setType(header.type).parts.map(({ kind }) => kind);
const isAddress = (kind: PartKind): boolean => kind === "ip" || kind === "net";

export function writeName(view: DataView, at: number, name: string): void {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, S.IPSET_NAME_BYTES);
  bytes.fill(0);
  bytes.set(encoder.encode(name).subarray(0, S.IPSET_NAME_BYTES - 1));
}

export function readName(view: DataView, at: number): string {
  return nameAt(view, at, S.IPSET_NAME_BYTES);
}

/** Lays out how a set is made: the first BODY_MADE_SIZE bytes of its body. */
export function writeMade(view: DataView, at: number, header: SetHeader): void {
  new Uint8Array(view.buffer, at, S.BODY_MADE_SIZE).fill(0);
  const kinds = kindsOf(header);
  const nets = kinds.filter(isAddress).reduce((bits, kind, n) => bits | (kind === "net" ? 1 << n : 0), 0);
  const { options } = setType(header.type);
  const hasFamily = (options as readonly string[]).includes("family");
  const family = header.type === "bitmap:ip" || header.type === "bitmap:ip,mac" ? FAMILY_IPV4 : 0;
  const kind =
    header.type === "list:set" ? S.BODY_LIST : header.type.startsWith("bitmap") ? S.BODY_BITMAP : S.BODY_HASH;
  view.setUint8(at + S.BODY_TYPE, SET_TYPE_NAMES.indexOf(header.type));
  view.setUint8(at + S.BODY_KIND, kind);
  view.setUint8(at + S.BODY_DIMENSIONS, kinds.length);
  view.setUint8(at + S.BODY_FAMILY, hasFamily ? (header.family === "ipv4" ? FAMILY_IPV4 : FAMILY_IPV6) : family);
  view.setUint32(
    at + S.BODY_PARTS,
    kinds.reduce((bits, one, n) => bits | (PARTS[one] << (4 * n)), 0),
    true,
  );
  view.setUint8(at + S.BODY_NETS, nets);
  view.setUint8(at + S.BODY_VECTORS, vectorsOf(header));
  let bits = OPTIONS.reduce((all, [name, bit]) => all | (header[name] ? bit : 0), 0);
  if (header.timeout !== undefined) bits |= S.OPTION_TIMEOUT;
  if (header.netmask !== undefined) bits |= S.OPTION_NETMASK;
  if (header.bitmask) bits |= S.OPTION_BITMASK;
  if (header.initval !== undefined) bits |= S.OPTION_INITVAL;
  view.setUint32(at + S.BODY_OPTIONS, bits, true);
  view.setUint32(at + S.BODY_HASHSIZE, header.hashsize, true);
  view.setUint32(at + S.BODY_MAXELEM, header.maxelem, true);
  view.setUint8(at + S.BODY_NETMASK, header.netmask ?? 0);
  view.setUint8(at + S.BODY_BUCKETSIZE, header.bucketsize);
  view.setUint32(at + S.BODY_MARKMASK, header.markmask, true);
  view.setUint32(at + S.BODY_TIMEOUT, header.timeout ?? 0, true);
  view.setUint32(at + S.BODY_INITVAL, header.initval ?? 0, true);
  view.setUint32(at + S.BODY_FIRST, header.first, true);
  view.setUint32(at + S.BODY_LAST, header.last, true);
  view.setUint32(at + S.BODY_LIST_SIZE, header.size, true);
  new Uint8Array(view.buffer, at + S.BODY_MASK, 16).set(keptBits(header));
}

/** Bits of addresses that the set keeps: of a bitmap all, as its elements stand for several. */
function keptBits(header: SetHeader): Uint8Array {
  const all = new Uint8Array(16).fill(255);
  if (header.bitmask) all.set(header.bitmask);
  else if (header.netmask !== undefined && header.type !== "bitmap:ip") return masked(all, header.netmask);
  return all;
}

function vectorsOf(header: SetHeader): number {
  const kinds = kindsOf(header);
  const extra = kinds.includes("device") ? 1 : 0;
  return isWide(header) ? 1 + kinds.filter(isAddress).length + extra : 1 + extra;
}

/** How the set of this body was made. */
export function readMade(view: DataView, body: number, name: string): SetHeader {
  const bits = view.getUint32(body + S.BODY_OPTIONS, true);
  const type = SET_TYPE_NAMES[view.getUint8(body + S.BODY_TYPE)];
  if (!type) throw new Error("no body of a set at this address");
  const family = view.getUint8(body + S.BODY_FAMILY) === FAMILY_IPV6 ? "ipv6" : "ipv4";
  const mask = new Uint8Array(view.buffer, body + S.BODY_MASK, family === "ipv4" ? 4 : 16).slice();
  return {
    name,
    type,
    family,
    hashsize: view.getUint32(body + S.BODY_HASHSIZE, true),
    maxelem: view.getUint32(body + S.BODY_MAXELEM, true),
    netmask: bits & S.OPTION_NETMASK ? view.getUint8(body + S.BODY_NETMASK) : undefined,
    bitmask: bits & S.OPTION_BITMASK ? mask : undefined,
    markmask: view.getUint32(body + S.BODY_MARKMASK, true),
    timeout: bits & S.OPTION_TIMEOUT ? view.getUint32(body + S.BODY_TIMEOUT, true) : undefined,
    counters: (bits & S.OPTION_COUNTERS) !== 0,
    comment: (bits & S.OPTION_COMMENT) !== 0,
    skbinfo: (bits & S.OPTION_INFO) !== 0,
    forceadd: (bits & S.OPTION_FORCEADD) !== 0,
    bucketsize: view.getUint8(body + S.BODY_BUCKETSIZE),
    initval: bits & S.OPTION_INITVAL ? view.getUint32(body + S.BODY_INITVAL, true) : undefined,
    first: view.getUint32(body + S.BODY_FIRST, true),
    last: view.getUint32(body + S.BODY_LAST, true),
    size: view.getUint32(body + S.BODY_LIST_SIZE, true),
  };
}

export interface ElementDetails {
  readonly exist?: boolean;
  readonly packets?: boolean;
  readonly bytes?: boolean;
  readonly beside?: Beside | undefined;
}

/** Lays out an element. */
export function writeElement(
  view: DataView,
  at: number,
  header: SetHeader,
  entry: SetEntry,
  details: ElementDetails = {},
): void {
  new Uint8Array(view.buffer, at, S.ELEMENT_SIZE).fill(0);
  writeKey(view, at, header, entry.parts);
  let flags = entry.nomatch ? S.ELEMENT_NOMATCH : 0;
  if (entry.wildcard) flags |= S.ELEMENT_WILDCARD;
  if (entry.parts.some(({ kind }) => kind === "mac")) flags |= S.ELEMENT_HAS_MAC;
  if (details.packets) flags |= S.ELEMENT_HAS_PACKETS;
  if (details.bytes) flags |= S.ELEMENT_HAS_BYTES;
  if (details.exist) flags |= S.ELEMENT_EXIST;
  if (details.beside) {
    flags |= details.beside.side === "before" ? S.ELEMENT_BEFORE : S.ELEMENT_AFTER;
    writeName(view, at + S.ELEMENT_BESIDE, details.beside.name);
  }
  view.setUint32(at + S.ELEMENT_FLAGS, flags, true);
  view.setUint32(at + S.ELEMENT_TIMEOUT, entry.timeout ?? 0, true);
  view.setBigUint64(at + S.ELEMENT_PACKETS, entry.packets, true);
  view.setBigUint64(at + S.ELEMENT_BYTES, entry.bytes, true);
  view.setUint32(at + S.ELEMENT_MARK, entry.mark, true);
  view.setUint32(at + S.ELEMENT_MARK_MASK, entry.markMask, true);
  view.setUint32(at + S.ELEMENT_PRIORITY, entry.priority, true);
  view.setUint32(at + S.ELEMENT_QUEUE, entry.queue, true);
  if (entry.comment === undefined) return;
  const comment = encoder.encode(entry.comment).subarray(0, S.ELEMENT_COMMENT_BYTES - 1);
  view.setUint8(at + S.ELEMENT_COMMENT, comment.length);
  new Uint8Array(view.buffer, at + S.ELEMENT_COMMENT + 1, comment.length).set(comment);
}

/** Where the parts of a key lie. */
function places(header: SetHeader): { addresses: readonly number[]; device: number } {
  if (!isWide(header)) return { addresses: [S.KEY_ADDRESS, S.KEY_SECOND], device: S.KEY_VECTORS };
  return { addresses: [S.KEY_VECTORS, S.KEY_VECTORS + 16], device: S.KEY_VECTORS + 16 };
}

function writeKey(view: DataView, at: number, header: SetHeader, parts: readonly ElementPart[]): void {
  const { addresses, device } = places(header);
  const kinds = kindsOf(header);
  const bytes = new Uint8Array(view.buffer, at, S.KEY_SIZE);
  let address = 0;
  let net = 0;
  for (const [n, part] of parts.entries())
    switch (part.kind) {
      case "address":
        bytes.set(part.address, addresses[address++] as number);
        if (kinds[n] === "net") bytes[S.KEY_PREFIX + net++] = part.prefix;
        break;
      case "port":
        view.setUint16(at + S.KEY_PORT, part.port, true);
        bytes[S.KEY_PROTOCOL] = part.protocol;
        break;
      case "mac":
        bytes.set(part.mac, S.KEY_MAC);
        break;
      case "mark":
        view.setUint32(at + S.KEY_SECOND, part.mark, true);
        break;
      case "device":
        bytes.set(encoder.encode(part.name), device);
        bytes[S.KEY_PHYSICAL] = part.physical ? 1 : 0;
        break;
      case "set":
        writeName(view, at + S.ELEMENT_KEY, part.name);
    }
}

/** The element that is laid out at `at`. */
export function readElement(view: DataView, at: number, header: SetHeader): SetEntry {
  const flags = view.getUint32(at + S.ELEMENT_FLAGS, true);
  const parts = readKey(view, at, header, (flags & S.ELEMENT_HAS_MAC) !== 0);
  const text = parts.map(partText).join(",");
  const length = view.getUint8(at + S.ELEMENT_COMMENT);
  const comment = new Uint8Array(view.buffer, at + S.ELEMENT_COMMENT + 1, length).slice();
  return {
    parts,
    text,
    key: header.type === "bitmap:ip,mac" ? (text.split(",")[0] as string) : text,
    nomatch: (flags & S.ELEMENT_NOMATCH) !== 0,
    wildcard: (flags & S.ELEMENT_WILDCARD) !== 0,
    timeout: header.timeout === undefined ? undefined : view.getUint32(at + S.ELEMENT_TIMEOUT, true),
    packets: view.getBigUint64(at + S.ELEMENT_PACKETS, true),
    bytes: view.getBigUint64(at + S.ELEMENT_BYTES, true),
    comment: length > 0 ? decoder.decode(comment) : undefined,
    mark: view.getUint32(at + S.ELEMENT_MARK, true),
    markMask: view.getUint32(at + S.ELEMENT_MARK_MASK, true),
    priority: view.getUint32(at + S.ELEMENT_PRIORITY, true),
    queue: view.getUint32(at + S.ELEMENT_QUEUE, true),
  };
}

function readKey(view: DataView, at: number, header: SetHeader, hasMac: boolean): ElementPart[] {
  const { addresses, device } = places(header);
  const bytes = new Uint8Array(view.buffer, at, S.KEY_SIZE).slice();
  const width = isWide(header) ? 16 : 4;
  let address = 0;
  let net = 0;
  const parts: ElementPart[] = [];
  for (const kind of kindsOf(header))
    switch (kind) {
      case "ip":
      case "net": {
        const from = addresses[address++] as number;
        const prefix = kind === "net" ? (bytes[S.KEY_PREFIX + net++] as number) : 8 * width;
        parts.push({ kind: "address", address: bytes.slice(from, from + width), prefix });
        break;
      }
      case "port":
      case "plain-port": {
        const port = view.getUint16(at + S.KEY_PORT, true);
        parts.push({ kind: "port", protocol: bytes[S.KEY_PROTOCOL] as number, port });
        break;
      }
      case "mac":
        if (hasMac || header.type !== "bitmap:ip,mac")
          parts.push({ kind: "mac", mac: bytes.slice(S.KEY_MAC, S.KEY_MAC + 6) });
        break;
      case "mark":
        parts.push({ kind: "mark", mark: view.getUint32(at + S.KEY_SECOND, true) });
        break;
      case "device":
        parts.push({ kind: "device", name: nameOf(bytes.subarray(device)), physical: bytes[S.KEY_PHYSICAL] === 1 });
        break;
      case "set":
        parts.push({ kind: "set", name: readName(view, at + S.ELEMENT_KEY) });
    }
  return parts;
}

/** Up to the first zero, of a device's at most 15 characters. */
function nameOf(bytes: Uint8Array): string {
  const end = bytes.subarray(0, 15).indexOf(0);
  return decoder.decode(bytes.subarray(0, end < 0 ? 15 : end));
}
