import { describe, expect, it } from "vitest";
import type { Clock } from "../src/measure/clock.js";
import { runOpenLoop, scheduleNs } from "../src/measure/open-loop.js";

const MS = 1e6;

/** Time that passes only when someone waits or works. */
class VirtualClock implements Clock {
  time = 5_000 * MS;
  oversleep = 0;
  nowNs(): number {
    return this.time;
  }
  waitUntilNs(moment: number): number {
    if (this.time < moment) this.time = moment + this.oversleep;
    return this.time;
  }
}

function run(arrivalsMs: number[], workMs: number[], deadlineMs: number, least = 0, oversleepMs = 0) {
  const clock = new VirtualClock();
  clock.oversleep = oversleepMs * MS;
  const begun: number[] = [];
  const result = runOpenLoop({
    clock,
    scheduleNs: Float64Array.from(arrivalsMs, (ms) => ms * MS),
    deadlineNs: deadlineMs * MS,
    least,
    most: workMs.length,
    work: {
      carryOut(index) {
        begun.push(index);
        clock.time += (workMs[index] as number) * MS;
      },
    },
  });
  const inMs = (values: Float64Array): number[] => [...values].map((ns) => ns / MS);
  return {
    ...result,
    begun,
    latencyMs: inMs(result.latencyNs),
    serviceMs: inMs(result.serviceNs),
    wakeMs: inMs(result.wakeNs),
  };
}

describe("an open loop", () => {
  it("counts from the intended arrival, so a slow update delays the next and the delay counts", () => {
    const { latencyMs, serviceMs, unfinished } = run([0, 10, 20], [25, 1, 1], 1000);
    expect(latencyMs).toEqual([25, 16, 7]);
    expect(serviceMs).toEqual([25, 1, 1]);
    expect(unfinished).toBe(0);
  });

  it("waits for an arrival that has not come", () => {
    const { latencyMs, lengthNs } = run([0, 50], [1, 2], 1000);
    expect(latencyMs).toEqual([1, 2]);
    expect(lengthNs).toBe(52 * MS);
  });

  it("counts a late wake-up as latency, and tells it apart from waiting behind an update", () => {
    const { latencyMs, serviceMs, wakeMs } = run([0, 50, 60], [1, 20, 1], 1000, 0, 3);
    expect(latencyMs).toEqual([1, 23, 14]);
    expect(serviceMs).toEqual([1, 20, 1]);
    expect(wakeMs).toEqual([0, 3, 0]);
  });

  it("ends where no more can be carried out, and counts what had arrived by then", () => {
    const { latencyMs, begun, unfinished } = run([0, 10, 20, 90], [25, 25], 1000);
    expect(begun).toEqual([0, 1]);
    expect(latencyMs).toEqual([25, 40, 30]);
    expect(unfinished).toBe(1);
  });

  it("counts what had arrived but was not done at the deadline, with its age", () => {
    const { latencyMs, done, unfinished, begun } = run([0, 10, 20, 30, 90], [30, 30, 30, 30, 30], 50);
    // The run ends at 60, when the second is done: the third is 40 old, the fourth 30, the fifth has not come.
    expect(begun).toEqual([0, 1]);
    expect(latencyMs).toEqual([30, 50, 40, 30]);
    expect([done, unfinished]).toEqual([2, 2]);
  });

  it("carries out as many as it must behind the deadline", () => {
    const { latencyMs, done, unfinished } = run([0, 1, 2, 3], [100, 100, 100, 100], 50, 3);
    expect(done).toBe(3);
    expect(latencyMs).toEqual([100, 199, 298, 297]);
    expect(unfinished).toBe(1);
  });

  it("does not begin an arrival that lies behind the deadline", () => {
    const { done, unfinished } = run([0, 100], [1, 1], 50);
    expect([done, unfinished]).toEqual([1, 0]);
  });
});

describe("a schedule", () => {
  it("is even when fixed, from nought", () => {
    const schedule = scheduleNs({ arrivals: "fixed", rate: 200, count: 4, seed: 1 });
    expect([...schedule]).toEqual([0, 5 * MS, 10 * MS, 15 * MS]);
  });

  it("has twenty at once, and the rate asked for, when in bursts", () => {
    const schedule = [...scheduleNs({ arrivals: "burst", rate: 200, count: 60, seed: 1 })];
    expect(schedule).toEqual([0, 100 * MS, 200 * MS].flatMap((start) => new Array<number>(20).fill(start)));
  });

  it("is the same for the same seed and another for another when exponential", () => {
    const of = (seed: number): number[] => [...scheduleNs({ arrivals: "exponential", rate: 200, count: 50, seed })];
    expect(of(7)).toEqual(of(7));
    expect(of(7)).not.toEqual(of(8));
  });

  it("ascends with the rate asked for and the spread of a Poisson process when exponential", () => {
    const count = 20_000;
    const schedule = scheduleNs({ arrivals: "exponential", rate: 1000, count, seed: 42 });
    const gaps = Array.from(
      { length: count - 1 },
      (_, nth) => (schedule[nth + 1] as number) - (schedule[nth] as number),
    );
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(gaps.every((gap) => gap >= 0)).toBe(true);
    expect(mean / MS).toBeCloseTo(1, 1);
    expect(deviation / mean).toBeCloseTo(1, 1);
  });
});
