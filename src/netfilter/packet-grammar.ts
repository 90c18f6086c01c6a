import { nearest } from "../extensions/nearest.js";
import type { Family } from "../ruleset/row-store.js";
import { addressFamily } from "./address.js";
import { encodePacket, type Packet } from "./packet.js";
import { PacketError, type PacketErrorCode } from "./packet-error.js";
import { PROTOCOL_ICMPV6, PROTOCOL_NUMBERS, PROTOCOL_TCP, TCP_FLAGS, hasPorts } from "./packet-names.js";

import { type Draft, ITEMS, readNumber } from "./packet-words.js";
interface Word {
  readonly text: string;
  /** 1-based. */
  readonly column: number;
}

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
    else if (key === "cutheaders") draft.headersCut = true;
    else if (key === "cutoptions") draft.optionsCut = true;
    else if (key === "ipvs") draft.ipvs = true;
    else if (Object.hasOwn(TCP_FLAGS, key) || key === "noflags") {
      if (protocol !== PROTOCOL_TCP) fail("not-of-protocol", "TCP flags on a TCP packet only", word);
      draft.tcpFlags = (draft.tcpFlags ?? 0) | ((TCP_FLAGS as Record<string, number>)[key] ?? 0);
    } else {
      const item = Object.hasOwn(ITEMS, key) ? ITEMS[key] : undefined;
      if (!item) {
        const known = [...Object.keys(ITEMS), "more", "odd", "cutheaders", "cutoptions", "ipvs"];
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
