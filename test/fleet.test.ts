/** The guide on more machines than one, carried out: its commands as they stand there, by as many processes on this one. */
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readResult } from "../src/measure/read-result.js";
import type { GrowthMetric, ResultFile } from "../src/measure/result.js";
import { start } from "./run.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const GUIDE = readFileSync(join(ROOT, "docs", "fleet.md"), "utf8");
/** Cells enough for every part of the guide's, and small; of one round, or of two where the guide asks for more. */
const SMALL = "--sizes 10,20 --strategies full,incremental --duration 0.04 --rate 200";
const CELLS = 8;
const MORE_ROUNDS = 2;
const ALWAYS_FITTED: readonly GrowthMetric[] = ["update.p50_us", "update.bytes_written_p50", "memory.live_bytes"];

const folder = mkdtempSync(join(tmpdir(), "ruleswap-fleet-"));

/** The block of the guide's in this language, the first that holds `text`. */
function block(language: string, text: string): string {
  const blocks = [...GUIDE.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(
    ([, body]) => body,
  );
  const found = blocks.find((body) => body?.includes(text));
  if (found === undefined) throw new Error(`docs/fleet.md has no ${language} with ${text}`);
  return found;
}

function found(pattern: RegExp, text: string): string {
  const [, said] = pattern.exec(text) ?? [];
  if (said === undefined) throw new Error(`docs/fleet.md: nothing like ${pattern}`);
  return said;
}

/** Runs a command of the guide's; `npx ruleswap` is this checkout, whose benches are small. */
async function shell(command: string, more: Record<string, string> = {}): Promise<void> {
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}`, ...more };
  const { status, stderr } = await start("sh", ["-ec", command], { cwd: folder, env }).ended;
  if (status !== 0) throw new Error(`${command}: exit ${status}\n${stderr}`);
}

/** All of a result that is no time, and follows from none. */
function timeless({ options, results, growth, partial, absent, contention }: ResultFile): unknown {
  return {
    options,
    partial,
    absent,
    contention,
    results: results.map(({ workload, services, rules, strategy, classifier, target, seed, update, rounds }) => ({
      cell: [workload, services, rules, strategy, classifier, target, seed],
      changes: update.count,
      failed: update.failed,
      rounds: rounds.length,
    })),
    // A reader that got no processor in so short a run has matched nothing, and no growth of it is fitted.
    growth: growth
      .filter(({ metric }) => ALWAYS_FITTED.includes(metric))
      .map(({ workload, strategy, classifier, target, metric }) =>
        [workload, strategy, classifier, target, metric].join(),
      ),
  };
}

describe("the guide on more machines than one", () => {
  let whole: unknown;
  beforeAll(async () => {
    const npx = join(folder, "npx");
    const main = join(ROOT, "dist", "cli", "main.js");
    writeFileSync(
      npx,
      `#!/bin/sh
[ "$1" = --yes ] && shift
[ "$1" = ruleswap ] || exit 3
shift
if [ "$1" = bench ]; then
  case " $* " in *" --rounds 5 "*) set -- "$@" --rounds ${MORE_ROUNDS} ;; *) set -- "$@" --rounds 1 ;; esac
  set -- "$@" ${SMALL}
fi
exec '${process.execPath}' '${main}' "$@"
`,
    );
    chmodSync(npx, 0o755);
    await shell("npx ruleswap bench --json unsharded.json --no-report");
    whole = timeless(readResult(join(folder, "unsharded.json")));
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it("splits a matrix on one machine: merged as if it were not split, but for times", async () => {
    await shell(block("sh", "merge part*.json"));
    expect(timeless(readResult(join(folder, "whole.json")))).toEqual(whole);
    expect(readFileSync(join(folder, "ruleswap-report", "index.html"), "utf8")).toContain("<!doctype html>");
  }, 180_000);

  it("has a Kubernetes Job whose pods, as processes at once, measure each cell once", async () => {
    const job = block("yaml", "kind: Job");
    const completions = Number(found(/^ +completions: (\d+)$/m, job));
    expect(found(/^ +completionMode: (\w+)$/m, job)).toBe("Indexed");
    expect(found(/(\/)results\/part/, job)).toBe("/");
    expect(found(/mountPath: (\S+) \}/, job)).toBe("/results");
    // A folded block is one line.
    const args = found(/^ +- >\n((?: {14}.*\n)+)/m, job).replace(/\s+/g, " ");
    const pods = Array.from({ length: completions }, (_, index) =>
      shell(args.replace("/results/", `${folder}/pod-`), { JOB_COMPLETION_INDEX: String(index) }),
    );
    await Promise.all(pods);
    const parts = Array.from({ length: completions }, (_, index) => readResult(join(folder, `pod-part${index}.json`)));
    expect(parts.reduce((sum, { results }) => sum + results.length, 0)).toBe(CELLS);
    await shell("npx ruleswap merge pod-part*.json --json pods.json");
    expect(timeless(readResult(join(folder, "pods.json")))).toEqual(whole);
  }, 300_000);

  it("has a matrix of CI jobs, and a gate that lets the same result pass and writes a summary", async () => {
    const workflow = block("yaml", "pull_request");
    const parts = found(/matrix: \{ part: \[([\d, ]+)\] \}/, workflow).split(", ");
    const commands = [...workflow.matchAll(/^ +- run: (npx .*)$/gm)].map(([, command = ""]) => command);
    const [bench = "", merge = "", compare = ""] = commands;
    expect(commands).toHaveLength(3);
    rmSync(join(folder, "whole.json"));
    for (const part of [1, 2, 3]) rmSync(join(folder, `part${part}.json`));
    await Promise.all(parts.map((part) => shell(bench.replaceAll(/\$\{\{ matrix\.part \}\}/g, part))));
    await shell(merge);
    const merged = readResult(join(folder, "after.json"));
    expect(merged.partial).toBe(false);
    expect(merged.results.map(({ rounds }) => rounds.length)).toEqual(Array.from({ length: CELLS }, () => MORE_ROUNDS));
    copyFileSync(join(folder, "after.json"), join(folder, "baseline.json"));
    const summary = join(folder, "summary.md");
    await shell(compare, { GITHUB_STEP_SUMMARY: summary });
    expect(readFileSync(summary, "utf8")).toContain("|");
  }, 300_000);
});
