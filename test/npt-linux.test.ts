/** SNPT and DNPT against the machine's own kernel: what comes out, what later rules count, what errors quote. */
import { describe, expect, it } from "vitest";
import * as L from "../src/blob/layout.js";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { decodePacket } from "../src/netfilter/packet.js";
import { printRuleset } from "../src/ruleset/print.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";
import { addressBytes, addressText } from "./oracle/address.js";
import { errorFrame } from "./oracle/frame.js";
import { Oracle } from "./oracle/oracle.js";
import {
  blankPacket,
  encodePacket,
  type Packet,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
import { LOCAL_ADDRESSES } from "./oracle/random-pool.js";
import { mapPrefix } from "./oracle/random-target.js";
import { playTraffic, type Played, readCounters, trafficMissing, WAY_OUT, WIRES } from "./oracle/traffic.js";
import { wireBytes } from "./oracle/wire.js";
import { judge } from "./referee/judge.js";
import type { Case } from "./referee/plan.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const CASES = 60;
const PACKETS = 40;
/** Of prefixes, and hosts behind them: words of ones and zeros, which sums treat alike. */
const SITES = ["fd00:0:0:1", "2001:db8:0:0", "2001:db8:1:ffff", "2001:db8:0:ff", "2001:db9:0:0"];
const HOSTS = ["0:0:0:2", "1:2:3:4", "ffff:0:0:9", "ffff:ffff:1:1", "ffff:ffff:ffff:8", "8000:0:0:ffff"];
const LENGTHS = [16, 32, 48, 56, 64, 128];

const mangle = (rules: readonly string[], chains = ""): string =>
  `*mangle\n${["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"].map((chain) => `:${chain} ACCEPT [0:0]\n`).join("")}${chains}${rules.join("\n")}\nCOMMIT\n`;

const randomEnd = (random: Random): string => `${random.pick(SITES)}:${random.pick(HOSTS)}`;

/** Chains of many rules that ask for either end, some of which map one: in chains that are jumped to from the middle. */
function makeCase(seed: number): Case {
  const random = new Random(seed);
  const chain = (name: string, target: "SNPT" | "DNPT", callee?: string): string[] =>
    Array.from({ length: random.pick([4, 30, 80]) }, () => {
      const end = `${random.pick(["-s", "-d"])} ${randomEnd(random)}/${random.pick(LENGTHS)}`;
      const does = random.weighted([
        [3, mapPrefix(random, target)],
        [12, ""],
        [callee ? 3 : 0, `-j ${callee}`],
        [1, "-j RETURN"],
      ]);
      return `-A ${name} ${random.chance(0.15) ? `! ${end}` : end} ${does}`;
    });
  const rules = [
    ...chain("PREROUTING", "DNPT", "to"),
    ...chain("to", "DNPT"),
    ...chain("POSTROUTING", "SNPT", "from"),
    ...chain("from", "SNPT"),
  ];
  const packets = Array.from({ length: PACKETS }, () => makePacket(random, randomEnd(random), randomEnd(random)));
  return { family: "ipv6", text: mangle(rules, ":to - [0:0]\n:from - [0:0]\n"), packets };
}

function makePacket(random: Random, source: string, destination: string): Packet {
  const packet = blankPacket("ipv6");
  const protocol = random.pick([PROTOCOL_TCP, PROTOCOL_UDP]);
  Object.assign(packet, { protocol, input: random.pick(WIRES), output: WAY_OUT });
  Object.assign(packet, { source: addressBytes(source), destination: addressBytes(destination) });
  packet.bytes = wireBytes(packet);
  return packet;
}

function isMoved({ text }: Case, packet: Packet): boolean {
  const { result } = new Oracle(parseRuleset(text, { family: "ipv6" }), LOCAL_ADDRESSES).walk(packet);
  return result.source !== addressText(packet.source) && result.destination !== addressText(packet.destination);
}

/** One packet through an engine, its bytes known, and what it tells. */
function match(text: string, packet: Packet, bytes: Uint8Array) {
  const engine = Engine.create({ localAddresses: LOCAL_ADDRESSES.map((address) => `${address} ${WAY_OUT}`) });
  new Updater(engine, { strategy: "full" }).load(parseRuleset(text, { family: "ipv6" }));
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(1);
  const queue = reader.listen();
  pool.set(0, encodePacket(packet));
  pool.setBytes(0, bytes);
  reader.match(pool, 0, 1);
  const result = pool.result(0);
  const address = (at: number): string => addressText(new Uint8Array(result.buffer, result.byteOffset + at, 16));
  const saved = engine.readRuleset().map((ruleset) => printRuleset(ruleset, { counters: true }));
  return { result, address, events: queue.take(), counters: readCounters(saved.join("\n")) };
}

function cameOut(played: Played | undefined): Buffer | undefined {
  const bytes = played && !("refused" in played) ? played.outputs[0] : undefined;
  return bytes ? Buffer.from(bytes) : undefined;
}

describe.skipIf(missing)(`SNPT and DNPT${skipped}`, () => {
  it("give packets the addresses that Linux gives them, which later rules see", () => {
    const cases = Array.from({ length: CASES }, (_, seed) => makeCase(seed));
    const found = judge(cases, "legacy").flatMap((one, seed) =>
      one ? [`seed ${seed}: ${one}\n${cases[seed]?.text}`] : [],
    );
    expect(found.length, found[0]).toBe(0);
    const both = cases.flatMap((one) => one.packets.filter((packet) => isMoved(one, packet)));
    expect(both.length).toBeGreaterThan(CASES);
  }, 120_000);

  it("map what an ICMPv6 error quotes the other way", () => {
    const ends = { sourcePort: 0, destinationPort: 0x0101 };
    const inner = makePacket(new Random(1), "2001:db8:1:ffff:1:2:3:4", "fd00:0:0:1:8000:0:0:ffff");
    const rules = [
      "-A PREROUTING -j DNPT --src-pfx 2001:db8:1::/48 --dst-pfx 2001:db9::/48",
      "-A POSTROUTING -j SNPT --src-pfx fd00:0:0:1::/64 --dst-pfx 2001:db8:0:5::/64",
      "-A POSTROUTING -j SNPT --src-pfx fd00:7::/48 --dst-pfx 2001:db8:0:5::/64",
    ];
    const cases = [1, 2, 3].map((count) => ({ text: mangle(rules.slice(0, count)), type: count }));
    const outer = { source: "fd00:0:0:1:0:0:0:9", destination: "2001:db8:1:0:0:0:0:2", ...ends };
    const errors = cases.map(({ type }) =>
      errorFrame("ipv6", { ...outer, destinationPort: type << 8 }, Buffer.from(inner.bytes as Uint8Array)),
    );
    const played = playTraffic(
      cases.map(({ text }, n) => ({
        family: "ipv6",
        text,
        packets: [{ device: "eth0", bytes: (errors[n] as Buffer).toString("hex") }],
      })),
    );
    for (const [n, { text, type }] of cases.entries()) {
      const out = cameOut(played[n]);
      const packet = makePacket(new Random(1), outer.source, outer.destination);
      Object.assign(packet, { protocol: PROTOCOL_ICMPV6, sourcePort: type, destinationPort: 0, input: "eth0" });
      const { result, address } = match(text, packet, errors[n] as Buffer);
      expect(result.getUint8(L.RESULT_FLAGS) & L.RESULT_FLAG_QUOTED).not.toBe(0);
      expect(
        [L.RESULT_SOURCE, L.RESULT_DESTINATION, L.RESULT_QUOTED_SOURCE, L.RESULT_QUOTED_DESTINATION].map(address),
      ).toEqual([8, 24, 56, 72].map((at) => addressText((out as Buffer).subarray(at, at + 16))));
    }
  });

  it("drop an address of ones alone behind a long prefix, and complain to what it has become", () => {
    // Of what the machine itself sends, this alone comes out.
    const raw =
      "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p icmpv6 -m icmp6 --icmpv6-type 4 -j ACCEPT\nCOMMIT\n";
    const text = `${raw}${mangle(["-A POSTROUTING -j SNPT --src-pfx 2001:db8:1:ffff::/64 --dst-pfx 2001:db9::/64"])}`;
    const packet = makePacket(new Random(1), "2001:db8:1:ffff:ffff:ffff:ffff:ffff", "fd00:0:0:1::2");
    const bytes = packet.bytes as Uint8Array;
    const [played] = playTraffic([
      { family: "ipv6", text, packets: [{ device: packet.input, bytes: Buffer.from(bytes).toString("hex") }] },
    ]);
    const out = cameOut(played) as Buffer;
    const { result, events, counters } = match(text, packet, bytes);
    expect(result.getUint8(L.RESULT_VERDICT)).toBe(L.VERDICT_DROP);
    const [reply] = events.map((event) => decodePacket(event.packet));
    expect(`${reply?.icmpType}/${reply?.icmpCode} ${reply?.destination} ${reply?.length}`).toBe(
      `${out[40]}/${out[41]} ${addressText(out.subarray(24, 40))} ${out.length}`,
    );
    const linux = played && !("refused" in played) ? played.counters : new Map<string, string>();
    for (const rule of ["raw OUTPUT 1", "mangle POSTROUTING 1"]) expect(counters.get(rule)).toBe(linux.get(rule));
  });
});
