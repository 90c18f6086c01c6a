/**
 * The bench: every strategy with every classifier at every size, in rounds, each round in the opposite order of the one
 * before, so that what the machine does meanwhile falls on all of them.
 */
import { availableParallelism } from "node:os";
import type { Workload } from "../workload/workload.js";
import { kernelAbsence } from "../linux/absence.js";
import { RealTime } from "../linux/real-time.js";
import { assembleGrowth } from "./assemble-growth.js";
import type { BenchCell, CellContext } from "./bench-cell.js";
import { cellsOf } from "./bench-cells.js";
import { type BenchOptions, checkBenchOptions } from "./bench-options.js";
import { Crew, CREW_TASKS, type CrewTasks } from "./crew.js";
import { environment } from "./environment.js";
import { programsOf } from "./kernel-cell.js";
import { stolenSeconds } from "./stolen.js";
import { type Absence, RESULT_SCHEMA, type ResultFile } from "./result.js";

export interface BenchHooks {
  /** Ends the run early; what has been measured is returned as a partial result. */
  readonly signal?: AbortSignal;
  /** Called before each step, and once at the end with `done` equal to `total`. */
  readonly onProgress?: (progress: BenchProgress) => void;
  /** The threads' code; tests bring their own. */
  readonly tasks?: CrewTasks;
}

export interface BenchProgress {
  /** Of the expected work, in the same unit as `total`. */
  readonly done: number;
  readonly total: number;
  /** What is measured now: "incremental/tuple-space/kube-proxy/5000". */
  readonly label: string;
}

/**
 * Measures. `workload` makes the workload of one size.
 * @throws RangeError on a wrong option, WorkerFailure when a thread dies.
 */
export async function runBench(
  options: BenchOptions,
  workload: (size: number) => Workload,
  hooks: BenchHooks = {},
): Promise<ResultFile> {
  checkBenchOptions(options);
  // Where there are fewer cores than threads, readers would not run at all.
  const realTime = options.readers < availableParallelism() ? await RealTime.start() : undefined;
  try {
    return await measured(options, workload, hooks, realTime);
  } finally {
    await realTime?.end();
  }
}

async function measured(
  options: BenchOptions,
  workload: (size: number) => Workload,
  hooks: BenchHooks,
  realTime: RealTime | undefined,
): Promise<ResultFile> {
  const started = performance.now();
  const stolenBefore = stolenSeconds();
  const where = environment(realTime !== undefined);
  const absent = absentTargets(options);
  const there = options.linux.filter((target) => !absent.some((one) => one.target === target));
  const cells = cellsOf({ ...options, linux: there }, workload);
  const partial = !(await measureAll(cells, options, { ...hooks, realTime }));
  const results = cells.flatMap((cell) => cell.record() ?? []);
  const stolenAfter = stolenSeconds();
  return {
    schema: RESULT_SCHEMA,
    environment: where,
    options,
    partial,
    elapsed_s: (performance.now() - started) / 1000,
    stolen_s: stolenBefore === null || stolenAfter === null ? null : stolenAfter - stolenBefore,
    results,
    growth: assembleGrowth(results),
    contention: cells.flatMap((cell) => cell.contention?.() ?? []),
    absent: distinct([...absent, ...cells.flatMap(({ absence }) => absence ?? [])]),
  };
}

/** Several cells are absent for one reason. */
function distinct(absent: readonly Absence[]): Absence[] {
  return [...new Map(absent.map((one) => [JSON.stringify(one), one])).values()];
}

/** Programs of the real kernel that cannot run here, whatever the ruleset. */
function absentTargets({ linux, family }: BenchOptions): Absence[] {
  return linux.flatMap((target) => {
    const reason = kernelAbsence(programsOf(target, { family }))?.message;
    return reason === undefined ? [] : { target, services: null, reason };
  });
}

/**
 * Rehearsals of the quickest kind of cell. What is compiled in the first is thrown away when it comes to an end that the compiler had not
 * seen yet, or to another engine; the last ones find nothing left to compile.
 */
const REHEARSALS = 5;
/** Seconds of a round, as a cell expects them, that a rehearsal may take unless there is no quicker one. */
const REHEARSAL_WEIGHT = 2;

/** Of each kind of cells that can be rehearsed the quickest, the slowest kind first, the quickest REHEARSALS times. */
function rehearsals(cells: readonly BenchCell[]): BenchCell[] {
  const quickest = new Map<string, BenchCell>();
  for (const cell of cells) {
    if (!cell.rehearsal) continue;
    const { kind } = cell.rehearsal;
    const other = quickest.get(kind);
    if (!other || cell.weight <= other.weight) quickest.set(kind, cell);
  }
  const once = [...quickest.values()].sort((a, b) => b.weight - a.weight);
  const again = once.at(-1);
  if (!again) return [];
  const short = once.slice(0, -1).filter(({ weight }) => weight <= REHEARSAL_WEIGHT);
  return [...short, ...Array<BenchCell>(REHEARSALS).fill(again)];
}

/** True when nothing was left out. When it resolves, no thread and no process of the cells' is left, whatever it was doing. */
async function measureAll(
  cells: readonly BenchCell[],
  options: BenchOptions,
  hooks: BenchHooks & Pick<CellContext, "realTime">,
): Promise<boolean> {
  const { realTime, onProgress, signal = new AbortController().signal } = hooks;
  /** Waits for `work`; false when the signal has come, which takes the threads and processes from under it. */
  const ends = async (work?: Promise<void>): Promise<boolean> => {
    try {
      await work;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return !signal.aborted;
  };
  const total = options.rounds * cells.reduce((sum, { weight }) => sum + weight, 0);
  let progress = 0;
  for (let round = 0; round < options.rounds; round++) {
    if (signal.aborted) return false;
    // Threads of its own: what their compilers made of the code differs as it does between runs.
    const crew = new Crew(options.readers, hooks.tasks ?? CREW_TASKS, realTime);
    const end = (): void => void crew.end();
    signal.addEventListener("abort", end, { once: true });
    const context = { crew, round, signal, realTime };
    try {
      for (const cell of rehearsals(cells)) if (!(await ends(cell.rehearsal?.run(context)))) return false;
      for (const cell of round % 2 === 0 ? cells : cells.toReversed()) {
        onProgress?.({ done: progress, total, label: cell.label });
        if (!cell.absence && !(await ends(cell.measure(context)))) return false;
        progress += cell.weight;
      }
    } finally {
      signal.removeEventListener("abort", end);
      await crew.end();
    }
  }
  onProgress?.({ done: total, total, label: "" });
  return true;
}
