/**
 * The bench: every strategy with every classifier at every size, in rounds, each round in the opposite order of the one
 * before, so that what the machine does meanwhile falls on all of them.
 */
import type { Workload } from "../workload/workload.js";
import { parseRuleset } from "../ruleset/parse.js";
import { assembleGrowth, assembleRecord, quantile } from "./assemble.js";
import { type BenchOptions, checkBenchOptions } from "./bench-options.js";
import { type Cell, type CellRound, measureCell, type Subject } from "./cell.js";
import { Crew, CREW_TASKS, type CrewTasks } from "./crew.js";
import { environment } from "./environment.js";
import { LEAST_CHANGES } from "./plan.js";
import { RESULT_SCHEMA, type ResultFile } from "./result.js";

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

/** Packets that each reader cycles through: 1 MB with their results, more than a core's nearest caches. */
const TRAFFIC_PACKETS = 4096;

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
  const started = performance.now();
  const where = environment();
  const cells = cellsOf(options, workload);
  const done = new Map<LazyCell, CellRound[]>();
  const partial = !(await measureAll(cells, done, options, hooks));
  const results = cells.flatMap((cell) => {
    const rounds = done.get(cell);
    return rounds ? [assembleRecord(cell.get(), rounds, options)] : [];
  });
  return {
    schema: RESULT_SCHEMA,
    environment: where,
    options,
    partial,
    elapsed_s: (performance.now() - started) / 1000,
    results,
    growth: assembleGrowth(results),
  };
}

/** True when nothing was left out. */
async function measureAll(
  cells: readonly LazyCell[],
  done: Map<LazyCell, CellRound[]>,
  options: BenchOptions,
  hooks: BenchHooks,
): Promise<boolean> {
  const { signal, onProgress } = hooks;
  const crew = new Crew(options.readers, hooks.tasks ?? CREW_TASKS);
  const abort = new Promise<"aborted">((resolve) => {
    if (signal?.aborted) resolve("aborted");
    signal?.addEventListener("abort", () => resolve("aborted"), { once: true });
  });
  const total = options.rounds * cells.reduce((sum, { weight }) => sum + weight, 0);
  let progress = 0;
  try {
    for (let round = 0; round < options.rounds; round++)
      for (const cell of round % 2 === 0 ? cells : cells.toReversed()) {
        onProgress?.({ done: progress, total, label: cell.label });
        const measuring = measureCell(cell.get(), { crew, options, round, ...expectation(done.get(cell)) });
        const outcome = await Promise.race([abort, measuring]);
        if (outcome === "aborted") {
          measuring.catch(() => {}); // Its threads are ended below.
          return false;
        }
        done.set(cell, [...(done.get(cell) ?? []), outcome]);
        progress += cell.weight;
      }
    onProgress?.({ done: total, total, label: "" });
    return true;
  } finally {
    await crew.end();
  }
}

/** What one change took in the rounds before. */
function expectation(rounds: readonly CellRound[] = []): { expectedNs?: number } {
  const services = rounds.flatMap(({ updater }) => [...updater.serviceNs]);
  return services.length > 0 ? { expectedNs: quantile(services, 0.5) } : {};
}

/** A cell whose ruleset is made when it is first needed. */
interface LazyCell {
  readonly label: string;
  /** Expected seconds of a round, roughly and on no machine in particular. */
  readonly weight: number;
  readonly get: () => Cell;
}

function cellsOf(options: BenchOptions, workload: (size: number) => Workload): LazyCell[] {
  return options.sizes.flatMap((size) => {
    let made: Subject | undefined;
    const subject = (): Subject => {
      made ??= subjectOf(workload(size));
      return made;
    };
    return options.strategies.flatMap((strategy) =>
      options.classifiers.map(
        (classifier): LazyCell => ({
          label: `${strategy}/${classifier}/${options.workload}/${size}`,
          weight: expectedSeconds(strategy, size, options),
          get: () => ({ subject: subject(), strategy, classifier }),
        }),
      ),
    );
  });
}

function subjectOf(workload: Workload): Subject {
  const ruleset = parseRuleset(new TextEncoder().encode(workload.ruleset()), { family: workload.family });
  return { workload, ruleset, traffic: workload.traffic(TRAFFIC_PACKETS) };
}

/** Seconds that one change at one service takes; only to tell how much is left. */
const SECONDS_A_SERVICE = { "one-by-one": 4e-4, full: 4e-5, partial: 4e-5, incremental: 0 } as const;

function expectedSeconds(strategy: BenchOptions["strategies"][number], size: number, options: BenchOptions): number {
  const change = SECONDS_A_SERVICE[strategy] * size;
  return 0.25 + size * 1e-4 + Math.max(options.duration, LEAST_CHANGES * change) / options.rounds;
}
