/** The engine's connections: listed, forgotten, expected. */
import ipaddr from "ipaddr.js";
import * as C from "../blob/connections.js";
import { FAMILY_IPV4, FAMILY_IPV6 } from "../blob/layout.js";
import * as M from "../blob/memory.js";
import type { Engine } from "../engine/engine.js";
import type { Family } from "../ruleset/row-store.js";
import { writeAddress } from "./address.js";

/** One end's view: how packets of a direction look. */
export interface Tuple {
  readonly source: string;
  readonly destination: string;
  /** ICMP: the identifier. */
  readonly sourcePort: number;
  /** ICMP: type << 8 | code. */
  readonly destinationPort: number;
  readonly zone: number;
}

export interface Counts {
  readonly packets: bigint;
  readonly bytes: bigint;
}

export interface Connection {
  readonly family: Family;
  readonly protocol: number;
  readonly original: Tuple;
  readonly reply: Tuple;
  /** STATUS_* of blob/connections.ts. */
  readonly status: number;
  readonly mark: number;
  /** Milliseconds of the virtual clock at which it is forgotten. */
  readonly expires: number;
  /** TCP_* or SCTP_* of blob/connections.ts. */
  readonly state: number;
  /** Of the helper that it was given. */
  readonly helper?: string;
  /** Numbers of the labels that it carries; of a connection that began before there was a rule of connlabel, undefined. */
  readonly labels?: readonly number[];
  /** What each direction has carried, where that is counted. */
  readonly counts?: { readonly original: Counts; readonly reply: Counts };
}

/** In the order of their numbers (assembly/conntrack/helper-name.ts), from 1. */
export const HELPERS = [
  "ftp",
  "tftp",
  "irc",
  "sip",
  "amanda",
  "netbios-ns",
  "snmp",
  "pptp",
  "sane",
  "RAS",
  "Q.931",
  "H.245",
] as const;

/** The connections in the table at `now` ms of the virtual clock; none where the engine tracks none. */
export function listConnections(engine: Engine, now: number): Connection[] {
  const view = engine.data();
  const table = tableOf(engine);
  const found: Connection[] = [];
  if (table === 0) return found;
  const top = view.getUint32(table + C.CONNECTIONS_TOP, true);
  let record = view.getUint32(table + C.CONNECTIONS_RECORDS, true);
  for (let i = 0; i < top; i++, record += C.CONNECTION_SIZE) {
    const status = view.getUint32(record + C.CONNECTION_STATUS, true);
    const expires = view.getUint32(record + C.CONNECTION_EXPIRES, true);
    const there = view.getUint32(record + C.CONNECTION_REFERENCES, true) !== 0;
    if (!there || !(status & C.STATUS_CONFIRMED) || status & C.STATUS_DYING || ((expires - now) | 0) <= 0) continue;
    found.push(connectionAt(view, record));
  }
  return found;
}

function connectionAt(view: DataView, record: number): Connection {
  const original = record + C.CONNECTION_ORIGINAL + C.NODE_TUPLE;
  const helper = HELPERS[view.getUint8(record + C.CONNECTION_HELPER) - 1];
  const counts = record + C.CONNECTION_PACKETS;
  return {
    family: view.getUint8(original + C.TUPLE_FAMILY) === FAMILY_IPV4 ? "ipv4" : "ipv6",
    protocol: view.getUint8(original + C.TUPLE_PROTOCOL),
    original: tupleAt(view, original),
    reply: tupleAt(view, record + C.CONNECTION_REPLY + C.NODE_TUPLE),
    status: view.getUint32(record + C.CONNECTION_STATUS, true),
    mark: view.getUint32(record + C.CONNECTION_MARK, true),
    expires: view.getUint32(record + C.CONNECTION_EXPIRES, true),
    state: view.getUint8(record + C.CONNECTION_STATE),
    ...(helper === undefined ? {} : { helper }),
    ...(view.getUint8(record + C.CONNECTION_LABELLED) === 0 ? {} : { labels: labelsAt(view, record) }),
    ...(view.getUint8(record + C.CONNECTION_ACCOUNTED) === 0
      ? {}
      : { counts: { original: countsAt(view, counts), reply: countsAt(view, counts + C.CONNECTION_COUNTS_SIZE) } }),
  };
}

/** Forgets every connection, as `conntrack -F`. */
export function flushConnections(engine: Engine): void {
  if (tableOf(engine) !== 0) engine.kernel.engineForget();
}

/**
 * An interface has lost its address, or all of them where none is named: connections that are masqueraded by it are
 * forgotten, as Linux does it (nf_nat_masquerade.c).
 */
export function forgetMasqueraded(engine: Engine, networkInterface: string, address?: string): void {
  const table = tableOf(engine);
  if (table === 0) return;
  const scratch = engine.scratch();
  const bytes = new Uint8Array(engine.handle.memory.buffer, scratch, 32);
  bytes.fill(0);
  bytes.set(new TextEncoder().encode(networkInterface).subarray(0, 15));
  if (address !== undefined) bytes.set(ipaddr.parse(address).toByteArray(), 16);
  engine.kernel.engineForgetMasqueraded(scratch, address === undefined ? 0 : scratch + 16);
}

/** What a connection's ends have agreed on over it: another connection, which is RELATED when it comes. */
export interface Expectation {
  readonly family: Family;
  readonly protocol: number;
  /** Of the connection that expects it, as its opener sends. */
  readonly master: Omit<Tuple, "zone"> & { readonly protocol: number };
  /** Whom it comes from; anyone, and from any port, where nothing is said. */
  readonly source?: string;
  readonly sourcePort?: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly zone?: number;
  /** Of the connection that comes. */
  readonly helper?: (typeof HELPERS)[number];
  /**
   * NAT does to it what it does to its master (nf_nat_follow_master): it goes to whom the packet came from that told of it,
   * at `port`, and comes from whom that packet went to. `told`: which way the packet went. Default: as the nat table says.
   */
  readonly follows?: { readonly told: "original" | "reply"; readonly port: number };
  /** It is expected again when it has come. */
  readonly permanent?: boolean;
  /** Milliseconds of the virtual clock until which it is expected. */
  readonly expires: number;
}

/** False when there is no connection that could expect it at `now`, or as many are expected as there may be. */
export function expectConnection(engine: Engine, expectation: Expectation, now: number): boolean {
  if (tableOf(engine) === 0) return false;
  const { family, master, source, sourcePort, zone = 0, helper, follows } = expectation;
  const scratch = engine.scratch();
  const record = scratch + C.CONNECTION_TUPLE_SIZE;
  const view = engine.data();
  const bytes = new Uint8Array(view.buffer, scratch, C.CONNECTION_TUPLE_SIZE + C.EXPECTED_SIZE);
  bytes.fill(0);
  writeTuple(view, scratch, family, master.protocol, { ...master, zone });
  writeTuple(view, record + C.EXPECTED_TUPLE, family, expectation.protocol, {
    source: source ?? (family === "ipv4" ? "0.0.0.0" : "::"),
    destination: expectation.destination,
    sourcePort: sourcePort ?? 0,
    destinationPort: expectation.destinationPort,
    zone,
  });
  const mask = C.CONNECTION_TUPLE_SIZE + C.EXPECTED_MASK_SOURCE;
  if (source !== undefined) bytes.fill(255, mask, mask + (family === "ipv4" ? 4 : 16));
  if (sourcePort !== undefined) view.setUint16(record + C.EXPECTED_MASK_SOURCE_PORT, 0xffff, true);
  view.setUint32(record + C.EXPECTED_EXPIRES, expectation.expires, true);
  const flags =
    (expectation.permanent ? C.EXPECTED_FLAG_PERMANENT : 0) |
    (follows ? C.EXPECTED_FLAG_FOLLOWS : 0) |
    (follows?.told === "reply" ? C.EXPECTED_FLAG_REPLY : 0);
  view.setUint32(record + C.EXPECTED_FLAGS, flags, true);
  view.setUint16(record + C.EXPECTED_PORT, follows?.port ?? 0, true);
  view.setUint8(record + C.EXPECTED_HELPER, helper === undefined ? 0 : HELPERS.indexOf(helper) + 1);
  return engine.kernel.engineExpect(scratch, record, now) !== 0;
}

function tableOf(engine: Engine): number {
  return engine.data().getUint32(M.CONTROL_ADDRESS + M.CONTROL_CONNECTIONS, true);
}

function labelsAt(view: DataView, record: number): number[] {
  const table = view.getUint32(M.CONTROL_ADDRESS + M.CONTROL_CONNECTIONS, true);
  const number = (record - view.getUint32(table + C.CONNECTIONS_RECORDS, true)) / C.CONNECTION_SIZE;
  const labels = view.getUint32(table + C.CONNECTIONS_LABELS, true) + number * C.LABELS_SIZE;
  return Array.from({ length: 8 * C.LABELS_SIZE }, (_, bit) => bit).filter(
    (bit) => (view.getUint8(labels + (bit >> 3)) >> (bit & 7)) & 1,
  );
}

function countsAt(view: DataView, at: number): Counts {
  return { packets: view.getBigUint64(at, true), bytes: view.getBigUint64(at + 8, true) };
}

function tupleAt(view: DataView, at: number): Tuple {
  const bytes = view.getUint8(at + C.TUPLE_FAMILY) === FAMILY_IPV4 ? 4 : 16;
  const address = (from: number) => ipaddr.fromByteArray([...new Uint8Array(view.buffer, from, bytes)]).toString();
  return {
    source: address(at + C.TUPLE_SOURCE),
    destination: address(at + C.TUPLE_DESTINATION),
    sourcePort: view.getUint16(at + C.TUPLE_SOURCE_PORT, true),
    destinationPort: view.getUint16(at + C.TUPLE_DESTINATION_PORT, true),
    zone: view.getUint16(at + C.TUPLE_ZONE, true),
  };
}

function writeTuple(view: DataView, at: number, family: Family, protocol: number, tuple: Tuple): void {
  const bytes = new Uint8Array(view.buffer, at, C.CONNECTION_TUPLE_SIZE);
  for (const [text, field] of [
    [tuple.source, C.TUPLE_SOURCE],
    [tuple.destination, C.TUPLE_DESTINATION],
  ] as const)
    if (!writeAddress(bytes, field, text, family)) throw new RangeError(`not an ${family} address: ${text}`);
  view.setUint16(at + C.TUPLE_SOURCE_PORT, tuple.sourcePort, true);
  view.setUint16(at + C.TUPLE_DESTINATION_PORT, tuple.destinationPort, true);
  view.setUint8(at + C.TUPLE_PROTOCOL, protocol);
  view.setUint8(at + C.TUPLE_FAMILY, family === "ipv4" ? FAMILY_IPV4 : FAMILY_IPV6);
  view.setUint16(at + C.TUPLE_ZONE, tuple.zone, true);
}
