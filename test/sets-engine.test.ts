/** Sets in the engine beside those that the same text makes outside of it. */
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { parseSets } from "../src/ruleset/ipset/apply-sets.js";
import { printSets } from "../src/ruleset/ipset/print-sets.js";
import { SET_TYPE_NAMES } from "../src/ruleset/ipset/set-types.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { Updater } from "../src/update/updater.js";
import { randomSet } from "./ipset/random-sets.js";
import { seedOf } from "./linux-parser/rule-generator.js";
import { Random } from "./oracle/random.js";

const sorted = (saved: string): string[] => saved.trim().split("\n").sort();

function inEngine(text: string): string {
  const engine = Engine.create();
  new Updater(engine, { strategy: "incremental" }).updateSets({ sets: text });
  return printSets(engine.readSets().values());
}

const attempt = (make: () => string): string | string[] => {
  try {
    return sorted(make());
  } catch (error) {
    if (!(error instanceof RulesetError)) throw error;
    return `${error.code} ${error.line}:${error.column}`;
  }
};

describe("sets in the engine", () => {
  it("hold what the text says, of every type, and refuse what it may not say", () => {
    const seed = seedOf();
    const random = new Random(seed);
    for (let n = 0; n < 400; n++) {
      const type = random.pick(SET_TYPE_NAMES.filter((name) => name !== "list:set"));
      let text = randomSet(random, type, "a");
      if (random.chance(0.3)) text = text.replaceAll(" -exist", "");
      const wanted = attempt(() => printSets(parseSets(text).values()));
      expect(
        attempt(() => inEngine(text)),
        `seed ${seed}, text ${n}\n${text}`,
      ).toEqual(wanted);
    }
  });
});
