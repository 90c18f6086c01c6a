/**
 * How a cost grows with a size: all sizes take turns, so that what a machine does from one minute to the next is not taken for
 * growth.
 */
import { fitGrowth } from "ruleswap";
import { quantile } from "./task.js";

const ROUNDS = 25;
const SAMPLES_A_ROUND = 40;

export interface Growth {
  readonly label: string;
  /** Of the costs. */
  readonly unit: string;
  readonly sizes: readonly number[];
  /** Samples of every size that are made for nothing first. */
  readonly warmUp: number;
  /** What makes so many samples, one cost each. */
  readonly open: (size: number) => (count: number) => number[];
}

export function runGrowth({ label, unit, sizes, warmUp, open }: Growth): void {
  const samplers = sizes.map(open);
  const costs = samplers.map((): number[] => []);
  for (const sample of samplers) sample(warmUp);
  for (let round = 0; round < ROUNDS; round++)
    for (const [nth, sample] of samplers.entries()) costs[nth]?.push(quantile(sample(SAMPLES_A_ROUND), 0.5));
  const fit = fitGrowth(sizes.flatMap((size, nth) => (costs[nth] ?? []).map((cost) => ({ size, cost }))));
  const told = sizes.map((size, nth) => {
    const list = costs[nth] as number[];
    return `${size}: ${quantile(list, 0).toFixed(2)} least, ${quantile(list, 0.5).toFixed(2)} p50`;
  });
  process.stdout.write(
    `${label.padEnd(44)} ${unit} of a round's median: ${told.join("; ")}; exponent ${fit?.exponent.toFixed(3)} (${fit?.ci95?.map((end) => end.toFixed(3)).join(" to ")})\n`,
  );
}
