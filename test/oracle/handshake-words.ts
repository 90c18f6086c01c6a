/** Segments of a handshake: made of numbers that count from bases, and put in words that can be compared. */
import { packetOfWire } from "../../src/netfilter/wire.js";
import type { Packet } from "../../src/netfilter/packet.js";
import type { Family } from "../../src/ruleset/row-store.js";
import { frame, segmentRest } from "./frame.js";
import { PROTOCOL_TCP } from "./packet.js";

/** What a number counts from: the client's and the server's beginning, the cookie, nought. */
export type Base = "C" | "S" | "K" | "0";
export type Bases = Readonly<Record<Base, number>>;
/** What Linux' scripts have these begin with. */
export const BASES: Bases = { C: 1000, S: 5_000_000, K: 77, "0": 0 };

export interface HandshakeStep {
  readonly device: "lan0" | "wan0";
  readonly ends: readonly [string, string];
  readonly ports: readonly [number, number];
  readonly flags: number;
  readonly seq: readonly [Base, number];
  readonly ack: readonly [Base, number];
  readonly window: number;
  /** Hexadecimal. */
  readonly options: string;
  /** A time as well, and the last one that this end was sent. */
  readonly times: boolean;
  /** What it has got behind a gap: from, to, counted from `ack`. */
  readonly sack?: readonly [number, number];
  readonly data: number;
}

const OUR_TIME = 7777;

/** The packet, which echoes time `echo`. */
export function bytesOf(family: Family, step: HandshakeStep, bases: Bases, echo: number): Buffer {
  const number = ([base, offset]: readonly [Base, number]): number => bases[base] + offset;
  const words = [
    ...(step.times ? [[8, OUR_TIME, echo] as const] : []),
    ...(step.sack ? [[5, number(step.ack) + step.sack[0], number(step.ack) + step.sack[1]] as const] : []),
  ];
  const pairs = words.map(([kind, first, second]) => {
    const option = Buffer.from([1, 1, kind, 10, 0, 0, 0, 0, 0, 0, 0, 0]);
    option.writeUInt32BE(first >>> 0, 4);
    option.writeUInt32BE(second >>> 0, 8);
    return option.toString("hex");
  });
  const { flags, window, data } = step;
  const options = step.options + pairs.join("");
  const rest = segmentRest({ flags, sequence: number(step.seq), ack: number(step.ack), window, options, data });
  const [source, destination] = step.ends;
  const [sourcePort, destinationPort] = step.ports;
  return frame(family, PROTOCOL_TCP, { source, destination, sourcePort, destinationPort }, rest);
}

/** A packet of TCP as it was sent, with its header. */
export function segmentOf(bytes: Buffer): { sent: Packet; header: Buffer } {
  const sent = packetOfWire(bytes, {});
  if (!sent) throw new Error("no packet of IP");
  return { sent, header: bytes.subarray(sent.family === "ipv4" ? 20 : 40) };
}

export const isAnswer = (header: Buffer): boolean => ((header[13] as number) & 18) === 18;

/** "lan0 SYN ACK ..." with what can be compared: numbers by what they count from. */
export function words(device: string, sent: Packet, header: Buffer, bases: Bases): string {
  const { source, destination, sourcePort, destinationPort, tcpFlags, tcpOptions, mss, length, ttl, tos } = sent;
  const [seq, ack] = [4, 8].map((at) => numberText(header.readUInt32BE(at), bases));
  const window = header.readUInt16BE(14);
  const scale = optionOf(header, 3)?.[2] ?? "-";
  const ends = `${source}:${sourcePort} > ${destination}:${destinationPort}`;
  return `${device} ${ends} flags ${tcpFlags} seq ${seq} ack ${ack} window ${window} options ${tcpOptions} mss ${mss} scale ${scale} times ${timesText(header)} ${length} ${ttl} ${tos}`;
}

function numberText(value: number, bases: Bases): string {
  for (const [name, base] of Object.entries(bases)) {
    const offset = (value - base) | 0;
    if (Math.abs(offset) < 900 && value !== 0) return `${name}+${offset}`;
  }
  // One that has been shifted by what it does not count from hangs on the cookie, which is another one here than there.
  return value === 0 ? "0" : "shifted";
}

/** Of a time what a cookie of it keeps: its upper bits count on. */
function timesText(header: Buffer): string {
  const option = optionOf(header, 8);
  if (!option) return "-";
  return [2, 6]
    .map((at) => option.readUInt32BE(at))
    .map((one) => (one === 0 ? one : `~${one & 63}`))
    .join("/");
}

export function timeOf(header: Buffer): number {
  return optionOf(header, 8)?.readUInt32BE(2) ?? 0;
}

function optionOf(header: Buffer, kind: number): Buffer | undefined {
  const end = header.length > 12 ? (header.readUInt8(12) >> 4) * 4 : 0;
  for (let at = 20; at + 1 < end && header[at] !== 0; ) {
    const size = header[at] === 1 ? 1 : header.readUInt8(at + 1);
    if (header[at] === kind) return header.subarray(at, at + size);
    at += size;
  }
  return undefined;
}

/** Such words without the port that NAT takes at random where the packet's own is another's. */
export function withoutChosen(line: string, known: readonly number[]): string {
  return line.replace(/:(\d+) (>|flags)/g, (end, port: string, then: string) =>
    known.includes(Number(port)) ? end : `:another ${then}`,
  );
}

/** A line of `conntrack -L` without the time that is left, and without the port that NAT takes at random where the packet's own is another's. */
export function withoutChance(line: string, known: readonly number[]): string {
  const ports = (field: string, port: string): string => (known.includes(Number(port)) ? field : "port=another");
  return line.replace(/ \d+ ([A-Z_]+) /, " $1 ").replace(/port=(\d+)/g, ports);
}

const MINUTE_MS = 60_000;
const MINUTES = Math.floor(2 ** 31 / MINUTE_MS);

/**
 * The first millisecond of the minute whose cookie is next to this one. Whether windows that have seen both an end's numbers and
 * a cookie take a segment hangs on how far they lie apart. A cookie's upper eight bits count minutes, the others are hashed anew
 * every minute. `cookieAt`: what an engine answers the same SYN with.
 */
export function timeOfCookie(cookie: number, cookieAt: (time: number) => number | undefined): number {
  let best = FIRST_MINUTE;
  let least = 2 ** 31;
  for (let minute = best; minute < MINUTES; ) {
    const answered = cookieAt(minute * MINUTE_MS);
    if (answered === undefined) break;
    const distance = (answered - cookie) | 0;
    if (Math.abs(distance) < least) [best, least] = [minute, Math.abs(distance)];
    minute += Math.max(1, (-distance >>> 24) - 1);
  }
  return best * MINUTE_MS;
}

const FIRST_MINUTE = 10;
/** When an engine's clock begins where there is no cookie. */
export const BEGIN = FIRST_MINUTE * MINUTE_MS;
