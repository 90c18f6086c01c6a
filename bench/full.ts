import { Engine, parseRuleset, Updater, workloads } from "ruleswap";
import { expect, SEED, type Task } from "./task.js";

/** A whole ruleset put in force: from text, and from memory. */
export function fullTasks(size: number): Task[] {
  const make = () => workloads["kube-proxy"].make({ size, seed: SEED, family: "ipv4" });
  const rulesOf = (engine: Engine): number => engine.readRuleset()[0]?.tables.get("nat")?.rows.count ?? 0;
  return [
    {
      label: `full/text/kube-proxy/${size}`,
      operations: 1,
      prepare() {
        const workload = make();
        const ruleset = new TextEncoder().encode(workload.ruleset());
        const engine = Engine.create();
        const updater = new Updater(engine, { strategy: "full" });
        return {
          run: () => void updater.update({ ruleset }),
          check: () => expect("rules in force", rulesOf(engine), workload.rules),
        };
      },
    },
    {
      label: `full/memory/kube-proxy/${size}`,
      operations: 1,
      prepare() {
        const workload = make();
        const ruleset = parseRuleset(workload.ruleset(), { family: "ipv4" });
        const engine = Engine.create();
        const updater = new Updater(engine, { strategy: "full" });
        return {
          run: () => void updater.load(ruleset),
          check: () => expect("rules in force", rulesOf(engine), workload.rules),
        };
      },
    },
  ];
}
