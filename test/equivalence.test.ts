import { describe, expect, it } from "vitest";
import { live } from "./oracle/history.js";
import { replaceOften } from "./oracle/replacement.js";
import { STRATEGIES } from "./oracle/subject.js";

const RULESETS = 54;
const BATCHES = 8;

describe("a ruleset that was changed batch by batch", () => {
  it.each(STRATEGIES)(
    "%s: is by any classifier the one loaded whole, and a batch that fails leaves no trace",
    (strategy) => {
      let done = 0;
      let refused = 0;
      for (let seed = 0; seed < RULESETS; seed++) {
        const tally = live(seed, { strategy, batches: BATCHES });
        done += tally.done;
        refused += tally.refused;
      }
      // Both kinds must have been seen, or the test says nothing.
      expect(done).toBeGreaterThan(RULESETS);
      expect(refused).toBeGreaterThan(RULESETS / 4);
    },
    170_000,
  );
});

describe("a ruleset that was replaced by new text", () => {
  it.each(STRATEGIES)(
    "%s: is by any classifier what the text says, and chains that stay keep counting",
    (strategy) => {
      let replaced = 0;
      for (let seed = 0; seed < RULESETS / 2; seed++) replaced += replaceOften(seed, { strategy, batches: 4 });
      expect(replaced).toBeGreaterThan(RULESETS);
    },
    170_000,
  );
});
