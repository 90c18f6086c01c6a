/**
 * A packet in one line:
 *
 *     tcp 10.0.0.1:40000 > 10.96.0.1:443 in eth0 syn
 *     udp [fd00::1]:5353 > [fd00::2]:53 out lo uid 1000
 *     icmp 10.0.0.1 > 10.0.0.2 type 8/0 in eth0 out eth1 ctstate ESTABLISHED
 *
 *     packet   = protocol end ">" end item*
 *     protocol = a name of PROTOCOL_NUMBERS, "icmpv6", or a number
 *     end      = IPv4 [":" port]  |  "[" IPv6 "]" [":" port]  |  IPv6
 *     item     = TCP flag (syn ack fin rst psh urg ece cwr, noflags)  |  word value  |  "more"  |  "odd"
 *
 * The words with a value are listed in ITEMS. `out IF` without `in` means a packet of a local process; `hook NAME` means
 * one hook alone. What is not said has the defaults of `Packet`.
 */
import { nearest } from "../extensions/nearest.js";
import type { Family } from "../ruleset/row-store.js";
import { HOOK_NAMES } from "../ruleset/ruleset.js";
import { addressFamily } from "./address.js";
import { encodePacket, type Packet } from "./packet.js";
import { PacketError, type PacketErrorCode } from "./packet-error.js";
import {
  CT_STATES,
  CT_STATUSES,
  PACKET_TYPES,
  PROTOCOL_ICMPV6,
  PROTOCOL_NUMBERS,
  PROTOCOL_SCTP,
  PROTOCOL_TCP,
  TCP_FLAGS,
  hasPorts,
  isIcmp,
} from "./packet-names.js";

interface Word {
  readonly text: string;
  /** 1-based. */
  readonly column: number;
}

type Draft = { -readonly [Key in keyof Packet]: Packet[Key] };

interface Item {
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
  | "uid"
  | "gid"
  | "ttl"
  | "tos"
  | "mss"
  | "time"
  | "zone"
  | "priority"
  | "chunkType"
>;

const ITEMS: Readonly<Record<string, Item>> = {
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
  chunk: numberItem("chunkType", 255, (protocol) => protocol === PROTOCOL_SCTP),
  mark: numberItem("mark", 2 ** 32 - 1),
  ctmark: numberItem("ctMark", 2 ** 32 - 1),
  len: numberItem("length", 2 ** 32 - 1),
  frag: numberItem("fragmentOffset", 8191),
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
  pkttype: nameItem(PACKET_TYPES, (draft, name) => {
    draft.type = name;
  }),
};

/**
 * The packet that `text` describes.
 * @throws PacketError with a 1-based column and what was expected there.
 */
export function parsePacket(text: string): Packet {
  const words = [...text.matchAll(/\S+/g)].map((found): Word => ({ text: found[0], column: found.index + 1 }));
  const end: Word = { text: "", column: text.trimEnd().length + 1 };
  const wordAt = (index: number): Word => words[index] ?? end;
  const fail = (code: PacketErrorCode, expected: string, word: Word, skip = 0, known: string[] = []): never => {
    const suggestion = word.text === "" ? "" : nearest(word.text, known);
    throw new PacketError(code, expected, word.text.slice(skip), text, word.column + skip, suggestion);
  };

  const protocol = protocolNumber(wordAt(0).text);
  if (protocol === undefined) {
    const known = [...Object.keys(PROTOCOL_NUMBERS), "icmpv6"];
    return fail("bad-protocol", "a protocol (tcp, udp, icmp, ..., or 0 to 255)", wordAt(0), 0, known);
  }
  const source = readEnd(wordAt(1), protocol, fail);
  if (wordAt(2).text !== ">") fail("syntax", '">" and the destination', wordAt(2));
  const destination = readEnd(wordAt(3), protocol, fail);
  if (source.family !== destination.family) fail("families-differ", `an ${source.family} address`, wordAt(3));

  const draft: Draft = { family: source.family, protocol, source: source.address, destination: destination.address };
  if (source.port !== undefined) draft.sourcePort = source.port;
  if (destination.port !== undefined) draft.destinationPort = destination.port;
  const seen = new Set<string>();
  for (let index = 4; index < words.length; index++) {
    const word = wordAt(index);
    const key = word.text.toLowerCase();
    if (seen.has(key)) fail("repeated", `"${key}" once`, word);
    seen.add(key);
    if (key === "more") draft.moreFragments = true;
    else if (key === "odd") draft.odd = true;
    else if (Object.hasOwn(TCP_FLAGS, key) || key === "noflags") {
      if (protocol !== PROTOCOL_TCP) fail("not-of-protocol", "TCP flags on a TCP packet only", word);
      draft.tcpFlags = (draft.tcpFlags ?? 0) | ((TCP_FLAGS as Record<string, number>)[key] ?? 0);
    } else {
      const item = Object.hasOwn(ITEMS, key) ? ITEMS[key] : undefined;
      if (!item) {
        const known = [...Object.keys(ITEMS), "more", "odd"];
        const expected = `one of ${known.join(", ")}, or a TCP flag`;
        return fail("unknown-word", expected, word, 0, [...known, ...Object.keys(TCP_FLAGS), "noflags"]);
      }
      if (item.of && !item.of(protocol)) fail("not-of-protocol", `a word that fits ${wordAt(0).text}`, word);
      const value = wordAt(++index);
      if (value.text === "") fail("missing-value", item.expected, value);
      if (!item.read(value.text, draft)) fail("bad-name", item.expected, value);
    }
  }
  if (draft.path === undefined && draft.output !== undefined && draft.input === undefined) draft.path = "out";
  return draft;
}

/** `parsePacket` and `encodePacket` in one. */
export function packetRecord(text: string): Uint8Array {
  return encodePacket(parsePacket(text));
}

type Fail = (code: PacketErrorCode, expected: string, word: Word, skip?: number, known?: string[]) => never;

function readEnd(word: Word, protocol: number, fail: Fail): { family: Family; address: string; port?: number } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(word.text);
  const dotted = /^([^:]*)(?::([^:]*))?$/s.exec(word.text);
  const [address, port] = bracketed ? bracketed.slice(1) : dotted ? dotted.slice(1) : [word.text];
  const family = addressFamily(address ?? "");
  const wanted = "an address (10.0.0.1, 10.0.0.1:80, fd00::1 or [fd00::1]:80)";
  if (address === undefined || family === undefined || (bracketed && family === "ipv4"))
    return fail("bad-address", wanted, word);
  if (port === undefined) return { family, address };
  const skip = word.text.length - port.length;
  if (!hasPorts(protocol)) fail("not-of-protocol", "no port, this protocol has none", word, skip);
  const number = readNumber(port, 65535);
  return number === undefined
    ? fail("bad-port", "a port from 0 to 65535", word, skip)
    : { family, address, port: number };
}

function protocolNumber(text: string): number | undefined {
  const name = text.toLowerCase();
  if (name === "icmpv6" || name === "icmp6") return PROTOCOL_ICMPV6;
  return Object.hasOwn(PROTOCOL_NUMBERS, name) ? PROTOCOL_NUMBERS[name] : readNumber(name, 255);
}

/** Decimal, or hexadecimal after 0x. */
function readNumber(text: string, most: number): number | undefined {
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

function interfaceItem(field: "input" | "output" | "physicalInput" | "physicalOutput"): Item {
  return {
    expected: "an interface of at most 15 bytes",
    read(value, draft) {
      draft[field] = value;
      return new TextEncoder().encode(value).length <= 15;
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
