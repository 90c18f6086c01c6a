/**
 * Two results: which costs differ, and by how much.
 *
 * Problem. Runs of the same build differ: the machine is busy, compilers choose otherwise. Samples within a round hang
 *   together, so an interval from samples is far too narrow and finds differences where there are none.
 * Idea. A round is one observation: the logarithm of its median. Rounds have their own threads, changes and moments, so
 *   what differs between them differs between runs. There are few rounds a cell but many cells: the bootstrap draws the
 *   rounds' deviations of a cell chosen at random, and asks how far apart two means come where nothing differs, in units of
 *   a scale that leans on all cells' mean, as there is little to learn from two rounds alone.
 * Many comparisons. Of 24 cells, one in twenty differing by chance would be more than one. A verdict is given only where
 *   the interval that holds for all cells at once leaves 1 out: of two runs of the same build, 19 in 20 show no
 *   difference at all. The interval that is printed is the usual one for this cell alone.
 * The machine. When the yardstick ran at another speed, the intervals are stretched by as much: the machine may account for
 *   all of it or for nothing.
 * References. Efron, Tibshirani, "An Introduction to the Bootstrap", ch. 16; Westfall, Young, "Resampling-Based Multiple
 *   Testing"; Smyth, "Linear models and empirical Bayes methods" (2004), for the scales.
 */
import { Random } from "../workload/random.js";
import { sortedQuantile } from "./assemble.js";
import { contentionKey, type ContentionRecord } from "./contention.js";
import { GROWTH_METRICS, type GrowthMetric, type ResultFile, type ResultRecord } from "./result.js";

export interface CompareOptions {
  readonly metrics: readonly CompareMetric[];
  /** Of the bootstrap's chance. Default 1: the same files, the same words. */
  readonly seed?: number;
}

/** What growth is fitted for; and where several writers were, the time in which all together made one change. */
export type CompareMetric = GrowthMetric | typeof CONTENTION_METRIC;
export const CONTENTION_METRIC = "contention.us_per_change";

export const COMPARE_METRICS: readonly CompareMetric[] = [
  "update.p50_us",
  "timeToEffect.p50_us",
  "match.idle.ns_per_packet_p50",
  CONTENTION_METRIC,
];

export interface Comparison {
  readonly cells: readonly ComparedCell[];
  /** How many times slower the machine was in the second run, by the yardstick. */
  readonly machine: number;
  /** Cells of one result that the other lacks, or that have no rounds. */
  readonly unmatched: number;
}

export type Interval = readonly [number, number];

/** What is compared. Of several writers `workload` is the names of all: "kube-proxy+docker". */
export type ComparedRecord = Pick<
  ResultRecord,
  "workload" | "services" | "rules" | "target" | "strategy" | "classifier"
>;

export interface ComparedCell {
  readonly record: ComparedRecord;
  readonly metric: CompareMetric;
  readonly before: number;
  readonly after: number;
  /** After over before, of the rounds' geometric means. */
  readonly ratio: number;
  readonly ci95: Interval;
  /** Holds for all cells at once. */
  readonly allCi95: Interval;
  readonly verdict: "lower" | "higher" | "none";
}

/** As much weight as this many rounds have all cells' mean in a cell's scale. */
const PRIOR_FREEDOM = 4;
const RESAMPLES = 4000;
/** The bootstrap knows the noise of the rounds it has seen, and so far out there are few: simulated (test), this is enough. */
const UNSEEN = 1.15;
/** A scale is never less than this, in logarithms: medians are kept to three digits. */
const LEAST_SCALE = 0.002;

/** @throws RangeError when the results have no cell in common, or one round each. */
export function compareResults(before: ResultFile, after: ResultFile, options: CompareOptions): Comparison {
  const partners = new Map(after.results.map((record) => [cellKey(record), record]));
  const pairs = before.results.flatMap((record) => {
    const partner = partners.get(cellKey(record));
    return partner ? [[record, partner] as const] : [];
  });
  const contended = contendedPairs(before, after);
  const samples = [
    ...pairs.flatMap(([a, b]) =>
      options.metrics.flatMap((metric) => (metric === CONTENTION_METRIC ? [] : (sampleOf(a, b, metric) ?? []))),
    ),
    ...(options.metrics.includes(CONTENTION_METRIC) ? contended.map(([a, b]) => contendedSample(a, b)) : []),
  ];
  if (samples.length === 0) throw new RangeError("compare: the results have no cell in common");
  const shift = Math.log(yardstick(after) / yardstick(before));
  const cells = options.metrics.flatMap((metric) => {
    const own = samples.filter((sample) => sample.metric === metric);
    return own.length > 0 ? judge(own, samples.length, shift, options.seed ?? 1) : [];
  });
  return {
    cells,
    machine: Math.exp(shift),
    unmatched:
      [before, after].reduce((sum, { results, contention }) => sum + results.length + contention.length, 0) -
      2 * (pairs.length + contended.length),
  };
}

/** What makes two records the same question. */
export function cellKey({ workload, services, rules, target, strategy, classifier }: ResultRecord): string {
  return [workload, services ?? rules, target, strategy, classifier].join();
}

interface Sample {
  readonly record: ComparedRecord;
  readonly metric: CompareMetric;
  /** Logarithms, one a round. */
  readonly a: readonly number[];
  readonly b: readonly number[];
}

function sampleOf(a: ResultRecord, b: ResultRecord, metric: GrowthMetric): Sample | undefined {
  const logs = ({ rounds }: ResultRecord): number[] =>
    rounds.flatMap((round) => {
      const value = round[GROWTH_METRICS[metric]];
      return value !== null && value > 0 ? [Math.log(value)] : [];
    });
  const sample = { record: b, metric, a: logs(a), b: logs(b) };
  return sample.a.length > 0 && sample.b.length > 0 ? sample : undefined;
}

/** Cells of the same writers in both, whose rounds are known. */
function contendedPairs(before: ResultFile, after: ResultFile): [ContentionRecord, ContentionRecord][] {
  const key = (record: ContentionRecord): string => `${writersOf(record)} ${contentionKey(record)}`;
  const partners = new Map(after.contention.map((record) => [key(record), record]));
  return before.contention.flatMap((record): [ContentionRecord, ContentionRecord][] => {
    const partner = partners.get(key(record));
    return partner && [record, partner].every(hasRounds) ? [[record, partner]] : [];
  });
}

const hasRounds = (record: ContentionRecord): boolean => contentionLogs(record).length > 0;
const contentionLogs = ({ rounds }: ContentionRecord): number[] =>
  rounds.flatMap(({ us_per_change }) => (us_per_change === null ? [] : [Math.log(us_per_change)]));
const writersOf = ({ writers }: ContentionRecord): string => writers.map(({ workload }) => workload).join("+");

function contendedSample(a: ContentionRecord, b: ContentionRecord): Sample {
  const record = { ...b, workload: writersOf(b) };
  return { record, metric: CONTENTION_METRIC, a: contentionLogs(a), b: contentionLogs(b) };
}

/** Intervals and verdicts of the cells of one metric; `comparisons` are those of all metrics. */
function judge(samples: readonly Sample[], comparisons: number, shift: number, seed: number): ComparedCell[] {
  const spreads = samples.map(({ a, b }) => ({ squares: squares(a) + squares(b), freedom: a.length + b.length - 2 }));
  const freedom = sum(spreads.map((spread) => spread.freedom));
  if (freedom === 0) throw new RangeError("compare: one round each says nothing of the noise; measure two or more");
  const prior = sum(spreads.map((spread) => spread.squares)) / freedom;
  const scale = (own: { squares: number; freedom: number }): number =>
    Math.max(LEAST_SCALE, Math.sqrt((PRIOR_FREEDOM * prior + own.squares) / (PRIOR_FREEDOM + own.freedom)));
  const scales = spreads.map(scale);
  // Each cell's rounds stay together: some cells are noisier than others.
  const donors = samples.map(({ a, b }) =>
    [...residuals(a), ...residuals(b)].map((one) => one / Math.sqrt(prior || 1)),
  );
  const known = donors.filter(({ length }) => length > 0);
  const random = new Random(seed, 0x626f);
  const draw = (donor: readonly number[], count: number): number[] =>
    Array.from({ length: count }, () => donor[random.below(donor.length)] as number);
  // In units of the scale, which each resample estimates for itself, as each cell did.
  const unit = prior > 0 ? 1 : 0;
  const statistic = (one: readonly number[], other: readonly number[]): number => {
    const own = squares(one) + squares(other);
    const estimated = Math.sqrt((PRIOR_FREEDOM * unit + own) / (PRIOR_FREEDOM + one.length + other.length - 2));
    return Math.abs(mean(one) - mean(other)) / Math.max(estimated, 1e-9);
  };
  const shapes = new Map<string, number[]>();
  return samples.map(({ record, metric, a, b }, nth) => {
    const shape = `${a.length}/${b.length}`;
    const statistics =
      shapes.get(shape) ??
      Array.from({ length: RESAMPLES }, () => {
        const donor = random.pick(known);
        return statistic(draw(donor, a.length), draw(donor, b.length));
      }).sort((one, other) => one - other);
    shapes.set(shape, statistics);
    const difference = mean(b) - mean(a);
    const around = (share: number, wider = 1): Interval => {
      const half = wider * sortedQuantile(statistics, share) * (scales[nth] as number);
      return [Math.exp(difference - half - Math.max(0, shift)), Math.exp(difference + half + Math.max(0, -shift))];
    };
    const allCi95 = around(1 - 0.05 / comparisons, UNSEEN);
    return {
      record,
      metric,
      before: Math.exp(mean(a)),
      after: Math.exp(mean(b)),
      ratio: Math.exp(difference),
      ci95: around(0.95),
      allCi95,
      verdict: allCi95[1] < 1 ? "lower" : allCi95[0] > 1 ? "higher" : "none",
    };
  });
}

/** The geometric mean of all rounds'. */
function yardstick({ results }: ResultFile): number {
  const logs = results.flatMap(({ rounds }) => rounds.map(({ yardstick_ns }) => Math.log(yardstick_ns)));
  return logs.length > 0 ? Math.exp(mean(logs)) : 1;
}

/** Deviations from the mean, made as wide as those of the values themselves. */
function residuals(values: readonly number[]): number[] {
  if (values.length < 2) return [];
  const centre = mean(values);
  const widen = Math.sqrt(values.length / (values.length - 1));
  return values.map((value) => (value - centre) * widen);
}

function squares(values: readonly number[]): number {
  const centre = mean(values);
  return sum(values.map((value) => (value - centre) ** 2));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
