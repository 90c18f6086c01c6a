/** Several of the real kernel's own programs at once: each change is made, whoever waits, and nothing of another's is lost. */
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { kernelAbsence } from "../src/linux/absence.js";
import { KERNEL_TARGETS } from "../src/linux/kernel-targets.js";
import { Namespace } from "../src/linux/namespace.js";
import { runBench } from "../src/measure/bench.js";
import { BENCH_DEFAULTS, type BenchOptions } from "../src/measure/bench-options.js";
import { hasFindings } from "../src/report/cautions.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";

const absence =
  kernelAbsence(Object.values(KERNEL_TARGETS).flatMap((target) => target.programs("ipv4")))?.message ?? "";
const skipped = absence && ` (skipped: ${absence})`;

const options: BenchOptions = {
  ...BENCH_DEFAULTS,
  sizes: [4],
  strategies: ["one-by-one", "partial", "incremental"],
  classifiers: ["tuple-space"],
  writers: ["kube-proxy", "portmap", "docker"],
  linux: ["iptables-legacy", "iptables-nft", "nft"],
  duration: 0.05,
  rounds: 1,
};

describe.skipIf(absence !== "")(`several programs of the kernel${skipped}`, () => {
  it("make their changes at once, each program by the strategies with which several can", async () => {
    const result = await runBench(options, (services) => kubeProxy({ services, seed: 1 }));
    expect(result.absent).toEqual([]);
    const kernel = result.contention.filter(({ target }) => target !== "ruleswap");
    expect(kernel.map(({ target, strategy, classifier }) => [target, strategy, classifier].join(" "))).toEqual([
      "iptables-legacy one-by-one linear",
      "iptables-legacy partial linear",
      "iptables-nft one-by-one linear",
      "iptables-nft partial linear",
      "nft incremental linear",
      "nft incremental verdict-map",
    ]);
    for (const { target, writers, wait } of kernel) {
      expect(wait === null).toBe(target !== "iptables-legacy");
      for (const { workload, changes, failed, first_failure } of writers) {
        expect({ target, workload, failed, first_failure }).toMatchObject({ failed: 0 });
        expect(changes).toBeGreaterThan(0);
      }
    }
    expect(hasFindings(result)).toBe(false);
  }, 120_000);

  it("wait for one that holds the lock, are seen to, and give up after the time they were told", async () => {
    const namespace = await Namespace.open();
    const holder = await namespace.join();
    try {
      const lock = (await namespace.must({ argv: ["printenv", "XTABLES_LOCKFILE"], output: true })).trim();
      // Until it is told to let go, however long the others take to ask.
      const letGo = `${lock}.let-go`;
      const held = holder.must({
        argv: ["flock", lock, "sh", "-c", 'until [ -e "$0" ]; do sleep 0.05; done', letGo],
      });
      await expect
        .poll(async () => (await namespace.run([{ argv: ["flock", "-n", lock, "true"] }])).results[0]?.status)
        .toBe(1);
      const append = ["iptables-legacy", "-w", "1", "-A", "INPUT", "-j", "ACCEPT"];
      const { results: gaveUp } = await namespace.run([{ argv: append, watched: true }]);
      expect(gaveUp[0]?.status).toBe(4);
      expect(gaveUp[0]?.waitedNs).toBeGreaterThan(0);
      append[2] = "30";
      const waiting = namespace.run([{ argv: append, watched: true }]);
      setTimeout(() => writeFileSync(letGo, ""), 200);
      const { results: waited } = await waiting;
      expect(waited[0]?.status).toBe(0);
      await held;
      const { results: alone } = await namespace.run([{ argv: append, watched: true }]);
      expect(alone[0]).toMatchObject({ status: 0, waitedNs: 0 });
    } finally {
      await holder.close();
      await namespace.close();
    }
  });
});
