/** Rules with sets on a wire: what Linux counts of rules and of elements, and what packets leave in sets. */
import { describe, expect, it } from "vitest";
import type { Family } from "../src/ruleset/row-store.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { SET_TYPE_NAMES } from "../src/ruleset/ipset/set-types.js";
import { comparable, hasIpset, ipsetAbsence, typesOfKernel } from "./ipset/kernel.js";
import { CREATES } from "./ipset/random-sets.js";
import { Oracle } from "./oracle/oracle.js";
import type { Packet } from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
import { mangleOf, randomSetPacket } from "./oracle/random-set-packet.js";
import { randomSets } from "./oracle/random-sets.js";
import { LOCAL_ADDRESSES } from "./oracle/random-pool.js";
import { playTraffic, trafficMissing, WAY_OUT, WIRES } from "./oracle/traffic.js";
import { wireBytes } from "./oracle/wire.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : ipsetAbsence;
const ROUNDS = 35;
const PACKETS = 40;

function randomPacket(random: Random, family: Family): Packet {
  const packet = randomSetPacket(random, family);
  Object.assign(packet, { input: random.pick(WIRES), output: WAY_OUT, length: random.pick([60, 100, 300]) });
  if (family === "ipv4" && random.chance(0.05)) packet.fragmentOffset = 185;
  packet.bytes = wireBytes(packet);
  return packet;
}

describe("Linux, beside the oracle,", () => {
  it.skipIf(missing !== undefined || !hasIpset)(
    `counts and keeps the same of rules with sets${skipped}`,
    () => {
      const known = typesOfKernel(CREATES);
      const types = SET_TYPE_NAMES.filter((type) => known.has(type));
      const made = Array.from({ length: ROUNDS }, (_, seed) => {
        const random = new Random(seed);
        const family = random.pick(["ipv4", "ipv6"] as const);
        const { text: sets, rules } = randomSets(random, family, types);
        const text = mangleOf(rules);
        const oracle = new Oracle(parseRuleset(text, { family }), LOCAL_ADDRESSES, sets);
        const packets = Array.from({ length: PACKETS }, () => {
          const packet = randomPacket(random, family);
          oracle.walk(packet);
          return { device: packet.input, bytes: Buffer.from(packet.bytes as Uint8Array).toString("hex") };
        });
        return { round: { family, text, sets, packets }, oracle };
      });
      const played = playTraffic(made.map(({ round }) => round));
      let hits = 0;
      const parted = made.flatMap(({ round, oracle }, seed) => {
        const linux = played[seed];
        const where = `seed ${seed}\n${round.sets}${round.text}`;
        if (!linux || "refused" in linux) return [`${linux?.refused} ${where}`];
        for (const line of oracle.counters().filter((one) => /^mangle (PREROUTING|FORWARD) /.test(one))) {
          const [, rule = "", ours] = /^(\S+ \S+ \d+) (.*)$/.exec(line) ?? [];
          if (/ [1-9]\d* [1-9]/.test(line)) hits++;
          if (linux.counters.get(rule) !== ours)
            return [`${rule}: oracle ${ours}, Linux ${linux.counters.get(rule)}, ${where}`];
        }
        const [ours, theirs] = [comparable(oracle.sets(0)), comparable(linux.sets)];
        const apart = ours.findIndex((line, n) => line !== theirs[n]);
        return apart < 0 && ours.length === theirs.length
          ? []
          : [`sets: oracle ${ours[apart]}, Linux ${theirs[apart]}, ${where}${linux.sets}`];
      });
      expect(parted.length, parted[0]).toBe(0);
      expect(hits).toBeGreaterThan(ROUNDS * 4);
    },
    240_000,
  );
});
