import { describe, expect, it } from "vitest";
import { askKernel, kernelMissing } from "./oracle/kernel.js";
import { Random } from "./oracle/random.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import { randomRuleset } from "./oracle/random-ruleset.js";

const missing = kernelMissing();

describe("random rulesets", () => {
  for (const family of ["ipv4", "ipv6"] as const)
    it.skipIf(missing)(`are ones that Linux loads, ${family}${missing ? ` (skipped: ${missing})` : ""}`, () => {
      const rulesets = Array.from({ length: 100 }, (_, seed) =>
        randomRuleset(new Random(seed), { family, longest: 60 }),
      );
      const answers = askKernel(family, rulesets);
      const refused = answers.flatMap((answer, seed) => {
        const text = rulesets[seed]?.text as string;
        const ours = printRuleset(parseRuleset(text, { family }), { counters: true });
        const own = new Set(ours.split("\n"));
        if (answer.status === 0) {
          const parted = answer.saved.split("\n").filter((line) => line.includes("-A ") && !own.has(line));
          return parted.slice(0, 1).map((line) => `seed ${seed}: Linux prints ${line}, which ruleswap does not`);
        }
        const line = Number(/line:? (\d+)/i.exec(answer.message)?.[1] ?? 0);
        return [`seed ${seed}: ${answer.message}${text.split("\n")[line - 1]}`];
      });
      expect(refused).toEqual([]);
    });
});
