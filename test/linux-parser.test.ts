/** The parser and the printer against iptables-legacy itself. */
import { describe, expect, it } from "vitest";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import type { Family } from "../src/ruleset/row-store.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { absence, hasCorpus, loadedFiles, rejectedFiles, syntaxCases, textOf } from "./linux-parser/corpus.js";
import {
  type Answer,
  askLinux,
  hasReferee,
  refereeAbsence,
  tablesOf,
  withoutPolicyCounters,
} from "./linux-parser/referee.js";
import { mutator } from "./linux-parser/mutations.js";
import { randomFrom } from "./linux-parser/random.js";
import { randomRuleset, seedOf } from "./linux-parser/rule-generator.js";
import { setting } from "./setting.js";

const TIMEOUT = 300_000;
const MUTANTS = setting("MUTANTS", 1000);
const missing = absence || refereeAbsence;

/** What we make of a text: print, or the error. */
function ours(text: string | Uint8Array, family: Family): string | RulesetError {
  try {
    return printRuleset(parseRuleset(text, { family }));
  } catch (error) {
    if (error instanceof RulesetError) return error;
    throw error;
  }
}

type Uncarried = RulesetError & { readonly code: "unknown-match" | "unknown-target" };

function isUncarried(result: string | RulesetError): result is Uncarried {
  return result instanceof RulesetError && (result.code === "unknown-match" || result.code === "unknown-target");
}

/** The first line in which our print differs from Linux's, or "". */
function firstDifference(printed: string, answer: Answer): string {
  const saved = tablesOf(answer.saved ?? "");
  for (const [name, table] of tablesOf(withoutPolicyCounters(printed))) {
    const [a, b] = [table.split("\n"), (saved.get(name) ?? "").split("\n")];
    const line = a.findIndex((text, index) => text !== b[index]);
    if (line >= 0 || a.length !== b.length) return `${name}: ours "${a[line]}", Linux "${b[line]}"`;
  }
  return "";
}

/** Says on the terminal what no assertion covers. */
function report(title: string, uncarried: ReadonlyMap<string, number>): void {
  const list = [...uncarried].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`);
  console.info(
    `${title}: ${list.length === 0 ? "every extension is carried" : `not carried and refused: ${list.join(", ")}`}`,
  );
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

describe("the parser beside iptables-legacy", () => {
  it.skipIf(!hasCorpus || !hasReferee)(
    `prints every file that Linux loads as Linux prints it${missing}`,
    async () => {
      const files = loadedFiles();
      const answers = await askLinux(files.map(({ family, bytes, sets }) => ({ family, text: bytes, sets })));
      const uncarried = new Map<string, number>();
      const differences: string[] = [];
      let same = 0;
      for (const [n, file] of files.entries()) {
        const answer = answers[n] as Answer;
        const printed = ours(file.bytes, file.family);
        if (answer.saved === undefined) differences.push(`${file.path}: Linux says ${answer.complaint}`);
        else if (isUncarried(printed)) count(uncarried, printed.found);
        else if (printed instanceof RulesetError) differences.push(`${file.path}: ${printed.message}`);
        else {
          const difference = firstDifference(printed, answer);
          if (difference) differences.push(`${file.path}: ${difference}`);
          else same++;
        }
      }
      report(`${same} of ${files.length} files print the same`, uncarried);
      expect(differences).toEqual([]);
      expect(same).toBeGreaterThan(150);
    },
    TIMEOUT,
  );

  it.skipIf(!hasCorpus)(`refuses every file that Linux rejects, at the same line${absence}`, () => {
    const uncarried = new Map<string, number>();
    const differences: string[] = [];
    for (const { path, family, bytes, line, complaint } of rejectedFiles()) {
      const result = ours(bytes, family);
      if (isUncarried(result) && !complaint.includes(`\`${result.found}'`)) count(uncarried, result.found);
      else if (!(result instanceof RulesetError) || result.line !== line)
        differences.push(
          `${path}: line ${line} expected, ${result instanceof RulesetError ? result.message : "accepted"}`,
        );
    }
    report("rejected files", uncarried);
    expect(differences).toEqual([]);
  });

  it.skipIf(!hasCorpus || !hasReferee)(
    `agrees with Linux on every line of iptables' own syntax tests${missing}`,
    async () => {
      const cases = syntaxCases();
      const texts = cases.map(textOf);
      const results = cases.map(({ family }, n) => ours(texts[n] as string, family));
      const uncarried = new Map<string, number>();
      for (const result of results) if (isUncarried(result)) count(uncarried, result.found);
      const carried = cases.flatMap((_, n) => (isUncarried(results[n] as string) ? [] : [n]));
      const answers = await askLinux(
        carried.map((n) => ({ family: cases[n]?.family as Family, text: texts[n] as string })),
      );
      const differences: string[] = [];
      for (const [index, n] of carried.entries()) {
        const answer = answers[index] as Answer;
        const result = results[n] as string | RulesetError;
        const { source, family, table, chain, rule } = cases[n] as (typeof cases)[number];
        const where = `${source} ${family} ${table} ${chain} ${rule}`;
        if (result instanceof RulesetError) {
          if (answer.saved !== undefined) differences.push(`${where}: refused: ${result.message.split("\n")[0]}`);
        } else if (answer.saved === undefined) {
          if (!isNotForTheParser(answer.complaint, rule) && !isOfOldVersion(answer.complaint))
            differences.push(`${where}: accepted, Linux says ${answer.complaint}`);
        } else {
          const difference = firstDifference(result, answer);
          if (difference) differences.push(`${where}: ${difference}`);
        }
      }
      report(`${carried.length} of ${cases.length} syntax cases asked`, uncarried);
      expect(differences).toEqual([]);
    },
    TIMEOUT,
  );

  it.skipIf(!hasCorpus || !hasReferee)(
    `takes no mistyped rule that Linux refuses, and prints those that it takes as Linux does${missing}`,
    async () => {
      const seed = seedOf();
      const mutants = Array.from({ length: MUTANTS }, mutator(randomFrom(seed)));
      const answers = await askLinux(mutants);
      const strict = new Map<string, number>();
      const differences: string[] = [];
      let same = 0;
      for (const [n, { family, rule, text }] of mutants.entries()) {
        const { saved, complaint } = answers[n] as Answer;
        const printed = ours(text, family);
        if (printed instanceof RulesetError) {
          if (saved === undefined) continue;
          if (STRICTER.has(printed.code)) count(strict, printed.code);
          else differences.push(`${family} ${rule}: refused: ${printed.message.split("\n")[0]}`);
        } else if (saved === undefined) {
          if (!isNotForTheParser(complaint, rule) && !isOfOldVersion(complaint) && !isForTheKernel(complaint, rule))
            differences.push(`${family} ${rule}: accepted, Linux says ${complaint}`);
        } else {
          const difference = ruleDifference(printed, saved);
          if (difference && !isOfOldVersion(difference)) differences.push(`${family} ${rule}: ${difference}`);
          else same++;
        }
      }
      const codes = [...strict].map(([code, times]) => `${code} ${times}`).join(", ");
      console.info(
        `${same} of ${mutants.length} mistyped rules print the same; refused by us alone: ${codes || "none"}`,
      );
      expect(differences, `seed ${seed}`).toEqual([]);
      expect(same).toBeGreaterThan(MUTANTS / 10);
    },
    TIMEOUT,
  );

  it.skipIf(!hasReferee)(
    `prints generated rules as Linux prints them${refereeAbsence}`,
    async () => {
      const seed = seedOf();
      const texts = (["ipv4", "ipv6"] as const).flatMap((family) =>
        Array.from({ length: 10 }, (_, n) => ({ family, text: randomRuleset(family, seed + n) })),
      );
      const answers = await askLinux(texts);
      const differences = texts.map(({ family, text }, n) => {
        const answer = answers[n] as Answer;
        const printed = ours(text, family);
        if (printed instanceof RulesetError) return printed.message;
        return answer.saved === undefined ? answer.complaint : firstDifference(printed, answer);
      });
      expect(differences.filter(Boolean), `seed ${seed}`).toEqual([]);
    },
    TIMEOUT,
  );
});

/** Rules that only one of both prints, in its order. */
function ruleDifference(printed: string, saved: string): string {
  const rules = (text: string): string => text.match(/^-A .*$/gm)?.join(" | ") ?? "";
  return rules(printed) === rules(saved) ? "" : `ours "${rules(printed)}", Linux "${rules(saved)}"`;
}

/**
 * What we refuse and Linux takes on purpose: it cuts off text that is too long, lets numbers wrap and forgets what stands behind
 * them, reads addresses as inet_aton does or asks a name server, and has a quote end with the line.
 */
const STRICTER: ReadonlySet<string> = new Set([
  "bad-name",
  "comment-too-long",
  "bad-port",
  "bad-number",
  "bad-value",
  "bad-counters",
  "bad-address",
  "bad-mask",
  "unterminated-quote",
  "misplaced-option",
  "unsupported-command",
]);

/** Names that the kernel is asked for where the rule itself is well formed; of rateest 1.8.9 does not read its own manual's words. */
function isForTheKernel(complaint: string, rule: string): boolean {
  return (/line 3 failed$/.test(complaint) && /--helper|-m cgroup/.test(rule)) || rule.includes("-m rateest");
}

/**
 * Short of 1.8.10 iptables takes the argument before the next option for that of -p, -s, -d, -i, -o and -j, so that
 * `-ptcp` and `--protocol=tcp` fail, and has no names for the messages of multicast listeners nor a second one for `-m mh`. Later versions read what
 * their manual says, as we do.
 */
function isOfOldVersion(complaint: string): boolean {
  return /unknown protocol "-|host\/network `-|interface name `-|target `-j|-[io] -[io]eth|option "--mh-type|type `mld-listener|match `mobility-header/i.test(
    complaint,
  );
}

/** Objects that only a running kernel has, and what this one was built without. */
function isNotForTheParser(complaint: string, rule: string): boolean {
  return /Set \S+ doesn't exist|missing kernel module/.test(complaint) || /-m nfacct|-j SECMARK/.test(rule);
}
