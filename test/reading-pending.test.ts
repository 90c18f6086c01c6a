/** In a long file names and comments are looked up a batch at a time, and what is read is the same. */
import { describe, expect, it } from "vitest";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { workloads } from "../src/workload/workloads.js";

/** A line that makes a file long. */
const LONG = `#${"x".repeat(4_300_000)}\n`;

/** What a file says, or where it is at fault, lines counted without the first where `long`. */
function read(text: string, long: boolean): string {
  try {
    return printRuleset(parseRuleset(long ? LONG + text : text, { family: "ipv4" }), { counters: true });
  } catch (error) {
    if (!(error instanceof RulesetError)) throw error;
    return `${error.code} ${error.line - (long ? 1 : 0)}:${error.column} ${error.found}`;
  }
}

const CHAINS = Array.from({ length: 300 }, (_, n) => `chain-${n}`);
const DECLARED = `*filter\n:INPUT ACCEPT [0:0]\n${CHAINS.map((name) => `:${name} - [0:0]\n`).join("")}`;
/** Rules of as many forms as there are, some with comments that were met before, some not. */
const RULES = CHAINS.map((name, n) => {
  const comment = `-m comment --comment "of ${n % 7 === 0 ? n : n % 5} \\"and more\\""`;
  const plain = `-m comment --comment "of ${n % 3} and of ${n >> 1}"`;
  return `-A ${name} -s 10.0.0.${n % 256}/32 ${n % 11 === 0 ? comment : plain} -j chain-${(n * 37) % 300}\n`;
});
const withRule = (at: number, rule: string): string =>
  `${DECLARED}${[...RULES.slice(0, at), rule, ...RULES.slice(at)].join("")}COMMIT\n`;

const FAULTS: readonly [string, string][] = [
  ["nothing else", ""],
  ["a jump to a chain that is not there", "-A chain-0 -s 10.0.0.1/32 -j missing\n"],
  ["a jump to a chain that is not there, by a short name", "-A chain-0 -s 10.0.0.1/32 -j gone\n"],
  ["a jump to a built-in chain", "-A chain-0 -s 10.0.0.1/32 -j INPUT\n"],
  ["a target", "-A chain-0 -s 10.0.0.1/32 -j ACCEPT\n"],
  ["a target with options", "-A chain-0 -s 10.0.0.1/32 -j REJECT --reject-with icmp-host-unreachable\n"],
  ["a rule inserted", "-I chain-5 -s 10.0.0.1/32 -j chain-299\n"],
  ["a rule deleted", RULES[3]?.replace("-A", "-D") ?? ""],
  [
    "a chain declared and jumped to",
    ":late - [0:0]\n-A late -s 10.0.0.1/32 -j chain-1\n-A chain-2 -s 10.0.0.1/32 -j late\n",
  ],
  ["a chain declared twice", ":chain-4 - [0:0]\n"],
  ["a chain renamed", "-E chain-7 other\n-A chain-1 -j other\n"],
  ["a comment without its end", '-A chain-0 -m comment --comment "open -j chain-1\n'],
];

describe("a long file", () => {
  it.each(FAULTS)("says what a short one says, with %s", (_, rule) => {
    for (const at of [0, 1, 62, 150, 299, 300]) {
      const text = withRule(at, rule);
      expect(read(text, true)).toBe(read(text, false));
    }
  });

  it("says what a short one says of kube-proxy's chains", () => {
    const text = workloads["kube-proxy"].make({ size: 200, seed: 3, family: "ipv4" }).ruleset();
    expect(read(text, true)).toBe(read(text, false));
  });
});
