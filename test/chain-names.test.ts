import { expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { Updater } from "../src/update/updater.js";
import { Random } from "./oracle/random.js";

const NAMES = Array.from({ length: 400 }, (_, n) => `KUBE-SVC-${n.toString(36).toUpperCase().padStart(4, "0")}`);

/** Names come and go at random, from a table of a few slots to one that has grown several times, and down to none again. */
it("chains are found by their names, and no other is, whatever has come, gone and been renamed before", () => {
  const random = new Random(7);
  const updater = new Updater(Engine.create({ readers: 1, classifier: "linear" }), { strategy: "incremental" });
  updater.update({ batch: "*filter\nCOMMIT\n" });
  const there = new Set<string>();
  const update = (lines: readonly string[]) => updater.update({ batch: `*filter\n${lines.join("\n")}\nCOMMIT\n` });
  const take = (name: string, into: string[]): void => {
    if (there.delete(name)) into.push(`-X ${name}`);
    else {
      there.add(name);
      into.push(`-N ${name}`);
    }
  };
  for (let round = 0; round < 300; round++) {
    const lines: string[] = [];
    for (const name of round < 290 ? NAMES.filter(() => random.chance(0.1)) : [...there]) take(name, lines);
    const [old] = there;
    const fresh = NAMES.find((name) => !there.has(name) && !lines.includes(`-X ${name}`));
    if (old !== undefined && fresh !== undefined && random.chance(0.5) && !lines.includes(`-N ${old}`)) {
      lines.push(`-E ${old} ${fresh}`);
      there.delete(old);
      there.add(fresh);
    }
    if (lines.length > 0) update(lines);
    for (const name of [NAMES[round] as string, fresh ?? "none"]) {
      const refused = there.has(name) ? `-N ${name}` : `-X ${name}`;
      expect(() => update([refused]), `round ${round}`).toThrow(RulesetError);
    }
    if (round % 10 > 0) continue;
    const chains = updater.engine.readRuleset()[0]?.tables.get("filter")?.chains.keys() ?? [];
    expect([...chains].filter((name) => name.startsWith("KUBE")).sort()).toEqual([...there].sort());
  }
});
