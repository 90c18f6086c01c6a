/**
 * Handshakes with a server of the machine itself, which proxies their SYNs: on Linux, where a real one listens, and in an engine,
 * which is given what the client sent and what that server sent, in the order in which Linux saw them.
 */
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
import {
  BASES,
  type Bases,
  BEGIN,
  bytesOf,
  type HandshakeStep,
  isAnswer,
  segmentOf,
  timeOf,
  timeOfCookie,
  withoutChance,
  withoutChosen,
  words,
} from "./handshake-words.js";
import { readCounters } from "./traffic.js";
import { playScript } from "./script.js";

/** What the server does, in place of a client's segment. */
export interface ServerStep {
  readonly act: "send" | "read" | "shut" | "close" | "abort" | "leave";
  /** Bytes to send. */
  readonly size?: number;
}

export interface LocalHandshake {
  readonly family: Family;
  readonly text: string;
  readonly sysctls: Readonly<Partial<Record<SysctlName, number>>>;
  /** Of net.ipv4.tcp_*: how the server speaks. */
  readonly tcp: Readonly<Record<string, number>>;
  readonly listens: readonly number[];
  readonly ports: readonly number[];
  readonly steps: readonly (HandshakeStep | ServerStep)[];
}

/** What Linux saw, by the prefix of the rule of NFLOG that told it. */
export const CLIENT = "client";
export const SERVER = "server";
export const RESET = "reset";
/** What came in by the loopback interface, and got past every rule of INPUT. */
const LOOPED = "looped";
const GOT = "got";
/** What the server's packets carry, and what they leave with, which tells them from the machine's own. */
export const SERVER_MARK = 0x77;
export const SERVER_TTL = 50;

/** These rules tell what Linux sees; an engine counts them like any others. */
export const WATCH_RAW = [
  "-A PREROUTING -i lo -p tcp -j NFLOG --nflog-group 1 --nflog-prefix looped",
  "-A PREROUTING -i lan0 -p tcp -j NFLOG --nflog-group 1 --nflog-prefix client",
  `-A OUTPUT -p tcp -m mark --mark 0x77 -j NFLOG --nflog-group 1 --nflog-prefix server`,
  `-A OUTPUT -p tcp -m mark ! --mark 0x77 -m tcp --tcp-flags RST RST -j NFLOG --nflog-group 1 --nflog-prefix reset`,
];
export const WATCH_SECURITY = ["-A INPUT -i lo -p tcp -j NFLOG --nflog-group 1 --nflog-prefix got"];

/** A packet that the machine saw, on Linux. */
interface Seen {
  readonly prefix: typeof CLIENT | typeof SERVER | typeof RESET;
  readonly step: number;
  readonly bytes: Buffer;
  /** The last cookie that the client had got. */
  readonly cookie: number;
}

export interface LocalOutcome {
  readonly cookies: readonly number[];
  /** In words: what went to the client, what the machine sent to the server. */
  readonly toClient: readonly string[];
  readonly toServer: readonly string[];
  /** How many segments reached TCP, whoever sent them. */
  readonly given: number;
  readonly counters: ReadonlyMap<string, string>;
  readonly connections: readonly string[];
}

export interface LinuxOutcome extends LocalOutcome {
  readonly seen: readonly Seen[];
  /** The numbers of the answers to SYNs that reached the client: each of a cookie or of the server itself. */
  readonly answers: readonly number[];
}

const ADDRESSES = ["10.0.0.1/24", "10.0.0.2/24", "fd00:1::1/64", "fd00:1::2/64"];
const ROUTING: Routing = {
  addresses: ADDRESSES.map((text) => {
    const [address = "", prefix] = text.split("/");
    return { address, prefix: Number(prefix), interface: "lan0" };
  }),
  routes: [
    ...readRoutes("10.0.0.0/24 dev lan0\ndefault dev lan0", { family: "ipv4" }),
    ...readRoutes("fd00:1::/64 dev lan0\ndefault dev lan0", { family: "ipv6" }),
  ],
};
const SETUP = `${ADDRESSES.map((address) => `ip addr add ${address} dev lan0 ${address.includes(":") ? "nodad" : ""}`).join("; ")}
ip route add default dev lan0; ip -6 route add default dev lan0`;

/** Per round what Linux did, or what iptables-restore said. */
export function serveOnLinux(rounds: readonly LocalHandshake[]): (LinuxOutcome | string)[] {
  const played = playScript("serve.py", { setup: SETUP, rounds }) as {
    said: string;
    told: [number, string, string][];
    given: number;
    saved: string;
    listed: string;
  }[];
  return played.map(({ said, told, given, saved, listed }, n) => {
    if (said) return said;
    const { ports } = rounds[n] as LocalHandshake;
    const rest = { given, counters: readCounters(saved), connections: listing(listed.split("\n"), ports) };
    const packets = told.map(([step, prefix, hex]) => ({ step, prefix, bytes: Buffer.from(hex, "hex") }));
    return { ...readTold(packets, ports), ...rest };
  });
}

function readTold(told: readonly { step: number; prefix: string; bytes: Buffer }[], ports: readonly number[]) {
  let bases: Bases = BASES;
  const seen: Seen[] = [];
  const [cookies, answers]: [number[], number[]] = [[], []];
  const [toClient, toServer]: [string[], string[]] = [[], []];
  for (const { step, prefix, bytes } of told) {
    const { sent, header } = segmentOf(bytes);
    if (prefix === CLIENT || prefix === SERVER || prefix === RESET) {
      seen.push({ prefix, step, bytes, cookie: bases.K });
      if (prefix === SERVER && isAnswer(header)) bases = { ...bases, S: header.readUInt32BE(4) };
    } else if (prefix === LOOPED) {
      if (!isServers(sent)) toServer.push(withoutChosen(words("lo", sent, header, bases), ports));
    } else if (prefix !== GOT) {
      if (isAnswer(header)) {
        bases = { ...bases, K: header.readUInt32BE(4) };
        answers.push(bases.K);
      }
      const passed = isServers(sent);
      if (isAnswer(header) && !passed) cookies.push(bases.K);
      toClient.push(passed ? passedText(sent.tcpFlags, sent.length) : words("lan0", sent, header, bases));
    }
  }
  return { seen, cookies, answers, toClient, toServer };
}

const passedText = (flags: number | undefined, length: number | undefined): string => `passed flags ${flags} ${length}`;
const isServers = ({ ttl, tcpFlags = 0 }: Packet): boolean => ttl === SERVER_TTL || (tcpFlags & 4) !== 0;
const listing = (lines: readonly string[], ports: readonly number[]): string[] =>
  lines
    .filter(Boolean)
    .map((line) => withoutChance(line, ports))
    .sort();

const STEP_MS = 1;

/** The same in an engine. */
export function serveInEngine(round: LocalHandshake, linux: LinuxOutcome): LocalOutcome {
  const { family, steps, ports } = round;
  const [cookie] = linux.cookies;
  const begin = cookie === undefined ? BEGIN : beginOf(round, cookie);
  const { engine, reader, events, pool } = makeMachine(round);
  let bases: Bases = BASES;
  let echo = 0;
  const cookies: number[] = [];
  const [toClient, toServer]: [string[], string[]] = [[], []];
  let given = 0;
  linux.seen.forEach((seen, i) => {
    const { prefix, step } = seen;
    const bytes =
      prefix === CLIENT ? bytesOf(family, steps[step] as HandshakeStep, bases, echo) : withCookie(seen, bases.K);
    const { header } = segmentOf(bytes);
    const way =
      prefix === CLIENT
        ? ({ input: "lan0" } as const)
        : ({ path: "out", mark: prefix === SERVER ? SERVER_MARK : 0 } as const);
    const packet = packetOfWire(bytes, { ...way, time: begin + i * STEP_MS });
    if (!packet) throw new Error("no packet of IP");
    if (prefix === SERVER && isAnswer(header)) bases = { ...bases, S: header.readUInt32BE(4) };
    pool.set(0, encodePacket(packet));
    pool.setBytes(0, bytes);
    reader.match(pool, 0, 1);
    const told = events.take();
    given += told.filter((event) => event.prefix === GOT).length;
    for (const event of told.filter(({ kind }) => kind === "REPLY")) {
      const sent = decodePacket(event.packet);
      const own = Buffer.from(event.segment ?? []);
      if (sent.output === "lo") {
        toServer.push(withoutChosen(words("lo", sent, own, bases), ports));
        continue;
      }
      echo = timeOf(own) || echo;
      if (isAnswer(own)) {
        bases = { ...bases, K: event.sequence ?? 0 };
        cookies.push(bases.K);
      }
      toClient.push(words(sent.output ?? "", sent, own, bases));
    }
    const { verdict, hook } = decodeResult(pool.result(0), family);
    if (verdict !== "ACCEPT") return;
    if (hook === "INPUT" && prefix === CLIENT) given++;
    if (hook === "POSTROUTING") {
      const sequence = header.readUInt32BE(4);
      // Linux shifts the answer of a server that it stands in for: the client's base stays.
      if (isAnswer(header) && linux.answers.includes(sequence)) bases = { ...bases, K: sequence };
      toClient.push(passedText(packet.tcpFlags, packet.length));
    }
  });
  const saved = engine.readRuleset().map((ruleset) => printRuleset(ruleset, { counters: true }));
  const end = begin + linux.seen.length * STEP_MS;
  const connections = listing(
    listConnections(engine, end).map((connection) => printConnection(connection, end)),
    ports,
  );
  return { cookies, toClient, toServer, given, counters: readCounters(saved.join("\n")), connections };
}

/** What the server sends; a reset to a segment that acknowledges a cookie has the cookie's number. */
function withCookie({ bytes, cookie }: Seen, ours: number): Buffer {
  const own = Buffer.from(bytes);
  const { header } = segmentOf(own);
  const offset = (header.readUInt32BE(4) - cookie) | 0;
  if (Math.abs(offset) < 900) header.writeUInt32BE((ours + offset) >>> 0, 4);
  return own;
}

function makeMachine({ family, text, sysctls }: LocalHandshake) {
  const engine = Engine.create({ connections: 64, sysctls, routing: ROUTING });
  new Updater(engine, { strategy: "full", family }).load(parseRuleset(text, { family }));
  const reader = new Reader(engine, 0);
  return { engine, reader, events: reader.listen(), pool: reader.allocate(1) };
}

/** When the engine's cookie for the client's SYN is next to this one. */
function beginOf(round: LocalHandshake, cookie: number): number {
  const { reader, events, pool } = makeMachine(round);
  const syn = round.steps.find((step) => "flags" in step && (step.flags & 18) === 2) as HandshakeStep | undefined;
  const bytes = syn && bytesOf(round.family, syn, BASES, 0);
  return timeOfCookie(cookie, (time) => {
    const packet = bytes && packetOfWire(bytes, { input: "lan0", time });
    if (!packet) return undefined;
    pool.set(0, encodePacket(packet));
    pool.setBytes(0, bytes);
    reader.match(pool, 0, 1);
    return events.take().find(({ kind }) => kind === "REPLY")?.sequence;
  });
}
