import { compile, parseRuleset, type Table, workloads } from "ruleswap";
import { expect, SEED, type Task } from "./task.js";

export function compileTasks(size: number): Task[] {
  return [
    {
      label: `compile/-/kube-proxy/${size}`,
      operations: 1,
      prepare() {
        const workload = workloads["kube-proxy"].make({ size, seed: SEED, family: "ipv4" });
        const table = parseRuleset(workload.ruleset(), { family: "ipv4" }).tables.get("nat") as Table;
        const length = compile(table).length;
        let blob: Uint8Array = new Uint8Array();
        return {
          run() {
            blob = compile(table);
          },
          check() {
            expect("bytes compiled", blob.length, length);
          },
        };
      },
    },
  ];
}
