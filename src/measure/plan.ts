/** How many changes a cell gets, how fast, and when it ends, from what one change takes. */
import type { BenchOptions } from "./bench-options.js";

/** Changes that every cell carries out, over all rounds, however slow they are: of the two rounds of most benches each one there and one back. */
export const LEAST_CHANGES = 4;
/**
 * Changes a second at most, unless the user says, where they are measured: the golden ratio's cube in a millisecond. Timers tick every 1, 4 or
 * 10 ms; of changes in a gap that divides such a period either none ever meets a tick or every 20th does, and p99 is decided by chance.
 */
const AUTO_RATE = 4236;
/** The share of time that a strategy is busy, unless the user says: a change that takes five times as long delays nobody. */
const AUTO_BUSY = 0.2;
/** The same where even so few changes take longer than the duration asked for. */
const AUTO_BUSY_SLOW = 0.9;
/** How much quicker than expected a strategy is prepared for. */
const HASTE = 4;
/** A run may take this many times as long as its changes take to arrive. */
const PATIENCE = 2;

/** Seconds that a cell is measured for in a round from which on what is measured is more than a trial. */
const MEASURED_S = 0.1;

/** Whether rounds are so short that they are trials: no time is spent on having code compiled before them. */
export function isTrial({ duration, rounds }: Pick<BenchOptions, "duration" | "rounds">): boolean {
  return duration / rounds < MEASURED_S;
}

export interface RunPlan {
  /** Changes a second. */
  readonly rate: number;
  /** Changes that arrive. */
  readonly count: number;
  /** Those of them that can be carried out in time: no more need to be prepared, each of which may be a whole ruleset. */
  readonly most: number;
  readonly deadlineNs: number;
  /** Changes that are carried out even behind the deadline. */
  readonly least: number;
}

/** Nanoseconds that a run may take at real-time priority: behind 950 ms Linux takes it away for a while. */
const REAL_TIME_MOST_NS = 0.7e9;

/** Whether a run is short enough for real-time priority, where one change takes `serviceNs`. */
export function suitsRealTime({ rate, count, most }: RunPlan, serviceNs: number): boolean {
  return Math.max((count / rate) * 1e9, most * serviceNs) < REAL_TIME_MOST_NS;
}

/** The plan of round `round` (from 0) of one cell, where one change was seen to take `serviceNs`. */
export function planRun(
  options: Pick<BenchOptions, "rate" | "duration" | "rounds">,
  round: number,
  serviceNs: number,
): RunPlan {
  const share = (rounds: number): number => Math.floor((rounds * LEAST_CHANGES) / options.rounds);
  const least = Math.max(1, share(round + 1) - share(round));
  const duration = options.duration / options.rounds;
  const planOf = (rate: number, count: number, deadlineNs: number, least: number): RunPlan => {
    const most = Math.min(count, Math.max(least, Math.ceil((HASTE * deadlineNs) / serviceNs)));
    return { rate, count, most, deadlineNs, least };
  };
  if (options.rate !== "auto") {
    const count = Math.max(1, Math.round(options.rate * duration));
    return planOf(options.rate, count, PATIENCE * duration * 1e9, Math.min(least, count));
  }
  const slow = (least * serviceNs) / AUTO_BUSY > duration * 1e9;
  const rate = Math.min(AUTO_RATE, ((slow ? AUTO_BUSY_SLOW : AUTO_BUSY) * 1e9) / serviceNs);
  const count = Math.max(least, Math.round(rate * duration));
  return planOf(rate, count, PATIENCE * Math.max(duration, count / rate) * 1e9, least);
}
