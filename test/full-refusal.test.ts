import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { Updater } from "../src/update/updater.js";

const file = (rules: string): string =>
  `*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]
:a - [0:0]\n:b - [0:0]\n${rules}\nCOMMIT\n`;

/** Rules, and where a full replacement by them is refused, as code, line and column. */
const CASES: readonly [string, string, string | undefined][] = [
  ["a loop", "-A PREROUTING -j a\n-A a -j b\n-A b -j a", "loop 10:9"],
  [
    "a rule that a wrong hook reaches",
    "-A POSTROUTING -j a\n-A a -p tcp -j DNAT --to-destination 1.2.3.4:5",
    "wrong-hook 9:16",
  ],
  ["an unknown target behind a loop", "-A PREROUTING -j a\n-A a -j a\n-A a -j nowhere", "unknown-target 10:9"],
  ["nothing: a loop that no hook reaches", "-A a -j a", undefined],
  ["nothing: a loop behind a rule that ends its chain", "-A PREROUTING -j a\n-A a -j RETURN\n-A a -j a", undefined],
];

describe("a full replacement that is checked where it is linked", () => {
  it.each(CASES)("tells the place of %s", (_, rules, wanted) => {
    const engine = Engine.create();
    const updater = new Updater(engine, { strategy: "full" });
    updater.update({ ruleset: file("-A a -j b") });
    const before = engine.generation();
    let refused: string | undefined;
    try {
      updater.update({ ruleset: file(rules) });
    } catch (error) {
      if (!(error instanceof RulesetError)) throw error;
      refused = `${error.code} ${error.line}:${error.column}`;
    }
    expect(refused).toBe(wanted);
    expect(engine.generation()).toBe(wanted === undefined ? before + 1 : before);
  });
});
