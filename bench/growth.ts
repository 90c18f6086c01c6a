/**
 * How the cost of a rule by its place grows with its chain: chains of all sizes take turns, so that what a machine does from
 * one minute to the next is not taken for growth.
 */
import { fitGrowth, type KernelChange } from "ruleswap";
import type { Contest } from "./duel.js";
import { quantile } from "./task.js";

const ROUNDS = 25;
const CHANGES_A_ROUND = 40;
const WARM_UP = 2000;

export interface Growth {
  readonly label: string;
  readonly sizes: readonly number[];
  readonly open: (size: number) => Contest;
}

export function runGrowth({ label, sizes, open }: Growth): void {
  const contests = sizes.map(open);
  const costs = contests.map((): number[] => []);
  for (const contest of contests) apply(contest, WARM_UP);
  for (let round = 0; round < ROUNDS; round++)
    for (const [nth, contest] of contests.entries()) costs[nth]?.push(quantile(apply(contest, CHANGES_A_ROUND), 0.5));
  const fit = fitGrowth(sizes.flatMap((size, nth) => (costs[nth] ?? []).map((cost) => ({ size, cost }))));
  const told = sizes.map((size, nth) => {
    const list = costs[nth] as number[];
    return `${size}: ${quantile(list, 0).toFixed(2)} least, ${quantile(list, 0.5).toFixed(2)} p50`;
  });
  process.stdout.write(
    `${label.padEnd(44)} us of a round's median: ${told.join("; ")}; exponent ${fit?.exponent.toFixed(3)} (${fit?.ci95?.map((end) => end.toFixed(3)).join(" to ")})\n`,
  );
}

/** Makes so many changes, there and back; microseconds of each. */
function apply({ apply: make, changes }: Contest, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const begun = performance.now();
    make(changes[i % 2] as KernelChange);
    return (performance.now() - begun) * 1000;
  });
}
