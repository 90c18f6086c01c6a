/** Sets beside those of the real ipset. */
import { describe, expect, it } from "vitest";
import { parseSets } from "../src/ruleset/ipset/apply-sets.js";
import { printSets } from "../src/ruleset/ipset/print-sets.js";
import { SET_TYPE_NAMES } from "../src/ruleset/ipset/set-types.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { comparable, hasIpset, ipsetAbsence, restoreAndSave, typesOfKernel } from "./ipset/kernel.js";
import { CREATES, randomSet } from "./ipset/random-sets.js";
import { Random } from "./oracle/random.js";
import { seedOf } from "./linux-parser/rule-generator.js";

describe("sets", () => {
  it.skipIf(!hasIpset)(`of random texts are what ipset saves of them${ipsetAbsence}`, () => {
    const seed = seedOf();
    const random = new Random(seed);
    const types = typesOfKernel(CREATES);
    const names = SET_TYPE_NAMES.filter((name) => types.has(name) && name !== "list:set");
    console.info(`types of this kernel: ${names.join(", ")}`);
    const texts = Array.from({ length: 300 }, () => randomSet(random, random.pick(names), "a"));
    const answers = restoreAndSave(texts);
    for (const [n, text] of texts.entries()) {
      const answer = answers[n];
      let ours: string;
      try {
        ours = printSets(parseSets(text).values());
      } catch (error) {
        if (!(error instanceof RulesetError)) throw error;
        expect(
          answer?.status,
          `seed ${seed}, text ${n}\n${text}\nours: ${error.message}\nipset: ${answer?.saved}`,
        ).not.toBe(0);
        expect(answer?.complaint, `${text}\n${error.message}`).toContain(`line ${error.line}:`);
        continue;
      }
      expect(answer?.status, `seed ${seed}, text ${n}\n${text}\n${answer?.complaint}`).toBe(0);
      expect(comparable(ours), `seed ${seed}, text ${n}\n${text}`).toEqual(comparable(answer?.saved ?? ""));
      // Of a range under a bitmask ipset saves what it would not restore.
      if (!text.includes("bitmask"))
        expect(printSets(parseSets(answer?.saved ?? "").values()), `seed ${seed}, text ${n}`).toBe(answer?.saved);
    }
  });
});
