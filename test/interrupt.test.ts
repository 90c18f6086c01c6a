/** A bench that is interrupted, at moments that fall on all that it does: nothing of it goes on. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { kernelAbsence } from "../src/linux/absence.js";
import { KERNEL_TARGETS } from "../src/linux/kernel-targets.js";
import { runBench } from "../src/measure/bench.js";
import { BENCH_DEFAULTS, type BenchOptions } from "../src/measure/bench-options.js";
import type { ResultFile } from "../src/measure/result.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";

const options: BenchOptions = {
  ...BENCH_DEFAULTS,
  sizes: [5],
  strategies: ["full"],
  classifiers: ["linear"],
  rounds: 2,
  // Trials, which are not rehearsed.
  duration: 0.18,
  writers: ["portmap", "docker"],
};
const absence = kernelAbsence(KERNEL_TARGETS["iptables-legacy"].programs("ipv4"))?.message ?? "";

/** Interrupts a bench so many milliseconds after it has begun with the first cell whose label begins so. */
function interrupted(after: string, milliseconds: number, given: Partial<BenchOptions> = {}): Promise<ResultFile> {
  const stop = new AbortController();
  return runBench({ ...options, ...given }, (services) => kubeProxy({ services }), {
    signal: stop.signal,
    onProgress: ({ label }) => {
      if (label.startsWith(after)) setTimeout(() => stop.abort(), milliseconds);
    },
  });
}

const threads = (): number => readdirSync("/proc/self/task").length;
const children = (): string => readFileSync(`/proc/self/task/${process.pid}/children`, "utf8");

describe.skipIf(process.platform !== "linux")("a bench that is interrupted", () => {
  it("has begun nothing when that was before it began", async () => {
    const before = threads();
    const stop = AbortSignal.abort();
    const { partial, results } = await runBench(options, (services) => kubeProxy({ services }), { signal: stop });
    expect([partial, results, threads()]).toEqual([true, [], before]);
  });

  it("has ended all of its threads, of one writer and of several", async () => {
    await interrupted("full/linear/portmap+docker", 0);
    const before = threads();
    for (const after of ["full/linear/kube-proxy", "full/linear/portmap+docker"])
      for (const milliseconds of [0, 200]) {
        const { partial } = await interrupted(after, milliseconds);
        expect({ partial, milliseconds }).toEqual({ partial: true, milliseconds });
        // The kernel may list a thread for a moment more that has ended.
        await expect.poll(threads, { timeout: 5_000 }).toBeLessThanOrEqual(before);
      }
  }, 180_000);

  it("has ended its threads when that was in the middle of a rehearsal", async () => {
    const before = threads();
    const steps: string[] = [];
    const { partial, results } = await runBench({ ...options, duration: 1 }, (services) => kubeProxy({ services }), {
      signal: AbortSignal.timeout(700),
      onProgress: ({ label }) => steps.push(label),
    });
    expect([partial, results, steps]).toEqual([true, [], []]);
    await expect.poll(threads, { timeout: 5_000 }).toBeLessThanOrEqual(before);
  });

  it.skipIf(absence !== "")(
    `has ended all processes beside it, of one writer and of several${absence && ` (skipped: ${absence})`}`,
    async () => {
      for (const after of [
        "iptables-legacy/partial/linear/kube-proxy",
        "iptables-legacy/partial/linear/portmap+docker",
      ])
        for (const milliseconds of [0, 150]) {
          const given = { strategies: ["partial"], linux: ["iptables-legacy"], rounds: 100, duration: 2 } as const;
          const { partial } = await interrupted(after, milliseconds, given);
          expect({ partial, milliseconds, children: children() }).toEqual({
            partial: true,
            milliseconds,
            children: "",
          });
        }
    },
    180_000,
  );
});
