import { describe, expect, it } from "vitest";
import { compareResults } from "../src/measure/compare.js";
import { mergeResults } from "../src/measure/read-result.js";
import type { GrowthMetric, ResultFile, ResultRecord, RoundResult } from "../src/measure/result.js";
import { comparisonAnswers, comparisonMarkdown, comparisonText, regressions } from "../src/report/comparison.js";
import { Random } from "../src/workload/random.js";
import { SAMPLE, sampleRecord } from "./report/sample-result.js";

const METRICS: GrowthMetric[] = ["update.p50_us", "match.idle.ns_per_packet_p50"];

interface Run {
  readonly rounds: number;
  /** Of cell `nth`: how many times slower its updates are. */
  readonly effect?: (nth: number) => number;
  /** How many times slower the machine is. */
  readonly machine?: number;
}

/** A run of 24 cells, some noisier than others, some rounds far off. */
function simulate(random: Random, { rounds, effect = () => 1, machine = 1 }: Run): ResultFile {
  const uniform = (): number => (random.next() + 0.5) / 2 ** 32;
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const record = (nth: number): ResultRecord => {
    const noise = 0.1 + 0.06 * (nth % 4);
    const round = (): RoundResult => {
      const late = uniform() < 0.05 ? Math.abs(normal()) * 0.4 : 0;
      return {
        update_p50_us: 100 * (nth + 1) * Math.exp(noise * normal() + late) * machine * effect(nth),
        time_to_effect_p50_us: null,
        bytes_written_p50: null,
        idle_ns_per_packet_p50: 300 * Math.exp(0.03 * normal()) * machine,
        updating_ns_per_packet_p50: null,
        live_bytes: null,
        yardstick_ns: 1e6 * machine * Math.exp(0.1 * normal()),
        processor: null,
      };
    };
    return { ...sampleRecord(nth + 1, "full", 100), rounds: Array.from({ length: rounds }, round) };
  };
  return { ...SAMPLE, results: Array.from({ length: 24 }, (_, nth) => record(nth)) };
}

const compare = (before: ResultFile, after: ResultFile) => compareResults(before, after, { metrics: METRICS });

describe("a comparison", () => {
  it.each([2, 5])(
    "of two runs of the same build sees no difference 19 times of 20 (simulated, %i rounds)",
    (rounds) => {
      const random = new Random(11, rounds);
      let quiet = 0;
      for (let pair = 0; pair < 60; pair++) {
        const { cells } = compare(simulate(random, { rounds }), simulate(random, { rounds }));
        if (cells.every(({ verdict }) => verdict === "none")) quiet++;
      }
      expect(quiet).toBeGreaterThanOrEqual(57);
    },
    60_000,
  );

  it("of two runs of the same build sees none either where the machine was slower, and says so", () => {
    const random = new Random(12);
    const comparison = compare(simulate(random, { rounds: 3 }), simulate(random, { rounds: 3, machine: 1.5 }));
    expect(comparison.cells.filter(({ verdict }) => verdict !== "none")).toEqual([]);
    expect(comparison.machine).toBeGreaterThan(1.3);
    expect(comparisonAnswers(comparison).join()).toMatch(
      /^no difference seen in 48 comparisons,the machine itself was 1\.\d+ times slower/,
    );
  });

  it("sees cells that take three times as long, and no others", () => {
    const random = new Random(13);
    const slower = { rounds: 5, effect: (nth: number) => (nth < 4 ? 3 : 1) };
    const comparison = compare(simulate(random, { rounds: 5 }), simulate(random, slower));
    const changed = comparison.cells.filter(({ verdict }) => verdict !== "none");
    expect(changed.map(({ record, metric, verdict }) => [record.services, metric, verdict])).toEqual(
      [1, 2, 3, 4].map((services) => [services, "update.p50_us", "higher"]),
    );
    expect(regressions(comparison, 0.05)).toEqual(changed);
    expect(regressions(comparison, 10)).toEqual([]);
    expect(comparisonText(comparison)).toMatch(/^4 of 48 comparisons differ[\s\S]*slower/);
    expect(comparisonMarkdown(comparison).match(/\| slower \|/g)).toHaveLength(8);
  });

  it("says the same of the same files", () => {
    const [a, b] = [simulate(new Random(1), { rounds: 2 }), simulate(new Random(2), { rounds: 2 })];
    expect(compare(a, b)).toEqual(compare(a, b));
  });

  it("has ratios and intervals the right way round", () => {
    const random = new Random(14);
    const [before, after] = [simulate(random, { rounds: 5 }), simulate(random, { rounds: 5, effect: () => 0.2 })];
    for (const { metric, ratio, ci95, allCi95, verdict } of compare(before, after).cells) {
      if (metric !== "update.p50_us") continue;
      expect(ratio).toBeLessThan(0.5);
      expect([ci95[0] < ratio, ratio < ci95[1], allCi95[0] <= ci95[0], ci95[1] <= allCi95[1]]).toEqual([
        true,
        true,
        true,
        true,
      ]);
      expect(verdict).toBe("lower");
    }
  });

  it("refuses results that have nothing in common, or one round each", () => {
    const random = new Random(15);
    const one = simulate(random, { rounds: 1 });
    expect(() => compare(one, one)).toThrow("one round each");
    expect(() => compare(one, { ...one, results: [] })).toThrow("no cell in common");
  });

  it("holds no text of a workload's name as markup", () => {
    const run = simulate(new Random(16), { rounds: 2 });
    const named = { ...run, results: run.results.map((record) => ({ ...record, workload: "a|<b>" })) };
    expect(comparisonMarkdown(compare(named, named))).not.toContain("<b>");
  });
});

describe("shards", () => {
  const shard = (part: number, ...results: ResultRecord[]): ResultFile => ({
    ...SAMPLE,
    options: { ...SAMPLE.options, sizes: [1000, 5000], shard: `${part}/2` },
    results,
  });
  const [a, b, c, d] = SAMPLE.results as [ResultRecord, ResultRecord, ResultRecord, ResultRecord];

  it("are put together in the order of a run that is not split, whatever theirs", () => {
    const merged = mergeResults([shard(2, b, d), shard(1, a, c)]);
    expect(merged.results).toEqual([a, b, c, d]);
    expect(merged.options.shard).toBeNull();
    expect(merged.partial).toBe(false);
    expect([merged.elapsed_s, merged.stolen_s]).toEqual([100, 0.2]);
    expect(mergeResults([shard(2, b, d), { ...shard(1, a, c), stolen_s: null }]).stolen_s).toBeNull();
    expect(mergeResults([shard(2, b, d)]).partial).toBe(true);
  });

  it("and runs of the same cells have their rounds and latencies put together", () => {
    const round = { ...(a.rounds[0] as RoundResult), update_p50_us: 1 };
    const [one] = mergeResults([
      shard(1, { ...a, rounds: [round] }),
      shard(2, { ...a, rounds: [round, round] }),
    ]).results;
    expect(one?.rounds).toHaveLength(3);
    expect(one?.update.count).toBe(2 * a.update.count);
  });

  it("are refused when they answer other questions", () => {
    const other = { ...shard(2, b), options: { ...shard(2).options, seed: 9 } };
    expect(() => mergeResults([shard(1, a), other])).toThrow("other options");
  });
});
