/**
 * Whether a ruleset that is changed in place stays what a full load of it would be. One trial (trial.ts) lives through
 * random batches, or given ones; the first mismatch ends it, and is made small.
 */
import { parseRuleset } from "../ruleset/parse.js";
import { printRuleset } from "../ruleset/print.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { Random } from "../workload/random.js";
import type { Mismatch } from "./mismatch.js";
import { randomBatch } from "./random-edits.js";
import { type Reproduction, shrink } from "./shrink.js";
import { Trial, type TrialOptions } from "./trial.js";
import { checkOptions, fullEveryOf, type VerifyOptions } from "./verify-options.js";

export interface VerifyTally {
  readonly batches: number;
  /** Lines of the batches that were made. */
  readonly edits: number;
  /** Batches that all refused. */
  readonly refused: number;
  /** Full comparisons. */
  readonly full: number;
  /** Chains compared behind their batch. */
  readonly chains: number;
  readonly packets: number;
  /** Packets that rules with a memory may decide, not compared. */
  readonly leftOut: number;
  /** Rules at the end. */
  readonly rules: number;
}

export interface VerifyResult {
  readonly tally: VerifyTally;
  readonly mismatch?: Mismatch;
  readonly reproduction?: Reproduction;
}

export interface VerifyHooks {
  /** Called behind every batch with the lines made and all there will be. */
  readonly progress?: (done: number, total: number) => void;
  readonly makeSubject?: TrialOptions["makeSubject"];
  /** For finding the smallest case. */
  readonly shrinkMilliseconds?: number;
}

const SHRINK_MILLISECONDS = 60_000;

/** @throws RulesetError where the ruleset cannot be loaded, RangeError, LinuxError. */
export async function verify(options: VerifyOptions, hooks: VerifyHooks = {}): Promise<VerifyResult> {
  checkOptions(options);
  const trialOptions = { ...options, ...(hooks.makeSubject ? { makeSubject: hooks.makeSubject } : {}) };
  const trial = await Trial.begin(trialOptions);
  const every = fullEveryOf(options, rulesOf(trial.model));
  let compared = 0;
  let edits = 0;
  let mismatch: Mismatch | undefined;
  try {
    for (const batch of batchesOf(options, trial.model)) {
      edits += linesOf(batch);
      mismatch = await trial.make(batch);
      if (!mismatch && trial.batches.length % every === 0) {
        mismatch = await trial.compare();
        compared = trial.batches.length;
      }
      if (mismatch) break;
      hooks.progress?.(edits, options.replay ? edits : options.edits);
    }
    if (!mismatch && compared < trial.batches.length) mismatch = await trial.compare();
  } finally {
    await trial.end();
  }
  const tally = { ...trial.tally, batches: trial.batches.length, edits, rules: rulesOf(trial.model) };
  if (!mismatch) return { tally };
  const ruleset = printRuleset(parseRuleset(options.text, options), { counters: true });
  const failure = { ruleset, batches: trial.batches, mismatch };
  const reproduction = await shrink(trialOptions, failure, hooks.shrinkMilliseconds ?? SHRINK_MILLISECONDS);
  return { tally, mismatch, reproduction };
}

/** Random ones are made from the model as the batches before have left it. */
function* batchesOf({ replay, seed, edits, batch, linux }: VerifyOptions, model: Ruleset): Generator<string> {
  if (replay) return yield* replay;
  const random = new Random(seed, 0x7665);
  for (let left = edits; left > 0; ) {
    const text = randomBatch(random, model, Math.min(batch, left), linux);
    left -= linesOf(text);
    yield text;
  }
}

const linesOf = (batch: string): number => batch.split("\n").filter((line) => /^(\[|-|:)/.test(line)).length;

function rulesOf(model: Ruleset): number {
  let rules = 0;
  for (const table of model.tables.values()) for (const chain of table.chains.values()) rules += chain.rules.length;
  return rules;
}
