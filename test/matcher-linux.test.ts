import { describe, expect, it } from "vitest";
import { CT_STATE_NEW, PACKET_FLAG_ODD, PATH_IN } from "../src/blob/layout.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import type { TableName } from "../src/ruleset/ruleset.js";
import { addressText } from "./oracle/address.js";
import { Oracle } from "./oracle/oracle.js";
import { type Packet, PROTOCOL_UDP } from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
import { randomPacket } from "./oracle/random-packet.js";
import { LOCAL_ADDRESSES } from "./oracle/random-pool.js";
import { randomRuleset, USER_CHAINS } from "./oracle/random-ruleset.js";
import { playTraffic, type TrafficRound, trafficMissing, WAY_OUT, WIRES } from "./oracle/traffic.js";
import { wireBytes } from "./oracle/wire.js";

const missing = trafficMissing();

/** What a wire shows: not bridge ports, sockets, hardware addresses, the clock, hops; and nothing that answers. */
const SHOWN_MATCHES =
  "comment tcp udp sctp icmp icmp6 mark statistic addrtype multiport iprange length recent tos dscp policy";
const SHOWN_TARGETS = "ACCEPT DROP RETURN MARK TOS DSCP CLASSIFY";
/** A connection table changes what all packets meet, so the first test has none. */
const CONNECTION_MATCHES = "state conntrack connmark";
const CONNECTION_TARGETS = "CONNMARK DNAT SNAT MASQUERADE REDIRECT NETMAP";
/** This machine's own packets, which answer, are nobody's business here; nor is the clock. */
const OUTSIDE = /^-A OUTPUT |--seconds|--reap/;
/** Destinations that routing throws away. */
const UNROUTABLE = /--to(-destination)? \[?(0|127|22\d|255|ff|fe|::)/;
const SECURITY = "*security\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n";
/** Linux keeps no connections, and walks no nat table, before some rule asks for them. */
const ASKS_FOR_CONNECTIONS = "-A OUTPUT -m conntrack --ctstate NEW\n";

interface Plan {
  readonly tables: readonly TableName[];
  readonly matches: string;
  readonly targets: string;
  /** Put behind the random tables. */
  readonly tail: string;
  /** Makes the packet one that the plan allows. */
  fit(packet: Packet, index: number): void;
}

const WITHOUT_CONNECTIONS: Plan = {
  tables: ["raw", "mangle", "filter"],
  matches: SHOWN_MATCHES,
  targets: SHOWN_TARGETS,
  tail: `${SECURITY}COMMIT\n`,
  fit: (packet) => {
    if (packet.family === "ipv4") return;
    packet.fragmentOffset = 0;
    packet.flags &= ~PACKET_FLAG_ODD;
  },
};

/** Every packet begins a connection of its own. */
const NEW_CONNECTIONS: Plan = {
  tables: ["mangle", "nat", "filter"],
  matches: `${SHOWN_MATCHES} ${CONNECTION_MATCHES}`,
  targets: `${SHOWN_TARGETS} ${CONNECTION_TARGETS}`,
  tail: `${SECURITY}${ASKS_FOR_CONNECTIONS}COMMIT\n`,
  fit: (packet, index) => {
    Object.assign(packet, {
      protocol: PROTOCOL_UDP,
      sourcePort: 20000 + index,
      ctState: CT_STATE_NEW,
      fragmentOffset: 0,
    });
    packet.flags &= ~PACKET_FLAG_ODD;
  },
};

function fits({ matches, targets }: Plan, line: string): boolean {
  if (!line.startsWith("-A ")) return true;
  const known = new Set([...matches.split(" "), ...targets.split(" "), ...USER_CHAINS]);
  const words = [...line.matchAll(/ -[mjg] (\S+)/g)].map((word) => word[1] as string);
  return words.every((word) => known.has(word)) && !OUTSIDE.test(line) && !UNROUTABLE.test(line);
}

/** Addresses that Linux takes from a wire and routes as any other. */
function isOrdinary(address: Uint8Array): boolean {
  const text = addressText(address);
  return address.length === 4 ? !/^(127|22[4-9]|2[345]\d|0)\./.test(text) : !/^(f[ef]|::)/.test(text);
}

function makeRound(seed: number, plan: Plan): { round: TrafficRound; oracle: Oracle } {
  const random = new Random(seed);
  const ruleset = randomRuleset(random, { tables: random.some(plan.tables), longest: random.pick([5, 40, 150]) });
  const kept = ruleset.text.split("\n").filter((line) => fits(plan, line));
  const text = kept.join("\n") + plan.tail;
  const oracle = new Oracle(parseRuleset(text, { family: ruleset.family }), LOCAL_ADDRESSES);
  const packets: { device: string; bytes: string }[] = [];
  for (let i = 0; i < 40; i++) {
    const packet = randomPacket(random, ruleset, 0);
    Object.assign(packet, { path: PATH_IN, output: WAY_OUT, physicalInput: "", physicalOutput: "", ttl: 64 });
    packet.extensions = [];
    Object.assign(packet, { mark: 0, ctMark: 0, ctStatus: 0, flags: packet.flags & PACKET_FLAG_ODD });
    if (!WIRES.includes(packet.input)) packet.input = random.pick(WIRES);
    plan.fit(packet, i);
    const own = LOCAL_ADDRESSES.includes(addressText(packet.source));
    // Fragments to the machine itself are put together before INPUT.
    const fragment = packet.fragmentOffset !== 0 && LOCAL_ADDRESSES.includes(addressText(packet.destination));
    if (own || fragment || !isOrdinary(packet.source) || !isOrdinary(packet.destination)) continue;
    packet.bytes = wireBytes(packet);
    packets.push({ device: packet.input, bytes: Buffer.from(packet.bytes).toString("hex") });
    oracle.walk(packet);
  }
  return { round: { family: ruleset.family, text, packets }, oracle };
}

function disagreements(plan: Plan, rounds: number): string[] {
  const made = Array.from({ length: rounds }, (_, seed) => makeRound(seed, plan));
  const counted = playTraffic(made.map(({ round }) => round));
  return made.flatMap(({ round, oracle }, seed) => {
    const linux = counted[seed];
    if (!linux || typeof linux === "string") return [`seed ${seed}: ${linux}\n${round.text}`];
    return oracle
      .counters()
      .filter((line) => !/ OUTPUT /.test(line))
      .flatMap((line) => {
        const [, rule = "", ours] = /^(\S+ \S+ \d+) (.*)$/.exec(line) ?? [];
        return linux.get(rule) === ours
          ? []
          : [`seed ${seed}: ${rule}: oracle ${ours}, Linux ${linux.get(rule)}\n${round.text}`];
      });
  });
}

describe("the oracle", () => {
  const skipped = missing ? ` (skipped: ${missing})` : "";

  it.skipIf(missing)(
    `counts what Linux counts of packets on a wire${skipped}`,
    () => {
      const found = disagreements(WITHOUT_CONNECTIONS, 150);
      expect(found.length, found[0]).toBe(0);
    },
    170_000,
  );

  it.skipIf(missing)(
    `counts what Linux counts of new connections with NAT${skipped}`,
    () => {
      const found = disagreements(NEW_CONNECTIONS, 150);
      expect(found.length, found[0]).toBe(0);
    },
    170_000,
  );
});
