/** What is printed reads as the same rows again. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ROW_LINE } from "../src/blob/layout.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset, printRulesetBytes } from "../src/ruleset/print.js";
import { RowStore } from "../src/ruleset/row-store.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";
import { absence, hasCorpus, loadedFiles } from "./linux-parser/corpus.js";
import { randomRuleset } from "./linux-parser/rule-generator.js";

const SEED = 7;
const RUNS = 60;

/** Every rule of a ruleset as bytes, its line left out, in a store that several rulesets share. */
function contentOf(ruleset: Ruleset, shared: RowStore, chains: string[]): string[] {
  const found: string[] = [];
  for (const table of ruleset.tables.values())
    for (const chain of table.chains.values())
      for (const ordinal of chain.rules) {
        const number = shared.copy(table.rows, ordinal, (id) => chainNumber(chains, table.chainsById[id]?.name ?? ""));
        const row = shared.row(number).slice();
        row.fill(0, ROW_LINE, ROW_LINE + 4);
        found.push(
          `${table.name} ${chain.name} ${shared.counters.subarray(4 * number, 4 * number + 4)} ${Buffer.from(row).toString("hex")}`,
        );
      }
  return found.sort();
}

function chainNumber(chains: string[], name: string): number {
  const known = chains.indexOf(name);
  return known < 0 ? chains.push(name) - 1 : known;
}

function expectRoundTrip(text: string | Uint8Array, family: "ipv4" | "ipv6"): void {
  const first = parseRuleset(text, { family });
  const printed = printRulesetBytes(first, { counters: true });
  const second = parseRuleset(printed, { family });
  expect(Buffer.from(printRulesetBytes(second, { counters: true })).toString("latin1")).toBe(
    Buffer.from(printed).toString("latin1"),
  );
  const shared = new RowStore(family);
  const chains: string[] = [];
  expect(contentOf(second, shared, chains)).toEqual(contentOf(first, shared, chains));
}

describe("a printed ruleset", () => {
  it("reads as the same again, whatever it holds", () => {
    fc.assert(
      fc.property(fc.constantFrom("ipv4" as const, "ipv6" as const), fc.nat(), (family, seed) => {
        expectRoundTrip(randomRuleset(family, seed), family);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  it("reads as the same again with any comment", () => {
    const comments = fc.string({ unit: "grapheme", maxLength: 60 }).filter((text) => !/[\0\n]/.test(text));
    fc.assert(
      fc.property(comments, (comment) => {
        const quoted = comment.replace(/["\\']/g, "\\$&");
        const text = `*filter\n-A INPUT -m comment --comment "${quoted}"\nCOMMIT\n`;
        const printed = printRuleset(parseRuleset(text, { family: "ipv4" }));
        expect(printRuleset(parseRuleset(printed, { family: "ipv4" }))).toBe(printed);
        if (/[^\w-]/.test(comment) || comment === "") expect(printed).toContain(`--comment "${quoted}"\n`);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  it.skipIf(!hasCorpus)(`reads as the same again for every file of the corpus${absence}`, () => {
    const files = loadedFiles();
    for (const { bytes, family } of files) expectRoundTrip(bytes, family);
    expect(files.length).toBeGreaterThan(150);
  });
});
