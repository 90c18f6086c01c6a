import { beforeAll, describe, expect, it } from "vitest";
import { PACKET_FLAG_ODD } from "../src/blob/layout.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import type { Family } from "../src/ruleset/row-store.js";
import { addressBytes } from "./oracle/address.js";
import { Oracle } from "./oracle/oracle.js";
import { blankPacket, type Packet, PROTOCOL_SCTP, PROTOCOL_TCP } from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
import { randomChunks, randomRoutingHeader, randomString } from "./oracle/random-bytes.js";
import { randomSlowHashlimit } from "./oracle/random-clock.js";
import type { Condition, Place } from "./oracle/random-condition.js";
import {
  PROTOCOL_MOBILITY,
  randomDst,
  randomHbh,
  randomIpv6header,
  randomMh,
  randomSrh,
} from "./oracle/random-extension-headers.js";
import {
  randomDscp,
  randomPkttype,
  randomPolicy,
  randomSegmentSize,
  randomTos,
  randomTtl,
} from "./oracle/random-header.js";
import { LOCAL_ADDRESSES, TOS_VALUES, TTLS } from "./oracle/random-pool.js";
import {
  PROTOCOL_AH,
  PROTOCOL_DCCP,
  PROTOCOL_ESP,
  PROTOCOL_IPCOMP,
  randomAh,
  randomAh6,
  randomDccp,
  randomDevgroup,
  randomEcn,
  randomEsp,
  randomFragmentHeader,
  randomHelper,
  randomIpcomp,
  randomQuota,
} from "./oracle/random-rare.js";
import { randomU32 } from "./oracle/random-u32.js";
import { setEcn, setTos, setTtl, stripOptions } from "./oracle/random-target.js";
import { type Protocol, tcpOption } from "./oracle/random-protocol.js";
import { type Played, playTraffic, trafficMissing, WIRES } from "./oracle/traffic.js";
import { wireBytes } from "./oracle/wire.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
/** Programs that load and print take as long as a hundred packets do. */
const ROUNDS = 10;
const RULES = 36;
const PACKETS = 80;

/** Where none of the machine's own packets come by. */
const WATCHED = /^mangle (PREROUTING|FORWARD) /;

/** Whose addresses no machine minds. */
const ADDRESSES: Readonly<Record<Family, readonly string[]>> = {
  ipv4: ["198.51.100.1", "198.51.100.2", "198.51.101.1", "203.0.113.200"],
  ipv6: ["2001:db8:9::1", "2001:db8:9::2", "2001:db8:9:1::1", "2001:db9::ff"],
};

interface Subject {
  readonly name: string;
  readonly make: (random: Random, place: Place) => Condition;
  readonly families: readonly Family[];
  readonly protocol?: number;
  readonly target?: (random: Random, place: Place) => string;
  /** Whether what it looks at is found in later fragments as well. */
  readonly fragments?: boolean;
  /** Rules stand in FORWARD as well. */
  readonly forwarded?: boolean;
}

const BOTH = ["ipv4", "ipv6"] as const;
const SUBJECTS: readonly Subject[] = [
  { name: "ttl and hl, TTL and HL", make: randomTtl, families: BOTH, target: setTtl, forwarded: true },
  { name: "tos, TOS", make: randomTos, families: BOTH, target: setTos },
  {
    name: "dscp, DSCP",
    make: randomDscp,
    families: BOTH,
    target: (random) => `-j DSCP --set-dscp ${random.below(64)}`,
  },
  { name: "pkttype", make: randomPkttype, families: BOTH },
  { name: "tcpmss", make: randomSegmentSize, families: BOTH, protocol: PROTOCOL_TCP, fragments: true },
  { name: "policy", make: randomPolicy, families: BOTH },
  { name: "string", make: randomString, families: BOTH },
  { name: "rt", make: randomRoutingHeader, families: ["ipv6"] },
  { name: "sctp --chunk-types", make: sctpChunks, families: BOTH, protocol: PROTOCOL_SCTP },
  { name: "hashlimit", make: randomSlowHashlimit, families: BOTH, fragments: true },
  { name: "esp", make: randomEsp, families: BOTH, protocol: PROTOCOL_ESP },
  { name: "ah of IPv4", make: randomAh, families: ["ipv4"], protocol: PROTOCOL_AH },
  { name: "ah of IPv6", make: randomAh6, families: ["ipv6"] },
  { name: "ipcomp", make: randomIpcomp, families: BOTH, protocol: PROTOCOL_IPCOMP },
  { name: "frag", make: randomFragmentHeader, families: ["ipv6"] },
  { name: "dccp", make: randomDccp, families: BOTH, protocol: PROTOCOL_DCCP },
  {
    name: "ecn and ECN",
    make: tcpEcn,
    families: ["ipv4"],
    protocol: PROTOCOL_TCP,
    target: tcpEcnTarget,
    fragments: true,
  },
  { name: "ecn", make: tcpEcn, families: ["ipv6"], protocol: PROTOCOL_TCP },
  {
    name: "tcp --tcp-option, tcpmss and TCPOPTSTRIP",
    make: optionOrSize,
    families: BOTH,
    protocol: PROTOCOL_TCP,
    target: stripOptions,
  },
  { name: "devgroup", make: randomDevgroup, families: BOTH },
  { name: "helper", make: randomHelper, families: BOTH },
  { name: "quota", make: randomQuota, families: BOTH },
  { name: "u32", make: randomU32, families: BOTH, fragments: true },
  { name: "ipv6header", make: randomIpv6header, families: ["ipv6"] },
  { name: "hbh", make: randomHbh, families: ["ipv6"] },
  { name: "dst", make: randomDst, families: ["ipv6"] },
  { name: "mh", make: randomMh, families: ["ipv6"], protocol: PROTOCOL_MOBILITY },
  { name: "srh", make: randomSrh, families: ["ipv6"] },
];

const TCP: Protocol = { number: PROTOCOL_TCP, exact: true, conditions: [] };

function tcpEcn(random: Random): Condition {
  return randomEcn(random, true);
}

function tcpEcnTarget(random: Random, place: Place): string {
  return setEcn(random, place, TCP);
}

function optionOrSize(random: Random): Condition {
  if (random.chance(0.3)) return randomSegmentSize(random);
  const { text, aim } = tcpOption(random);
  return { text: `-m tcp ${text}`, aim };
}

function sctpChunks(random: Random): Condition {
  const { text, aim } = randomChunks(random);
  return { text: `-m sctp ${text}`, aim };
}

function makeRound(subject: Subject, seed: number) {
  const random = new Random(seed);
  const family = random.pick(subject.families);
  const hooks = new Set([0]);
  const place: Place = { family, table: "mangle", chain: "PREROUTING", builtIn: true, hooks, forgetful: false };
  const conditions = Array.from({ length: RULES }, () => subject.make(random, place));
  const rules = conditions.map(({ text }) => {
    const target = random.chance(0.3) ? (subject.target?.(random, place) ?? "") : "";
    const chain = subject.forwarded && random.chance(0.5) ? "FORWARD" : "PREROUTING";
    return `-A ${chain} ${subject.protocol ? `-p ${subject.protocol} ` : ""}${text} ${target}\n`;
  });
  const others = ["INPUT", "FORWARD", "OUTPUT", "POSTROUTING"].map((chain) => `:${chain} ACCEPT [0:0]\n`);
  const text = `*mangle\n:PREROUTING ACCEPT [0:0]\n${others.join("")}${rules.join("")}COMMIT\n`;
  const oracle = new Oracle(parseRuleset(text, { family }), LOCAL_ADDRESSES);
  const packets = Array.from({ length: PACKETS }, () => {
    const packet = makePacket(random, family, subject);
    if (random.chance(0.7)) random.pick(conditions).aim(packet);
    packet.type = 0;
    packet.bytes = wireBytes(packet);
    oracle.walk(packet);
    return { device: packet.input, bytes: Buffer.from(packet.bytes).toString("hex") };
  });
  return { round: { family, text, packets }, oracle };
}

function makePacket(random: Random, family: Family, subject: Subject): Packet {
  const packet = blankPacket(family);
  packet.protocol =
    subject.protocol ?? random.pick(family === "ipv4" ? [6, 17, 50, 51, 132, 47] : [6, 17, 50, 132, 47]);
  packet.input = random.pick(WIRES);
  packet.source = addressBytes(random.pick(ADDRESSES[family]));
  packet.destination = addressBytes(random.pick(ADDRESSES[family]));
  if ([6, 17, 132].includes(packet.protocol))
    Object.assign(packet, { sourcePort: random.below(2), destinationPort: random.below(3) });
  Object.assign(packet, { ttl: random.pick(TTLS), tos: random.pick(TOS_VALUES), length: random.pick([60, 700]) });
  const cut = random.chance(0.03) && family === "ipv4" && packet.protocol !== 47;
  if (cut) packet.flags |= PACKET_FLAG_ODD;
  else if (subject.fragments && family === "ipv4" && random.chance(0.05)) packet.fragmentOffset = 185;
  return packet;
}

const isRuleThatHit = (line: string): boolean => /^mangle \S+ [1-9]\d* [1-9]/.test(line);

describe("Linux, beside the oracle,", () => {
  const all = new Map<Subject, ReturnType<typeof makeRound>[]>();
  let played: Played[] = [];
  // One play of all: to start one takes as long as some of its rounds.
  beforeAll(() => {
    if (missing) return;
    for (const subject of SUBJECTS)
      all.set(
        subject,
        Array.from({ length: ROUNDS }, (_, seed) => makeRound(subject, seed)),
      );
    played = playTraffic([...all.values()].flatMap((made) => made.map(({ round }) => round)));
  }, 240_000);

  for (const [nth, subject] of SUBJECTS.entries())
    it.skipIf(missing)(`counts the same of ${subject.name}${skipped}`, () => {
      const made = all.get(subject) ?? [];
      const counted = played.slice(nth * ROUNDS, (nth + 1) * ROUNDS);
      const parted = made.flatMap(({ round, oracle }, seed) => {
        const linux = counted[seed];
        if (!linux || "refused" in linux) return [`seed ${seed}: ${linux?.refused}\n${round.text}`];
        const lines = oracle.counters().filter((line) => WATCHED.test(line));
        const apart = lines.filter((line) => {
          const [, rule = "", ours] = /^(\S+ \S+ \d+) (.*)$/.exec(line) ?? [];
          return linux.counters.get(rule) !== ours;
        });
        return apart.slice(0, 1).map((line) => {
          const [, rule = "", ours] = /^(\S+ \S+ \d+) (.*)$/.exec(line) ?? [];
          return `seed ${seed}: ${rule}: oracle ${ours}, Linux ${linux.counters.get(rule)}\n${round.text}`;
        });
      });
      expect(parted.length, parted[0]).toBe(0);
      expect(made.flatMap(({ oracle }) => oracle.counters().filter(isRuleThatHit)).length).toBeGreaterThan(made.length);
    });
});
