import { defineConfig } from "vitest/config";

/**
 * Files that have a process each: what they test is about threads, processes and memory, or about what modules have learnt from
 * earlier input; or they run for long, and fastest on code that has been compiled for nothing else. The others share two processes,
 * since to start one and load the engine takes longer than most of their tests; so do those that wait for the kernel most of the time.
 */
const APART = [
  "test/{measure,contention}-linux.test.ts",
  "test/{linux,linux-parser,referee,run,interrupt,writers,atomicity,*-threads,*-concurrent}.test.ts",
  "test/{cli*,fleet,docs,package,report-page,edit}.test.ts",
  "test/{measure-bench,measure-crew,contention,workload-spread}.test.ts",
  "test/{heap,million-rules,incremental-*,match-effort,reclaim,reading*,reader-lines}.test.ts",
  "test/{equivalence,matcher,matcher-extensions,sets-matcher,round-trip,findings-random,batch-as-it-stands}.test.ts",
];
const ALL = "test/**/*.test.ts";

export default defineConfig({
  test: {
    // Tests start threads and, on Linux, namespaces of their own; on two cores more than that only makes them late.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ["default", "./test/stall-reporter.ts"],
    projects: [
      { extends: true, test: { name: "apart", include: APART } },
      { extends: true, test: { name: "together", include: [ALL], exclude: APART, isolate: false } },
    ],
  },
});
