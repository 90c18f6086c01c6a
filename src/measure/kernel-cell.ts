/** One round of one kernel cell (size, program, strategy, form): a namespace of its own, loaded, then changed. */
import { KERNEL_TARGETS, type KernelTargetName } from "../linux/kernel-targets.js";
import type { KernelSession, KernelTarget } from "../linux/kernel-target.js";
import { Namespace } from "../linux/namespace.js";
import type { RealTime } from "../linux/real-time.js";
import type { NftForm } from "../linux/nft-script.js";
import type { Command } from "../linux/resident-protocol.js";
import type { Strategy } from "../update/updater.js";
import type { Change, Workload } from "../workload/workload.js";
import type { BenchOptions } from "./bench-options.js";
import { nowNs } from "./clock.js";
import { OpenLoop, scheduleNs } from "./open-loop.js";
import { isTrial, planRun, type RunPlan, suitsRealTime } from "./plan.js";
import { editsOf, take } from "./request.js";
import { measureYardstick } from "./yardstick.js";

export interface KernelCell {
  readonly workload: Workload;
  readonly target: KernelTargetName;
  readonly strategy: Strategy;
  readonly form: NftForm;
}

/** What one round of a kernel cell brought. Columns of numbers, as in OpenLoopResult. */
export interface KernelRound {
  readonly plan: RunPlan;
  /** On which the programs ran; undefined for any. */
  readonly processor: number | undefined;
  readonly yardstickNs: readonly number[];
  readonly latencyNs: Float64Array;
  readonly serviceNs: Float64Array;
  readonly wakeNs: Float64Array;
  readonly unfinished: number;
  /** What a process of the same program that changes nothing took, beside each change. */
  readonly nothingNs: Float64Array;
  readonly failed: number;
  readonly firstFailure?: string;
}

export interface KernelContext {
  readonly options: BenchOptions;
  /** From 0. */
  readonly round: number;
  /** What one change took in an earlier round, in nanoseconds. */
  readonly expectedNs?: number;
  readonly signal?: AbortSignal;
  readonly realTime?: RealTime | undefined;
}

/** @throws LinuxError when the kernel cannot hold the ruleset. */
export async function measureKernelCell(cell: KernelCell, context: KernelContext): Promise<KernelRound> {
  const namespace = await Namespace.open(programsOf(cell.target, cell.workload), context.signal);
  try {
    return await new Measurement(namespace, cell, context).run();
  } finally {
    await namespace.close();
  }
}

/** Programs that must be installed. */
export function programsOf(target: KernelTargetName, { family, sets }: Pick<Workload, "family" | "sets">): string[] {
  return [...KERNEL_TARGETS[target].programs(family), ...(sets === undefined ? [] : ["ipset"])];
}

class Measurement {
  private readonly session: KernelSession;
  private readonly nothing: Command;
  private readonly nothingNs: number[] = [];
  private failed = 0;
  private firstFailure: string | undefined;
  /** The clock stands still while the harness works, so that no change is late because of it. */
  private pausedNs = 0;

  constructor(
    private readonly namespace: Namespace,
    private readonly cell: KernelCell,
    private readonly context: KernelContext,
  ) {
    const target: KernelTarget = KERNEL_TARGETS[cell.target];
    this.session = target.session(namespace, cell.workload.family, cell.form);
    this.nothing = target.nothing(cell.workload.family);
  }

  async run(): Promise<KernelRound> {
    const { options, round } = this.context;
    const seed = (options.seed + round) >>> 0;
    await this.session.load(this.cell.workload);
    const expectedNs = this.context.expectedNs ?? (await this.warmUp(seed));
    const plan = planRun(options, round, expectedNs);
    const processor = await this.raise(plan, expectedNs);
    const yardstickNs = measureYardstick();
    const changes = take(this.cell.workload.changes(seed), plan.most);
    const { arrivals } = options;
    const loop = new OpenLoop({
      clock: { nowNs: this.now },
      scheduleNs: scheduleNs({ arrivals, rate: plan.rate, count: plan.count, seed }),
      deadlineNs: plan.deadlineNs,
      least: plan.least,
      most: plan.most,
    });
    for (let index = loop.next(); index >= 0; index = loop.next()) {
      const { begunNs, endedNs } = await this.make(changes[index] as Change, loop.intendedNs(index));
      loop.served(begunNs, endedNs);
    }
    const { latencyNs, serviceNs, wakeNs, unfinished } = loop.end();
    return {
      plan,
      processor,
      yardstickNs: [...yardstickNs, ...measureYardstick()],
      latencyNs,
      serviceNs,
      wakeNs,
      unfinished,
      nothingNs: Float64Array.from(this.nothingNs),
      failed: this.failed,
      ...(this.firstFailure === undefined ? {} : { firstFailure: this.firstFailure }),
    };
  }

  private readonly now = (): number => nowNs() - this.pausedNs;

  /** Makes a change when it is due, then lets a process that changes nothing run. */
  private async make(change: Change, intendedNs: number): Promise<{ begunNs: number; endedNs: number }> {
    const commands = await this.paused(async () => {
      const prepared = await this.session.prepare(change, this.cell.strategy);
      await this.namespace.stage(prepared);
      return prepared;
    });
    const { begunNs, endedNs, results } = await this.namespace.go(intendedNs + this.pausedNs);
    const served = { begunNs: begunNs - this.pausedNs, endedNs: endedNs - this.pausedNs };
    const fault = results.find(({ status }) => status !== 0);
    if (fault || results.length < commands.length) {
      this.failed++;
      this.firstFailure ??= fault?.stderr.trim().split("\n")[0] ?? "not carried out";
    }
    await this.paused(async () => {
      await this.session.settle();
      const idle = await this.namespace.run([this.nothing]);
      this.nothingNs.push(idle.endedNs - idle.begunNs);
    });
    return served;
  }

  private async paused<T>(work: () => Promise<T>): Promise<T> {
    const begun = nowNs();
    const result = await work();
    this.pausedNs += nowNs() - begun;
    return result;
  }

  /** Before everybody else, on the processor that is interrupted least, where the round is short enough and no trial. */
  private async raise(plan: RunPlan, expectedNs: number): Promise<number | undefined> {
    const { realTime, options } = this.context;
    if (!realTime || !suitsRealTime(plan, expectedNs)) return undefined;
    const processor = isTrial(options) ? undefined : await realTime.settle();
    return (await realTime.raise(this.namespace.pid)) ? processor : undefined;
  }

  /** A period of changes; a replacement for each edit tells what one by one costs. Nanoseconds of a change. */
  private async warmUp(seed: number): Promise<number> {
    const { strategy, workload } = this.cell;
    const oneByOne = strategy === "one-by-one";
    let best = Number.POSITIVE_INFINITY;
    let edits = 1;
    for (const change of take(workload.changes(seed), workload.period)) {
      const commands = await this.session.prepare(change, oneByOne ? "partial" : strategy);
      const { begunNs, endedNs } = await this.namespace.run(commands);
      await this.session.settle();
      best = Math.min(best, endedNs - begunNs);
      if (oneByOne) edits = Math.max(edits, editsOf(change));
    }
    return best * edits;
  }
}
