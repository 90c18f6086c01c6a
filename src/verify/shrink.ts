/**
 * The smallest case that still fails: batches, then their lines, then rules are left out as long as the mismatch stays,
 * from big pieces to single ones. Each try is a trial of its own, so it is time that ends it.
 */
import type { Mismatch } from "./mismatch.js";
import { Trial, type TrialOptions } from "./trial.js";

export interface Reproduction {
  /** As iptables-save prints it. */
  readonly ruleset: string;
  readonly batches: readonly string[];
  readonly mismatch: Mismatch;
}

export interface Failure {
  /** The ruleset that the trial began with. */
  readonly ruleset: string;
  readonly batches: readonly string[];
  readonly mismatch: Mismatch;
}

export async function shrink(options: TrialOptions, failure: Failure, milliseconds: number): Promise<Reproduction> {
  const { mismatch } = failure;
  const isKernel = mismatch.kind === "kernel";
  const [strategy, classifier] = mismatch.who.split(", ");
  const narrow: TrialOptions = {
    ...options,
    linux: isKernel,
    strategies: isKernel ? options.strategies.slice(0, 1) : options.strategies.filter((one) => one === strategy),
    classifiers: isKernel ? options.classifiers.slice(0, 1) : options.classifiers.filter((one) => one === classifier),
    ...(mismatch.packet ? { always: [mismatch.packet] } : {}),
  };
  const until = performance.now() + milliseconds;
  let best: Reproduction = { ruleset: failure.ruleset, batches: failure.batches, mismatch };
  const fails = async (ruleset: string, batches: readonly string[]): Promise<boolean> => {
    const found = await attempt({ ...narrow, text: ruleset }, batches);
    if (found?.kind !== mismatch.kind) return false;
    best = { ruleset, batches, mismatch: found };
    return true;
  };
  if (!(await fails(failure.ruleset, failure.batches))) return best;
  await leaveOut(best.batches, until, (rest) => fails(best.ruleset, rest));
  for (let at = best.batches.length - 1; at >= 0; at--) {
    const lines = (best.batches[at] as string).split("\n");
    await leaveOut(lines.filter(isEdit), until, (rest) =>
      fails(
        best.ruleset,
        best.batches.with(at, lines.filter((line) => !isEdit(line) || rest.includes(line)).join("\n")),
      ),
    );
  }
  for (const mayGo of [isEdit, isOwnChain]) {
    const lines = best.ruleset.split("\n");
    await leaveOut(lines.filter(mayGo), until, (rest) => {
      const kept = new Set(rest);
      return fails(lines.filter((line) => !mayGo(line) || kept.has(line)).join("\n"), best.batches);
    });
  }
  return best;
}

/** A line of a rule or a command, which a text may do without. */
const isEdit = (line: string): boolean => /^(\[\d+:\d+\] )?-/.test(line);

/** The declaration of a user's chain: without it the rest may not load, and then does not fail as it did. */
const isOwnChain = (line: string): boolean => /^:\S+ - /.test(line);

async function attempt(options: TrialOptions, batches: readonly string[]): Promise<Mismatch | undefined> {
  const trial = await Trial.begin(options).catch(() => undefined);
  if (!trial) return undefined;
  try {
    for (const batch of batches) {
      const found = await trial.make(batch);
      if (found) return found;
    }
    return await trial.compare();
  } finally {
    await trial.end();
  }
}

/** Greedy; `fails` says whether what is left still does. */
async function leaveOut<T>(list: readonly T[], until: number, fails: (rest: T[]) => Promise<boolean>): Promise<void> {
  let kept = [...list];
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let at = 0; at < kept.length; ) {
      if (performance.now() > until) return;
      const rest = kept.filter((_, i) => i < at || i >= at + size);
      if (await fails(rest)) kept = rest;
      else at += size;
    }
}
