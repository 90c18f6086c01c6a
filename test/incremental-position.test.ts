/** Rules named by their place or by their text in one long chain: what an edit costs is counted, and must be flat. */
import { describe, expect, it } from "vitest";
import { CLASSIFIERS, type Classifier, Engine } from "../src/engine/engine.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import type { UpdateReport } from "../src/update/phases.js";
import { Updater } from "../src/update/updater.js";
import { Random } from "./oracle/random.js";

const SIZES = [1000, 10_000, 50_000];
const EDITS = 200;

const address = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`;
const rule = (i: number): string => `-d ${address(i)} -p tcp -m tcp --dport 80 -j DROP`;
const fresh = (i: number): string => `-s ${address(i)} -j DROP`;

function longChain(rules: number, classifier: Classifier): Updater {
  const lines = Array.from({ length: rules }, (_, i) => `-A long ${rule(i)}\n`);
  const text = `*filter\n:INPUT ACCEPT [0:0]\n:long - [0:0]\n-A INPUT -j long\n${lines.join("")}COMMIT\n`;
  const updater = new Updater(Engine.create({ classifier }), { strategy: "incremental" });
  updater.load(parseRuleset(text, { family: "ipv4" }));
  return updater;
}

const edit = (updater: Updater, line: string): UpdateReport => updater.update({ batch: `*filter\n${line}\nCOMMIT\n` });

/** What the edits of one kind name, by the rules that the chain has and the number of the edit. */
const EDITS_OF: Readonly<Record<string, (rules: number, i: number, random: Random) => string>> = {
  "an insert at the head": (_, i) => `-I long 1 ${fresh(i)}`,
  "an insert in the middle": (rules, i) => `-I long ${rules >> 1} ${fresh(i)}`,
  "an insert in front of one rule": (rules, i) => `-I long ${(rules >> 1) + i} ${fresh(i)}`,
  "an insert anywhere": (rules, i, random) => `-I long ${1 + random.below(rules)} ${fresh(i)}`,
  "an append": (_, i) => `-A long ${fresh(i)}`,
  "a delete by position": (rules) => `-D long ${rules >> 1}`,
  "a delete anywhere": (rules, i, random) => `-D long ${1 + random.below(rules - i)}`,
  "a delete by text": (rules, i) => `-D long ${rule((i * 7919) % rules)}`,
};

describe("in a chain of 50,000 rules as in one of 1,000", () => {
  for (const classifier of Object.keys(CLASSIFIERS) as Classifier[])
    for (const [kind, line] of Object.entries(EDITS_OF))
      it(`${kind} writes and looks at as much: ${classifier}`, () => {
        const [small, , large] = SIZES.map((rules) => {
          const updater = longChain(rules, classifier);
          const random = new Random(7);
          const sum = { bytesWritten: 0, recordsWalked: 0, recordsTouched: 0 };
          for (let i = 0; i < EDITS; i++) {
            const report = edit(updater, line(rules, i, random));
            sum.bytesWritten += report.bytesWritten;
            sum.recordsWalked += report.recordsWalked;
            sum.recordsTouched += report.recordsTouched;
            // The rule, a chunk cut in two, a hash table of the first sizes.
            expect(report.bytesWritten).toBeLessThan(8000);
            expect(report.recordsTouched).toBeLessThan(30);
            expect(report.recordsWalked).toBeLessThan(300);
          }
          return sum;
        }) as { bytesWritten: number; recordsWalked: number; recordsTouched: number }[];
        if (!small || !large) throw new Error("no sizes");
        // Chains that were just loaded have full chunks; small ones are soon looser.
        expect(large.bytesWritten).toBeLessThan(2 * small.bytesWritten);
        expect(large.recordsTouched).toBeLessThan(2 * small.recordsTouched);
        expect(large.recordsWalked).toBeLessThan(2 * small.recordsWalked + 2 * EDITS);
      });

  it("no edit of a run of 3,000 at one place pays for those before it", () => {
    for (const line of ["an insert in the middle", "an insert in front of one rule"]) {
      const updater = longChain(1000, "tuple-space");
      let touched = 0;
      for (let i = 0; i < 3000; i++) {
        const report = edit(updater, (EDITS_OF[line] as (n: number, i: number) => string)(1000, i));
        expect(report.recordsTouched).toBeLessThan(40);
        touched += report.recordsTouched;
      }
      expect(touched).toBeLessThan(3000 * 4);
    }
  });
});

describe("any edits of a long chain", () => {
  for (const classifier of Object.keys(CLASSIFIERS) as Classifier[])
    it(`leave the rules in their places: ${classifier}`, () => {
      const random = new Random(11);
      const updater = longChain(3000, classifier);
      const rules = Array.from({ length: 3000 }, (_, i) => rule(i));
      let next = 0;
      for (let batch = 0; batch < 150; batch++) {
        const lines: string[] = [];
        // Runs at one place, as programs make them, and single edits anywhere.
        const place = random.below(rules.length);
        const kind = random.below(5);
        for (let i = random.below(80); i >= 0; i--) {
          const at = kind < 2 ? place : kind === 2 ? Math.min(place + i, rules.length) : random.below(rules.length);
          if (kind === 1 || (kind === 3 && random.below(2) === 0)) {
            if (at >= rules.length) continue;
            lines.push(`-D long ${at + 1}`);
            rules.splice(at, 1);
          } else {
            lines.push(`-I long ${at + 1} ${fresh(next)}`);
            rules.splice(at, 0, fresh(next++));
          }
        }
        if (lines.length > 0) edit(updater, lines.join("\n"));
      }
      const [ruleset] = updater.engine.readRuleset();
      const printed = ruleset ? printRuleset(ruleset).split("\n") : [];
      expect(printed.filter((line) => line.startsWith("-A long "))).toEqual(rules.map((text) => `-A long ${text}`));
    });
});
