import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COMPARE_METRICS, compareResults } from "../src/measure/compare.js";
import { mergeResults, readResult } from "../src/measure/read-result.js";
import type { ResultFile } from "../src/measure/result.js";
import { comparisonAnswers } from "../src/report/comparison.js";
import { renderHtml } from "../src/report/html.js";
import { renderText } from "../src/report/table.js";
import { SAMPLE, sampleContention } from "./report/sample-result.js";
import { temporaryFolder } from "./temporary-folder.js";

const folder = temporaryFolder();

function written(content: unknown): string {
  const path = join(folder, "result.json");
  writeFileSync(path, JSON.stringify(content));
  return path;
}

describe("a result file", () => {
  it.each([
    ["that is none", "[]", "not a result of ruleswap.result/1"],
    ["of a schema to come", { ...SAMPLE, schema: "ruleswap.result/2" }, "not a result of ruleswap.result/1"],
  ])("%s is refused with its name", (_, content, said) => {
    const path = written(content);
    expect(() => readResult(path)).toThrow(`${path}: ${said}`);
  });

  it("is read as it was written", () => {
    const file = { ...SAMPLE, contention: [sampleContention(1000, "full", 26_600)] };
    expect(readResult(written(file))).toEqual(file);
  });

  it("written before the host's share was noted is read without it", () => {
    const { stolen_s: _, ...earlier } = SAMPLE;
    expect(readResult(written(earlier))).toEqual({ ...SAMPLE, stolen_s: null });
  });

  describe("written before rounds of several writers were kept", () => {
    const now = {
      ...SAMPLE,
      contention: [sampleContention(1000, "full", 26_600), sampleContention(1000, "incremental", 9.2)],
    };
    const contention = now.contention.map(({ change: _, rounds: __, ...earlier }) => earlier);
    const read = (): ResultFile => readResult(written({ ...now, contention }));

    it("is read with what its writers tell, and without rounds", () => {
      expect(read().contention).toEqual(now.contention.map((record) => ({ ...record, rounds: [] })));
    });

    it("is reported as one of today", () => {
      expect(renderText(read(), { color: false })).toBe(renderText(now, { color: false }));
      expect(renderHtml(read())).toBe(renderHtml(now));
    });

    it("is merged with one of today, which brings its rounds", () => {
      const options = { ...SAMPLE.options, sizes: [1000], classifiers: ["tuple-space"] as const };
      const merged = mergeResults([
        { ...read(), options },
        { ...now, options },
      ]);
      expect(merged.contention.map(({ rounds }) => rounds)).toEqual(now.contention.map(({ rounds }) => rounds));
      const [made] = merged.contention.map(({ writers }) => writers.map(({ changes }) => changes));
      expect(made).toEqual(now.contention[0]?.writers.map(({ changes }) => 2 * changes));
    });

    it("is compared but for its several writers, which is said", () => {
      const rounds = [1, 2].map((nth) => ({
        update_p50_us: 100 + nth,
        time_to_effect_p50_us: null,
        bytes_written_p50: null,
        idle_ns_per_packet_p50: null,
        updating_ns_per_packet_p50: null,
        live_bytes: null,
        yardstick_ns: 1e6,
        processor: null,
      }));
      const withRounds = (file: ResultFile): ResultFile => ({
        ...file,
        results: file.results.map((record) => ({ ...record, rounds })),
      });
      const found = compareResults(withRounds(read()), withRounds(now), { metrics: COMPARE_METRICS });
      expect(found.cells.filter(({ metric }) => metric.startsWith("contention"))).toEqual([]);
      expect(found.unmatched).toBe(4);
      expect(comparisonAnswers(found).join()).toContain("4 cells are in one of the results only, or have no rounds");
    });
  });
});
