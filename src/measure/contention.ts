/** Several writers of one ruleset, in a result file: how long they waited for each other, and what they got done. */
import type { Strategy } from "../update/updater.js";
import type { WorkloadName } from "../workload/workloads.js";
import type { ContenderRecord } from "./contender-task.js";
import { type EncodedHistogram, LatencyHistogram, type LatencySummary } from "./histogram.js";
import type { Lookup, Target } from "./result.js";

export interface ContentionRecord {
  /** What each writer's workload counts, as many of each. */
  readonly services: number;
  /** Of all writers together. */
  readonly rules: number;
  readonly strategy: Strategy;
  readonly classifier: Lookup;
  readonly target: Target;
  readonly seed: number;
  /** Changes that all writers together made a second. */
  readonly changes_per_second: number;
  /** Of all writers. */
  readonly change: DurationResult;
  /** Of all writers; null where there is no lock that programs wait for: they wait inside the kernel, within their changes. */
  readonly wait: DurationResult | null;
  readonly timeouts: number;
  readonly writers: readonly WriterResult[];
  /** Each round alone, in the order of measuring; none in files of before they were kept. */
  readonly rounds: readonly ContentionRound[];
}

/** As files have it that were written before rounds were kept, and all writers' changes together. */
export type EarlierContentionRecord = Omit<ContentionRecord, "change" | "rounds"> & Partial<ContentionRecord>;

export interface ContentionRound {
  /** Microseconds of all writers' time together in which one change was made; null where none was. */
  readonly us_per_change: number | null;
}

/** In microseconds. */
export interface DurationResult extends LatencySummary {
  readonly histogram: EncodedHistogram;
}

export interface WriterResult {
  readonly workload: WorkloadName;
  /** Those that were made. */
  readonly changes: number;
  /** Seconds in which they were, of all rounds. */
  readonly seconds: number;
  readonly changes_per_second: number;
  /** From a change's arrival until it was in force; without a rate each arrives when the one before is done. */
  readonly change: DurationResult;
  /** For the lock, attempts that gave up included; null as above. */
  readonly wait: DurationResult | null;
  /** Seconds of waiting in all. */
  readonly waited_s: number;
  /** Attempts that gave up waiting for the lock. */
  readonly timeouts: number;
  /** Changes that took more than one attempt. */
  readonly retried: number;
  /** Attempts at the change that took the most. */
  readonly most_attempts: number;
  /** Changes that had arrived but were not done at the end; they are in `change` with their age. */
  readonly unfinished: number;
  readonly failed: number;
  /** What the first that failed said. */
  readonly first_failure?: string;
}

/** What tells one record from another. */
export type ContentionCell = Pick<
  ContentionRecord,
  "services" | "rules" | "strategy" | "classifier" | "target" | "seed"
>;

/** "5000,ruleswap,incremental,tuple-space": the same in every run of the same options. */
export function contentionKey({
  services,
  target,
  strategy,
  classifier,
}: Pick<ContentionRecord, "services" | "target" | "strategy" | "classifier">): string {
  return [services, target, strategy, classifier].join();
}

/** Of rounds, each by writer in the same order. */
export function contentionOfRounds(cell: ContentionCell, rounds: readonly WriterResult[][]): ContentionRecord {
  const writers = (rounds[0] ?? []).map((_, nth) => writerTogether(rounds.map((round) => round[nth] as WriterResult)));
  return contentionOf(
    cell,
    writers,
    rounds.map((round) => {
      const perSecond = total(round, "changes_per_second");
      return { us_per_change: perSecond > 0 ? 1e6 / perSecond : null };
    }),
  );
}

function contentionOf(
  cell: ContentionCell,
  writers: readonly WriterResult[],
  rounds: readonly ContentionRound[],
): ContentionRecord {
  const { services, rules, strategy, classifier, target, seed } = cell;
  return {
    services,
    rules,
    strategy,
    classifier,
    target,
    seed,
    changes_per_second: total(writers, "changes_per_second"),
    change: together(writers.map(({ change }) => change)),
    wait: waits(writers),
    timeouts: total(writers, "timeouts"),
    writers,
    rounds,
  };
}

/** What one writer did in one round; without waits where there is no lock that it waits for. */
export function writerResult(
  workload: WorkloadName,
  record: Omit<ContenderRecord, "waitNs"> & { readonly waitNs: Float64Array | null },
): WriterResult {
  const { changeNs, waitNs, timeouts, unfinished, failed, firstFailure, lengthNs } = record;
  return {
    workload,
    changes: timeouts.length,
    seconds: lengthNs / 1e9,
    changes_per_second: timeouts.length / (lengthNs / 1e9),
    change: durations([LatencyHistogram.of(changeNs)]),
    wait: waitNs ? durations([LatencyHistogram.of(waitNs)]) : null,
    waited_s: (waitNs ?? new Float64Array()).reduce((sum, one) => sum + one, 0) / 1e9,
    timeouts: timeouts.reduce((sum, one) => sum + one, 0),
    retried: timeouts.filter((one) => one > 0).length,
    most_attempts: timeouts.reduce((most, one) => Math.max(most, one + 1), 0),
    unfinished,
    failed,
    ...(firstFailure === undefined ? {} : { first_failure: firstFailure }),
  };
}

/** The same writer in several rounds or runs, none of which is left out. */
function writerTogether(parts: readonly WriterResult[]): WriterResult {
  const firstFailure = parts.find(({ first_failure }) => first_failure)?.first_failure;
  const [changes, seconds] = [total(parts, "changes"), total(parts, "seconds")];
  return {
    workload: (parts[0] as WriterResult).workload,
    changes,
    seconds,
    changes_per_second: changes / seconds,
    change: together(parts.map(({ change }) => change)),
    wait: waits(parts),
    waited_s: total(parts, "waited_s"),
    timeouts: total(parts, "timeouts"),
    retried: total(parts, "retried"),
    most_attempts: Math.max(...parts.map(({ most_attempts }) => most_attempts)),
    unfinished: total(parts, "unfinished"),
    failed: total(parts, "failed"),
    ...(firstFailure === undefined ? {} : { first_failure: firstFailure }),
  };
}

/** The same cell in several runs, or in one; what is of all writers is made of what each has. */
export function contentionTogether(records: readonly EarlierContentionRecord[]): ContentionRecord {
  const [first] = records as [EarlierContentionRecord];
  const writers = first.writers.map((_, nth) =>
    writerTogether(records.map((record) => record.writers[nth] as WriterResult)),
  );
  return contentionOf(
    first,
    writers,
    records.flatMap(({ rounds }) => rounds ?? []),
  );
}

const together = (parts: readonly DurationResult[]): DurationResult =>
  durations(parts.map(({ histogram }) => LatencyHistogram.decode(histogram)));

function waits(parts: readonly WriterResult[]): DurationResult | null {
  const seen = parts.flatMap(({ wait }) => wait ?? []);
  return seen.length > 0 ? together(seen) : null;
}

function durations(histograms: readonly LatencyHistogram[]): DurationResult {
  const all = new LatencyHistogram();
  for (const one of histograms) all.add(one);
  return { ...all.summary(), histogram: all.encode() };
}

type Total =
  | "changes"
  | "seconds"
  | "changes_per_second"
  | "waited_s"
  | "timeouts"
  | "retried"
  | "unfinished"
  | "failed";
const total = (writers: readonly WriterResult[], name: Total): number =>
  writers.reduce((sum, one) => sum + one[name], 0);
