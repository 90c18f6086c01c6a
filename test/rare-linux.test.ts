/** Matches and targets that few rulesets have, on real packets: what their rules count in Linux and in an engine. */
import { describe, expect, it } from "vitest";
import type { Family } from "../src/ruleset/row-store.js";
import { countedApart, type CountedRound, type Frame, mangle } from "./oracle/counted.js";
import { frame, type Ends } from "./oracle/frame.js";
import { Random } from "./oracle/random.js";
import { trafficMissing, WAY_OUT } from "./oracle/traffic.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const WATCHED = /^mangle (PREROUTING|FORWARD) [1-9]/;
const UDP = 17;
const FAMILIES = ["ipv4", "ipv6"] as const;
const ENDS: Readonly<Record<Family, readonly [string, string]>> = {
  ipv4: ["198.51.100.1", "203.0.113.200"],
  ipv6: ["2001:db8:9::1", "2001:db9::ff"],
};

/** A datagram of flow `flow`, or its answer. */
function datagram(family: Family, flow: number, answer = false): Frame {
  const [source, destination] = ENDS[family];
  const there: Ends = { source, destination, sourcePort: 1000 + flow, destinationPort: 53 };
  const back: Ends = { source: destination, destination: source, sourcePort: 53, destinationPort: 1000 + flow };
  // Length of 8 without a checksum.
  return { device: answer ? WAY_OUT : "eth0", bytes: frame(family, UDP, answer ? back : there, "00080000") };
}

const hit = ({ counting, rules }: { counting: number; rules: number }): boolean => counting > rules / 4;

describe("Linux and an engine", () => {
  it.skipIf(missing)(`find the same labels on connections${skipped}`, () => {
    const rounds = Array.from({ length: 40 }, (_, seed): CountedRound => {
      const random = new Random(seed);
      const family = random.pick(FAMILIES);
      const rules = Array.from({ length: 24 }, () => {
        const label = random.pick([0, 1, 31, 32, 63, 64, 127]);
        const flow = random.chance(0.5) ? `-p udp --sport ${1000 + random.below(4)} ` : "";
        const set = random.chance(0.4) ? " --set" : "";
        const chain = random.pick(["PREROUTING", "FORWARD"]);
        return `-A ${chain} ${flow}-m connlabel ${random.chance(0.3) ? "! " : ""}--label ${label}${set}`;
      });
      const untracked = random.chance(0.3) ? "-A PREROUTING -p udp --sport 1001 -j CT --notrack\n" : "";
      const raw = `*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${untracked}COMMIT\n`;
      const frames = Array.from({ length: 40 }, () => datagram(family, random.below(6), random.chance(0.4)));
      return { family, text: raw + mangle(...rules), frames };
    });
    const outcome = countedApart(rounds, WATCHED);
    expect(outcome.apart.length, outcome.apart[0]).toBe(0);
    expect(hit(outcome)).toBe(true);
  });
});
