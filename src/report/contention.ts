/** Several writers of one ruleset, as reports show them: a sentence a size, columns for terminal and page. */
import type { ContentionRecord, WriterResult } from "../measure/contention.js";
import { duration, times, whole } from "./units.js";

export interface ContentionColumn {
  readonly head: string;
  /** What the head means, for those who ask. */
  readonly title: string;
  /** Of one writer, or of all of a record. */
  readonly text: (of: WriterResult | ContentionRecord) => string;
}

/** Of programs that take no lock: they wait inside the kernel. */
const NO_LOCK = "-";

export const CONTENTION_COLUMNS: readonly ContentionColumn[] = [
  {
    head: "per s",
    title: "Changes made in a second",
    text: ({ changes_per_second }) => perSecond(changes_per_second),
  },
  {
    head: "change",
    title: "Half of the changes took no longer, waiting included",
    text: ({ change }) => duration(change.p50_us),
  },
  {
    head: "wait p50",
    title: "Half of the changes waited no longer for the lock",
    text: ({ wait }) => (wait ? duration(wait.p50_us) : NO_LOCK),
  },
  {
    head: "p99",
    title: "99 of 100 changes waited no longer",
    text: ({ wait }) => (wait ? duration(wait.p99_us) : NO_LOCK),
  },
  {
    head: "waits",
    title: "The share of its time that a writer waited for the lock",
    text: (of) => (of.wait ? `${Math.round(100 * waitingShare(of))} %` : NO_LOCK),
  },
  {
    head: "gave up",
    title: "Attempts that gave up waiting for the lock, and were made again",
    text: ({ wait, timeouts }) => (wait ? whole(timeouts) : NO_LOCK),
  },
];

/** "kube-proxy, portmap and docker at once, 1,000 each: full 13 changes a second, incremental 7,400 (560 times)". */
export function contentionAnswers(records: readonly ContentionRecord[]): string[] {
  return [...contentionBySize(records).values()].flatMap((both) => {
    const all = both.filter(({ target }) => target === "ruleswap");
    const kernel = kernelAnswer(both.filter(({ target }) => target !== "ruleswap"));
    if (all.length === 0) return kernel;
    const tuples = all.filter(({ classifier }) => classifier === "tuple-space");
    const shown = tuples.length > 0 ? tuples : all;
    const speed = ({ changes_per_second }: ContentionRecord): number => changes_per_second;
    const slow =
      shown.find(({ strategy }) => strategy === "full") ?? shown.reduce((a, b) => (speed(b) < speed(a) ? b : a));
    const fast =
      shown.find(({ strategy }) => strategy === "incremental") ?? shown.reduce((a, b) => (speed(b) > speed(a) ? b : a));
    const first = `${contentionTitle(slow)}: ${slow.strategy} ${perSecond(speed(slow))} changes a second`;
    const second = `${fast.strategy} ${perSecond(speed(fast))} (${times(speed(fast) / speed(slow))} times)`;
    return [slow === fast ? first : `${first}, ${second}`, ...kernel];
  });
}

/** The quickest way of each program. */
function kernelAnswer(records: readonly ContentionRecord[]): string[] {
  const [first] = records;
  if (!first) return [];
  const ways = [...new Set(records.map(({ target }) => target))].map((target) => {
    const own = records.filter((record) => record.target === target);
    const best = own.reduce((a, b) => (b.changes_per_second > a.changes_per_second ? b : a));
    return `${target} ${best.strategy} ${perSecond(best.changes_per_second)}`;
  });
  return [`the same in this machine's kernel, changes a second: ${ways.join(", ")}`];
}

/** Records by size, in the order of measuring. */
export function contentionBySize(records: readonly ContentionRecord[]): Map<number, ContentionRecord[]> {
  const sizes = new Map<number, ContentionRecord[]>();
  for (const record of records) sizes.set(record.services, [...(sizes.get(record.services) ?? []), record]);
  return sizes;
}

/** "kube-proxy, portmap and docker at once, 1,000 each". */
export function contentionTitle({ writers, services }: ContentionRecord): string {
  const names = writers.map(({ workload }) => workload);
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)} at once, ${whole(services)} each`;
}

function waitingShare(of: WriterResult | ContentionRecord): number {
  const writers = "writers" in of ? of.writers : [of];
  const [waited, seconds] = writers.reduce(([a, b], one) => [a + one.waited_s, b + one.seconds], [0, 0]);
  return waited / seconds;
}

const perSecond = (value: number): string => (value < 9.95 ? value.toFixed(1) : whole(Number(value.toPrecision(3))));
