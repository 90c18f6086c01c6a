import { describe, expect, it } from "vitest";
import { difference, shrink } from "./oracle/compare.js";
import { Random } from "./oracle/random.js";
import { inFragments, randomPacket } from "./oracle/random-packet.js";
import { randomRuleset } from "./oracle/random-ruleset.js";
import { REFUSED } from "./oracle/subject.js";

const RULESETS = 1000;
const PACKETS = 40;

describe("the matcher", () => {
  it(`gives verdicts, rewrites, marks, traces and counters of ${RULESETS} random rulesets as the oracle does, by any classifier`, () => {
    for (let seed = 0; seed < RULESETS; seed++) {
      const random = new Random(seed);
      const ruleset = randomRuleset(random, { without: REFUSED });
      let time = 1000;
      const packets = Array.from({ length: PACKETS }, (_, nth) => {
        time += random.pick([0, 1, 100, 1000, 4000]);
        const packet = randomPacket(random, ruleset, time);
        return packet.fragmentOffset === 0 && random.chance(0.08) ? inFragments(random, packet, nth) : packet;
      }).flat();
      const found = difference(ruleset.family, ruleset.text, packets);
      if (found) expect.fail(`seed ${seed}, ${ruleset.family}\n${shrink(ruleset.family, ruleset.text, packets)}`);
    }
  }, 240_000);
});
