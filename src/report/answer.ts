/** The answer that every report begins with: what one change costs, a sentence a size. */
import type { BenchOptions } from "../measure/bench-options.js";
import type { ResultFile, ResultRecord } from "../measure/result.js";
import { isWorkloadName, workloads } from "../workload/workloads.js";
import { contentionAnswers } from "./contention.js";
import { duration, times, whole } from "./units.js";

/** What the workload counts, one or many of it. */
function counted(workload: string, count: number): string {
  const many = isWorkloadName(workload) ? workloads[workload].counts : "rules";
  return count === 1 ? many.replace(/(?<=ss)es$|s$/, "") : many;
}

/** "one service change at 5,000 services: full 212 ms, incremental 9 us (23,000 times)". */
export function answers(result: ResultFile): string[] {
  const { churn } = result.options;
  const alone = [...bySize(result.results).values()].flatMap((records) => answer(records, churn));
  return [...alone, ...contentionAnswers(result.contention)];
}

/** Records by what `sizeOf` calls their size, in the order of measuring. */
export function bySize(records: readonly ResultRecord[]): Map<string, ResultRecord[]> {
  const sizes = new Map<string, ResultRecord[]>();
  for (const record of records) {
    const size = sizeOf(record);
    sizes.set(size, [...(sizes.get(size) ?? []), record]);
  }
  return sizes;
}

/** "5,000 services"; of several writers "5,000 each". */
export function sizeOf({ workload, services, rules }: Pick<ResultRecord, "workload" | "services" | "rules">): string {
  const count = services ?? rules;
  if (services !== null && !isWorkloadName(workload)) return `${whole(count)} each`;
  return `${whole(count)} ${counted(workload, count)}`;
}

/** "kube-proxy, 5,000 services, 55,008 rules". */
export function titleOf(record: ResultRecord): string {
  const rules = record.services === null ? "" : `, ${whole(record.rules)} rules`;
  return `${record.workload}, ${sizeOf(record)}${rules}`;
}

/** What one change is, where it is not that something counted comes or goes. */
const CHANGED: Partial<Record<BenchOptions["churn"], string>> = {
  endpoint: "endpoint change",
  flapping: "endpoint change",
  "rolling-deploy": "endpoint change",
  "node-drain": "change of a node's endpoints",
  "cold-start": "change of a tenth of the services",
};

function answer(all: readonly ResultRecord[], churn: BenchOptions["churn"] | undefined): string[] {
  const records = all.filter(({ target }) => target === "ruleswap");
  const kernel = kernelAnswer(all.filter(({ target }) => target !== "ruleswap"));
  if (records.length === 0) return kernel;
  const first = records[0] as ResultRecord;
  const shown = records.filter(({ classifier }) => classifier === classifierOf(records));
  const slow = shown.find(({ strategy }) => strategy === "full") ?? shown.reduce((a, b) => (cost(b) > cost(a) ? b : a));
  const fast =
    shown.find(({ strategy }) => strategy === "incremental") ?? shown.reduce((a, b) => (cost(b) < cost(a) ? b : a));
  const named = (record: ResultRecord): string => `${record.strategy} ${duration(cost(record))}`;
  const changed = CHANGED[churn ?? "single"] ?? `${counted(first.workload, 1)} change`;
  const where = `one ${changed} at ${sizeOf(first)}: `;
  if (slow === fast) return [where + named(slow), ...kernel];
  return [`${where}${named(slow)}, ${named(fast)} (${times(cost(slow) / cost(fast))} times)`, ...kernel];
}

/** Of each program the quickest way that changes the ruleset as a whole, at once: not one by one. */
function kernelAnswer(records: readonly ResultRecord[]): string[] {
  const [first] = records;
  if (!first) return [];
  const ways = [...new Set(records.map(({ target }) => target))].map((target) => {
    const own = records.filter((record) => record.target === target);
    const whole = own.filter(({ strategy }) => strategy !== "one-by-one");
    const best = (whole.length > 0 ? whole : own).reduce((a, b) => (cost(b) < cost(a) ? b : a));
    return `${target} ${best.strategy} ${duration(cost(best))}`;
  });
  return [`the same in this machine's kernel: ${ways.join(", ")}`];
}

/** The number that sentences and bars are about. */
export const cost = ({ update }: ResultRecord): number => update.p50_us;

/** The classifier that a sentence is about: that of the engine's default where it was measured. */
function classifierOf(records: readonly ResultRecord[]): string {
  const classifiers = records.map(({ classifier }) => classifier);
  return classifiers.includes("tuple-space") ? "tuple-space" : (classifiers[0] as string);
}
