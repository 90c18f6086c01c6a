/** A ruleset that is replaced by whole new text again and again, each text a few edits from the one before. */
import { parseRuleset } from "../../src/ruleset/parse.js";
import { printRuleset } from "../../src/ruleset/print.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import { inWords } from "./compare.js";
import { attempt, type HistoryOptions, same } from "./history.js";
import { Oracle } from "./oracle.js";
import { describePacket } from "./packet.js";
import { Random } from "./random.js";
import { randomBatch } from "./random-batch.js";
import { randomPacket } from "./random-packet.js";
import { LOCAL_ADDRESSES } from "./random-pool.js";
import { randomRuleset } from "./random-ruleset.js";
import { CLASSIFIERS, countersOf, REFUSED, Subject } from "./subject.js";

/** How many replacements were made. */
export function replaceOften(seed: number, options: HistoryOptions): number {
  const random = new Random(seed);
  const ruleset = randomRuleset(random, {
    anyHook: true,
    forgetful: true,
    without: REFUSED,
    longest: random.pick([4, 20, 80]),
  });
  const { family } = ruleset;
  const subjects = CLASSIFIERS.map((classifier) => new Subject(classifier, options.strategy));
  let text = printRuleset(parseRuleset(ruleset.text, { family }));
  for (const subject of subjects) subject.updater.load(parseRuleset(text, { family }));
  const texts: string[] = [text];
  let replaced = 0;
  try {
    for (let i = 0; i < options.batches; i++) {
      const before = parseRuleset(text, { family });
      const after = attempt(
        before,
        randomBatch(random, before, { tables: [...before.tables.keys()], edits: 6, mistakes: 0 }),
      );
      if ("code" in after) continue;
      text = printRuleset(after);
      texts.push(text);
      const model = parseRuleset(text, { family });
      const stays = unchanged(before, model);
      for (const subject of subjects) {
        const counted = countersOf(subject.ruleset());
        subject.updater.update({ ruleset: text });
        same("print", withoutCounters(text), withoutCounters(printRuleset(subject.ruleset())));
        same("counters of chains that stay as they are", counted, countersOf(subject.ruleset()), stays);
      }
      const oracle = new Oracle(model, LOCAL_ADDRESSES);
      for (let packets = 0; packets < 12; packets++) {
        const packet = randomPacket(random, ruleset, 0);
        const wanted = inWords(oracle.walk(packet));
        for (const subject of subjects) same(describePacket(packet), wanted, inWords(subject.trace(packet)));
      }
      replaced++;
    }
    return replaced;
  } catch (error) {
    throw new Error(`seed ${seed}\n${texts.slice(-2).join("=== becomes\n")}${(error as Error).stack}`);
  }
}

/** What policies have counted is printed always. */
function withoutCounters(text: string): string {
  return text.replace(/ \[\d+:\d+\]$/gm, "");
}

/** Whether a line of counters is of a rule whose chain says the same in both. */
function unchanged(before: Ruleset, after: Ruleset): (line: string) => boolean {
  const old = rulesByChain(before);
  const kept = new Set(
    [...rulesByChain(after)].filter(([chain, rules]) => old.get(chain) === rules).map(([chain]) => chain),
  );
  return (line) => {
    const [table, chain, rule] = line.split(" ");
    return rule !== "0" && kept.has(`${table} ${chain}`);
  };
}

function rulesByChain(ruleset: Ruleset): Map<string, string> {
  const chains = new Map<string, string>();
  let table = "";
  for (const line of printRuleset(ruleset).split("\n")) {
    if (line.startsWith("*")) table = line.slice(1);
    const chain = `${table} ${/^-A (\S+)/.exec(line)?.[1] ?? ""}`;
    chains.set(chain, `${chains.get(chain) ?? ""}${line}\n`);
  }
  return chains;
}
