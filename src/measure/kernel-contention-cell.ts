/**
 * One round of several programs that change the real kernel's rules at once: a namespace with the rules of all, a process in
 * it for each writer that makes its own changes, a process a change, as programs do.
 *
 * iptables-legacy keeps others out with a lock in a file (of this namespace's own) from before it reads a table until it has
 * replaced it; a program that waits longer than -w says gives up, and is run again. iptables-nft and nft take no lock: nf_tables
 * lets one transaction in at a time, and iptables-nft begins anew when another came in between. What that costs is within
 * their changes. As in the engine every strategy is handed the least edits; a whole ruleset is nothing that one of several
 * programs knows, so `full` is not there.
 */
import { KERNEL_TARGETS } from "../linux/kernel-targets.js";
import { type KernelSession, type KernelTarget, LOCK_TIMEOUT_STATUS } from "../linux/kernel-target.js";
import { Namespace } from "../linux/namespace.js";
import type { Command } from "../linux/resident-protocol.js";
import type { Strategy } from "../update/updater.js";
import type { Change, Workload } from "../workload/workload.js";
import type { BenchOptions } from "./bench-options.js";
import { nowNs } from "./clock.js";
import type { ContenderRecord } from "./contender-task.js";
import { contentionOfRounds, type ContentionRecord, type WriterResult, writerResult } from "./contention.js";
import { type ContentionSubject, cycleOf, writerSeed } from "./contention-cell.js";
import { type KernelCell, programsOf } from "./kernel-cell.js";
import { scheduleNs } from "./open-loop.js";
import { planRun } from "./plan.js";

/** Of each program those strategies with which several can change one ruleset. */
export const CONTENDED_STRATEGIES: readonly Strategy[] = ["one-by-one", "partial", "incremental"];

export interface ContendedKernelCell extends Pick<KernelCell, "target" | "strategy" | "form"> {
  readonly subject: ContentionSubject;
}

export interface KernelContentionContext {
  readonly options: BenchOptions;
  /** From 0. */
  readonly round: number;
  readonly signal: AbortSignal;
}

/**
 * Results by writer.
 * @throws LinuxError when the kernel cannot hold the rules.
 */
export async function measureKernelContention(
  cell: ContendedKernelCell,
  { options, round, signal }: KernelContentionContext,
): Promise<WriterResult[]> {
  const { names, writers } = cell.subject;
  const programs = writers.flatMap((writer) => programsOf(cell.target, writer));
  const namespace = await Namespace.open(programs, signal);
  const residents = [namespace];
  try {
    const contenders: Program[] = [];
    for (const [nth, writer] of writers.entries()) {
      const resident = nth === 0 ? namespace : await namespace.join();
      if (nth > 0) residents.push(resident);
      contenders.push(new Program(resident, cell, writer, { ...options, seed: writerSeed(options, round, nth) }));
    }
    for (const program of contenders) await program.load();
    const records = await Promise.all(contenders.map((program) => program.run(planRun(options, round, 0))));
    return records.map((record, nth) => writerResult(names[nth] as (typeof names)[0], record));
  } finally {
    // Those that have joined first: the namespace's own folder holds the lock.
    for (const resident of residents.toReversed()) await resident.close();
  }
}

/** Of all rounds. */
export function assembleKernelContention(
  { subject, target, strategy, form }: ContendedKernelCell,
  rounds: readonly WriterResult[][],
  { seed }: BenchOptions,
): ContentionRecord {
  const rules = subject.writers.reduce((sum, writer) => sum + writer.rules, 0);
  return contentionOfRounds({ services: subject.size, rules, strategy, classifier: form, target, seed }, rounds);
}

type Made = Omit<ContenderRecord, "waitNs"> & { readonly waitNs: Float64Array | null };

/** One of the programs, and what it has done. */
class Program {
  private readonly target: KernelTarget;
  private readonly session: KernelSession;
  private readonly cycle: readonly Change[];
  private readonly changeNs: number[] = [];
  private readonly waitNs: number[] = [];
  private readonly timeouts: number[] = [];
  private failed = 0;
  private firstFailure: string | undefined;
  /** The program's clock stands still while the harness finds out what to say next, as for one writer. */
  private pausedNs = 0;

  constructor(
    private readonly namespace: Namespace,
    private readonly cell: ContendedKernelCell,
    private readonly workload: Workload,
    private readonly options: BenchOptions,
  ) {
    this.target = KERNEL_TARGETS[cell.target];
    const { family, name: owner } = workload;
    this.session = this.target.session(namespace, family, cell.form, { owner, lockTimeout: options.lockTimeout });
    this.cycle = cycleOf(workload, options.seed);
  }

  load(): Promise<void> {
    return this.session.load(this.workload);
  }

  /** Makes changes until the time is over. Without a rate each begins when the one before is done. */
  async run({ count, deadlineNs, least }: ReturnType<typeof planRun>): Promise<Made> {
    const { rate, arrivals, seed, duration, rounds } = this.options;
    const schedule = rate === "auto" ? undefined : scheduleNs({ arrivals, rate, count, seed });
    const end = rate === "auto" ? (duration / rounds) * 1e9 : deadlineNs;
    const start = this.now();
    let made = 0;
    while ((this.now() - start < end || made < least) && made < (schedule?.length ?? Number.POSITIVE_INFINITY)) {
      const change = this.cycle[made % this.cycle.length] as Change;
      await this.make(change, schedule ? start + (schedule[made] as number) : undefined);
      made++;
    }
    const lengthNs = this.now() - start;
    const left = [...(schedule ?? [])].slice(made).filter((arrival) => arrival < lengthNs);
    return {
      changeNs: Float64Array.from([...this.changeNs, ...left.map((arrival) => lengthNs - arrival)]),
      unfinished: left.length,
      waitNs: this.target.locks ? Float64Array.from(this.waitNs) : null,
      timeouts: Float64Array.from(this.timeouts),
      failed: this.failed,
      ...(this.firstFailure === undefined ? {} : { firstFailure: this.firstFailure }),
      lengthNs,
    };
  }

  /** As often as it takes: from the command on that gave up. */
  private async make(change: Change, arrivalNs: number | undefined): Promise<void> {
    let left = await this.paused(async () => {
      const prepared = await this.session.prepare(change, this.cell.strategy);
      return prepared.map((command): Command => ({ ...command, watched: this.target.locks }));
    });
    let [begun, waited, timeouts] = [arrivalNs, 0, 0];
    for (;;) {
      await this.paused(() => this.namespace.stage(left));
      const { begunNs, endedNs, results } = await this.namespace.go((arrivalNs ?? 0) + this.pausedNs);
      begun ??= begunNs - this.pausedNs;
      waited += results.reduce((sum, { waitedNs }) => sum + waitedNs, 0);
      const fault = results.find(({ status }) => status !== 0);
      if (fault?.status === LOCK_TIMEOUT_STATUS && this.target.locks) {
        timeouts++;
        left = left.slice(results.length - 1);
        continue;
      }
      if (fault) {
        this.failed++;
        this.firstFailure ??= fault.stderr.trim().split("\n")[0] ?? "not carried out";
      } else {
        this.waitNs.push(waited);
        this.timeouts.push(timeouts);
      }
      this.changeNs.push(endedNs - this.pausedNs - begun);
      break;
    }
    await this.paused(() => this.session.settle());
  }

  private readonly now = (): number => nowNs() - this.pausedNs;

  private async paused<T>(work: () => Promise<T>): Promise<T> {
    const begun = nowNs();
    const result = await work();
    this.pausedNs += nowNs() - begun;
    return result;
  }
}
