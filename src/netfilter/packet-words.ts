/** The words of a packet's line that have a value, what each takes and where it goes. */
import { KNOWN_CGROUP_PATH_BYTES, KNOWN_GENRE_BYTES } from "../blob/layout.js";
import { HOOK_NAMES } from "../ruleset/ruleset.js";
import { addressFamily } from "./address.js";
import type { Packet } from "./packet.js";
import { IPVS_METHODS, type IpvsMethod, SOCKET_TRAITS } from "./packet-known.js";
import { CT_STATES, CT_STATUSES, PACKET_TYPES, PROTOCOL_SCTP, PROTOCOL_TCP, isIcmp } from "./packet-names.js";

export type Draft = { -readonly [Key in keyof Packet]: Packet[Key] };

export interface Item {
  /** What its value looks like, after "expected". */
  readonly expected: string;
  /** Protocols that it belongs to. Default all. */
  readonly of?: (protocol: number) => boolean;
  /** Puts the value into the draft; false when it is not one. */
  read(value: string, draft: Draft): boolean;
}

type NumberKey = Extract<
  keyof Packet,
  | "mark"
  | "ctMark"
  | "length"
  | "fragmentOffset"
  | "fragmentId"
  | "uid"
  | "gid"
  | "ttl"
  | "tos"
  | "mss"
  | "time"
  | "zone"
  | "icmpId"
  | "priority"
  | "chunkType"
  | "cgroup"
  | "socketMark"
  | "ipvsPort"
  | "ipvsControlPort"
>;

export const ITEMS: Readonly<Record<string, Item>> = {
  in: interfaceItem("input"),
  out: interfaceItem("output"),
  physin: interfaceItem("physicalInput"),
  physout: interfaceItem("physicalOutput"),
  hook: nameItem(HOOK_NAMES, (draft, name) => {
    draft.path = name;
  }),
  ctstate: nameItem(Object.keys(CT_STATES) as (keyof typeof CT_STATES)[], (draft, name) => {
    draft.ctState = name;
  }),
  ctstatus: {
    expected: `one or more of ${Object.keys(CT_STATUSES).join(", ")}, with commas`,
    read(value, draft) {
      const bits = value.split(",").map((name) => (CT_STATUSES as Record<string, number>)[name.toUpperCase()]);
      draft.ctStatus = bits.reduce<number>((sum, bit) => sum | (bit ?? 0), 0);
      return bits.every((bit) => bit !== undefined);
    },
  },
  type: {
    expected: "an ICMP type from 0 to 255, or type/code",
    of: isIcmp,
    read(value, draft) {
      const numbers = value.split("/").map((part) => readNumber(part, 255));
      const [type, code] = numbers;
      if (type === undefined || numbers.length > 2 || numbers.includes(undefined)) return false;
      draft.icmpType = type;
      if (code !== undefined) draft.icmpCode = code;
      return true;
    },
  },
  id: numberItem("icmpId", 65535, isIcmp),
  chunk: numberItem("chunkType", 255, (protocol) => protocol === PROTOCOL_SCTP),
  mark: numberItem("mark", 2 ** 32 - 1),
  ctmark: numberItem("ctMark", 2 ** 32 - 1),
  len: numberItem("length", 2 ** 32 - 1),
  frag: numberItem("fragmentOffset", 8191),
  fragid: numberItem("fragmentId", 2 ** 32 - 1),
  ttl: numberItem("ttl", 255),
  tos: numberItem("tos", 255),
  uid: numberItem("uid", 2 ** 32 - 1),
  gid: numberItem("gid", 2 ** 32 - 1),
  mss: numberItem("mss", 65535, (protocol) => protocol === PROTOCOL_TCP),
  time: numberItem("time", 2 ** 32 - 1),
  zone: numberItem("zone", 65535),
  priority: numberItem("priority", 2 ** 32 - 1),
  mac: macItem("sourceMac"),
  dmac: macItem("destinationMac"),
  groups: listItem(
    "numbers of groups",
    (word) => readNumber(word, 2 ** 32 - 1),
    (draft, groups) => {
      draft.groups = groups;
    },
  ),
  socket: listItem(
    SOCKET_TRAITS.join(", "),
    (word) => SOCKET_TRAITS.find((trait) => trait === word.toLowerCase()),
    (draft, traits) => {
      draft.socket = traits;
    },
  ),
  skmark: numberItem("socketMark", 2 ** 32 - 1),
  cgroup: numberItem("cgroup", 2 ** 32 - 1),
  cgpath: textItem("cgroupPath", "a path", KNOWN_CGROUP_PATH_BYTES),
  genre: textItem("genre", "a name", KNOWN_GENRE_BYTES),
  bpf: listItem(
    "paths of pinned programs",
    (word) => word || undefined,
    (draft, programs) => {
      draft.programs = programs;
    },
  ),
  vaddr: {
    expected: "an address of the packet's family",
    read(value, draft) {
      draft.ipvsAddress = value;
      return addressFamily(value) === draft.family;
    },
  },
  vport: numberItem("ipvsPort", 65535),
  vportctl: numberItem("ipvsControlPort", 65535),
  vmethod: nameItem(Object.keys(IPVS_METHODS) as IpvsMethod[], (draft, name) => {
    draft.ipvsMethod = name;
  }),
  pkttype: nameItem(PACKET_TYPES, (draft, name) => {
    draft.type = name;
  }),
};

/** Decimal, or hexadecimal after 0x. */
export function readNumber(text: string, most: number): number | undefined {
  if (!/^(\d+|0x[0-9a-f]+)$/i.test(text)) return undefined;
  const value = Number(text);
  return value <= most ? value : undefined;
}

function numberItem(field: NumberKey, most: number, of?: (protocol: number) => boolean): Item {
  return {
    expected: `a number from 0 to ${most}`,
    ...(of ? { of } : {}),
    read(value, draft) {
      const number = readNumber(value, most);
      if (number !== undefined) draft[field] = number;
      return number !== undefined;
    },
  };
}

function macItem(field: "sourceMac" | "destinationMac"): Item {
  return {
    expected: "six hexadecimal bytes with colons",
    read(value, draft) {
      draft[field] = value;
      return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(value);
    },
  };
}

function textItem(field: "cgroupPath" | "genre", what: string, limit: number): Item {
  return {
    expected: `${what} of less than ${limit} bytes`,
    read(value, draft) {
      draft[field] = value;
      return new TextEncoder().encode(value).length < limit;
    },
  };
}

function interfaceItem(field: "input" | "output" | "physicalInput" | "physicalOutput"): Item {
  return {
    expected: "an interface of at most 15 bytes",
    read(value, draft) {
      draft[field] = value;
      return new TextEncoder().encode(value).length <= 15;
    },
  };
}

/** Words with commas between. */
function listItem<Value>(
  of: string,
  one: (word: string) => Value | undefined,
  put: (draft: Draft, values: Value[]) => void,
): Item {
  return {
    expected: `one or more of ${of}, with commas`,
    read(value, draft) {
      const words = value.split(",");
      const values = words.flatMap((word) => one(word) ?? []);
      put(draft, values);
      return values.length === words.length;
    },
  };
}

function nameItem<Name extends string>(names: readonly Name[], put: (draft: Draft, name: Name) => void): Item {
  return {
    expected: `one of ${names.join(", ")}`,
    read(value, draft) {
      const name = names.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
      if (name !== undefined) put(draft, name);
      return name !== undefined;
    },
  };
}
