import { describe, expect, it } from "vitest";
import { fitGrowth } from "../src/measure/growth.js";
import { Random } from "../src/workload/random.js";

const SIZES = [100, 1000, 5000];

describe("the growth of a cost", () => {
  for (const exponent of [0, 0.5, 1, 2])
    it(`is found exactly where the cost is size to the power of ${exponent}`, () => {
      const fit = fitGrowth(SIZES.map((size) => ({ size, cost: 7 * size ** exponent })));
      expect(fit?.exponent).toBeCloseTo(exponent, 10);
      expect(fit?.ci95?.[0]).toBeCloseTo(exponent, 6);
      expect(fit?.ci95?.[1]).toBeCloseTo(exponent, 6);
    });

  it("has an interval that holds the true exponent in about 95 of 100 noisy measurements", () => {
    const seed = 11;
    const random = new Random(seed);
    // Twelve uniform numbers less six: near enough to a normal one.
    const normal = (): number => Array.from({ length: 12 }, () => random.next() / 2 ** 32).reduce((a, b) => a + b) - 6;
    let held = 0;
    for (let trial = 0; trial < 1000; trial++) {
      const fit = fitGrowth([...SIZES, ...SIZES].map((size) => ({ size, cost: size ** 0.9 * Math.exp(normal() / 5) })));
      const [low, high] = fit?.ci95 ?? [Number.NaN, Number.NaN];
      if (low <= 0.9 && high >= 0.9) held++;
    }
    expect(held, `seed ${seed}`).toBeGreaterThan(930);
    expect(held, `seed ${seed}`).toBeLessThan(970);
  });

  it("has the interval of the textbook: t of two degrees of freedom is 4.3027", () => {
    const fit = fitGrowth([
      { size: 1, cost: 1 },
      { size: 2, cost: 4 },
      { size: 3, cost: 9 },
      { size: 4, cost: 17 },
    ]);
    expect(fit?.exponent).toBeCloseTo(2.03309, 5);
    expect(fit?.ci95?.[0]).toBeCloseTo(1.91734, 4);
    expect(fit?.ci95?.[1]).toBeCloseTo(2.14884, 4);
  });

  it("has no interval of two observations and no fit of one size", () => {
    expect(
      fitGrowth([
        { size: 10, cost: 1 },
        { size: 100, cost: 10 },
      ]),
    ).toEqual({ exponent: 1, observations: 2 });
    expect(
      fitGrowth([
        { size: 10, cost: 1 },
        { size: 10, cost: 2 },
      ]),
    ).toBeUndefined();
    expect(fitGrowth([])).toBeUndefined();
  });

  it("leaves out costs of nought", () => {
    expect(
      fitGrowth([
        { size: 10, cost: 0 },
        { size: 100, cost: 10 },
      ]),
    ).toBeUndefined();
  });
});
