/** Handshakes through a machine that proxies SYNs: on Linux and in an engine, and what the machine itself sends meanwhile. */
import { Engine } from "../../src/engine/engine.js";
import { Reader } from "../../src/engine/reader.js";
import type { Routing } from "../../src/engine/routing.js";
import type { SysctlName } from "../../src/engine/sysctls.js";
import { listConnections } from "../../src/netfilter/connections.js";
import { decodePacket, encodePacket, type Packet } from "../../src/netfilter/packet.js";
import { printConnection } from "../../src/netfilter/print-connection.js";
import { decodeResult } from "../../src/netfilter/result.js";
import { readRoutes } from "../../src/netfilter/routing/ip-route.js";
import { packetOfWire } from "../../src/netfilter/wire.js";
import { parseRuleset } from "../../src/ruleset/parse.js";
import { printRuleset } from "../../src/ruleset/print.js";
import type { Family } from "../../src/ruleset/row-store.js";
import { Updater } from "../../src/update/updater.js";
import { frame, segmentRest } from "./frame.js";
import { PROTOCOL_TCP } from "./packet.js";
import { readCounters } from "./traffic.js";
import { playScript } from "./script.js";

/** What a number counts from: the client's and the server's beginning, the cookie, nought. */
type Base = "C" | "S" | "K" | "0";

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
  readonly data: number;
}

export interface Handshake {
  readonly family: Family;
  readonly text: string;
  readonly sysctls: Readonly<Partial<Record<SysctlName, number>>>;
  readonly steps: readonly HandshakeStep[];
}

export interface HandshakeOutcome {
  /** The numbers that it answered SYNs with. */
  readonly cookies: readonly number[];
  /** Per step, what came out: what passed, by its device alone, and what the machine sent, in words. */
  readonly steps: readonly (readonly string[])[];
  readonly counters: ReadonlyMap<string, string>;
  readonly connections: readonly string[];
}

const ADDRESSES = "lan0 10.0.0.1/24 fd00:1::1/64 wan0 192.0.2.1/24 2001:db8::1/64".split(" ");
const OWN = ADDRESSES.flatMap((word, n) => (n % 3 ? [`${word.split("/")[0]} ${ADDRESSES[n - (n % 3)]}`] : []));
const ROUTING: Routing = {
  addresses: ADDRESSES.flatMap((word, n) => {
    const [address = "", prefix] = word.split("/");
    return n % 3 ? [{ address, prefix: Number(prefix), interface: ADDRESSES[n - (n % 3)] as string }] : [];
  }),
  routes: [
    ...readRoutes(`10.0.0.0/24 dev lan0\n192.0.2.0/24 dev wan0\ndefault dev wan0`, { family: "ipv4" }),
    ...readRoutes(`fd00:1::/64 dev lan0\n2001:db8::/64 dev wan0\ndefault dev wan0`, { family: "ipv6" }),
  ],
};
const SETUP = `${[1, 2, 4, 5].map((n) => `ip addr add ${ADDRESSES[n]} dev ${ADDRESSES[n < 3 ? 0 : 3]} ${n % 3 === 2 ? "nodad" : ""}`).join("; ")}
ip route add default dev wan0; ip -6 route add default dev wan0`;

/** Per round what Linux did, or what iptables-restore said. */
export function shakeOnLinux(rounds: readonly Handshake[]): (HandshakeOutcome | string)[] {
  const played = playScript("handshake.py", { setup: SETUP, rounds }) as {
    said: string;
    steps: [string, string][][];
    saved: string;
    listed: string;
  }[];
  return played.map(({ said, steps, saved, listed }, n) => {
    if (said) return said;
    const { family } = rounds[n] as Handshake;
    let bases: Bases = BASES;
    const cookies: number[] = [];
    return {
      steps: steps.map((got) => {
        return got.map(([device, hex]) => {
          const bytes = Buffer.from(hex, "hex");
          const sent = packetOfWire(bytes, {});
          // What is forwarded has lost a hop.
          if (sent?.ttl !== 64) return device;
          const header = bytes.subarray(family === "ipv4" ? 20 : 40);
          if (device === "lan0" && isAnswer(header)) {
            bases = { ...bases, K: header.readUInt32BE(4) };
            cookies.push(bases.K);
          }
          return words(device, sent, header, bases);
        });
      }),
      cookies,
      counters: readCounters(saved),
      connections: listed.split("\n").filter(Boolean).map(withoutChance).sort(),
    };
  });
}

/** What Linux' script has these begin with. */
const BASES = { C: 1000, S: 5_000_000, K: 77, "0": 0 };
type Bases = Readonly<Record<Base, number>>;
const OUR_TIME = 7777;
const STEP_MS = 1;
const BEGIN = 600_000;

/**
 * The same in an engine, which is told what `ip` would print, or only which way each packet goes. Whether windows that have
 * seen both an end's numbers and a cookie take a segment hangs on how far they lie apart, so the engine's clock begins when its
 * cookie is about the one that Linux sent.
 */
export function shakeInEngine(round: Handshake, cookie: number | undefined, routes: boolean): HandshakeOutcome {
  const { family, steps } = round;
  const begin = cookie === undefined ? BEGIN : timeOfCookie(round, cookie);
  const { engine, reader, events, pool } = makeMachine(round, routes);
  let bases: Bases = BASES;
  const cookies: number[] = [];
  const echoes = new Map<string, number>();
  const outcome = steps.map((step, i) => {
    const bytes = bytesOf(family, step, bases, echoes.get(step.device) ?? 0);
    const output = step.device === "lan0" ? "wan0" : "lan0";
    const packet = packetOfWire(bytes, { input: step.device, output, time: begin + i * STEP_MS });
    if (!packet) throw new Error("no packet of IP");
    pool.set(0, encodePacket(packet));
    pool.setBytes(0, bytes);
    reader.match(pool, 0, 1);
    const { verdict, hook } = decodeResult(pool.result(0), family);
    const out = events.take().map((event) => {
      const sent = decodePacket(event.packet);
      const header = Buffer.from(event.segment ?? []);
      const device = sent.output ?? "";
      echoes.set(device, timeOf(header) || (echoes.get(device) ?? 0));
      if (device === "lan0" && isAnswer(header)) {
        bases = { ...bases, K: event.sequence ?? 0 };
        cookies.push(bases.K);
      }
      return words(device, sent, header, bases);
    });
    if (verdict === "ACCEPT" && hook !== "INPUT") out.push(output);
    return out;
  });
  const saved = engine.readRuleset().map((ruleset) => printRuleset(ruleset, { counters: true }));
  const end = begin + steps.length * STEP_MS;
  const connections = listConnections(engine, end)
    .map((connection) => withoutChance(printConnection(connection, end)))
    .sort();
  return { steps: outcome, cookies, counters: readCounters(saved.join("\n")), connections };
}

function makeMachine({ family, text, sysctls }: Handshake, routes: boolean) {
  const place = routes ? { routing: ROUTING } : { localAddresses: OWN };
  const engine = Engine.create({ connections: 64, sysctls, ...place });
  new Updater(engine, { strategy: "full", family }).load(parseRuleset(text, { family }));
  const reader = new Reader(engine, 0);
  return { engine, reader, events: reader.listen(), pool: reader.allocate(1) };
}

function bytesOf(family: Family, step: HandshakeStep, bases: Bases, echo: number): Buffer {
  const number = ([base, offset]: readonly [Base, number]): number => bases[base] + offset;
  const times = Buffer.alloc(step.times ? 12 : 0);
  if (step.times) {
    times.set([1, 1, 8, 10]);
    times.writeUInt32BE(OUR_TIME, 4);
    times.writeUInt32BE(echo, 8);
  }
  const { flags, window, data } = step;
  const options = step.options + times.toString("hex");
  const rest = segmentRest({ flags, sequence: number(step.seq), ack: number(step.ack), window, options, data });
  const [source, destination] = step.ends;
  const [sourcePort, destinationPort] = step.ports;
  return frame(family, PROTOCOL_TCP, { source, destination, sourcePort, destinationPort }, rest);
}

const MINUTE_MS = 60_000;
const MINUTES = Math.floor(2 ** 31 / MINUTE_MS);

/**
 * When the engine's cookie for the client's SYN is next to this one: its upper eight bits count minutes, the others are hashed
 * anew every minute.
 */
function timeOfCookie(round: Handshake, cookie: number): number {
  const { reader, events, pool } = makeMachine(round, true);
  const syn = round.steps.find(({ device, flags }) => device === "lan0" && (flags & 18) === 2);
  const bytes = syn && bytesOf(round.family, syn, BASES, 0);
  const distanceAt = (minute: number): number | undefined => {
    const packet = bytes && packetOfWire(bytes, { input: "lan0", output: "wan0", time: minute * MINUTE_MS });
    if (!packet) return undefined;
    pool.set(0, encodePacket(packet));
    pool.setBytes(0, bytes);
    reader.match(pool, 0, 1);
    const sequence = events.take()[0]?.sequence;
    return sequence === undefined ? undefined : (sequence - cookie) | 0;
  };
  let best = BEGIN / MINUTE_MS;
  let least = 2 ** 31;
  for (let minute = best; minute < MINUTES; ) {
    const distance = distanceAt(minute);
    if (distance === undefined) break;
    if (Math.abs(distance) < least) [best, least] = [minute, Math.abs(distance)];
    minute += Math.max(1, (-distance >>> 24) - 1);
  }
  return best * MINUTE_MS;
}

const isAnswer = (header: Buffer): boolean => ((header[13] as number) & 18) === 18;
/** Without the time that is left, and without the port that NAT takes at random where the packet's own is another's. */
function withoutChance(line: string): string {
  const ports = (field: string, port: string): string => (/^(30000|80|8080)$/.test(port) ? field : "port=another");
  return line.replace(/ \d+ ([A-Z_]+) /, " $1 ").replace(/port=(\d+)/g, ports);
}

/** "lan0 SYN ACK ..." with what can be compared: numbers by what they count from. */
function words(device: string, sent: Packet, header: Buffer, bases: Bases): string {
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
  return String(value);
}

/** Of a time what a cookie of it keeps; what is an end's own as it is; what is shifted by what others know as a shift. */
function timesText(header: Buffer): string {
  const option = optionOf(header, 8);
  if (!option) return "-";
  const [value, echo] = [option.readUInt32BE(2), option.readUInt32BE(6)];
  return [value, echo].map((one) => (one === OUR_TIME || one === 0 ? one : `~${one & 63}`)).join("/");
}

function timeOf(header: Buffer): number {
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
