/** Every line of iptables' own syntax tests, which are of version 1.8.11, against the text or the rejection that it names. */
import { describe, expect, it } from "vitest";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { absence, hasCorpus, type SyntaxCase, syntaxCases, textOf } from "./linux-parser/corpus.js";

/** Lines that end otherwise here, and why. The kernel's own tools of 1.8.9 do as we do; linux-parser.test.ts asks them. */
const OTHERWISE: readonly (readonly [why: string, which: (one: SyntaxCase) => boolean])[] = [
  [
    "short of 1.8.10 a range upside down loads, and matches nothing",
    ({ rule }) => /(spi|id|left|port|dport) 4:3$/.test(rule),
  ],
  ["short of 1.8.10 an inverted range of all prints nothing", ({ rule }) => / ! --\S+ :$/.test(rule)],
  ["short of 1.8.10 type 255 of ICMP is any, whatever the code", ({ rule }) => rule.endsWith("--icmp-type 255/255")],
  ["a device that is any is not printed", ({ rule }) => rule === "! -i +"],
  ["whether the set exists is for the kernel to say", ({ rule }) => rule.includes("-set foo ")],
  ["whether the accounting object exists is for the kernel to say", ({ rule }) => rule.includes("--nfacct-name wrong")],
];

/** What is wrong with our answer, or "". */
function differs(one: SyntaxCase): string {
  let lines: string[];
  try {
    lines = printRuleset(parseRuleset(textOf(one), { family: one.family })).split("\n");
  } catch (error) {
    if (!(error instanceof RulesetError)) throw error;
    return one.expected === undefined ? "" : error.message;
  }
  if (one.expected === undefined) return "accepted";
  return lines.includes(`-A ${one.chain} ${one.expected}`.trim())
    ? ""
    : (lines.find((line) => line.startsWith("-A")) ?? "");
}

describe("iptables' own syntax tests", () => {
  it.skipIf(!hasCorpus)(`give the text or the rejection that they name${absence}`, () => {
    const cases = syntaxCases();
    const found: string[] = [];
    const otherwise = new Map<string, number>();
    let same = 0;
    for (const one of cases) {
      const difference = differs(one);
      const why = OTHERWISE.find(([, which]) => which(one))?.[0];
      if (difference === "") same++;
      else if (why) otherwise.set(why, (otherwise.get(why) ?? 0) + 1);
      else found.push(`${one.source} ${one.family} ${one.table} ${one.chain} ${one.rule}: ${difference}`);
    }
    const list = [...otherwise].map(([why, count]) => `${count}: ${why}`);
    console.info(`${same} of ${cases.length} cases as expected; otherwise\n  ${list.join("\n  ")}`);
    expect(found).toEqual([]);
    expect(same / cases.length).toBeGreaterThan(0.95);
  });
});
