/** What a bench measures: the cells of its matrix, in the order in which results list them. */
import { KERNEL_TARGETS, type KernelTargetName } from "../linux/kernel-targets.js";
import { LinuxError } from "../linux/linux-error.js";
import { parseRuleset } from "../ruleset/parse.js";
import type { Strategy } from "../update/updater.js";
import { captureTraffic } from "../workload/capture-traffic.js";
import { isSpread } from "../workload/spread.js";
import type { Workload } from "../workload/workload.js";
import { assembleKernelRecord, assembleRecord, quantile } from "./assemble.js";
import { type BenchOptions, parseShard } from "./bench-options.js";
import { type Cell, type CellRound, measureCell, type Subject } from "./cell.js";
import type { BenchCell, CellContext, Rehearsal } from "./bench-cell.js";
import { contendedCells } from "./contended-cells.js";
import { contentionSubject } from "./contention-cell.js";
import { PROCESS_SECONDS, SECONDS_A_SERVICE } from "./expected-seconds.js";
import { once } from "./once.js";
import { type KernelCell, type KernelRound, measureKernelCell } from "./kernel-cell.js";
import { isTrial, LEAST_CHANGES } from "./plan.js";
import type { Absence, ResultRecord } from "./result.js";
import { standInFor } from "./warm-up.js";

/** Packets that each reader cycles through: 1 MB with their results, more than a core's nearest caches. */
const TRAFFIC_PACKETS = 4096;

export function cellsOf(options: BenchOptions, workload: (size: number) => Workload): BenchCell[] {
  const trafficOf = trafficSource(options);
  const cells = options.sizes.flatMap((size) => {
    const made = once(() => workload(size));
    const subject = once(() => subjectOf(made(), trafficOf));
    return [
      ...options.strategies.flatMap((strategy) =>
        options.classifiers.map(
          (classifier) =>
            new EngineCell(options, size, strategy, classifier, () => ({ subject: subject(), strategy, classifier })),
        ),
      ),
      ...options.linux.flatMap((target) => kernelCells(options, size, target, made)),
      ...contendedCells(options, size, () => contentionSubject(options, size, made(), trafficOf)),
    ];
  });
  if (options.shard === null) return cells;
  const { part, of } = parseShard(options.shard);
  return cells.filter((_, nth) => nth % of === part - 1);
}

function kernelCells(options: BenchOptions, size: number, target: KernelTargetName, workload: () => Workload) {
  const { strategies, forms } = KERNEL_TARGETS[target];
  return forms.flatMap((form) =>
    strategies
      .filter((strategy) => options.strategies.includes(strategy))
      .map(
        (strategy) =>
          new RealCell(options, size, () => ({ workload: workload(), target, strategy, form }), {
            target,
            strategy,
            form,
          }),
      ),
  );
}

/** A capture is read before anything is measured, so that a bad one costs nobody an hour. */
function trafficSource({ traffic, family }: BenchOptions): (workload: Workload) => Uint8Array {
  if (isSpread(traffic)) return (workload) => workload.traffic(TRAFFIC_PACKETS, undefined, traffic);
  const captured = captureTraffic(traffic, family, TRAFFIC_PACKETS);
  return () => captured;
}

function subjectOf(workload: Workload, traffic: (workload: Workload) => Uint8Array): Subject {
  const ruleset = parseRuleset(new TextEncoder().encode(workload.ruleset()), { family: workload.family });
  return { workload, ruleset, traffic: traffic(workload) };
}

/** Seconds of a rehearsal, where changes take microseconds, and where nearly all of the code has been compiled while warming up. */
const REHEARSAL_S = 0.4;
const SLOW_REHEARSAL_S = 0.1;
const WARM_UP_MS = 100;

class EngineCell implements BenchCell {
  readonly label: string;
  readonly weight: number;
  readonly rehearsal: Rehearsal;
  private readonly rounds: CellRound[] = [];

  constructor(
    private readonly options: BenchOptions,
    size: number,
    strategy: Strategy,
    classifier: string,
    private readonly cell: () => Cell,
  ) {
    this.label = `${strategy}/${classifier}/${options.workload}/${size}`;
    this.rehearsal = { kind: standInFor(strategy), run: (context) => this.rehearse(context) };
    this.weight = 0.25 + size * 1e-4 + roundSeconds(options, SECONDS_A_SERVICE[strategy] * size);
  }

  async measure({ crew, round, signal }: CellContext): Promise<void> {
    const { options } = this;
    const services = this.rounds.flatMap(({ updater }) => [...updater.serviceNs]);
    const measured = await measureCell(this.cell(), { crew, options, round, ...expectation(services) });
    if (!signal.aborted) this.rounds.push(measured);
  }

  private async rehearse({ crew, round }: CellContext): Promise<void> {
    const { options } = this;
    if (isTrial(options)) return;
    const seconds = this.rehearsal.kind === "incremental" ? REHEARSAL_S : SLOW_REHEARSAL_S;
    const longer = { ...options, duration: seconds * options.rounds };
    await measureCell(this.cell(), { crew, options: longer, round, warmUpMs: WARM_UP_MS });
  }

  record(): ResultRecord | undefined {
    return this.rounds.length > 0 ? assembleRecord(this.cell(), this.rounds, this.options) : undefined;
  }
}

class RealCell implements BenchCell {
  readonly label: string;
  readonly weight: number;
  absence: Absence | undefined;
  private readonly rounds: KernelRound[] = [];

  constructor(
    private readonly options: BenchOptions,
    private readonly size: number,
    private readonly cell: () => KernelCell,
    { target, strategy, form }: Omit<KernelCell, "workload">,
  ) {
    this.label = `${target}/${strategy}/${form}/${options.workload}/${size}`;
    const [each, fixed] = PROCESS_SECONDS[strategy];
    this.weight = 0.5 + size * 5e-4 + roundSeconds(options, each * size + fixed);
  }

  async measure({ round, signal, realTime }: CellContext): Promise<void> {
    const { options } = this;
    const services = this.rounds.flatMap(({ serviceNs }) => [...serviceNs]);
    const cell = this.cell();
    try {
      const measured = await measureKernelCell(cell, { options, round, signal, realTime, ...expectation(services) });
      if (!signal.aborted) this.rounds.push(measured);
    } catch (error) {
      if (!(error instanceof LinuxError)) throw error;
      if (!signal.aborted) this.absence = { target: cell.target, services: this.size, reason: error.message };
    }
  }

  record(): ResultRecord | undefined {
    return this.rounds.length > 0 ? assembleKernelRecord(this.cell(), this.rounds, this.options) : undefined;
  }
}

function roundSeconds(options: BenchOptions, change: number): number {
  return Math.max(options.duration, LEAST_CHANGES * change) / options.rounds;
}

/** What one change took in the rounds before. */
function expectation(servicesNs: readonly number[]): { expectedNs?: number } {
  return servicesNs.length > 0 ? { expectedNs: quantile(servicesNs, 0.5) } : {};
}
