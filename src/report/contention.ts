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

export const CONTENTION_COLUMNS: readonly ContentionColumn[] = [
  {
    head: "changes/s",
    title: "Changes made in a second",
    text: ({ changes_per_second }) => perSecond(changes_per_second),
  },
  {
    head: "wait p50",
    title: "Half of the changes waited no longer for the lock",
    text: ({ wait }) => duration(wait.p50_us),
  },
  { head: "p99", title: "99 of 100 changes waited no longer", text: ({ wait }) => duration(wait.p99_us) },
  { head: "max", title: "The longest that a change waited", text: ({ wait }) => duration(wait.max_us) },
  {
    head: "waits",
    title: "The share of its time that a writer waited for the lock",
    text: (of) => `${Math.round(100 * waitingShare(of))} %`,
  },
  {
    head: "gave up",
    title: "Attempts that gave up waiting for the lock, and were made again",
    text: ({ timeouts }) => whole(timeouts),
  },
];

/** "kube-proxy, portmap and docker at once, 1,000 each: full 13 changes a second, incremental 7,400 (560 times)". */
export function contentionAnswers(records: readonly ContentionRecord[]): string[] {
  return [...contentionBySize(records).values()].map((all) => {
    const tuples = all.filter(({ classifier }) => classifier === "tuple-space");
    const shown = tuples.length > 0 ? tuples : all;
    const speed = ({ changes_per_second }: ContentionRecord): number => changes_per_second;
    const slow =
      shown.find(({ strategy }) => strategy === "full") ?? shown.reduce((a, b) => (speed(b) < speed(a) ? b : a));
    const fast =
      shown.find(({ strategy }) => strategy === "incremental") ?? shown.reduce((a, b) => (speed(b) > speed(a) ? b : a));
    const first = `${contentionTitle(slow)}: ${slow.strategy} ${perSecond(speed(slow))} changes a second`;
    if (slow === fast) return first;
    return `${first}, ${fast.strategy} ${perSecond(speed(fast))} (${times(speed(fast) / speed(slow))} times)`;
  });
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
