/** A ruleset that lives through random batches, on engines by every classifier and on a model, and what must hold behind each of them. */
import type { ChainScope } from "../../src/ruleset/batch.js";
import { applyBatch } from "../../src/ruleset/apply.js";
import { checkHooks, RowFault } from "../../src/ruleset/check-hooks.js";
import { parseBatch, parseRuleset } from "../../src/ruleset/parse.js";
import { printRuleset } from "../../src/ruleset/print.js";
import { RulesetError } from "../../src/ruleset/ruleset-error.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import type { Strategy } from "../../src/update/updater.js";
import { firstDifference, inWords } from "./compare.js";
import { copyRuleset } from "./copy-ruleset.js";
import { Oracle } from "./oracle.js";
import { describePacket } from "./packet.js";
import { Random } from "./random.js";
import { randomBatch } from "./random-batch.js";
import { randomPacket } from "./random-packet.js";
import { LOCAL_ADDRESSES } from "./random-pool.js";
import { type RandomRuleset, randomRuleset } from "./random-ruleset.js";
import { randomSets } from "./random-sets.js";
import { CLASSIFIERS, countersOf, REFUSED, Subject } from "./subject.js";

export interface HistoryOptions {
  readonly strategy: Strategy;
  readonly batches: number;
}

export const printed = (ruleset: Ruleset): string => printRuleset(ruleset, { counters: true });

/** Why a batch cannot be done. A loop shows at no line in particular: any of its jumps closes it. */
export interface Obstacle {
  readonly code: string;
  readonly line: number;
}

/** The model behind a batch, or what is in its way. The model itself stays. */
export function attempt(model: Ruleset, text: string): Ruleset | Obstacle {
  const copy = copyRuleset(model);
  const scope: ChainScope = {
    hasChain: (table, chain) => copy.table(table).chains.has(chain),
    chains: (table) => copy.table(table).chains.keys(),
  };
  try {
    const batch = parseBatch(text, { family: model.family, scope });
    applyBatch(copy, batch);
    for (const { table } of batch.tables) checkHooks(copy.table(table));
    return copy;
  } catch (error) {
    if (error instanceof RulesetError || error instanceof RowFault) return error;
    throw error;
  }
}

/** How many batches were done and how many were refused; throws with the seed and the batch where something parts. */
export function live(seed: number, options: HistoryOptions): { done: number; refused: number } {
  const random = new Random(seed);
  const rules = randomRuleset(random, {
    anyHook: true,
    forgetful: true,
    without: REFUSED,
    longest: random.pick([4, 20, 80, 200]),
  });
  const { ruleset, sets } = withSets(new Random(~seed), rules);
  const subjects = subjectsOf(options, sets, () => parseRuleset(ruleset.text, { family: ruleset.family }));
  let model = parseRuleset(ruleset.text, { family: ruleset.family });
  const tally = { done: 0, refused: 0 };
  const batches: string[] = [];
  try {
    for (let i = 0; i < options.batches; i++) {
      const tables = random.some([...model.tables.keys()]);
      const batch = randomBatch(random, model, { tables, edits: random.pick([1, 3, 10]), mistakes: 0.03 });
      batches.push(batch);
      const wanted = attempt(model, batch);
      if ("code" in wanted) {
        for (const subject of subjects) refuse(subject, batch, wanted);
        tally.refused++;
      } else if (allTheSame(subjects.map((subject) => carryOut(subject, batch, options.strategy)))) {
        model = wanted;
        tally.done++;
      }
      const print = printed(model);
      for (const subject of subjects) same("print", print, printed(subject.ruleset()));
      pass(random, ruleset, model, sets, subjects);
    }
    const fresh = subjectsOf(options, sets, () => copyRuleset(model));
    for (const subject of fresh) same("print of a fresh load", printed(model), printed(subject.ruleset()));
    pass(random, ruleset, model, sets, [...subjects, ...fresh]);
    return tally;
  } catch (error) {
    throw new Error(`seed ${seed}\n${sets}${ruleset.text}${batches.join("\n")}${(error as Error).stack}`);
  }
}

function subjectsOf({ strategy }: HistoryOptions, sets: string, ruleset: () => Ruleset): Subject[] {
  return CLASSIFIERS.map((classifier) => {
    const subject = new Subject(classifier, strategy);
    subject.updater.updateSets({ sets });
    subject.updater.load(ruleset());
    return subject;
  });
}

/** Whether a batch is carried out is no matter of the classifier. */
function allTheSame(carriedOut: readonly boolean[]): boolean {
  const [first = false] = carriedOut;
  if (carriedOut.some((one) => one !== first)) throw new Error(`carried out: ${carriedOut.join(", ")}`);
  return first;
}

/** Where there is a table mangle, rules of it that ask sets; no packet, and no time, changes those. */
function withSets(random: Random, ruleset: RandomRuleset): { ruleset: RandomRuleset; sets: string } {
  const { text, rules } = randomSets(random, ruleset.family);
  const asking = rules.filter((rule) => !/--(add|del)-set/.test(rule)).map((rule) => `${rule}\n`);
  const mangle = /(?<=^\*mangle\n(?:[:-].*\n|\[.*\n)*)COMMIT\n/m;
  return {
    ruleset: { ...ruleset, text: ruleset.text.replace(mangle, (end) => asking.join("") + end) },
    sets: text.replace(/ counters\b| timeout \d+| packets \d+ bytes \d+/g, ""),
  };
}

/** Edit by edit, a batch may close a loop on its way that its end opens again: one-by-one then refuses it. */
function carryOut(subject: Subject, batch: string, strategy: Strategy): boolean {
  const before = subject.snapshot();
  try {
    subject.updater.update({ batch });
    return true;
  } catch (error) {
    if (strategy !== "one-by-one" || !(error instanceof RulesetError) || error.code !== "loop") throw error;
    same("state behind a refused batch", before, subject.snapshot());
    return false;
  }
}

/** The engine must refuse the batch for the model's reason, at its line, and stay as it was to the byte. */
function refuse(subject: Subject, batch: string, wanted: Obstacle): void {
  const before = subject.snapshot();
  let got: unknown;
  try {
    subject.updater.update({ batch });
  } catch (error) {
    got = error;
  }
  const { code, line } = wanted;
  if (!(got instanceof RulesetError)) throw new Error(`wanted ${code} at ${line}, got ${String(got)}`);
  // A loop is told at one of its rules, which may have come with the file that was loaded first.
  if (got.code !== "loop" && (got.line < 1 || got.line > batch.split("\n").length))
    throw new Error(`line ${got.line} of a batch: ${got.message}`);
  // Who looks at each edit meets a loop where it closes, in front of what a later edit runs into.
  if (code !== "loop" && got.code !== "loop") same("error", `${code} line ${line}`, `${got.code} line ${got.line}`);
  same("state behind a refused batch", before, subject.snapshot());
}

/** Sends packets through the oracle and the engines; counters come to rest in the model. */
function pass(
  random: Random,
  ruleset: RandomRuleset,
  model: Ruleset,
  sets: string,
  subjects: readonly Subject[],
): void {
  const oracle = new Oracle(model, LOCAL_ADDRESSES, sets);
  for (let i = 0; i < 12; i++) {
    const packet = randomPacket(random, ruleset, 0);
    // The oracle is new; fragments that wait in the engine are of packets of their own.
    packet.fragmentId = random.next();
    const wanted = inWords(oracle.walk(packet));
    for (const subject of subjects) same(describePacket(packet), wanted, inWords(subject.trace(packet)));
  }
  for (const subject of subjects) {
    const found = firstDifference(oracle.counters(), countersOf(subject.ruleset()));
    if (found) throw new Error(found);
  }
  oracle.saveCounters();
}

/** Throws at the first line that differs, of those that `counts`. */
export function same(
  what: string,
  wanted: string | readonly string[],
  got: string | readonly string[],
  counts: (line: string) => boolean = () => true,
): void {
  const linesOf = (text: string | readonly string[]): string[] =>
    (typeof text === "string" ? text.split("\n") : [...text]).filter(counts);
  const [first, second] = [linesOf(wanted), linesOf(got)];
  for (let i = 0; i < Math.max(first.length, second.length); i++)
    if (first[i] !== second[i]) throw new Error(`${what}, line ${i + 1}: wanted\n${first[i]}\ngot\n${second[i]}`);
}
