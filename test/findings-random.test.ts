import { describe, expect, it } from "vitest";
import {
  CT_STATE_ESTABLISHED,
  CT_STATE_INVALID,
  CT_STATE_NEW,
  CT_STATE_RELATED,
  CT_STATE_UNTRACKED,
  HOOK_INPUT,
  PATH_HOOK,
} from "../src/blob/layout.js";
import { findings } from "../src/ruleset/check/findings.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { addressBytes } from "./oracle/address.js";
import { Oracle } from "./oracle/oracle.js";
import { blankPacket, type Packet } from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
import { randomPacket } from "./oracle/random-packet.js";
import { LOCAL_ADDRESSES } from "./oracle/random-pool.js";
import { randomRuleset } from "./oracle/random-ruleset.js";

/** Whether a finding says that no packet matches: of a rule, or of all rules of a chain. */
function idleRules(ruleset: ReturnType<typeof parseRuleset>): Set<string> {
  const idle = new Set<string>();
  for (const table of ruleset.tables.values())
    for (const { kind, chain, rule } of findings(table).findings)
      if (kind === "unreachable-chain")
        table.chains.get(chain)?.rules.forEach((_, index) => {
          idle.add(`${table.name} ${chain} ${index + 1}`);
        });
      else if (kind !== "jump-to-empty-chain") idle.add(`${table.name} ${chain} ${rule}`);
  return idle;
}

/** Rules and what they counted. */
function counted(oracle: Oracle): { rule: string; hit: boolean }[] {
  return oracle.counters().flatMap((line) => {
    const [, rule = "", counter = ""] = /^(\S+ \S+ [1-9]\d*) (.*)$/.exec(line) ?? [];
    return rule ? [{ rule, hit: counter !== "0:0" }] : [];
  });
}

describe("of random rulesets", () => {
  it("no rule counts a packet that is said to match none", () => {
    let idleCount = 0;
    for (let seed = 0; seed < 50; seed++) {
      const random = new Random(seed);
      const made = randomRuleset(random, { longest: random.pick([5, 40, 200]) });
      const ruleset = parseRuleset(made.text, { family: made.family });
      const idle = idleRules(ruleset);
      idleCount += idle.size;
      const oracle = new Oracle(ruleset, LOCAL_ADDRESSES);
      for (let i = 0; i < 300; i++) oracle.walk(randomPacket(random, made, 10 * i));
      const wrong = counted(oracle).filter(({ rule, hit }) => hit && idle.has(rule));
      expect(wrong, `seed ${seed}\n${made.text}`).toEqual([]);
    }
    expect(idleCount).toBeGreaterThan(1000);
  });

  it("every rule that none of all packets matches is told of, and no other", () => {
    const packets = allPackets();
    let idleCount = 0;
    for (let seed = 0; seed < 50; seed++) {
      const random = new Random(seed);
      const text = `*filter\n${Array.from({ length: random.between(3, 9) }, () => `-A INPUT${smallRule(random)}`).join("\n")}\nCOMMIT\n`;
      const ruleset = parseRuleset(text, { family: "ipv4" });
      const oracle = new Oracle(ruleset, []);
      for (const packet of packets) oracle.walk(packet);
      const idle = idleRules(ruleset);
      idleCount += idle.size;
      const rules = counted(oracle);
      const unmatched = rules.filter(({ hit }) => !hit).map(({ rule }) => rule);
      expect([...idle], `seed ${seed}\n${text}`).toEqual(unmatched);
    }
    expect(idleCount).toBeGreaterThan(62);
  });
});

const SOURCES = [
  "-s 10.0.0.0/30",
  "-s 10.0.0.0/31",
  "-s 10.0.0.2/31",
  "-s 10.0.0.1",
  "! -s 10.0.0.0/31",
  "-m iprange --src-range 10.0.0.1-10.0.0.2",
  "! -s 10.0.0.3",
];
const INPUTS = ["-i eth+", "-i eth0", "! -i eth0", "! -i eth+", "-i lo"];
const PROTOCOLS = ["-p tcp", "! -p tcp", "-p udp"];
const PORTS = ["--dport 80", "--dport :80", "--dport 81:", "! --dport 80:90", "--dport 81:90"];
const STATES = ["NEW", "ESTABLISHED,RELATED", "INVALID,UNTRACKED", "NEW,ESTABLISHED,RELATED"];
const TARGETS = ["-j ACCEPT", "-j DROP", "-j DROP", "-j RETURN", "-j LOG", ""];

/** A rule that tells apart few packets, so that few are needed to try it. */
function smallRule(random: Random): string {
  const parts: string[] = [];
  if (random.chance(0.5)) parts.push(random.pick(SOURCES));
  if (random.chance(0.3)) parts.push(random.pick(INPUTS));
  if (random.chance(0.5)) {
    const protocol = random.pick(PROTOCOLS);
    parts.push(protocol);
    if (!protocol.startsWith("!") && random.chance(0.6)) parts.push(`-m ${protocol.slice(3)} ${random.pick(PORTS)}`);
  }
  if (random.chance(0.3)) parts.push(`-m state ${random.chance(0.3) ? "! " : ""}--state ${random.pick(STATES)}`);
  parts.push(random.pick(TARGETS));
  return parts.map((part) => ` ${part}`).join("");
}

/** One packet of every kind that such rules tell apart. */
function allPackets(): Packet[] {
  const packets: Packet[] = [];
  for (const source of ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "192.0.2.1"])
    for (const input of ["eth0", "eth1", "lo", "wlan0"])
      for (const ctState of [
        CT_STATE_NEW,
        CT_STATE_ESTABLISHED,
        CT_STATE_RELATED,
        CT_STATE_INVALID,
        CT_STATE_UNTRACKED,
      ])
        for (const [protocol, ports] of [
          [6, [79, 80, 85, 91]],
          [17, [79, 80, 85, 91]],
          [47, [0]],
        ] as const)
          for (const destinationPort of ports)
            for (const fragmentOffset of protocol === 47 || destinationPort !== 79 ? [0] : [0, 2])
              packets.push({
                ...blankPacket("ipv4"),
                path: PATH_HOOK + HOOK_INPUT,
                source: addressBytes(source),
                destination: addressBytes("10.9.9.9"),
                input,
                ctState,
                protocol,
                destinationPort,
                fragmentOffset,
              });
  return packets;
}
