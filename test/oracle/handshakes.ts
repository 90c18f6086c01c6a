/** Handshakes through a machine that proxies SYNs: on Linux and in an engine, and what the machine itself sends meanwhile. */
import { fileURLToPath } from "node:url";
import { Engine } from "../../src/engine/engine.js";
import { Reader } from "../../src/engine/reader.js";
import type { SysctlName } from "../../src/engine/sysctls.js";
import { listConnections } from "../../src/netfilter/connections.js";
import { decodePacket, encodePacket, type Packet } from "../../src/netfilter/packet.js";
import { printConnection } from "../../src/netfilter/print-connection.js";
import { decodeResult } from "../../src/netfilter/result.js";
import { packetOfWire } from "../../src/netfilter/wire.js";
import { parseRuleset } from "../../src/ruleset/parse.js";
import { printRuleset } from "../../src/ruleset/print.js";
import type { Family } from "../../src/ruleset/row-store.js";
import { Updater } from "../../src/update/updater.js";
import { frame, segmentRest } from "./frame.js";
import { PROTOCOL_TCP } from "./packet.js";
import { readCounters } from "./traffic.js";
import { output } from "../run.js";

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
  /** Per step, what came out: what passed, by its device alone, and what the machine sent, in words. */
  readonly steps: readonly (readonly string[])[];
  readonly counters: ReadonlyMap<string, string>;
  readonly connections: readonly string[];
}

const ADDRESSES = "lan0 10.0.0.1/24 fd00:1::1/64 wan0 192.0.2.1/24 2001:db8::1/64".split(" ");
const SETUP = `${[1, 2, 4, 5].map((n) => `ip addr add ${ADDRESSES[n]} dev ${ADDRESSES[n < 3 ? 0 : 3]} ${n % 3 === 2 ? "nodad" : ""}`).join("; ")}
ip route add default dev wan0; ip -6 route add default dev wan0`;

/** Per round what Linux did, or what iptables-restore said. */
export function shakeOnLinux(rounds: readonly Handshake[]): (HandshakeOutcome | string)[] {
  const script = fileURLToPath(new URL("handshake.py", import.meta.url));
  const stdout = output("unshare", ["--net", "python3", script], { input: JSON.stringify({ setup: SETUP, rounds }) });
  const played = JSON.parse(stdout) as { said: string; steps: [string, string][][]; saved: string; listed: string }[];
  return played.map(({ said, steps, saved, listed }, n) => {
    if (said) return said;
    const { family } = rounds[n] as Handshake;
    let cookie = COOKIE;
    return {
      steps: steps.map((got) => {
        return got.map(([device, hex]) => {
          const bytes = Buffer.from(hex, "hex");
          const sent = packetOfWire(bytes, {});
          // What is forwarded has lost a hop.
          if (sent?.ttl !== 64) return device;
          const header = bytes.subarray(family === "ipv4" ? 20 : 40);
          if (device === "lan0" && isAnswer(header)) cookie = header.readUInt32BE(4);
          return words(device, sent, header, cookie);
        });
      }),
      counters: readCounters(saved),
      connections: listed.split("\n").filter(Boolean).map(withoutTime),
    };
  });
}

/** What Linux' script has these begin with. */
const BASES = { C: 1000, S: 5_000_000, "0": 0 };
const COOKIE = 77;
const OUR_TIME = 7777;
const STEP_MS = 1;
const BEGIN = 600_000;

/** The same in an engine, whose packets' ways are known. */
export function shakeInEngine({ family, text, sysctls, steps }: Handshake, seed: number): HandshakeOutcome {
  const localAddresses = ["10.0.0.1 lan0", "fd00:1::1 lan0", "192.0.2.1 wan0", "2001:db8::1 wan0"];
  const engine = Engine.create({ connections: 64, localAddresses, sysctls, seed });
  new Updater(engine, { strategy: "full", family }).load(parseRuleset(text, { family }));
  const reader = new Reader(engine, 0);
  const events = reader.listen();
  const pool = reader.allocate(1);
  let cookie = COOKIE;
  const echoes = new Map<string, number>();
  const outcome = steps.map((step, i) => {
    const number = ([base, offset]: readonly [Base, number]): number => (base === "K" ? cookie : BASES[base]) + offset;
    const times = Buffer.alloc(step.times ? 12 : 0);
    if (step.times) {
      times.set([1, 1, 8, 10]);
      times.writeUInt32BE(OUR_TIME, 4);
      times.writeUInt32BE(echoes.get(step.device) ?? 0, 8);
    }
    const { flags, window, data } = step;
    const options = step.options + times.toString("hex");
    const rest = segmentRest({ flags, sequence: number(step.seq), ack: number(step.ack), window, options, data });
    const [source, destination] = step.ends;
    const [sourcePort, destinationPort] = step.ports;
    const bytes = frame(family, PROTOCOL_TCP, { source, destination, sourcePort, destinationPort }, rest);
    const output = step.device === "lan0" ? "wan0" : "lan0";
    const packet = packetOfWire(bytes, { input: step.device, output, time: BEGIN + i * STEP_MS });
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
      if (device === "lan0" && isAnswer(header)) cookie = event.sequence ?? 0;
      return words(device, sent, header, cookie);
    });
    if (verdict === "ACCEPT" && hook !== "INPUT") out.push(output);
    return out;
  });
  const saved = engine.readRuleset().map((ruleset) => printRuleset(ruleset, { counters: true }));
  const end = BEGIN + steps.length * STEP_MS;
  const connections = listConnections(engine, end).map((connection) => withoutTime(printConnection(connection, end)));
  return { steps: outcome, counters: readCounters(saved.join("\n")), connections };
}

const isAnswer = (header: Buffer): boolean => ((header[13] as number) & 18) === 18;
const withoutTime = (line: string): string => line.replace(/ \d+ ([A-Z_]+) /, " $1 ");

/** "lan0 SYN ACK ..." with what can be compared: numbers by what they count from. */
function words(device: string, sent: Packet, header: Buffer, cookie: number): string {
  const { source, destination, sourcePort, destinationPort, tcpFlags, tcpOptions, mss, length, ttl, tos } = sent;
  const [seq, ack] = [4, 8].map((at) => numberText(header.readUInt32BE(at), cookie));
  const window = header.readUInt16BE(14);
  const scale = optionOf(header, 3)?.[2] ?? "-";
  const ends = `${source}:${sourcePort} > ${destination}:${destinationPort}`;
  return `${device} ${ends} flags ${tcpFlags} seq ${seq} ack ${ack} window ${window} options ${tcpOptions} mss ${mss} scale ${scale} times ${timesText(header)} ${length} ${ttl} ${tos}`;
}

function numberText(value: number, cookie: number): string {
  for (const [name, base] of Object.entries({ ...BASES, K: cookie })) {
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
