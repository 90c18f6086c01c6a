import { beforeAll, describe, expect, it } from "vitest";
import { kernelAbsence } from "../src/linux/absence.js";
import { KERNEL_TARGETS, type KernelTargetName } from "../src/linux/kernel-targets.js";
import { runBench } from "../src/measure/bench.js";
import { BENCH_DEFAULTS, type BenchOptions } from "../src/measure/bench-options.js";
import { programsOf } from "../src/measure/kernel-cell.js";
import type { ResultFile } from "../src/measure/result.js";
import { LEAST_CHANGES } from "../src/measure/plan.js";
import { answers } from "../src/report/answer.js";
import { cautions } from "../src/report/cautions.js";
import { renderText } from "../src/report/table.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";

const targets = Object.keys(KERNEL_TARGETS) as KernelTargetName[];
const programs = targets.flatMap((target) => programsOf(target, { family: "ipv4", sets: "" }));
const absence = kernelAbsence(programs)?.message ?? "";
const options: BenchOptions = {
  ...BENCH_DEFAULTS,
  sizes: [10, 20],
  classifiers: ["linear"],
  duration: 0.04,
  linux: targets,
};

it("says which program is missing", () => {
  if (process.platform !== "linux") expect(kernelAbsence([])?.code).toBe("not-linux");
  else if (process.getuid?.() !== 0) expect(kernelAbsence([])?.code).toBe("not-root");
  else
    expect(kernelAbsence(["no-such-program"])).toMatchObject({
      code: "no-tool",
      message: expect.stringContaining("no-such-program"),
    });
});

describe.skipIf(absence !== "")(`a bench with the real kernel beside${absence && ` (skipped: ${absence})`}`, () => {
  let result: ResultFile;
  const steps: string[] = [];
  beforeAll(async () => {
    result = await runBench(options, (services) => kubeProxy({ services }), {
      onProgress: ({ label }) => steps.push(label),
    });
  }, 120_000);

  it("has every program with each of its strategies, in turns with the engine", () => {
    const cells = result.results
      .filter(({ services }) => services === 10)
      .map(({ target, strategy, classifier }) => `${target} ${strategy} ${classifier}`);
    expect(cells).toEqual([
      ...options.strategies.map((strategy) => `ruleswap ${strategy} linear`),
      ...["iptables-legacy", "iptables-nft"].flatMap((target) =>
        ["one-by-one", "full", "partial"].map((strategy) => `${target} ${strategy} linear`),
      ),
      ...["linear", "verdict-map"].flatMap((form) =>
        ["full", "incremental"].map((strategy) => `nft ${strategy} ${form}`),
      ),
    ]);
    const round = steps.slice(0, steps.length >> 1);
    expect(steps.slice(round.length, -1)).toEqual(round.toReversed());
    expect(result.absent).toEqual([]);
  });

  it("makes every change, and runs a process that changes nothing beside each", () => {
    for (const { target, update, timeToEffect, match, memory } of result.results) {
      expect(update.failed, update.first_failure).toBe(0);
      if (target === "ruleswap") continue;
      expect(update.count).toBeGreaterThanOrEqual(LEAST_CHANGES);
      expect(update.process?.count).toBe(update.service.count);
      expect([timeToEffect, match, memory, update.bytes_written_p50, update.phases_us]).toEqual([
        null,
        null,
        null,
        null,
        null,
      ]);
    }
  });

  it("fits growth of each program apart, and shows all in one table", () => {
    const fits = result.growth.filter(({ metric }) => metric === "update.p50_us");
    expect(new Set(fits.map(({ target }) => target))).toEqual(new Set(["ruleswap", ...targets]));
    expect(result.growth.filter(({ target, metric }) => target !== "ruleswap" && metric !== "update.p50_us")).toEqual(
      [],
    );
    expect(answers(result)[1]).toMatch(/^the same in this machine's kernel: iptables-legacy .*, iptables-nft .*, nft /);
    const text = renderText(result, { color: false });
    expect(text.match(/^in the kernel, by nft; a process that changes nothing: /gm)).toHaveLength(2);
    expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("says what a program cannot hold and goes on", async () => {
    const some = await runBench(
      {
        ...options,
        workload: "kube-proxy-ipvs",
        sizes: [10],
        strategies: ["full"],
        rounds: 1,
        linux: ["nft", "iptables-nft"],
      },
      (services) => kubeProxy({ services, sessionAffinity: 1 }),
    );
    expect(some.absent.map(({ target, services }) => [target, services])).toEqual([["nft", 10]]);
    expect(cautions(some).join()).toContain("nft is absent at size 10: nft has no words for the rule");
    expect(some.results.map(({ target }) => target)).toContain("iptables-nft");
  }, 60_000);
});
