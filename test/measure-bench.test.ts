import { beforeAll, describe, expect, it } from "vitest";
import { runBench } from "../src/measure/bench.js";
import { BENCH_DEFAULTS, type BenchOptions } from "../src/measure/bench-options.js";
import { LatencyHistogram } from "../src/measure/histogram.js";
import type { ResultFile } from "../src/measure/result.js";
import { LEAST_CHANGES } from "../src/measure/plan.js";
import { PHASES } from "../src/update/phases.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";

const options: BenchOptions = { ...BENCH_DEFAULTS, sizes: [10, 40], duration: 0.04, rate: 200 };
const workload = (services: number) => kubeProxy({ services, seed: options.seed });

describe("a bench of two sizes", () => {
  let result: ResultFile;
  const steps: string[] = [];
  beforeAll(async () => {
    result = await runBench(options, workload, { onProgress: ({ label }) => steps.push(label) });
  });

  it("has a record of every size, strategy and classifier", () => {
    const cells = result.results.map(({ services, strategy, classifier }) => `${services} ${strategy} ${classifier}`);
    expect(new Set(cells).size).toBe(16);
    expect(result).toMatchObject({ schema: "ruleswap.result/1", partial: false, options });
    expect(result.environment).toMatchObject({ cores: expect.any(Number), versions: { node: process.versions.node } });
  });

  it("measures all cells in one order and then in the other", () => {
    const [first, second] = [steps.slice(0, 16), steps.slice(16, 32)];
    expect(second).toEqual(first.toReversed());
    expect(steps.slice(32)).toEqual([""]);
  });

  it("counts every change once and fails none", () => {
    for (const { update, rules, services } of result.results) {
      expect(update.count).toBe(8);
      expect(update.failed).toBe(0);
      expect(LatencyHistogram.decode(update.histogram).count).toBe(8);
      expect(rules).toBe(11 * (services ?? 0) + 8);
      expect(Object.keys(update.phases_us ?? {})).toEqual([...PHASES]);
    }
  });

  it("sees the effect of every change that was done, from outside", () => {
    for (const { update, timeToEffect } of result.results)
      expect((timeToEffect?.count ?? 0) + (timeToEffect?.unseen ?? 0)).toBe(update.count - update.unfinished);
    expect(result.results.every(({ timeToEffect }) => (timeToEffect?.count ?? 0) > 0)).toBe(true);
  });

  it("matches packets in both phases", () => {
    for (const { match } of result.results)
      for (const phase of match ? [match.idle, match.updating] : []) {
        expect(phase.packets).toBeGreaterThan(0);
        expect(phase.packets % 32).toBe(0);
        expect(phase.mpps).toBeGreaterThan(0);
        expect(phase.worst_gap_us * 1000).toBeGreaterThanOrEqual(phase.ns_per_packet_p50);
      }
  });

  it("finds that strategies which replace tables write in proportion to the size", () => {
    const written = (services: number, strategy: string): number =>
      result.results.find((one) => one.services === services && one.strategy === strategy)?.update.bytes_written_p50 ??
      0;
    // Half of the changes add a service and half take one away, which writes less: no median of a few is flat to the byte.
    expect(written(40, "incremental")).toBeLessThan(written(40, "full"));
    for (const strategy of ["full", "partial", "one-by-one"])
      expect(written(40, strategy), strategy).toBeGreaterThan(2 * written(10, strategy));
    expect(written(10, "one-by-one")).toBeGreaterThan(5 * written(10, "full"));
    const growth = result.growth.filter(({ metric }) => metric === "update.bytes_written_p50");
    expect(growth).toHaveLength(8);
    for (const { strategy, exponent, observations } of growth) {
      expect(observations).toBe(4);
      // That incremental is flat is counted change by change in incremental-cost.test.ts.
      if (strategy !== "incremental") expect(exponent).toBeGreaterThan(0.5);
    }
  });

  it("leaves the bench's own packets out of the engine's memory", () => {
    for (const { memory } of result.results) {
      expect(memory?.peak_bytes).toBeGreaterThanOrEqual(memory?.live_bytes ?? 0);
      // 4,096 packets with their results alone would be a megabyte.
      expect(memory?.live_bytes).toBeLessThan(1_000_000);
    }
  });
});

describe("a bench that is stopped", () => {
  it("keeps what it has, marked partial", async () => {
    const stop = new AbortController();
    let steps = 0;
    const result = await runBench(options, workload, {
      signal: stop.signal,
      onProgress: () => {
        if (++steps === 3) stop.abort();
      },
    });
    expect(result.partial).toBe(true);
    expect(result.results).toHaveLength(2);
    expect(result.results.every(({ rounds }) => rounds.length === 1)).toBe(true);
  });
});

describe("a bench under more changes than it can make", () => {
  it("counts those left over with their age", async () => {
    const result = await runBench(
      {
        ...options,
        sizes: [200],
        strategies: ["one-by-one"],
        classifiers: ["linear"],
        rate: 1000,
        duration: 0.09,
        rounds: 1,
      },
      workload,
    );
    const [record] = result.results;
    expect(record?.update.count).toBe(90);
    expect(record?.update.unfinished).toBeGreaterThan(0);
    expect((record?.update.count ?? 0) - (record?.update.unfinished ?? 0)).toBe(record?.update.service.count);
    expect(record?.update.service.count).toBeGreaterThanOrEqual(LEAST_CHANGES);
  });

  it("tracks connections: readers' packets belong to some that exist, and effects are seen through new ones", async () => {
    const results = await Promise.all(
      [false, true].map((track) =>
        runBench(
          { ...options, sizes: [10], strategies: ["incremental"], rounds: 1, track, rate: 100, duration: 0.09 },
          workload,
        ),
      ),
    );
    for (const result of results)
      for (const { update, timeToEffect } of result.results) {
        expect(update.failed).toBe(0);
        expect(timeToEffect).toMatchObject({ count: update.count - update.unfinished, unseen: 0 });
      }
    const [plain, tracked] = results.map(({ results: [record] }) => record?.memory?.live_bytes ?? 0);
    expect(tracked).toBeGreaterThan(plain ?? 0);
  });

  it("makes its changes when two readers match and writers wait for a grace period", async () => {
    const result = await runBench(
      { ...options, sizes: [10], strategies: ["full"], readers: 2, quiesce: "grace-period", rounds: 1 },
      workload,
    );
    for (const { update, timeToEffect } of result.results) {
      expect(update.failed).toBe(0);
      expect(timeToEffect?.count).toBeGreaterThan(0);
    }
  });
});
