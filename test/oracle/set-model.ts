/**
 * Sets as lists of elements that are looked through from the first to the last: what ipset's types mean, and nothing of how
 * they are kept. Source: net/netfilter/ipset, and what the kernel answered where that was not clear.
 */
import { type IpSets, parseSets } from "../../src/ruleset/ipset/apply-sets.js";
import { masked, partText } from "../../src/ruleset/ipset/element-parts.js";
import type { ElementPart, IpSet, SetEntry, SetHeader } from "../../src/ruleset/ipset/ip-set.js";
import { setType } from "../../src/ruleset/ipset/set-types.js";
import { partsOf } from "./set-parts.js";
import type { Walk } from "./walk.js";

export interface Element {
  parts: ElementPart[];
  nomatch: boolean;
  wildcard: boolean;
  /** Milliseconds, 0 never. Of an address that waits for its MAC address: seconds. */
  end: number;
  packets: bigint;
  bytes: bigint;
  entry: SetEntry;
}

export interface ModelSet {
  readonly header: SetHeader;
  elements: Element[];
}

export type ModelSets = Map<string, ModelSet>;

/** What a rule says of a set. */
export interface Naming {
  readonly directions: number;
  readonly dimensions: number;
  readonly returnNomatch?: boolean;
  readonly skipsCounters?: boolean;
  readonly skipsSubcounters?: boolean;
  /** Asks about an element's counters. */
  readonly asks?: ((packets: bigint, bytes: bigint) => boolean) | undefined;
  readonly timeout?: number | undefined;
  readonly exist?: boolean;
}

export function modelSets(text: string): ModelSets {
  const sets: ModelSets = new Map();
  for (const [name, set] of parseSets(text)) sets.set(name, modelSet(set));
  return sets;
}

function modelSet({ entries, ...header }: IpSet): ModelSet {
  const waits = (entry: SetEntry): boolean => header.type === "bitmap:ip,mac" && entry.parts.length === 1;
  const elements = Array.from(entries.values(), (entry) => ({
    parts: [...entry.parts],
    nomatch: entry.nomatch,
    wildcard: entry.wildcard,
    end: (entry.timeout ?? 0) * (waits(entry) ? 1 : 1000),
    packets: entry.packets,
    bytes: entry.bytes,
    entry,
  }));
  return { header, elements };
}

/** The other way, at `now`, to be printed. */
export function savedSets(sets: ModelSets, now: number): IpSets {
  const saved: IpSets = new Map();
  for (const [name, { header, elements }] of sets) {
    const entries = new Map<string, SetEntry>();
    for (const [n, { parts, nomatch, wildcard, end, packets, bytes, entry }] of elements.entries()) {
      const waits = header.type === "bitmap:ip,mac" && parts.length === 1;
      if (!waits && end !== 0 && now > end) continue;
      const left = end === 0 ? 0 : Math.max(1, Math.floor((end - now) / 1000));
      const timeout = header.timeout === undefined ? undefined : waits ? end : left;
      const text = parts.map(partText).join(",");
      entries.set(`${n}`, { ...entry, parts, text, nomatch, wildcard, packets, bytes, timeout });
    }
    saved.set(name, { ...header, entries });
  }
  return saved;
}

/** The element that the packet is in, and whether as an exception; its members' first for a list. Counts. */
export function testPacket(sets: ModelSets, set: ModelSet, naming: Naming, walk: Walk): Element | undefined {
  const { header } = set;
  if (!fits(header, naming, walk)) return undefined;
  if (header.type === "list:set") {
    const skipsCounters = naming.skipsCounters === true || naming.skipsSubcounters === true;
    const forMembers = { ...naming, asks: undefined, skipsCounters };
    return set.elements.find(
      (member) => testPacket(sets, memberOf(sets, member), forMembers, walk) && counts(header, member, naming, walk),
    );
  }
  const parts = partsOf(header, naming, walk);
  if (!parts) return undefined;
  if (header.type === "bitmap:ip,mac") {
    const waiting = set.elements.find((one) => one.parts.length === 1 && samePart(one.parts[0], parts[0]));
    if (waiting) {
      complete(header, waiting, parts, walk);
      return waiting;
    }
  }
  let passed = "";
  for (const element of candidates(header, set.elements, parts)) {
    const net = element.parts.flatMap((part) => (part.kind === "address" ? [part.prefix] : [])).join();
    // A net that is there with another device hides wider ones.
    if (header.type === "hash:net,iface" && passed !== "" && passed !== net) break;
    const device = element.parts[1];
    if (device?.kind === "device" && device.physical) continue;
    if (header.type === "hash:net,iface" && !sameDevice(element, parts[1])) {
      passed = net;
      continue;
    }
    if (!counts(header, element, naming, walk)) continue;
    const exception = element.nomatch !== (naming.returnNomatch === true && setType(header.type).nomatch);
    return exception ? undefined : element;
  }
  return undefined;
}

/** Whether it was added. */
export function addPacket(sets: ModelSets, set: ModelSet, naming: Naming, walk: Walk): boolean {
  const { header } = set;
  const { time, length } = walk.packet;
  if (!fits(header, naming, walk)) return false;
  if (header.type === "list:set")
    return set.elements.some((one) => !isOver(one, time) && addPacket(sets, memberOf(sets, one), naming, walk));
  const parts = partsOf(header, naming, walk);
  if (!parts) return false;
  narrow(set, parts);
  const seconds = naming.timeout ?? header.timeout ?? 0;
  const there = find(set, parts);
  if (there && there.parts.length < parts.length) {
    complete(header, there, parts, walk, seconds);
    return true;
  }
  if (there && !naming.exist && !isOver(there, time)) return false;
  if (
    !there &&
    header.type.startsWith("hash") &&
    set.elements.filter((one) => !isOver(one, time)).length >= header.maxelem
  )
    return false;
  const element = there ?? { entry: BLANK, parts, wildcard: false, nomatch: false, end: 0, packets: 0n, bytes: 0n };
  const end = header.timeout === undefined || seconds === 0 ? 0 : time + 1000 * seconds;
  const kept = there && header.type !== "bitmap:ip,mac" ? there.parts : parts;
  Object.assign(element, { parts: kept, nomatch: false, end, packets: 1n, bytes: BigInt(length), entry: BLANK });
  if (!there) set.elements.push(element);
  return true;
}

/** Whether it was there. */
export function deletePacket(sets: ModelSets, set: ModelSet, naming: Naming, walk: Walk): boolean {
  const { header } = set;
  const { time } = walk.packet;
  if (!fits(header, naming, walk)) return false;
  if (header.type === "list:set")
    return set.elements.some((one) => !isOver(one, time) && deletePacket(sets, memberOf(sets, one), naming, walk));
  const parts = partsOf(header, naming, walk);
  if (!parts) return false;
  narrow(set, parts);
  const there = find(set, parts);
  if (!there) return false;
  const waits = there.parts.length < parts.length;
  const over = isOver(there, time);
  if (!over || header.type.startsWith("bitmap")) set.elements = set.elements.filter((one) => one !== there);
  return waits ? there.end === 0 : !over;
}

const BLANK: SetEntry = {
  parts: [],
  text: "",
  key: "",
  nomatch: false,
  wildcard: false,
  timeout: 0,
  packets: 0n,
  bytes: 0n,
  comment: undefined,
  mark: 0,
  markMask: 0,
  priority: 0,
  queue: 0,
};

const isOver = ({ end }: Element, now: number): boolean => end !== 0 && now > end;

function memberOf(sets: ModelSets, member: Element): ModelSet {
  const [part] = member.parts;
  return sets.get(part?.kind === "set" ? part.name : "") as ModelSet;
}

function fits(header: SetHeader, { dimensions }: Naming, { packet }: Walk): boolean {
  const { parts, options } = setType(header.type);
  const either =
    !(options as readonly string[]).includes("family") &&
    header.type !== "bitmap:ip" &&
    header.type !== "bitmap:ip,mac";
  return dimensions >= parts.length && (either || header.family === packet.family);
}

function counts({ timeout, counters }: SetHeader, element: Element, naming: Naming, { packet }: Walk): boolean {
  if (timeout !== undefined && isOver(element, packet.time)) return false;
  if (!counters) return true;
  if (!naming.skipsCounters) {
    element.packets++;
    element.bytes += BigInt(packet.length);
  }
  return !naming.asks || naming.asks(element.packets, element.bytes);
}

/** An address gets its MAC address; its time begins. */
function complete(
  header: SetHeader,
  element: Element,
  parts: ElementPart[],
  { packet }: Walk,
  seconds = header.timeout,
): void {
  const lives = seconds === header.timeout ? element.end : (seconds ?? 0);
  const end = header.timeout === undefined || lives === 0 ? 0 : packet.time + 1000 * lives;
  Object.assign(element, { parts, end, packets: 1n, bytes: BigInt(packet.length), entry: BLANK });
}

/** Nets of a packet that is added or deleted: the longest prefixes that the set has. */
function narrow({ header, elements }: ModelSet, parts: ElementPart[]): void {
  for (const [n, { kind }] of setType(header.type).parts.entries()) {
    const part = parts[n];
    if (kind !== "net" || part?.kind !== "address") continue;
    const prefixes = elements.flatMap(({ parts: own }) => (own[n]?.kind === "address" ? [own[n].prefix] : []));
    const prefix = prefixes.length > 0 ? Math.max(...prefixes) : 8 * part.address.length;
    parts[n] = { kind: "address", address: masked(part.address, prefix), prefix };
  }
}

/** The same element: of hash:net,iface the first whose device is meant, of bitmap:ip,mac by the address alone. */
function find({ header, elements }: ModelSet, parts: readonly ElementPart[]): Element | undefined {
  return elements.find((one) =>
    one.parts.every((part, n) => {
      if (part.kind === "device") return !part.physical && sameDevice(one, parts[n]);
      return (part.kind === "mac" && header.type === "bitmap:ip,mac") || samePart(part, parts[n]);
    }),
  );
}

/** Elements that cover the packet, those of longer prefixes first; devices are not compared. */
function candidates(header: SetHeader, elements: readonly Element[], parts: readonly ElementPart[]): Element[] {
  const prefixes = ({ parts: own }: Element): number[] =>
    own.flatMap((part, n) =>
      part.kind === "address" && setType(header.type).parts[n]?.kind === "net" ? [part.prefix] : [],
    );
  return elements
    .filter(({ parts: own }) => own.every((part, n) => part.kind === "device" || covers(part, parts[n])))
    .sort((a, b) => {
      const [first, second] = [prefixes(a), prefixes(b)];
      return (second[0] ?? 0) - (first[0] ?? 0) || (second[1] ?? 0) - (first[1] ?? 0);
    });
}

function covers(part: ElementPart, other: ElementPart | undefined): boolean {
  if (part.kind !== "address" || other?.kind !== "address") return samePart(part, other);
  return String(masked(other.address, part.prefix)) === String(part.address);
}

function samePart(a: ElementPart | undefined, b: ElementPart | undefined): boolean {
  return a !== undefined && b !== undefined && a.kind === b.kind && partText(a) === partText(b);
}

function sameDevice({ parts, wildcard }: Element, other: ElementPart | undefined): boolean {
  const own = parts.find(({ kind }) => kind === "device");
  if (own?.kind !== "device" || other?.kind !== "device") return false;
  return wildcard ? other.name.startsWith(own.name) : other.name === own.name;
}
