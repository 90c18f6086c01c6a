import { describe, expect, it } from "vitest";
import { PATH_IN } from "../src/blob/layout.js";
import type { Family } from "../src/ruleset/row-store.js";
import { addressBytes } from "./oracle/address.js";
import { difference, shrink } from "./oracle/compare.js";
import { blankPacket, type Packet, PROTOCOL_SCTP, PROTOCOL_TCP } from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
import { randomChunks, randomRoutingHeader, randomString } from "./oracle/random-bytes.js";
import { randomHashlimit, randomTime } from "./oracle/random-clock.js";
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
import { EPOCH, randomAddress, SEGMENT_SIZES, TOS_VALUES, TTLS } from "./oracle/random-pool.js";
import {
  PROTOCOL_AH,
  PROTOCOL_DCCP,
  PROTOCOL_ESP,
  PROTOCOL_IPCOMP,
  randomAh,
  randomAh6,
  randomDccp,
  randomEcn,
  randomEsp,
  randomFragmentHeader,
  randomIpcomp,
  randomQuota,
} from "./oracle/random-rare.js";
import { randomU32 } from "./oracle/random-u32.js";
import { wireBytes } from "./oracle/wire.js";

const RULES = 24;
const PACKETS = 60;

type Maker = (random: Random, place: Place) => Condition;

interface Subject {
  readonly name: string;
  readonly make: Maker;
  readonly families: readonly Family[];
  /** That the rules name. */
  readonly protocol?: number;
  readonly rulesets: number;
  /** What time the next packet has. */
  readonly clock?: (random: Random, before: number) => number;
}

const BOTH = ["ipv4", "ipv6"] as const;
const SUBJECTS: readonly Subject[] = [
  { name: "ttl and hl", make: randomTtl, families: BOTH, rulesets: 28 },
  { name: "tos", make: randomTos, families: BOTH, rulesets: 28 },
  { name: "dscp", make: randomDscp, families: BOTH, rulesets: 28 },
  { name: "pkttype", make: randomPkttype, families: BOTH, rulesets: 28 },
  { name: "tcpmss", make: randomSegmentSize, families: BOTH, protocol: PROTOCOL_TCP, rulesets: 42 },
  { name: "policy", make: randomPolicy, families: BOTH, rulesets: 20 },
  { name: "time", make: randomTime, families: BOTH, rulesets: 70, clock: randomClock },
  { name: "hashlimit", make: randomHashlimit, families: BOTH, rulesets: 140 },
  { name: "string", make: randomString, families: BOTH, rulesets: 56 },
  { name: "rt", make: randomRoutingHeader, families: ["ipv6"], rulesets: 84 },
  { name: "sctp --chunk-types", make: withSctp(randomChunks), families: BOTH, protocol: PROTOCOL_SCTP, rulesets: 56 },
  { name: "esp", make: randomEsp, families: BOTH, protocol: PROTOCOL_ESP, rulesets: 28 },
  { name: "ah of IPv4", make: randomAh, families: ["ipv4"], protocol: PROTOCOL_AH, rulesets: 28 },
  { name: "ah of IPv6", make: randomAh6, families: ["ipv6"], rulesets: 42 },
  { name: "ipcomp", make: randomIpcomp, families: BOTH, protocol: PROTOCOL_IPCOMP, rulesets: 28 },
  { name: "frag", make: randomFragmentHeader, families: ["ipv6"], rulesets: 42 },
  { name: "dccp", make: randomDccp, families: BOTH, protocol: PROTOCOL_DCCP, rulesets: 42 },
  { name: "ecn", make: (random) => randomEcn(random, true), families: BOTH, protocol: PROTOCOL_TCP, rulesets: 28 },
  { name: "quota", make: randomQuota, families: BOTH, rulesets: 28 },
  { name: "u32", make: randomU32, families: BOTH, rulesets: 28 },
  { name: "ipv6header", make: randomIpv6header, families: ["ipv6"], rulesets: 28 },
  { name: "hbh", make: randomHbh, families: ["ipv6"], rulesets: 28 },
  { name: "dst", make: randomDst, families: ["ipv6"], rulesets: 28 },
  { name: "mh", make: randomMh, families: ["ipv6"], protocol: PROTOCOL_MOBILITY, rulesets: 28 },
  { name: "srh", make: randomSrh, families: ["ipv6"], rulesets: 28 },
];

function withSctp(make: Maker): Maker {
  return (random, place) => {
    const { text, aim } = make(random, place);
    return { text: `-m sctp ${text}`, aim };
  };
}

const EDGES = [0, 5, 10, 20, 43200, 86340, 86385, 86399];

/** Any of the clock's 49 days; mostly within a second of where rules begin and end. */
function randomClock(random: Random): number {
  const day = EPOCH - (EPOCH % 86400) + 86400 * random.between(1, 48);
  if (random.chance(0.3)) return random.next();
  return 1000 * (day + random.pick(EDGES) + random.between(-1, 1) - EPOCH) + random.below(1000);
}

function placeOf(family: Family): Place {
  const hooks = new Set([0]);
  return { family, table: "mangle", chain: "PREROUTING", builtIn: true, hooks, forgetful: false };
}

/** Every packet meets every rule: those that match only count. */
function makeCase(subject: Subject, random: Random): { family: Family; text: string; packets: Packet[] } {
  const family = random.pick(subject.families);
  const conditions = Array.from({ length: RULES }, () => subject.make(random, placeOf(family)));
  const rules = conditions.map(
    ({ text }) => `-A PREROUTING ${subject.protocol ? `-p ${subject.protocol} ` : ""}${text}`,
  );
  let time = 1000;
  const packets = Array.from({ length: PACKETS }, () => {
    time = subject.clock?.(random, time) ?? time + random.pick([0, 1, 40, 300, 1000, 2500]);
    return makePacket(random, family, subject, random.pick(conditions), time);
  });
  return { family, text: `*mangle\n:PREROUTING ACCEPT [0:0]\n${rules.join("\n")}\nCOMMIT\n`, packets };
}

function makePacket(random: Random, family: Family, subject: Subject, condition: Condition, time: number): Packet {
  const packet = blankPacket(family);
  packet.protocol = subject.protocol ?? random.pick([6, 17, 1, 50, 51, 132]);
  Object.assign(packet, { time, path: PATH_IN, sourcePort: random.below(2), destinationPort: random.below(3) });
  packet.source = addressBytes(randomAddress(random, family));
  packet.destination = addressBytes(randomAddress(random, family));
  Object.assign(packet, {
    ttl: random.pick(TTLS),
    tos: random.pick(TOS_VALUES),
    type: random.below(6),
    length: random.pick([60, 700]),
  });
  if (random.chance(0.3)) packet.mss = random.pick(SEGMENT_SIZES);
  if (random.chance(0.7)) condition.aim(packet);
  if (random.chance(0.8)) packet.bytes = wireBytes(packet);
  // Bytes that end anywhere.
  if (packet.bytes && random.chance(0.1)) packet.bytes = packet.bytes.subarray(0, random.below(packet.bytes.length));
  if (random.chance(0.03)) packet.fragmentOffset = random.pick([1, 185]);
  return packet;
}

describe.each(SUBJECTS)("rules with $name", (subject) => {
  it(`count what the oracle counts, in ${subject.rulesets} random chains, by any classifier`, () => {
    for (let seed = 0; seed < subject.rulesets; seed++) {
      const { family, text, packets } = makeCase(subject, new Random(seed));
      const found = difference(family, text, packets);
      if (found) expect.fail(`seed ${seed}, ${family}\n${shrink(family, text, packets)}`);
    }
  }, 60_000);
});
