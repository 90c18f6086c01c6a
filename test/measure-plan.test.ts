import { describe, expect, it } from "vitest";
import { BENCH_DEFAULTS, checkBenchOptions } from "../src/measure/bench-options.js";
import { LEAST_CHANGES, planRun } from "../src/measure/plan.js";

const MS = 1e6;

describe("the plan of a cell", () => {
  const auto = { rate: "auto", duration: 1, rounds: 2 } as const;

  it("is 4,236 changes a second where a change is quick", () => {
    expect(planRun(auto, 0, 0.01 * MS)).toMatchObject({ rate: 4236, count: 2118 });
  });

  it("keeps a slower strategy busy a fifth of the time", () => {
    expect(planRun(auto, 0, 10 * MS)).toMatchObject({ rate: 20, count: 10 });
  });

  it("gives the slowest a handful over all rounds, nearly one after another", () => {
    const plans = [0, 1].map((round) => planRun(auto, round, 2000 * MS));
    expect(plans.map(({ count }) => count).reduce((a, b) => a + b)).toBe(LEAST_CHANGES);
    for (const { rate, least, count, deadlineNs } of plans) {
      expect(rate).toBeCloseTo(0.45);
      expect(least).toBe(count);
      expect(deadlineNs).toBeGreaterThan((count / rate) * 1e9);
    }
  });

  it("keeps to a rate that the user gave, however slow a change is", () => {
    const plan = planRun({ rate: 100, duration: 1, rounds: 1 }, 0, 2000 * MS);
    expect(plan).toEqual({ rate: 100, count: 100, most: LEAST_CHANGES, deadlineNs: 2e9, least: LEAST_CHANGES });
  });

  it("prepares no more than can be carried out in time, four times as quick as expected", () => {
    const plan = planRun({ rate: 5000, duration: 1, rounds: 1 }, 0, 50 * MS);
    expect(plan).toMatchObject({ count: 5000, most: 160 });
  });

  it("has one change at least in every round", () => {
    for (let round = 0; round < 20; round++)
      expect(planRun({ ...auto, rounds: 20 }, round, 5000 * MS).count).toBeGreaterThanOrEqual(1);
  });
});

describe("the bench's options", () => {
  it("are fine by default", () => {
    expect(() => checkBenchOptions(BENCH_DEFAULTS)).not.toThrow();
  });

  const wrong: [string, object][] = [
    ["sizes", { sizes: [] }],
    ["sizes", { sizes: [10, 10] }],
    ["sizes", { sizes: [1.5] }],
    ["strategies", { strategies: ["quick"] }],
    ["classifiers", { classifiers: ["toString"] }],
    ["rate", { rate: 0 }],
    ["duration", { duration: Number.NaN }],
    ["rounds", { rounds: 0 }],
    ["readers", { readers: 65 }],
    ["seed", { seed: -1 }],
    ["quiesce", { quiesce: "never" }],
    ["arrivals", { arrivals: "poisson" }],
    ["family", { family: "arp" }],
  ];
  for (const [option, given] of wrong)
    it(`are refused by name: ${JSON.stringify(given)}`, () => {
      expect(() => checkBenchOptions({ ...BENCH_DEFAULTS, ...given })).toThrow(new RegExp(`^${option}: `));
    });
});
