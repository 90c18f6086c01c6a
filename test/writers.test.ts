/** Several programs change one table at once, as kube-proxy, portmap and Docker do on a node: the writers' lock. */
import { Piscina } from "piscina";
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { CREW_TASKS } from "../src/measure/crew.js";
import { take } from "../src/measure/request.js";
import { Signals } from "../src/measure/signals.js";
import type { UpdaterRecord, UpdaterTask } from "../src/measure/updater-task.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import { LockTimeout } from "../src/update/transaction.js";
import { STRATEGIES, type Strategy, Updater } from "../src/update/updater.js";
import { workloads } from "../src/workload/workloads.js";

const SEED = 7;
/** The least edits of each, since a chain stated whole, as POSTROUTING, takes what others have in it. */
const PROGRAMS = (["kube-proxy", "portmap", "docker"] as const).map((name) =>
  workloads[name].make({ size: 20, seed: SEED, family: "ipv4" }),
);
/** Odd: the last change of each stays. */
const CHANGES = 41;
const BATCHES = PROGRAMS.map((program) => take(program.changes(SEED), CHANGES).map(({ batch }) => batch));

/** An engine with the rules of all. */
function together(): Engine {
  const engine = Engine.create({ readers: 1, localAddresses: PROGRAMS[0]?.localAddresses ?? [] });
  const updater = new Updater(engine, { strategy: "full", family: "ipv4" });
  for (const program of PROGRAMS) updater.update({ batch: program.ruleset(), file: program.name });
  return engine;
}

const printed = (engine: Engine): string =>
  engine
    .readRuleset()
    .map((ruleset) => printRuleset(ruleset))
    .join("");

function serially(): string {
  const engine = together();
  const updater = new Updater(engine, { strategy: "incremental", family: "ipv4" });
  for (const batch of BATCHES.flat()) updater.update({ batch });
  return printed(engine);
}

describe("writers of one ruleset", () => {
  it.each(Object.keys(STRATEGIES) as Strategy[])(
    "at once lose no change of each other's: kube-proxy, portmap and docker by %s",
    async (strategy) => {
      const engine = together();
      const before = engine.generation();
      const threads = new Piscina({
        filename: CREW_TASKS.updater,
        minThreads: PROGRAMS.length,
        maxThreads: PROGRAMS.length,
        concurrentTasksPerWorker: 1,
        atomics: "disabled",
      });
      // All are there from the start: as much in each other's way as can be.
      const records = await Promise.all(
        BATCHES.map((batches): Promise<UpdaterRecord> => {
          const task: UpdaterTask = {
            engine: engine.handle,
            strategy,
            family: "ipv4",
            quiesce: "seqcount",
            requests: batches.map((batch) => ({ batch })),
            scheduleNs: new Float64Array(CHANGES),
            deadlineNs: 0,
            least: CHANGES,
            signals: new Signals().buffer,
            yardstick: false,
            lap: 0,
            settleMs: 0,
          };
          return threads.run(task);
        }),
      );
      await threads.destroy();
      for (const { serviceNs, failedChanges, firstFailure, unfinished } of records)
        expect({ done: serviceNs.length, failedChanges, firstFailure, unfinished }).toEqual({
          done: CHANGES,
          failedChanges: [],
          firstFailure: undefined,
          unfinished: 0,
        });
      expect(engine.generation() - before).toBe(CHANGES * PROGRAMS.length);
      expect(printed(engine)).toBe(serially());
    },
  );

  it("give up when another holds the lock for longer than they wait, change nothing, and may try again", () => {
    const engine = Engine.create({ readers: 1 });
    const updater = new Updater(engine, { strategy: "incremental", family: "ipv4", lockTimeoutMs: 1 });
    updater.load(parseRuleset("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", { family: "ipv4", file: "rules.v4" }));
    const [before, generation] = [printed(engine), engine.generation()];
    const batch = "*filter\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n";
    let thrown: unknown;
    engine.locked(() => {
      try {
        updater.update({ batch });
      } catch (error) {
        thrown = error;
      }
    });
    expect(thrown).toBeInstanceOf(LockTimeout);
    expect((thrown as LockTimeout).code).toBe("lock-timeout");
    expect([printed(engine), engine.generation()]).toEqual([before, generation]);
    expect(updater.update({ batch }).generation).toBe(generation + 1);
    expect(printed(engine)).toContain("-A INPUT -i lo -j ACCEPT");
  });
});
