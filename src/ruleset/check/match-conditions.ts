/** Matches as sets of a field's values, and which of the others answer by the packet alone. */
import * as P from "../../blob/payloads.js";
import {
  CT_STATE_DNAT,
  CT_STATE_ESTABLISHED,
  CT_STATE_INVALID,
  CT_STATE_NEW,
  CT_STATE_RELATED,
  CT_STATE_SNAT,
  CT_STATE_UNTRACKED,
} from "../../blob/layout.js";
import type { RowStore } from "../row-store.js";
import { addressLimit, bigEndian, invertedIf, rangeSet } from "./addresses.js";
import type { Conditions } from "./conditions.js";
import {
  ALTERS_ALL,
  ALTERS_HOPS,
  ALTERS_LENGTH,
  ALTERS_MARK,
  ALTERS_REST,
  ALTERS_STATE,
  ALTERS_TCP_FLAGS,
  ALTERS_TOS,
  ALTERS_TYPE,
} from "./fields.js";
import { filtered, type IntervalSet, union } from "./interval-set.js";

/** Adds what it can of the record at byte `at`. True when that is all that the record asks. */
type MatchConditions = (conditions: Conditions, rows: RowStore, at: number) => boolean;

const PORT_LIMIT = 65_536;
/** Bytes of the transport header that can be read: none of a later fragment, and no more of any than TCP asks for. */
const READABLE_LIMIT = 21;
const TCP_HEADER = 20;
const UDP_HEADER = 8;
const SCTP_HEADER = 12;
const ICMP_HEADER = 8;
const TWO_PORTS = 4;

function addReadable(conditions: Conditions, rows: RowStore, bytes: number): void {
  conditions.add("readable", READABLE_LIMIT, ALTERS_REST, [bytes, READABLE_LIMIT]);
  if (rows.family === "ipv4") conditions.add("fragment", 2, ALTERS_REST, [0, 1]);
}

function addPorts(conditions: Conditions, rows: RowStore, at: number, sides = 3): void {
  const inverted = rows.bytes[at + P.PORTS_INVERT] as number;
  for (const [side, name, field, bit] of [
    [1, "source port", P.PORTS_SOURCE_MIN, P.PORTS_INVERT_SOURCE],
    [2, "destination port", P.PORTS_DESTINATION_MIN, P.PORTS_INVERT_DESTINATION],
  ] as const) {
    if (!(sides & side)) continue;
    const range = rangeSet(rows.view.getUint16(at + field, true), rows.view.getUint16(at + field + 2, true));
    if (range[0] === 0 && range[1] === PORT_LIMIT && !(inverted & bit)) continue;
    conditions.add(name, PORT_LIMIT, ALTERS_REST, invertedIf((inverted & bit) !== 0, range, PORT_LIMIT));
  }
}

const tcp: MatchConditions = (conditions, rows, at) => {
  const { bytes } = rows;
  const inverted = bytes[at + P.PORTS_INVERT] as number;
  const mask = bytes[at + P.TCP_FLAG_MASK] as number;
  const compare = bytes[at + P.TCP_FLAG_COMPARE] as number;
  addReadable(conditions, rows, TCP_HEADER);
  addPorts(conditions, rows, at);
  if (mask !== 0 || compare !== 0 || inverted & P.TCP_INVERT_FLAGS) {
    const flags = filtered(256, (value) => (value & mask) === compare);
    conditions.add("tcp flags", 256, ALTERS_TCP_FLAGS, invertedIf((inverted & P.TCP_INVERT_FLAGS) !== 0, flags, 256));
  }
  return bytes[at + P.TCP_OPTION] === 0 && !(inverted & P.TCP_INVERT_OPTION);
};

const udp: MatchConditions = (conditions, rows, at) => {
  addReadable(conditions, rows, UDP_HEADER);
  addPorts(conditions, rows, at);
  return true;
};

const sctp: MatchConditions = (conditions, rows, at) => {
  const given = rows.bytes[at + P.PORTS_INVERT] as number;
  addReadable(conditions, rows, SCTP_HEADER);
  addPorts(conditions, rows, at, (given & P.SCTP_HAS_SOURCE ? 1 : 0) | (given & P.SCTP_HAS_DESTINATION ? 2 : 0));
  return rows.bytes[at + P.SCTP_CHUNK_MATCH] === 0;
};

const SOURCE_PORTS = 0;
const DESTINATION_PORTS = 1;

const multiport: MatchConditions = (conditions, rows, at) => {
  const { bytes, view } = rows;
  const kind = bytes[at + P.MULTIPORT_KIND] as number;
  const inverted = bytes[at + P.MULTIPORT_INVERT] !== 0;
  const ranges = view.getUint16(at + P.MULTIPORT_RANGES, true);
  const port = (n: number): number => view.getUint16(at + P.MULTIPORT_PORTS + 2 * n, true);
  let ports: IntervalSet = [];
  for (let n = 0; n < (bytes[at + P.MULTIPORT_COUNT] as number); n++) {
    const first = port(n);
    ports = union(ports, rangeSet(first, (ranges >> n) & 1 ? port(++n) : first));
  }
  addReadable(conditions, rows, TWO_PORTS);
  // One of both ports is no box, neither of both is.
  const either = kind !== SOURCE_PORTS && kind !== DESTINATION_PORTS;
  if (either && !inverted) return false;
  const values = invertedIf(inverted, ports, PORT_LIMIT);
  if (kind !== DESTINATION_PORTS) conditions.add("source port", PORT_LIMIT, ALTERS_REST, values);
  if (kind !== SOURCE_PORTS) conditions.add("destination port", PORT_LIMIT, ALTERS_REST, values);
  return true;
};

const CODES = 256;
const ANY_TYPE = 255;

/** Type and code are one number. */
const icmp: MatchConditions = (conditions, rows, at) => {
  const { bytes, view } = rows;
  const type = bytes[at + P.ICMP_TYPE] as number;
  const inverted = bytes[at + P.ICMP_INVERT] !== 0;
  const limit = 256 * CODES;
  const any = type === ANY_TYPE && view.getUint16(at + 2, true) === P.MATCH_ICMP;
  const first = CODES * type;
  const values: IntervalSet = any
    ? [0, limit]
    : rangeSet(first + (bytes[at + P.ICMP_CODE_MIN] as number), first + (bytes[at + P.ICMP_CODE_MAX] as number));
  addReadable(conditions, rows, ICMP_HEADER);
  conditions.add("icmp", limit, ALTERS_REST, invertedIf(inverted, values, limit));
  return true;
};

const STATES = [CT_STATE_INVALID, CT_STATE_ESTABLISHED, CT_STATE_RELATED, CT_STATE_NEW, CT_STATE_UNTRACKED];
const STATE_LIMIT = 4 * STATES.length;

/** A packet has one state and, if it has a connection, may have its source and its destination rewritten. */
function addStates(conditions: Conditions, mask: number, inverted: boolean): void {
  const hit = filtered(STATE_LIMIT, (value) => {
    const bits = (STATES[value >> 2] as number) | (value & 2 ? CT_STATE_SNAT : 0) | (value & 1 ? CT_STATE_DNAT : 0);
    return (bits & mask) !== 0;
  });
  conditions.add("state", STATE_LIMIT, ALTERS_STATE | ALTERS_REST, invertedIf(inverted, hit, STATE_LIMIT));
}

const state: MatchConditions = (conditions, { bytes, view }, at) => {
  addStates(conditions, view.getUint16(at + P.STATE_MASK, true), bytes[at + P.STATE_INVERT] !== 0);
  return true;
};

const conntrack: MatchConditions = (conditions, { view }, at) => {
  const given = view.getUint16(at + P.CONNTRACK_MATCH, true);
  const inverted = view.getUint16(at + P.CONNTRACK_INVERT, true) & P.CONNTRACK_HAS_STATE;
  if (given & P.CONNTRACK_HAS_STATE)
    addStates(conditions, view.getUint16(at + P.CONNTRACK_STATE_MASK, true), inverted !== 0);
  return given === P.CONNTRACK_HAS_STATE;
};

const MARK_LIMIT = 2 ** 32;

/** What a mark is under one mask is a field. */
const mark: MatchConditions = (conditions, { bytes, view }, at) => {
  const mask = view.getUint32(at + P.MARK_MASK, true);
  const value = view.getUint32(at + P.MARK_VALUE, true);
  // No mark has bits outside of the mask.
  const possible = (value & ~mask) >>> 0 === 0;
  const values = possible ? rangeSet(value, value) : [];
  const inverted = bytes[at + P.MARK_INVERT] !== 0;
  const kinds = ALTERS_MARK | ALTERS_REST;
  conditions.add(`mark/${mask.toString(16)}`, MARK_LIMIT, kinds, invertedIf(inverted, values, MARK_LIMIT));
  return true;
};

const iprange: MatchConditions = (conditions, rows, at) => {
  const width = rows.family === "ipv4" ? 4 : 16;
  const flags = rows.bytes[at + P.IPRANGE_FLAGS] as number;
  const limit = addressLimit(width);
  for (const [given, invert, name, field] of [
    [1, 16, "source", P.IPRANGE_SOURCE_MIN],
    [2, 32, "destination", P.IPRANGE_DESTINATION_MIN],
  ] as const) {
    if (!(flags & given)) continue;
    const range = rangeSet(bigEndian(rows.bytes, at + field, width), bigEndian(rows.bytes, at + field + 16, width));
    conditions.add(name, limit, ALTERS_REST, invertedIf((flags & invert) !== 0, range, limit));
  }
  return true;
};

const LENGTH_LIMIT = 2 ** 32;

const length: MatchConditions = (conditions, { bytes, view }, at) => {
  const range = rangeSet(view.getUint16(at + P.LENGTH_MIN, true), view.getUint16(at + P.LENGTH_MAX, true));
  const values = invertedIf(bytes[at + P.LENGTH_INVERT] !== 0, range, LENGTH_LIMIT);
  conditions.add("length", LENGTH_LIMIT, ALTERS_LENGTH | ALTERS_REST, values);
  return true;
};

/** By mode: equal, not equal, less, greater. */
const hops: MatchConditions = (conditions, { bytes }, at) => {
  const value = bytes[at + P.TTL_VALUE] as number;
  const sets: IntervalSet[] = [[value, value + 1], [], [0, value], rangeSet(value + 1, 255)];
  sets[1] = invertedIf(true, sets[0] as IntervalSet, 256);
  const values = sets[bytes[at + P.TTL_MODE] as number] ?? [];
  conditions.add("hops", 256, ALTERS_HOPS | ALTERS_REST, values[0] === values[1] ? [] : values);
  return true;
};

function addTos(conditions: Conditions, inverted: boolean, passes: (tos: number) => boolean): true {
  conditions.add("tos", 256, ALTERS_TOS | ALTERS_REST, invertedIf(inverted, filtered(256, passes), 256));
  return true;
}

const tos: MatchConditions = (conditions, { bytes }, at) => {
  const mask = bytes[at + P.TOS_MASK] as number;
  return addTos(conditions, bytes[at + P.TOS_INVERT] !== 0, (value) => (value & mask) === bytes[at + P.TOS_VALUE]);
};

const dscp: MatchConditions = (conditions, { bytes }, at) =>
  addTos(conditions, bytes[at + P.DSCP_INVERT] !== 0, (value) => value >> 2 === bytes[at + P.DSCP_VALUE]);

const pkttype: MatchConditions = (conditions, { bytes }, at) => {
  const type = bytes[at + P.PKTTYPE_TYPE] as number;
  const values = invertedIf(bytes[at + P.PKTTYPE_INVERT] !== 0, rangeSet(type, type), 256);
  conditions.add("packet type", 256, ALTERS_TYPE, values);
  return true;
};

const ALL_MAC = 2 ** 48;

/** A packet that has no such address, which is the number above all, matches none and none that is inverted. */
const mac: MatchConditions = (conditions, { bytes }, at) => {
  let address = 0;
  for (let i = 0; i < 6; i++) address = 256 * address + (bytes[at + P.MAC_ADDRESS + i] as number);
  const values = invertedIf(bytes[at + P.MAC_INVERT] !== 0, rangeSet(address, address), ALL_MAC);
  conditions.add("mac", ALL_MAC + 1, ALTERS_REST, values);
  return true;
};

export const MATCH_CONDITIONS: Readonly<Record<number, MatchConditions>> = {
  [P.MATCH_COMMENT]: () => true,
  [P.MATCH_TCP]: tcp,
  [P.MATCH_UDP]: udp,
  [P.MATCH_SCTP]: sctp,
  [P.MATCH_ICMP]: icmp,
  [P.MATCH_ICMP6]: icmp,
  [P.MATCH_MULTIPORT]: multiport,
  [P.MATCH_STATE]: state,
  [P.MATCH_CONNTRACK]: conntrack,
  [P.MATCH_MARK]: mark,
  [P.MATCH_IPRANGE]: iprange,
  [P.MATCH_LENGTH]: length,
  [P.MATCH_TTL]: hops,
  [P.MATCH_HL]: hops,
  [P.MATCH_TOS]: tos,
  [P.MATCH_DSCP]: dscp,
  [P.MATCH_PKTTYPE]: pkttype,
  [P.MATCH_MAC]: mac,
};

/** ALTERS_* bits that the answer of a match hangs on; undefined where it may change without a rule's doing. */
type Steadiness = (rows: RowStore, at: number) => number | undefined;

const CHANGING_CONNTRACK = P.CONNTRACK_HAS_STATUS | P.CONNTRACK_HAS_EXPIRES;
const always = (): number => ALTERS_ALL;
const byOrigin = (): number => ALTERS_REST;

export const STEADY_MATCHES: Readonly<Record<number, Steadiness>> = {
  [P.MATCH_TCP]: always,
  [P.MATCH_SCTP]: always,
  [P.MATCH_DCCP]: always,
  [P.MATCH_MULTIPORT]: byOrigin,
  [P.MATCH_CONNTRACK]: ({ view }, at) =>
    view.getUint16(at + P.CONNTRACK_MATCH, true) & CHANGING_CONNTRACK ? undefined : ALTERS_STATE | ALTERS_REST,
  [P.MATCH_CLUSTER]: () => ALTERS_STATE,
  [P.MATCH_ADDRTYPE]: byOrigin,
  [P.MATCH_PHYSDEV]: byOrigin,
  [P.MATCH_OWNER]: byOrigin,
  [P.MATCH_CGROUP]: byOrigin,
  [P.MATCH_SOCKET]: byOrigin,
  [P.MATCH_DEVGROUP]: byOrigin,
  [P.MATCH_REALM]: byOrigin,
  [P.MATCH_RPFILTER]: always,
  [P.MATCH_POLICY]: byOrigin,
  [P.MATCH_TCPMSS]: always,
  [P.MATCH_ECN]: always,
  [P.MATCH_RT]: always,
  [P.MATCH_FRAG]: always,
  [P.MATCH_ESP]: always,
  [P.MATCH_AH]: always,
  [P.MATCH_IPCOMP]: always,
  [P.MATCH_STRING]: always,
  [P.MATCH_U32]: always,
  [P.MATCH_IPV6HEADER]: always,
  [P.MATCH_HBH]: always,
  [P.MATCH_DST]: always,
  [P.MATCH_MH]: always,
  [P.MATCH_SRH]: always,
};
