import { describe, expect, it } from "vitest";
import { runBench } from "../src/measure/bench.js";
import { BENCH_DEFAULTS } from "../src/measure/bench-options.js";
import type { RealTime } from "../src/linux/real-time.js";
import { CREW_TASKS, Crew, type CrewTasks } from "../src/measure/crew.js";
import { WorkerFailure } from "../src/measure/threads.js";
import type { ReaderTask } from "../src/measure/reader-task.js";
import type { UpdaterTask } from "../src/measure/updater-task.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";

const dying = (how: string): string => new URL(`./measure/${how}.mjs`, import.meta.url).href;

function run(tasks: CrewTasks, signal?: AbortSignal) {
  const options = {
    ...BENCH_DEFAULTS,
    sizes: [5],
    strategies: ["incremental"],
    classifiers: ["linear"],
    rounds: 1,
    duration: 0.01,
  } as const;
  return runBench(options, (services) => kubeProxy({ services }), { tasks, ...(signal ? { signal } : {}) });
}

describe("a thread that ends before its work is done", () => {
  const cases: [string, string][] = [
    ["throws", "this thread gave up"],
    ["exits", "exited with code: 7"],
    ["runs-out-of-memory", "memory limit"],
  ];
  for (const [how, message] of cases) {
    it(`ends the run with its error when a reader ${how.replaceAll("-", " ")}`, async () => {
      const failure = run({ ...CREW_TASKS, reader: dying(how), limits: { maxOldGenerationSizeMb: 64 } });
      await expect(failure).rejects.toThrow(WorkerFailure);
      await expect(failure).rejects.toThrow(message);
    });

    it(`ends the run with its error when the updater ${how.replaceAll("-", " ")}`, async () => {
      const failure = run({ ...CREW_TASKS, updater: dying(how), limits: { maxOldGenerationSizeMb: 64 } });
      await expect(failure).rejects.toThrow(WorkerFailure);
      await expect(failure).rejects.toThrow(message);
    });
  }

  it("does not keep a run from being stopped when it hangs", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    const result = await run({ ...CREW_TASKS, updater: dying("hangs") }, stop.signal);
    expect(result.partial).toBe(true);
    expect(result.results).toEqual([]);
  });
});

describe("a crew that has been ended", () => {
  it("takes no more tasks: nobody would end their threads", async () => {
    const crew = new Crew(1);
    await crew.end();
    await expect(crew.read({} as ReaderTask)).rejects.toThrow(WorkerFailure);
    await expect(crew.update({} as UpdaterTask)).rejects.toThrow("has been ended");
  });
});

describe("the processor on which a crew's changes are made", () => {
  const realTime = { settle: async () => 3 } as RealTime;

  it.each([
    [3, false],
    [undefined, true],
  ])("is %s where it is this thread's work: %s", async (processor, writerHere) => {
    const crew = new Crew(1, { ...CREW_TASKS, writerHere }, realTime);
    expect(await crew.settle()).toBe(processor);
    await crew.end();
  });
});
