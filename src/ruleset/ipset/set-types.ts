/** The types of sets: what an element is made of, and what a set of the type may be told when it is made. */

/**
 * One part of an element. A `net` is an address with a prefix, an `ip` one alone; of these and of ports a range may be
 * given where `ranged` says so, which stands for all its elements.
 */
export type PartKind = "ip" | "net" | "port" | "plain-port" | "device" | "mac" | "mark" | "set";

export interface Part {
  readonly kind: PartKind;
  /** A range may be given: of addresses in IPv4 alone. */
  readonly ranged?: boolean;
  /** A net may be all addresses, with a prefix of 0. */
  readonly everything?: boolean;
  /** The part may be left out. */
  readonly optional?: boolean;
}

/** Options of `create` in the order in which they print. */
export const CREATE_OPTIONS = [
  "range",
  "family",
  "markmask",
  "hashsize",
  "maxelem",
  "size",
  "netmask",
  "bitmask",
  "timeout",
  "counters",
  "comment",
  "forceadd",
  "skbinfo",
  "bucketsize",
  "initval",
] as const;
export type CreateOption = (typeof CREATE_OPTIONS)[number];

export interface SetType {
  readonly parts: readonly Part[];
  readonly options: readonly CreateOption[];
  /** Elements may be exceptions from wider ones. */
  readonly nomatch: boolean;
}

const EXTENSIONS: readonly CreateOption[] = ["timeout", "counters", "comment", "skbinfo"];
const HASH: readonly CreateOption[] = [...EXTENSIONS, "hashsize", "maxelem", "forceadd", "bucketsize", "initval"];
const FAMILY_HASH: readonly CreateOption[] = [...HASH, "family"];
const MASKS: readonly CreateOption[] = ["netmask", "bitmask"];

const IPS: Part = { kind: "ip", ranged: true };
const IP: Part = { kind: "ip" };
const NETS: Part = { kind: "net", ranged: true };
const ANY_NETS: Part = { kind: "net", ranged: true, everything: true };
const PORTS: Part = { kind: "port", ranged: true };

function hash(parts: readonly Part[], options: readonly CreateOption[] = [], nomatch = false): SetType {
  return { parts, options: [...FAMILY_HASH, ...options], nomatch };
}

export const SET_TYPES = {
  "hash:ip": hash([IPS], MASKS),
  "hash:net": hash([NETS], [], true),
  "hash:ip,port": hash([IPS, PORTS], MASKS),
  "hash:net,port": hash([NETS, PORTS], [], true),
  "hash:ip,port,ip": hash([IPS, PORTS, IP]),
  "hash:ip,port,net": hash([IPS, PORTS, NETS], [], true),
  "hash:net,net": hash([NETS, NETS], MASKS, true),
  "hash:net,iface": hash([ANY_NETS, { kind: "device" }], [], true),
  "hash:net,port,net": hash([ANY_NETS, PORTS, ANY_NETS], [], true),
  "hash:ip,mark": hash([IPS, { kind: "mark" }], ["markmask"]),
  "hash:ip,mac": hash([IP, { kind: "mac" }]),
  "hash:mac": { parts: [{ kind: "mac" }], options: HASH, nomatch: false },
  "bitmap:ip": { parts: [IPS], options: [...EXTENSIONS, "range", "netmask"], nomatch: false },
  "bitmap:ip,mac": { parts: [IP, { kind: "mac", optional: true }], options: [...EXTENSIONS, "range"], nomatch: false },
  "bitmap:port": { parts: [{ kind: "plain-port", ranged: true }], options: [...EXTENSIONS, "range"], nomatch: false },
  "list:set": { parts: [{ kind: "set" }], options: [...EXTENSIONS, "size"], nomatch: false },
} as const satisfies Readonly<Record<string, SetType>>;

export type SetTypeName = keyof typeof SET_TYPES;
export const SET_TYPE_NAMES = Object.keys(SET_TYPES) as SetTypeName[];

export const setType = (name: SetTypeName): SetType => SET_TYPES[name];
