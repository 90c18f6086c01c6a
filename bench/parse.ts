import { parseRuleset, type Ruleset, workloads } from "ruleswap";
import { expect, SEED, type Task } from "./task.js";

export function parseTasks(size: number): Task[] {
  return [
    {
      label: `parse/-/kube-proxy/${size}`,
      operations: 1,
      prepare() {
        const workload = workloads["kube-proxy"].make({ size, seed: SEED, family: "ipv4" });
        const text = new TextEncoder().encode(workload.ruleset());
        let parsed: Ruleset | undefined;
        return {
          run() {
            parsed = parseRuleset(text, { family: "ipv4" });
          },
          check() {
            expect("rules parsed", parsed?.tables.get("nat")?.rows.count ?? 0, workload.rules);
          },
        };
      },
    },
  ];
}
