/** Changes that are made before any is measured: for the optimising compiler's sake, and to learn what one takes. */
import type { Strategy } from "../update/updater.js";
import type { Change } from "../workload/workload.js";
import type { Cell } from "./cell.js";
import { bytesOf, editsOf, requestOf } from "./request.js";
import { Signals } from "./signals.js";
import type { UpdaterRecord, UpdaterTask } from "./updater-task.js";

export interface WarmUp {
  readonly cell: Pick<Cell, "strategy">;
  /** Whether the writer's thread has not made changes of this strategy yet: its code is not optimised then. */
  readonly first: boolean;
  /** Whether it is enough to know roughly what a change takes. */
  readonly trial: boolean;
  /** Changes after which the ruleset is as it was. */
  readonly period: number;
  /** The first `count` changes, whole periods of them. */
  readonly changes: (count: number) => Change[];
  /** Carries out a task in the writer's thread; the rest of the task is the engine's. */
  readonly update: (
    task: Pick<
      UpdaterTask,
      "strategy" | "requests" | "scheduleNs" | "deadlineNs" | "least" | "signals" | "yardstick" | "lap" | "settleMs"
    >,
  ) => Promise<UpdaterRecord>;
}

/** Milliseconds of changes, more or less: where the writer's thread makes changes of this strategy for the first time, else, and of trials. */
const FIRST_MS = 200;
const LATER_MS = 60;
const TRIAL_MS = 5;
const MOST_CHANGES = 2000;
/** Bytes that are handed over for them, more or less: whole rulesets take longer to print than to put in place. */
const MOST_BYTES = 16e6;

/** Whose changes are made for nothing in place of a strategy's: one by one is as many replacements of partial's as there are edits. */
export function standInFor(strategy: Strategy): Strategy {
  return strategy === "one-by-one" ? "partial" : strategy;
}

/** Resolves with the nanoseconds that one of the cell's changes takes at best. */
export async function warmUp({ cell, first, trial, period, changes, update }: WarmUp): Promise<number> {
  const strategy = standInFor(cell.strategy);
  let best = Number.POSITIVE_INFINITY;
  let leftNs = (trial ? TRIAL_MS : first ? FIRST_MS : LATER_MS) * 1e6;
  let handedBytes = 0;
  for (let made = 0; made < MOST_CHANGES && leftNs > 0 && handedBytes < MOST_BYTES; ) {
    const affordable = ((MOST_BYTES - handedBytes) * made) / handedBytes;
    const wanted = made === 0 ? period : Math.min(MOST_CHANGES - made, leftNs / best, affordable);
    const count = Math.max(1, Math.floor(wanted / period)) * period;
    const requests = changes(count).map((change) => requestOf(change, cell.strategy));
    const { serviceNs } = await update({
      strategy,
      requests,
      scheduleNs: new Float64Array(count),
      deadlineNs: 0,
      least: count,
      signals: new Signals().buffer,
      yardstick: false,
      lap: 0,
      settleMs: 0,
    });
    const spentNs = serviceNs.reduce((sum, service) => sum + service, 0);
    // A change and its undoing cost about as much; what changes of a longer period cost differs, as those that arrive do.
    best = period === 2 ? Math.min(best, ...serviceNs) : Math.min(best, spentNs / count);
    leftNs -= spentNs;
    handedBytes += requests.reduce((sum, request) => sum + bytesOf(request), 0);
    made += count;
  }
  return cell.strategy === "one-by-one" ? best * Math.max(...changes(period).map(editsOf)) : best;
}
