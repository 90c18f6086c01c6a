/**
 * Full replacement beside the real kernel: `npm run bench:full [SIZES]`. The same file in turns, from text in memory to rules
 * in force here, and through iptables-legacy-restore in a network namespace of its own there; the cost of a restore of
 * nothing, which is processes alone, is taken off the kernel's time.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Engine, Updater, workloads } from "ruleswap";
import { SEED } from "./task.js";

const ROUNDS = 15;
/** Milliseconds of replacing before any is timed: a long-lived writer is compiled. */
const WARM_UP_MS = 1500;
const RESAMPLES = 2000;

const sizes = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), "ruleswap-full-"));
try {
  for (const size of sizes.length > 0 ? sizes : [1000, 5000, 10_000, 20_000]) compare(size);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function compare(size: number): void {
  const ruleset = new TextEncoder().encode(
    workloads["kube-proxy"].make({ size, seed: SEED, family: "ipv4" }).ruleset(),
  );
  const file = join(folder, `${size}.save`);
  const nothing = join(folder, "nothing.save");
  writeFileSync(file, ruleset);
  writeFileSync(nothing, "*nat\nCOMMIT\n");
  const updater = new Updater(Engine.create(), { strategy: "full" });
  const full = (): void => void updater.update({ ruleset });
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end; ) full();
  const kernel: number[] = [];
  const own: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    kernel.push(timed(() => restore(file)) - timed(() => restore(nothing)));
    own.push(timed(full));
  }
  const ratios = kernel.map((ms, round) => ms / (own[round] as number));
  const [low, high] = interval(ratios);
  const ms = (values: number[]): string =>
    `min ${Math.min(...values).toFixed(1)} median ${median(values).toFixed(1)} ms`;
  process.stdout.write(
    `full/-/kube-proxy/${size}: iptables-legacy-restore ${ms(kernel)}, ruleswap ${ms(own)}; ` +
      `${(Math.min(...kernel) / Math.min(...own)).toFixed(1)} x by minima, ${median(ratios).toFixed(1)} x by medians ` +
      `(95 % interval ${low.toFixed(1)} to ${high.toFixed(1)})\n`,
  );
}

function restore(file: string): void {
  const { status, stderr, error } = spawnSync("unshare", ["--net", "iptables-legacy-restore", file]);
  if (status !== 0) throw error ?? new Error(`iptables-legacy-restore: ${stderr}`);
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

/** Of the median, by seeded resampling. */
function interval(values: readonly number[]): [number, number] {
  let state = SEED;
  const pick = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return values[Math.floor((state / 2 ** 32) * values.length)] as number;
  };
  const medians = Array.from({ length: RESAMPLES }, () => median(values.map(pick))).sort((a, b) => a - b);
  return [medians[RESAMPLES * 0.025] as number, medians[RESAMPLES * 0.975] as number];
}
