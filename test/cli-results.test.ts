/** bench --shard, merge, report, compare and baselines, as processes. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { ResultFile } from "../src/measure/result.js";
import { run } from "./run.js";
import { temporaryFolder } from "./temporary-folder.js";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const folder = temporaryFolder();
const SMALL = [
  ...["bench", "--sizes", "10,20", "--strategies", "full,incremental", "--classifiers", "tuple-space"],
  ...["--duration", "0.04", "--no-report"],
];

const ruleswap = (...args: string[]) => run(process.execPath, [MAIN, ...args], { cwd: folder });
const read = (name: string): ResultFile => JSON.parse(readFileSync(join(folder, name), "utf8")) as ResultFile;
const write = (name: string, result: ResultFile): void => writeFileSync(join(folder, name), JSON.stringify(result));

describe("a result", () => {
  it("is put together again from its parts, whatever their order, and shown as a page", () => {
    expect(ruleswap(...SMALL, "--json", "whole.json", "--save-baseline", "first").status).toBe(0);
    const whole = read("whole.json");
    // As --shard has it, which fleet.test.ts carries out.
    for (const part of [1, 2, 3]) {
      const results = whole.results.filter((_, nth) => nth % 3 === part - 1);
      write(`s${part}.json`, { ...whole, options: { ...whole.options, shard: `${part}/3` }, results, growth: [] });
    }
    expect(ruleswap("merge", "s3.json", "s1.json", "s2.json", "--json", "merged.json").status).toBe(0);
    const { results, growth, options, partial } = read("merged.json");
    const byCell = (records: ResultFile["results"]) =>
      records.toSorted((one, other) => keyOf(one).localeCompare(keyOf(other)));
    expect(byCell(results)).toEqual(byCell(whole.results));
    expect({ growth, options, partial }).toEqual({ growth: whole.growth, options: whole.options, partial: false });
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
    write("slower.json", slower);
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

const keyOf = ({ services, strategy, classifier }: ResultFile["results"][number]): string =>
  [services, strategy, classifier].join(" ");
