import { describe, expect, it } from "vitest";
import { LatencyHistogram } from "../src/measure/histogram.js";

describe("a histogram of durations", () => {
  it("tells percentiles in microseconds to three digits", () => {
    const summary = LatencyHistogram.of(Array.from({ length: 10_000 }, (_, nth) => (nth + 1) * 1000)).summary();
    expect(summary.count).toBe(10_000);
    const near = { p50_us: 5000, p90_us: 9000, p99_us: 9900, p99_9_us: 9990 };
    for (const [name, wanted] of Object.entries(near)) {
      const found = summary[name as keyof typeof near];
      expect(Math.abs(found - wanted) / wanted, name).toBeLessThan(0.001);
    }
    expect(summary.max_us).toBe(10_000);
  });

  it("drops nothing: neither two hours among nanoseconds nor nought", () => {
    const histogram = LatencyHistogram.of([0, 1, 80_000, 7_200_000_000_001]);
    expect(histogram.count).toBe(4);
    expect(histogram.summary().max_us).toBe(7_200_000_000.001);
    expect(histogram.percentileNs(25)).toBe(0);
    expect(histogram.percentileNs(50)).toBe(1);
  });

  it("counts a clock that went back as nought", () => {
    expect(LatencyHistogram.of([-5]).summary()).toMatchObject({ count: 1, max_us: 0 });
  });

  it("is the same after encoding and decoding, the exact maximum included", () => {
    const histogram = LatencyHistogram.of([123_456_789, 5, 5, 999_999]);
    const decoded = LatencyHistogram.decode(histogram.encode());
    expect(decoded.summary()).toEqual(histogram.summary());
    expect(decoded.summary().max_us).toBe(123_456.789);
  });

  it("adds up to what one histogram of all would be", () => {
    const [first, second] = [
      [10, 20, 30_000],
      [5_000_000, 7],
    ];
    const sum = LatencyHistogram.of(first as number[]);
    sum.add(LatencyHistogram.of(second as number[]));
    expect(sum.summary()).toEqual(LatencyHistogram.of([...(first as number[]), ...(second as number[])]).summary());
  });

  it("says nought of no durations", () => {
    expect(new LatencyHistogram().summary()).toEqual({
      count: 0,
      p50_us: 0,
      p90_us: 0,
      p99_us: 0,
      p99_9_us: 0,
      max_us: 0,
    });
  });
});
