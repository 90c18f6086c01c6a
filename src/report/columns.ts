/** The columns of a report's tables, for terminal and page alike: what is shown of a record, and how. */
import type { GrowthMetric, GrowthRecord, ResultRecord } from "../measure/result.js";
import { bytes, digits, duration } from "./units.js";

export interface Column {
  readonly head: string;
  /** What the head means, for those who ask. */
  readonly title: string;
  readonly text: (record: ResultRecord) => string;
}

export const COLUMNS: readonly Column[] = [
  {
    head: "strategy",
    title: "How the change was made",
    text: ({ strategy, target }) => (target === "ruleswap" ? strategy : `${target} ${strategy}`),
  },
  { head: "classifier", title: "How readers search the rules", text: ({ classifier }) => classifier },
  {
    head: "p50",
    title: "Half of the changes took no longer, from when they were meant to begin until they were in force",
    text: ({ update }) => duration(update.p50_us),
  },
  {
    head: "p99",
    title: "99 of 100 changes took no longer",
    text: ({ update }) => duration(update.p99_us),
  },
  {
    head: "written",
    title: "Bytes that one change writes to shared memory, the median",
    text: ({ update }) => (update.bytes_written_p50 === null ? "-" : bytes(update.bytes_written_p50)),
  },
  {
    head: "effect",
    title: "From when the change was meant to begin until a reader's packet first got the new verdict, the median",
    text: ({ timeToEffect }) => (timeToEffect && timeToEffect.count > 0 ? duration(timeToEffect.p50_us) : "-"),
  },
  {
    head: "match ns",
    title: "Nanoseconds to match a packet, the median: nothing else going on / while changes are made",
    text: ({ match }) =>
      match ? `${nanoseconds(match.idle.ns_per_packet_p50)} / ${nanoseconds(match.updating.ns_per_packet_p50)}` : "-",
  },
];

/** Heads of what growth is fitted for, the most asked for first. */
export const GROWTH_HEADS: Readonly<Record<GrowthMetric, string>> = {
  "update.p50_us": "update",
  "update.bytes_written_p50": "written",
  "timeToEffect.p50_us": "effect",
  "match.idle.ns_per_packet_p50": "match",
  "match.updating.ns_per_packet_p50": "match, updating",
  "memory.live_bytes": "memory",
};

interface CellName {
  readonly strategy: string;
  readonly classifier: string;
  readonly target?: string;
}

/** Records of each strategy with each classifier of each target. */
export function byCell<R extends CellName>(records: readonly R[]): R[][] {
  const cells = new Map<string, R[]>();
  for (const record of records) {
    const cell = `${record.target} ${record.strategy} ${record.classifier}`;
    cells.set(cell, [...(cells.get(cell) ?? []), record]);
  }
  return [...cells.values()];
}

/** "0.98 +-0.03": the exponent and half its 95 % interval; "?" where the rounds say nothing about it. */
export function exponent(growth: GrowthRecord | undefined): string {
  if (!growth) return "-";
  const value = hundredths(growth.exponent);
  if (growth.ci95 && growth.ci95[1] - growth.ci95[0] >= 19.9) return "?";
  return growth.ci95 ? `${value} +-${hundredths((growth.ci95[1] - growth.ci95[0]) / 2)}` : value;
}

const hundredths = (value: number): string => (Math.round(value * 100) / 100 + 0).toFixed(2);
const nanoseconds = (value: number): string => (value < 1000 ? value.toFixed(0) : digits(value, 4));
