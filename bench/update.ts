import {
  type Change,
  Engine,
  parseRuleset,
  STRATEGIES,
  type Strategy,
  Updater,
  type UpdateRequest,
  workloads,
} from "ruleswap";
import { expect, SEED, type Task } from "./task.js";

/** A service comes and goes: two updates a run, so that every run finds what the one before found. */
export function updateTasks(size: number): Task[] {
  return (Object.keys(STRATEGIES) as Strategy[]).map((strategy) => ({
    label: `update/${strategy}/kube-proxy/${size}`,
    operations: 2,
    prepare() {
      const workload = workloads["kube-proxy"].make({ size, seed: SEED, family: "ipv4" });
      const engine = Engine.create({ localAddresses: workload.localAddresses });
      new Updater(engine, { strategy: "full" }).load(parseRuleset(workload.ruleset(), { family: "ipv4" }));
      const changes = workload.changes();
      const pair = [changes.next(), changes.next()].map(({ value }) => requestOf(value, strategy));
      const updater = new Updater(engine, { strategy });
      return {
        run() {
          for (const request of pair) updater.update(request);
        },
        check() {
          const rules = engine.readRuleset()[0]?.tables.get("nat")?.rows.count ?? 0;
          expect("rules in force", rules, workload.rules);
        },
      };
    },
  }));
}

function requestOf(change: Change, strategy: Strategy): UpdateRequest {
  const encoder = new TextEncoder();
  if (strategy === "full") return { ruleset: encoder.encode(change.whole()) };
  return { batch: encoder.encode(strategy === "partial" ? change.restated() : change.batch) };
}
