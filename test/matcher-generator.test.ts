import { describe, expect, it } from "vitest";
import { askKernel, kernelMissing } from "./oracle/kernel.js";
import { Random } from "./oracle/random.js";
import { randomRuleset } from "./oracle/random-ruleset.js";

const missing = kernelMissing();

describe("random rulesets", () => {
  for (const family of ["ipv4", "ipv6"] as const)
    it.skipIf(missing)(`are ones that Linux loads, ${family}${missing ? ` (skipped: ${missing})` : ""}`, () => {
      const rulesets = Array.from({ length: 100 }, (_, seed) => randomRuleset(new Random(seed), { family, longest: 60 }));
      const answers = askKernel(family, rulesets);
      const refused = answers.flatMap((answer, seed) => {
        if (answer.status === 0) return [];
        const line = Number(/line:? (\d+)/i.exec(answer.message)?.[1] ?? 0);
        return [`seed ${seed}: ${answer.message}${rulesets[seed]?.text.split("\n")[line - 1]}`];
      });
      expect(refused).toEqual([]);
    });
});
