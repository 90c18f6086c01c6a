/** Rounds of contenders that took turns: what each cost, and how two compare. */

/** Nanoseconds of one round: of each section of the trace in turn. */
export type Round = readonly number[];

export interface Summary {
  /** Mean over sections of the least of all rounds: what the work costs where nothing disturbs it. */
  readonly min: number;
  readonly median: number;
}

export interface Ratio {
  readonly min: number;
  readonly median: number;
  /** Interval of the median of the rounds' ratios that holds in 95 of 100 cases at least, by the order of the rounds. */
  readonly ci95: readonly [number, number];
}

export function summarize(rounds: readonly Round[]): Summary {
  const sections = (rounds[0] ?? []).map((_, nth) => Math.min(...rounds.map((round) => round[nth] as number)));
  return { min: mean(sections), median: median(rounds.map(mean)) };
}

/** Ours over theirs; round n of both followed each other. */
export function compare(ours: readonly Round[], theirs: readonly Round[]): Ratio {
  const ratios = ours.map((round, nth) => mean(round) / mean(theirs[nth] as Round)).sort((a, b) => a - b);
  const skip = skipped(ratios.length);
  return {
    min: summarize(ours).min / summarize(theirs).min,
    median: median(ratios),
    ci95: [ratios[skip] as number, ratios[ratios.length - 1 - skip] as number],
  };
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[half] as number) : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
}

/** How many of n sorted values may be left out at each end of an interval that holds the median with 95 %. */
function skipped(n: number): number {
  let chance = 2 ** -n;
  let sum = 0;
  for (let k = 0; ; k++) {
    sum += chance;
    if (2 * sum > 0.05) return Math.max(0, k - 1);
    chance = (chance * (n - k)) / (k + 1);
  }
}
