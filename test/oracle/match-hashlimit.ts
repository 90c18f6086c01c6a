/** hashlimit: net/netfilter/xt_hashlimit.c, revision 3, with a tick of one millisecond (HZ 1000), on the packet's clock. */
import { PACKET_FLAG_ODD } from "../../src/blob/layout.js";
import {
  HASHLIMIT_AVERAGE,
  HASHLIMIT_BUCKETS,
  HASHLIMIT_BURST,
  HASHLIMIT_COLLECT,
  HASHLIMIT_DESTINATION_PREFIX,
  HASHLIMIT_EXPIRE,
  HASHLIMIT_INTERVAL,
  HASHLIMIT_MAX,
  HASHLIMIT_MODE,
  HASHLIMIT_NAME,
  HASHLIMIT_NAME_BYTES,
  HASHLIMIT_SOURCE_PREFIX,
} from "../../src/blob/payloads.js";
import { transportStart } from "./headers.js";
import type { Packet } from "./packet.js";
import type { RecordView } from "./rule.js";
import type { Walk } from "./walk.js";

interface Settings {
  readonly mode: number;
  readonly average: bigint;
  readonly burst: bigint;
  /** Milliseconds. */
  readonly collect: number;
  readonly expire: number;
  /** Seconds. */
  readonly interval: number;
  readonly maximum: number;
  readonly sourcePrefix: number;
  readonly destinationPrefix: number;
}

interface Entry {
  expires: number;
  previous: number;
  credit: bigint;
  /** Packets: the most credit. Bytes: how often it may be filled up. */
  cap: bigint;
  /** Rate match. */
  seen: bigint;
  wasOver: boolean;
}

export interface HashTable {
  /** Of the first rule that names the table. */
  readonly settings: Settings;
  readonly entries: Map<string, Entry>;
}

const BY_DESTINATION = 1;
const BY_DESTINATION_PORT = 2;
const BY_SOURCE = 4;
const BY_SOURCE_PORT = 8;
const ABOVE = 16;
const BYTES = 32;
const RATE_MATCH = 64;

const TICKS_A_SECOND = 1000n;
/** POW2_BELOW64 of MAX_CPJ, and POW2_BELOW32 of MAX_CPJ_BYTES. */
const CREDITS_A_TICK = 1n << 37n;
const BYTE_CREDITS_A_TICK = 1n << 22n;
const FULL_BYTES = BYTE_CREDITS_A_TICK * TICKS_A_SECOND;
const U32_MAX = 0xffffffffn;
const DEFAULT_BUCKETS = 8192;

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const credits = (microseconds: bigint): bigint => u64(microseconds * ((TICKS_A_SECOND * CREDITS_A_TICK) / 1_000_000n));

/** A rule that names a table is loaded. Rules that match rates have tables of their own. */
export function joinHashTable(record: RecordView, tables: Map<string, HashTable>): void {
  const name = tableName(record);
  if (!tables.has(name)) tables.set(name, { settings: readSettings(record), entries: new Map() });
}

function tableName({ bytes, view }: RecordView): string {
  const name = new TextDecoder().decode(bytes.subarray(HASHLIMIT_NAME, HASHLIMIT_NAME + HASHLIMIT_NAME_BYTES));
  return `${view.getUint32(HASHLIMIT_MODE, true) & RATE_MATCH} ${name}`;
}

function readSettings({ bytes, view }: RecordView): Settings {
  const buckets = view.getUint32(HASHLIMIT_BUCKETS, true) || DEFAULT_BUCKETS;
  const asked = view.getUint32(HASHLIMIT_MAX, true);
  return {
    mode: view.getUint32(HASHLIMIT_MODE, true),
    average: view.getBigUint64(HASHLIMIT_AVERAGE, true),
    burst: view.getBigUint64(HASHLIMIT_BURST, true),
    collect: view.getUint32(HASHLIMIT_COLLECT, true),
    expire: view.getUint32(HASHLIMIT_EXPIRE, true),
    interval: view.getUint32(HASHLIMIT_INTERVAL, true),
    maximum: asked === 0 ? 8 * buckets : Math.max(asked, buckets),
    sourcePrefix: bytes[HASHLIMIT_SOURCE_PREFIX] as number,
    destinationPrefix: bytes[HASHLIMIT_DESTINATION_PREFIX] as number,
  };
}

export function matchHashlimit(record: RecordView, walk: Walk): boolean {
  const { packet } = walk;
  const { settings, entries } = walk.host.hashTables.get(tableName(record)) as HashTable;
  const now = packet.time;
  const collected = now - (now % settings.collect);
  for (const [key, entry] of entries) if (entry.expires <= collected) entries.delete(key);

  const key = keyOf(packet, settings);
  const known = key === undefined ? undefined : entries.get(key);
  if (key === undefined || (!known && entries.size >= settings.maximum)) {
    walk.hotdrop = true;
    return false;
  }
  const entry = known ?? freshEntry(settings, now);
  if (known) renew(known, settings, now);
  entry.expires = now + settings.expire;
  entries.set(key, entry);

  const mode = record.view.getUint32(HASHLIMIT_MODE, true);
  const under = mode & RATE_MATCH ? withinRate(entry, settings, mode, packet) : pays(entry, settings, mode, packet);
  return under === ((mode & ABOVE) === 0);
}

/** Undefined when the packet lacks what is asked for. */
function keyOf(packet: Packet, { mode, sourcePrefix, destinationPrefix }: Settings): string | undefined {
  const parts: string[] = [];
  if (mode & BY_SOURCE) parts.push(`from ${underPrefix(packet.source, sourcePrefix)}`);
  if (mode & BY_DESTINATION) parts.push(`to ${underPrefix(packet.destination, destinationPrefix)}`);
  if (!(mode & (BY_SOURCE_PORT | BY_DESTINATION_PORT))) return parts.join();
  const ports = portsOf(packet);
  if (ports === undefined) return undefined;
  const [source, destination] = ports;
  if (mode & BY_SOURCE_PORT && source !== 0) parts.push(`from ${source}`);
  if (mode & BY_DESTINATION_PORT && destination !== 0) parts.push(`to ${destination}`);
  return parts.join();
}

const [ESP, AH, NO_NEXT] = [50, 51, 59];

/** Of TCP, UDP, DCCP, SCTP and UDP-Lite, and what lies in their place in ESP, AH and IPv4's later fragments. */
function portsOf({ family, protocol, fragmentOffset, flags, bytes, ...packet }: Packet): [number, number] | undefined {
  const later = fragmentOffset !== 0;
  const ipv4 = family === "ipv4";
  if (!ipv4 && later) return [0, 0];
  if (!ipv4 && protocol === NO_NEXT) return undefined;
  const said = [6, 17, 33, 132, 136].includes(protocol);
  if (!said && protocol !== ESP && (protocol !== AH || !ipv4)) return [0, 0];
  const known: [number, number] = [packet.sourcePort, packet.destinationPort];
  if (said && !later) return flags & PACKET_FLAG_ODD ? undefined : known;
  const start = bytes ? transportStart(family, bytes) : undefined;
  if (!bytes || start === undefined || (start === "cut" && bytes.length < packet.length)) return known;
  if (start === "cut") return undefined;
  const at = start + (protocol === AH ? 4 : 0);
  if (at + 4 > packet.length) return undefined;
  if (at + 4 > bytes.length) return known;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [view.getUint16(at), view.getUint16(at + 2)];
}

function underPrefix(address: Uint8Array, prefix: number): string {
  const bits = [...address].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.slice(0, prefix);
}

function freshEntry({ mode, average, burst }: Settings, now: number): Entry {
  const entry = { expires: 0, previous: now, credit: 0n, cap: 0n, seen: 0n, wasOver: false };
  if (mode & RATE_MATCH) return entry;
  if (mode & BYTES) return { ...entry, credit: FULL_BYTES, cap: burst };
  return { ...entry, credit: credits(u64(average * burst)), cap: credits(u64(average * burst)) };
}

function renew(entry: Entry, settings: Settings, now: number): void {
  const passed = BigInt(now - entry.previous);
  if (settings.mode & RATE_MATCH) {
    const interval = BigInt(settings.interval) * TICKS_A_SECOND;
    if (passed < interval) return;
    entry.wasOver = u64(entry.seen * interval) > u64(passed * rateOf(settings));
    entry.seen = 0n;
  } else if (settings.mode & BYTES) {
    entry.credit += BYTE_CREDITS_A_TICK * passed;
    if (entry.credit > FULL_BYTES) entry.credit = FULL_BYTES;
  } else {
    entry.credit = u64(entry.credit + CREDITS_A_TICK * passed);
    if (entry.credit > entry.cap) entry.credit = entry.cap;
  }
  entry.previous = now;
}

/** Packets or bytes a second. */
function rateOf({ mode, average }: Settings): bigint {
  if (mode & BYTES) return (U32_MAX / average - 1n) << 4n;
  return 1_000_000n / average;
}

function withinRate(entry: Entry, settings: Settings, mode: number, packet: Packet): boolean {
  const rate = rateOf(settings);
  const burst = settings.mode & BYTES ? (settings.burst || 1n) * rate : settings.burst + rate;
  entry.seen += mode & BYTES ? BigInt(packet.length) : 1n;
  return !entry.wasOver && entry.seen <= burst;
}

function pays(entry: Entry, settings: Settings, mode: number, packet: Packet): boolean {
  let cost = settings.mode & BYTES ? (settings.average * FULL_BYTES) >> 32n : credits(settings.average);
  if (mode & BYTES) {
    cost = u64(cost * BigInt((packet.length >> 4) + 1));
    if (cost > FULL_BYTES) cost = FULL_BYTES;
    if (entry.credit < cost && entry.cap > 0n) {
      entry.cap--;
      entry.credit = FULL_BYTES;
    }
  }
  if (entry.credit < cost) return false;
  entry.credit -= cost;
  return true;
}
