/** bench --shard, merge, report, compare and baselines, as processes. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { ResultFile } from "../src/measure/result.js";
import { run, start } from "./run.js";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ruleswap-results-"));
const SMALL = ["bench", "--sizes", "10,20", "--strategies", "full,incremental", "--duration", "0.04", "--no-report"];

const ruleswap = (...args: string[]) => run(process.execPath, [MAIN, ...args], { cwd: folder });
const read = (name: string): ResultFile => JSON.parse(readFileSync(join(folder, name), "utf8")) as ResultFile;
const shard = async (part: number, of: number): Promise<number | null> => {
  const args = [MAIN, ...SMALL, "--shard", `${part}/${of}`, "--json", `s${part}.json`];
  return (await start(process.execPath, args, { cwd: folder }).ended).status;
};

/** What a result says but for how long things took. */
const withoutTimes = ({ results, options, partial }: ResultFile) => ({
  options,
  partial,
  cells: results.map(({ services, rules, strategy, classifier, target, seed, rounds, update }) => ({
    ...{ services, rules, strategy, classifier, target, seed },
    rounds: rounds.length,
    failed: update.failed,
  })),
});

describe("a matrix split over processes", () => {
  it("is, merged, what one process measures, but for times", async () => {
    const ended = await Promise.all([shard(1, 3), shard(2, 3), shard(3, 3)]);
    expect(ended).toEqual([0, 0, 0]);
    expect(ruleswap("merge", "s3.json", "s1.json", "s2.json", "--json", "merged.json").status).toBe(0);
    expect(ruleswap(...SMALL, "--json", "whole.json", "--save-baseline", "first").status).toBe(0);
    const [merged, whole] = [read("merged.json"), read("whole.json")];
    expect(withoutTimes(merged)).toEqual(withoutTimes(whole));
    expect(merged.growth.map(({ strategy, classifier, metric }) => [strategy, classifier, metric])).toEqual(
      whole.growth.map(({ strategy, classifier, metric }) => [strategy, classifier, metric]),
    );
    const page = ruleswap("report", "s1.json", "s2.json", "s3.json", "--report", "page");
    expect([page.status, existsSync(join(folder, "page", "index.html"))]).toEqual([0, true]);
  }, 180_000);

  it("is compared: a cost that grew tenfold beyond doubt ends with 1, the same with 0", () => {
    const whole = read("whole.json");
    const slower = {
      ...whole,
      results: whole.results.map((one) => ({
        ...one,
        rounds: one.rounds.map((round) => ({ ...round, live_bytes: (round.live_bytes ?? 0) * 10 })),
      })),
    };
    writeFileSync(join(folder, "slower.json"), JSON.stringify(slower));
    const bytes = ["--metrics", "memory.live_bytes", "--fail-over", "5%"];
    expect(ruleswap("compare", "whole.json", "slower.json", ...bytes)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining("more"),
    });
    expect(ruleswap("compare", "whole.json", "whole.json", "--fail-over", "5%", "--markdown")).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("no difference seen"),
    });
    expect(ruleswap("compare", "whole.json", "nowhere.json").status).toBe(2);
    expect(ruleswap("compare", MAIN, MAIN)).toMatchObject({ status: 2, stderr: expect.stringContaining("not JSON") });
  });

  it("is compared with what was kept under a name", () => {
    const again = ruleswap(...SMALL, "--baseline", "first");
    expect(again.stdout).toContain("beside ruleswap-baselines/first.json: ");
    expect(ruleswap(...SMALL, "--baseline", "other")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("--save-baseline other"),
    });
  }, 180_000);
});
