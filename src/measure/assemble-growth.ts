/** How every line of a result grows with size. */
import { fitGrowth } from "./growth.js";
import { GROWTH_METRICS, type GrowthMetric, type GrowthRecord, type ResultRecord } from "./result.js";

/** Exponents of every target, strategy and classifier that was measured at two sizes or more. */
export function assembleGrowth(records: readonly ResultRecord[]): GrowthRecord[] {
  const growth: GrowthRecord[] = [];
  const groups = new Map<string, ResultRecord[]>();
  for (const record of records) {
    const key = [record.workload, record.target, record.strategy, record.classifier].join();
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  for (const group of groups.values()) {
    const { workload, strategy, classifier, target } = group[0] as ResultRecord;
    for (const metric of Object.keys(GROWTH_METRICS) as GrowthMetric[]) {
      const fit = fitGrowth(
        group.flatMap(({ services, rules, rounds }) =>
          rounds.map((round) => ({ size: services ?? rules, cost: round[GROWTH_METRICS[metric]] ?? 0 })),
        ),
      );
      if (!fit) continue;
      const { exponent, ci95 = null, observations } = fit;
      growth.push({ workload, strategy, classifier, target, metric, exponent, ci95, observations });
    }
  }
  return growth;
}
