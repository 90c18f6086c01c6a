/** Several writers in a bench: what they did, how long they waited, and how that is told. */
import { Piscina } from "piscina";
import { beforeAll, describe, expect, it } from "vitest";
import { CONTROL_ADDRESS, CONTROL_LOCK } from "../src/blob/memory.js";
import { Engine } from "../src/engine/engine.js";
import { runBench } from "../src/measure/bench.js";
import { BENCH_DEFAULTS, type BenchOptions, checkBenchOptions } from "../src/measure/bench-options.js";
import type { ContenderRecord, ContenderTask } from "../src/measure/contender-task.js";
import { LatencyHistogram } from "../src/measure/histogram.js";
import { mergeResults } from "../src/measure/read-result.js";
import type { ResultFile } from "../src/measure/result.js";
import { PHASE_UPDATING, Signals } from "../src/measure/signals.js";
import { compareResults, CONTENTION_METRIC } from "../src/measure/compare.js";
import { LEAST_CHANGES } from "../src/measure/plan.js";
import { hasFindings } from "../src/report/cautions.js";
import { comparisonText } from "../src/report/comparison.js";
import { contentionAnswers } from "../src/report/contention.js";
import { renderText } from "../src/report/table.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";
import { workloads } from "../src/workload/workloads.js";
import { SAMPLE, sampleContention } from "./report/sample-result.js";

const options: BenchOptions = {
  ...BENCH_DEFAULTS,
  sizes: [10],
  strategies: ["full", "incremental"],
  classifiers: ["tuple-space"],
  writers: ["kube-proxy", "portmap", "docker"],
  duration: 0.1,
  rate: 100,
};
const workload = (services: number) => kubeProxy({ services, seed: options.seed });

describe("a bench of several writers", () => {
  let result: ResultFile;
  beforeAll(async () => {
    result = await runBench(options, workload);
  });

  it("has a record of every size, strategy and classifier, beside those of one writer", () => {
    expect(result.results).toHaveLength(2);
    expect(
      result.contention.map(({ services, strategy, classifier }) => [services, strategy, classifier].join(" ")),
    ).toEqual(["10 full tuple-space", "10 incremental tuple-space"]);
    expect(hasFindings(result)).toBe(false);
  });

  it("has each writer make its own changes to the rules of all", () => {
    const all = options.writers.reduce(
      (sum, name) => sum + workloads[name].make({ size: 10, seed: 1, family: "ipv4" }).rules,
      0,
    );
    for (const { rules, writers } of result.contention) {
      expect(rules).toBe(all);
      expect(writers.map((one) => one.workload)).toEqual(options.writers);
    }
  });

  it("counts every change once, its wait and the time until it is in force, and fails none", () => {
    for (const { writers, wait } of result.contention) {
      for (const one of writers) {
        expect({ failed: one.failed, first: one.first_failure }).toEqual({ failed: 0, first: undefined });
        expect(one.changes + one.unfinished).toBe(10);
        expect(one.change.count).toBe(10);
        expect(LatencyHistogram.decode(one.wait?.histogram as never).count).toBe(one.changes);
        expect(one.retried).toBeLessThanOrEqual(one.timeouts);
        expect(one.most_attempts).toBeGreaterThanOrEqual(1);
      }
      expect(wait?.count).toBe(writers.reduce((sum, one) => sum + one.changes, 0));
    }
  });

  it("has them go on without a pause where no rate is said, the least number at any rate", async () => {
    const { contention } = await runBench(
      { ...options, strategies: ["full"], rounds: 1, rate: "auto", duration: 0.02 },
      workload,
    );
    for (const one of contention.flatMap(({ writers }) => writers)) {
      expect(one.changes).toBeGreaterThanOrEqual(LEAST_CHANGES);
      expect(one.unfinished).toBe(0);
    }
  });

  it("is split and put together again as the rest of the matrix is", async () => {
    const shards = await Promise.all(
      ["1/2", "2/2"].map((shard) => runBench({ ...options, rounds: 1, duration: 0.02, shard }, workload)),
    );
    const merged = mergeResults(shards.toReversed());
    expect(merged.contention.map(({ strategy }) => strategy)).toEqual(["full", "incremental"]);
    const twice = mergeResults([merged, merged]);
    const changes = ({ contention }: ResultFile) => contention.map(({ writers }) => writers.map((one) => one.changes));
    expect(changes(twice)).toEqual(changes(merged).map((record) => record.map((count) => 2 * count)));
  });
});

it.each([
  [{ writers: ["kube-proxy"] }, "writers: two or more"],
  [{ writers: ["docker", "docker"] }, "writers: docker is there twice"],
  [{ writers: ["kube-proxy-ipvs", "docker", "kube-proxy"] }, "writers: kube-proxy in one mode"],
  [{ lockTimeout: 0 }, "lockTimeout"],
  [{ lockTimeout: 0.5, linux: ["nft"] }, "lockTimeout: whole seconds"],
] as [Partial<BenchOptions>, string][])("refuses %j", (wrong, said) => {
  expect(() => checkBenchOptions({ ...options, ...wrong })).toThrow(said);
});

it.each(["kube-proxy", "kube-proxy-ipvs"])("all workloads but %s may be writers of one ruleset", async (left) => {
  const names = (Object.keys(workloads) as (keyof typeof workloads)[]).filter((name) => name !== left);
  const all = { ...options, strategies: ["incremental"], writers: names, rounds: 1, duration: 0.02 } as const;
  const { contention } = await runBench(all, workload);
  for (const { failed, first_failure, workload: name } of contention.flatMap(({ writers }) => writers))
    expect({ name, failed, first_failure }).toEqual({ name, failed: 0, first_failure: undefined });
});

it("a writer that gives up waiting for the lock tries again until its change is made, and its waits add up", async () => {
  const engine = Engine.create({ readers: 1 });
  const text = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n";
  new Updater(engine, { strategy: "full" }).load(parseRuleset(text, { family: "ipv4", file: "rules.v4" }));
  const signals = new Signals();
  const task: ContenderTask = {
    engine: engine.handle,
    strategy: "incremental",
    family: "ipv4",
    quiesce: "seqcount",
    lockTimeoutMs: 1,
    requests: ["-A", "-D"].map((flag) => ({ batch: `*filter\n${flag} INPUT -i lo -j ACCEPT\nCOMMIT\n` })),
    warmUpMs: 0,
    scheduleNs: null,
    deadlineNs: 0,
    least: 2,
    signals: signals.buffer,
  };
  const threads = new Piscina({
    filename: new URL("../dist/measure/contender-task.js", import.meta.url).href,
    maxThreads: 1,
    atomics: "disabled",
  });
  const contender: Promise<ContenderRecord> = threads.run(task);
  await expect.poll(() => signals.ready, { timeout: 10_000 }).toBe(1);
  const before = engine.generation();
  const LOCK = (CONTROL_ADDRESS + CONTROL_LOCK) >> 2;
  const WAITED_FOR = 2;
  engine.locked(() => {
    signals.phase = PHASE_UPDATING;
    while (Atomics.load(engine.words(), LOCK) !== WAITED_FOR);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  });
  const { timeouts, waitNs, changeNs, failed } = await contender;
  await threads.destroy();
  expect(failed).toBe(0);
  expect(engine.generation() - before).toBe(2);
  expect([timeouts.length, waitNs.length, changeNs.length]).toEqual([2, 2, 2]);
  expect(timeouts[0]).toBeGreaterThan(0);
  expect(waitNs[0]).toBeGreaterThanOrEqual((timeouts[0] as number) * 1e6);
});

it("is told a sentence a size, and a table that fits a terminal", () => {
  const contention = [sampleContention(1000, "full", 26_600), sampleContention(1000, "incremental", 9.2)];
  expect(contentionAnswers(contention)).toEqual([
    "kube-proxy and portmap at once, 1,000 each: full 75 changes a second, incremental 217,000 (2,900 times)",
  ]);
  const text = renderText({ ...SAMPLE, contention }, { color: false });
  const lines = text.slice(text.indexOf("\nkube-proxy and portmap at once, 1,000 each, 18,000 rules")).split("\n");
  expect(lines[2]).toMatch(/^strategy +classifier +per s +change +wait p50 +p99 +waits +gave up$/);
  expect(lines[3]).toMatch(/^full +tuple-space +75 +26\.6 ms +13\.3 ms +13\.3 ms +33 % +2$/);
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

it("stands beside what programs of the kernel did; where they take no lock nothing is said of one", () => {
  const [own] = [sampleContention(1000, "incremental", 9.2)];
  const legacy = {
    ...sampleContention(1000, "partial", 26_600),
    target: "iptables-legacy",
    classifier: "linear",
  } as const;
  const nft = { ...legacy, target: "nft", strategy: "incremental", wait: null } as const;
  expect(contentionAnswers([own, legacy, nft])).toEqual([
    "kube-proxy and portmap at once, 1,000 each: incremental 217,000 changes a second",
    "the same in this machine's kernel, changes a second: iptables-legacy partial 75, nft incremental 75",
  ]);
  const text = renderText({ ...SAMPLE, contention: [own, legacy, nft] }, { color: false });
  expect(text).toMatch(/\nin the kernel, by iptables-legacy\npartial +linear +75 .*\n/);
  expect(text).toMatch(/\nin the kernel, by nft\nincremental +linear +75 +26\.6 ms +- +- +- +-\n/);
});

it("of two runs is compared as the rest is: by the time in which all together made one change", () => {
  const runOf = (...us: number[]) => {
    const { contention: _, ...rest } = SAMPLE;
    const rounds = us.map((one) => ({ us_per_change: one }));
    return { ...rest, contention: [{ ...sampleContention(1000, "full", 26_600), rounds }] };
  };
  const [before, after] = [runOf(100, 101, 99, 100), runOf(150, 151, 149, 150)];
  const found = compareResults(before, after, { metrics: [CONTENTION_METRIC] });
  expect(found.unmatched).toBe(0);
  expect(found.cells).toHaveLength(1);
  expect(found.cells[0]).toMatchObject({ verdict: "higher", record: { workload: "kube-proxy+portmap" } });
  expect(comparisonText(found)).toMatch(
    /kube-proxy\+portmap, 1,000 each\n.*\na change +full, tuple-space +100 us +150 us/s,
  );
  expect(compareResults(before, before, { metrics: [CONTENTION_METRIC] }).cells[0]?.verdict).toBe("none");
});
