import { compile, Engine, parseRuleset, type Table, Updater, workloads } from "ruleswap";
import { expect, SEED, type Task } from "./task.js";

/** A whole ruleset put in force: from text, from memory, and what copying as many bytes costs. */
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
    {
      label: `full/memcpy/kube-proxy/${size}`,
      operations: 1,
      prepare() {
        const blob = compile(parseRuleset(make().ruleset(), { family: "ipv4" }).tables.get("nat") as Table);
        const copy = new Uint8Array(blob.length);
        return {
          run: () => copy.set(blob),
          check: () => expect("last byte", copy.at(-1) ?? -1, blob.at(-1) ?? -1),
        };
      },
    },
  ];
}
