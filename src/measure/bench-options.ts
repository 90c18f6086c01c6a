/** What `ruleswap bench` can be told; the command line and library callers alike. */
import { CLASSIFIERS, type Classifier } from "../engine/engine.js";
import { KERNEL_TARGETS, type KernelTargetName } from "../linux/kernel-targets.js";
import { QUIESCE, type Quiesce } from "../update/quiesce.js";
import { STRATEGIES, type Strategy } from "../update/updater.js";
import type { Family } from "../ruleset/row-store.js";
import { KUBE_PROXY_CHURNS, type KubeProxyChurn } from "../workload/kube-proxy-options.js";
import { type WorkloadName, workloads } from "../workload/workloads.js";
import { ARRIVALS, type Arrivals } from "./open-loop.js";

export interface BenchOptions {
  /** Name of a workload, or path of a ruleset's file. */
  readonly workload: string;
  /** Services, or what else the workload counts; measured one after another. A file has one size: its rules. */
  readonly sizes: readonly number[];
  /** Of a workload that is made up; a file has its own. */
  readonly family: Family;
  readonly strategies: readonly Strategy[];
  readonly classifiers: readonly Classifier[];
  /**
   * Changes a second, 0.01 to 100,000. `auto`: 4236, or less where a strategy would be busy more than a fifth of the time (nine
   * tenths where the duration holds only a handful), so that what is measured is one change and not a queue of them.
   */
  readonly rate: number | "auto";
  readonly arrivals: Arrivals;
  /** Seconds during which changes arrive, for each combination, all rounds together: 0.01 to 86,400. */
  readonly duration: number;
  /** How often the whole is measured, each time in the opposite order: 1 to 100. Each round is one observation of growth. */
  readonly rounds: number;
  /** What changes, of the workload kube-proxy. */
  readonly churn: KubeProxyChurn;
  /** What readers match: `uniform` or `zipf` over the workload's services, or the path of a capture, its packets in turn. */
  readonly traffic: string;
  /** Whether connections are tracked: readers match packets of connections that exist, and probes begin new ones. */
  readonly track: boolean;
  /** Threads that match packets, 1 to 64. */
  readonly readers: number;
  /**
   * Programs that change one ruleset at once, by the workload that each has of every size: none, or two and more. Measured
   * beside the cells of one writer; without a rate each writer makes its changes as fast as it can.
   */
  readonly writers: readonly WorkloadName[];
  /** Seconds that one of several writers waits for the lock before it gives up and tries again, as iptables' -w: 0.001 to 3600. */
  readonly lockTimeout: number;
  /** How replacing strategies learn that readers have left the old table. */
  readonly quiesce: Quiesce;
  /** Of rulesets, changes, traffic and arrivals: 0 to 2^32 - 1. */
  readonly seed: number;
  /** Programs that make the same changes in the real kernel, in turns with the engine. Takes root and Linux. */
  readonly linux: readonly KernelTargetName[];
  /** "2/5": only the second of five parts of the matrix, so that several machines or processes do all of it. */
  readonly shard: string | null;
}

export const BENCH_DEFAULTS: BenchOptions = Object.freeze({
  workload: "kube-proxy",
  sizes: workloads["kube-proxy"].sizes,
  family: "ipv4",
  strategies: Object.keys(STRATEGIES) as Strategy[],
  classifiers: Object.keys(CLASSIFIERS) as Classifier[],
  rate: "auto",
  arrivals: "fixed",
  duration: 0.5,
  rounds: 2,
  churn: "single",
  traffic: "uniform",
  track: false,
  readers: 1,
  writers: [],
  lockTimeout: 5, // As kube-proxy has it.
  quiesce: "seqcount",
  seed: 1,
  linux: [],
  shard: null,
});

/** @throws RangeError that names the option, says what it takes and what it got. */
export function checkBenchOptions(options: BenchOptions): void {
  for (const list of ["sizes", "strategies", "classifiers"] as const) {
    const values: readonly unknown[] = options[list];
    if (values.length === 0) throw new RangeError(`${list}: at least one`);
  }
  for (const list of ["sizes", "strategies", "classifiers", "linux", "writers"] as const) {
    const values: readonly unknown[] = options[list];
    const twice = values.find((value, nth) => values.indexOf(value) !== nth);
    if (twice !== undefined) throw new RangeError(`${list}: ${twice} is there twice`);
  }
  for (const size of options.sizes) checkNumber("sizes", size, 1, 1_000_000, true);
  for (const strategy of options.strategies) checkName("strategies", strategy, STRATEGIES);
  for (const classifier of options.classifiers) checkName("classifiers", classifier, CLASSIFIERS);
  for (const target of options.linux) checkName("linux", target, KERNEL_TARGETS);
  for (const writer of options.writers) checkName("writers", writer, workloads);
  if (options.writers.length === 1) throw new RangeError("writers: two or more, or none");
  if ((["kube-proxy", "kube-proxy-ipvs"] as const).every((mode) => options.writers.includes(mode)))
    throw new RangeError("writers: kube-proxy in one mode, as both own the same chains");
  if (options.writers.length > 0 && options.linux.length > 0 && !Number.isInteger(options.lockTimeout))
    throw new RangeError(
      `lockTimeout: whole seconds beside the real kernel, as iptables' -w, not ${options.lockTimeout}`,
    );
  if (options.shard !== null) parseShard(options.shard);
  checkName("family", options.family, { ipv4: true, ipv6: true });
  checkName("churn", options.churn, Object.fromEntries(KUBE_PROXY_CHURNS.map((name) => [name, true])));
  checkName("arrivals", options.arrivals, ARRIVALS);
  checkName("quiesce", options.quiesce, QUIESCE);
  if (options.rate !== "auto") checkNumber("rate", options.rate, 0.01, 100_000, false);
  checkNumber("duration", options.duration, 0.01, 86_400, false);
  checkNumber("rounds", options.rounds, 1, 100, true);
  checkNumber("lockTimeout", options.lockTimeout, 0.001, 3600, false);
  checkNumber("readers", options.readers, 1, 64, true);
  checkNumber("seed", options.seed, 0, 2 ** 32 - 1, true);
}

/** @throws RangeError unless it is "i/n", i from 1 to n. */
export function parseShard(shard: string): { readonly part: number; readonly of: number } {
  const [, part, of] = /^(\d{1,5})\/(\d{1,5})$/.exec(shard)?.map(Number) ?? [];
  if (!part || !of || part > of) throw new RangeError(`shard: "i/n" with i from 1 to n, not "${shard}"`);
  return { part, of };
}

function checkNumber(option: string, value: number, low: number, high: number, whole: boolean): void {
  const fits = value >= low && value <= high && (!whole || Number.isInteger(value));
  if (!fits)
    throw new RangeError(`${option}: a ${whole ? "whole number" : "number"} from ${low} to ${high}, not ${value}`);
}

function checkName(option: string, value: string, known: object): void {
  if (!Object.hasOwn(known, value)) throw new RangeError(`${option}: ${Object.keys(known).join(", ")}, not "${value}"`);
}
