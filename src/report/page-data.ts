/** What the page's plots are drawn from: a result, reduced to numbers and names that fit into the page. */
import { contentionKey } from "../measure/contention.js";
import { LatencyHistogram } from "../measure/histogram.js";
import type { EncodedHistogram } from "../measure/histogram.js";
import type { ResultFile, ResultRecord } from "../measure/result.js";
import { sizeOf } from "./answer.js";
import { byCell } from "./columns.js";
import { PUBLISHED, type Published } from "./published.js";

/** One way of changing rules: what a colour, a dash and a switch stand for. */
export interface PageLine {
  readonly label: string;
  readonly strategy: string;
  readonly classifier: string;
  readonly target: string;
  /** By size, in the order of `sizes`; null where it was not measured. */
  readonly cells: readonly (PageCell | null)[];
  /** The fitted exponent of the update latency's median. */
  readonly exponent: number | null;
}

/** One line at one size. Times are microseconds. */
export interface PageCell {
  readonly p50: number;
  readonly p99: number;
  /** Of one packet, nothing else going on, and while changes are made. */
  readonly matchIdle: number | null;
  readonly matchUpdating: number | null;
  readonly effectP50: number | null;
  readonly effectP99: number | null;
  /** (-log10 of the share of slower changes, latency), ascending. */
  readonly distribution: readonly (readonly [number, number])[];
  readonly phases: Readonly<Record<string, number>> | null;
  readonly liveBytes: number | null;
  readonly peakBytes: number | null;
  readonly timeline: PageTimeline | null;
  readonly contention: PageContention | null;
}

/** Of several writers together. */
export interface PageContention {
  readonly perSecond: number;
  /** Waits for the lock, as `distribution` above. */
  readonly waits: readonly (readonly [number, number])[];
}

export interface PageTimeline {
  /** Milliseconds a bin, and million packets a second in each. */
  readonly binMs: number;
  readonly mpps: readonly number[];
  /** Milliseconds from the first bin: when each update began and ended. */
  readonly updates: readonly (readonly [number, number])[];
}

export interface PageData {
  readonly sizes: readonly number[];
  readonly sizeTexts: readonly string[];
  /** What sizes count: "services". */
  readonly counts: string;
  readonly lines: readonly PageLine[];
  readonly published: readonly Published[];
}

export function pageData(result: ResultFile): PageData {
  const { results, growth } = result;
  const sizes = [...new Set(results.map(size))].sort((a, b) => a - b);
  const recordOf = (wanted: number): ResultRecord | undefined => results.find((record) => size(record) === wanted);
  const sizeTexts = sizes.map((wanted) => sizeOf(recordOf(wanted) as ResultRecord));
  const fits = growth.filter(({ metric }) => metric === "update.p50_us");
  return {
    sizes,
    sizeTexts,
    counts: (sizeTexts[0] ?? "").replace(/^\S+ /, ""),
    lines: byCell(results).map((records) => {
      const { strategy, classifier, target } = records[0] as ResultRecord;
      const fit = byCell(fits).find(([one]) => one && labelOf(one) === labelOf({ strategy, classifier, target }))?.[0];
      return {
        label: labelOf({ strategy, classifier, target }),
        strategy,
        classifier: classifier ?? "",
        target,
        cells: sizes.map((wanted) => {
          const record = records.find((one) => size(one) === wanted);
          return record ? cellOf(record, contentionOf(result, record)) : null;
        }),
        exponent: fit?.exponent ?? null,
      };
    }),
    published: results.some(({ workload }) => workload === "kube-proxy") ? PUBLISHED : [],
  };
}

const size = ({ services, rules }: ResultRecord): number => services ?? rules;

/** "full, tuple-space"; of the kernel's own "iptables-legacy full". */
export function labelOf(cell: {
  readonly strategy: string;
  readonly classifier?: string | null;
  readonly target?: string;
}): string {
  const { strategy, classifier, target = "ruleswap" } = cell;
  if (target === "ruleswap") return `${strategy}, ${classifier}`;
  return `${target} ${strategy}${classifier === "linear" ? "" : `, ${classifier}`}`;
}

function contentionOf({ contention }: ResultFile, record: ResultRecord): PageContention | null {
  const { services, strategy, classifier, target } = record;
  if (services === null) return null;
  const key = contentionKey({ services, strategy, classifier, target });
  const found = contention.find((one) => contentionKey(one) === key);
  if (!found) return null;
  return { perSecond: found.changes_per_second, waits: found.wait ? distributionOf(found.wait.histogram) : [] };
}

function cellOf(record: ResultRecord, contention: PageContention | null): PageCell {
  const { update, timeToEffect, memory, match } = record;
  const seen = timeToEffect && timeToEffect.count > 0 ? timeToEffect : null;
  const timeline = match?.updating?.timeline;
  return {
    p50: update.p50_us,
    p99: update.p99_us,
    matchIdle: match ? match.idle.ns_per_packet_p50 / 1000 : null,
    matchUpdating: match ? match.updating.ns_per_packet_p50 / 1000 : null,
    effectP50: seen?.p50_us ?? null,
    effectP99: seen?.p99_us ?? null,
    distribution: distributionOf(update.histogram),
    phases: update.phases_us ?? null,
    liveBytes: memory?.live_bytes ?? null,
    peakBytes: memory?.peak_bytes ?? null,
    timeline: timeline
      ? {
          binMs: timeline.bin_ms,
          mpps: timeline.packets.map((packets) => rounded(packets / timeline.bin_ms / 1000)),
          updates: timeline.updates_ms,
        }
      : null,
    contention,
  };
}

/** Points a nine. */
const DENSITY = 12;

/** The latency below which all but one of 10^x changes stay, up to the greatest there is. */
function distributionOf(encoded: EncodedHistogram): [number, number][] {
  const histogram = LatencyHistogram.decode(encoded);
  const last = Math.log10(Math.max(1, histogram.count));
  const points: [number, number][] = [];
  const add = (x: number): void => {
    points.push([rounded(x), rounded(histogram.percentileNs(100 * (1 - 10 ** -x)) / 1000)]);
  };
  for (let step = 0; step / DENSITY < last; step++) add(step / DENSITY);
  points.push([rounded(last), rounded(histogram.percentileNs(100) / 1000)]);
  return points;
}

const rounded = (value: number): number => Number(value.toPrecision(5));
