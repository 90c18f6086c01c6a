import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { goFirst } from "../src/linux/priority.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { type Strategy, Updater } from "../src/update/updater.js";
import { allReady, compileSources } from "./oracle/compiled.js";
import type { ReaderOrder, ReaderReport } from "./oracle/reader-worker.js";
import { type Classifier, countersOf } from "./oracle/subject.js";
import { batchTo, type Style, wholeRuleset } from "./oracle/two-versions.js";

const READERS = 2;

interface Case {
  readonly strategy: Strategy;
  readonly classifier: Classifier;
  readonly quiesce?: "seqcount" | "grace-period";
  readonly style?: Style;
  readonly updates: number;
}

const CASES: readonly Case[] = [
  { strategy: "incremental", classifier: "linear", updates: 46_000 },
  { strategy: "incremental", classifier: "tuple-space", updates: 46_000 },
  { strategy: "incremental", classifier: "linear", style: "chains", updates: 3000 },
  { strategy: "incremental", classifier: "tuple-space", style: "chains", updates: 3000 },
  { strategy: "partial", classifier: "tuple-space", quiesce: "seqcount", updates: 1000 },
  { strategy: "partial", classifier: "linear", quiesce: "grace-period", updates: 1000 },
  { strategy: "full", classifier: "linear", quiesce: "seqcount", updates: 1000 },
  { strategy: "full", classifier: "tuple-space", quiesce: "grace-period", updates: 1000 },
  { strategy: "one-by-one", classifier: "linear", quiesce: "seqcount", updates: 200 },
];

describe("a packet", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await compileSources();
    // Readers get the processors that are left: the more updates there are between two of their packets, the better.
    goFirst();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const one of CASES)
    it(`sees one version of the ruleset, whole: ${Object.values(one).join(" ")}`, async () => {
      const engine = Engine.create({ readers: READERS, classifier: one.classifier, seed: 1 });
      const updater = new Updater(engine, { strategy: one.strategy, ...(one.quiesce && { quiesce: one.quiesce }) });
      const { generation } = updater.load(parseRuleset(wholeRuleset(false), { family: "ipv4" }));
      const control = new SharedArrayBuffer(4 * (2 + READERS));
      const words = new Int32Array(control);
      const reports = Array.from({ length: READERS }, (_, id) => {
        const order: ReaderOrder = { handle: engine.handle, id, evenGeneration: generation, control };
        return report(new Worker(join(folder, "test/oracle/reader-worker.js"), { workerData: order }));
      });
      await allReady(words.subarray(1), READERS, reports);
      const before = engine.memory().liveBytes;
      // However few processors are left to the readers, each sees enough of the updates.
      const least = one.updates / 200;
      const seen = (): number => Math.min(...words.subarray(2));
      let updates = 0;
      try {
        while (updates < one.updates || seen() <= least) {
          const odd = ++updates % 2 === 1;
          const request =
            one.strategy === "full" ? { ruleset: wholeRuleset(odd) } : { batch: batchTo(odd, one.style ?? "edits") };
          const { generation: now } = updater.update(request);
          // Asked so often, expect itself would take a third of the time.
          if (now !== generation + updates) expect(now).toBe(generation + updates);
        }
      } finally {
        Atomics.store(words, 0, 1);
      }
      const all = await Promise.all(reports);
      expect(all.flatMap(({ faults }) => faults)).toEqual([]);
      for (const { generations } of all) expect(generations).toBeGreaterThan(least);
      // What updates left behind is freed, but for what a reader that was not scheduled made them keep; and no packet is
      // lost from a rule that stayed.
      engine.locked(() => engine.kernel.updateReclaim(0x7fffffff));
      expect(engine.memory().liveBytes).toBeLessThan(before + 2 ** 23);
      const packets = all.reduce((sum, one) => sum + one.packets, 0);
      const first = countersOf(engine.readRuleset()[0] as never).find((line) => line.startsWith("filter INPUT 1 "));
      expect(first).toBe(`filter INPUT 1 ${packets}:${packets * 100}`);
    }, 170_000);
});

async function report(worker: Worker): Promise<ReaderReport> {
  const [message] = await Promise.race([
    once(worker, "message"),
    once(worker, "error").then(([error]) => Promise.reject(error as Error)),
  ]);
  return message as ReaderReport;
}
