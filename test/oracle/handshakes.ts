/** Handshakes through a machine that proxies SYNs: on Linux and in an engine, and what the machine itself sends meanwhile. */
import { Engine } from "../../src/engine/engine.js";
import { Reader } from "../../src/engine/reader.js";
import type { Routing } from "../../src/engine/routing.js";
import type { SysctlName } from "../../src/engine/sysctls.js";
import { listConnections } from "../../src/netfilter/connections.js";
import { decodePacket, encodePacket } from "../../src/netfilter/packet.js";
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
  words,
} from "./handshake-words.js";
import { readCounters } from "./traffic.js";
import { playScript } from "./script.js";

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
  return played.map(({ said, steps, saved, listed }) => {
    if (said) return said;
    let bases: Bases = BASES;
    const cookies: number[] = [];
    return {
      steps: steps.map((got) => {
        return got.map(([device, hex]) => {
          const { sent, header } = segmentOf(Buffer.from(hex, "hex"));
          // What is forwarded has lost a hop.
          if (sent.ttl !== 64) return device;
          if (device === "lan0" && isAnswer(header)) {
            bases = { ...bases, K: header.readUInt32BE(4) };
            cookies.push(bases.K);
          }
          return words(device, sent, header, bases);
        });
      }),
      cookies,
      counters: readCounters(saved),
      connections: listed
        .split("\n")
        .filter(Boolean)
        .map((line) => withoutChance(line, PORTS))
        .sort(),
    };
  });
}

const STEP_MS = 1;
const PORTS = [30_000, 80, 8080];

/**
 * The same in an engine, which is told what `ip` would print, or only which way each packet goes. Its clock begins when its
 * cookie is about the one that Linux sent.
 */
export function shakeInEngine(round: Handshake, cookie: number | undefined, routes: boolean): HandshakeOutcome {
  const { family, steps } = round;
  const begin = cookie === undefined ? BEGIN : beginOf(round, cookie);
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
    .map((connection) => withoutChance(printConnection(connection, end), PORTS))
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

/** When the engine's cookie for the client's SYN is next to this one. */
function beginOf(round: Handshake, cookie: number): number {
  const { reader, events, pool } = makeMachine(round, true);
  const syn = round.steps.find(({ device, flags }) => device === "lan0" && (flags & 18) === 2);
  const bytes = syn && bytesOf(round.family, syn, BASES, 0);
  return timeOfCookie(cookie, (time) => {
    const packet = bytes && packetOfWire(bytes, { input: "lan0", output: "wan0", time });
    if (!packet) return undefined;
    pool.set(0, encodePacket(packet));
    pool.setBytes(0, bytes);
    reader.match(pool, 0, 1);
    return events.take()[0]?.sequence;
  });
}
