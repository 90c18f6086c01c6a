/** One round of one cell (size, strategy, classifier): an engine of its own, loaded, matched idle, then updated. */
import { setTimeout as sleep } from "node:timers/promises";
import { Engine, type Classifier } from "../engine/engine.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { type Strategy, Updater, type UpdateRequest } from "../update/updater.js";
import type { Change, Workload } from "../workload/workload.js";
import type { BenchOptions } from "./bench-options.js";
import type { Crew } from "./crew.js";
import { type ScheduleOptions, scheduleNs } from "./open-loop.js";
import { planRun, type RunPlan } from "./plan.js";
import type { ReaderRecord } from "./reader-task.js";
import { PHASE_IDLE, PHASE_UPDATING, Signals } from "./signals.js";
import type { UpdaterRecord } from "./updater-task.js";

/** What cells of one size share. */
export interface Subject {
  readonly workload: Workload;
  readonly ruleset: Ruleset;
  /** Packets that each reader cycles through. */
  readonly traffic: Uint8Array;
}

export interface Cell {
  readonly subject: Subject;
  readonly strategy: Strategy;
  readonly classifier: Classifier;
}

/** What one round of a cell brought. */
export interface CellRound {
  readonly plan: RunPlan;
  readonly updater: UpdaterRecord;
  /** By reader, then by phase. */
  readonly readers: readonly ReaderRecord[][];
  /** Bytes of shared memory that hold the bench's own packets and results; in `updater.memory` too. */
  readonly poolBytes: number;
}

export interface CellContext {
  readonly crew: Crew;
  readonly options: BenchOptions;
  /** From 0. */
  readonly round: number;
}

/** Milliseconds of matching alone. */
const IDLE_MS = 100;
/** Milliseconds of changes that are made before any is measured, for the optimising compiler's sake. */
const WARM_UP_MS = 60;
const WARM_UP_CHANGES = 100;

export async function measureCell(cell: Cell, context: CellContext): Promise<CellRound> {
  const { crew, options } = context;
  const seed = seedOf(context);
  const { workload, ruleset, traffic } = cell.subject;
  const engine = Engine.create({
    readers: options.readers,
    classifier: cell.classifier,
    seed,
    localAddresses: workload.localAddresses,
  });
  new Updater(engine, { strategy: "full", family: workload.family }).load(ruleset);
  const plan = planRun(options, context.round, await warmUp(cell, context, engine));
  const changes = take(workload.changes(seed), plan.count);
  const requests = changes.map((change) => requestOf(change, cell.strategy));
  const signals = new Signals();
  const ownBytes = engine.memory().liveBytes;
  const readers = Array.from({ length: options.readers }, (_, reader) =>
    crew.read({
      engine: engine.handle,
      reader,
      traffic,
      probes: changes.map(({ probe }) => probe),
      signals: signals.buffer,
    }),
  );
  // Fails when a reader does, and never ends before all of them have.
  const reading = Promise.all(readers);
  const work = async (): Promise<UpdaterRecord> => {
    while (signals.ready < options.readers) {
      await sleep(1);
      if (signals.stopped) throw new Error("a reader failed");
    }
    poolBytes = engine.memory().liveBytes - ownBytes;
    signals.phase = PHASE_IDLE;
    await sleep(IDLE_MS);
    signals.phase = PHASE_UPDATING;
    return crew.update({
      ...writing(cell, options, engine, requests),
      scheduleNs: scheduleNs(scheduleOf(plan, options, seed)),
      deadlineNs: plan.deadlineNs,
      least: plan.least,
      probed: changes.map(({ probe }) => probe !== undefined),
      signals: signals.buffer,
    });
  };
  let poolBytes = 0;
  try {
    const updater = await Promise.race([work(), reading.then(endedEarly)]);
    signals.stop();
    return { plan, updater, readers: await reading, poolBytes };
  } finally {
    signals.stop();
  }
}

/** Makes some changes unmeasured, there and back. Resolves with the nanoseconds that one of the cell's changes takes. */
async function warmUp(cell: Cell, context: CellContext, engine: Engine): Promise<number> {
  // One replacement tells what one by one costs: as many of them as there are edits.
  const strategy = cell.strategy === "one-by-one" ? "partial" : cell.strategy;
  const run = async (count: number): Promise<number> => {
    const changes = take(cell.subject.workload.changes(seedOf(context)), count);
    const { serviceNs, failed, firstFailure } = await context.crew.update({
      ...writing(
        { ...cell, strategy },
        context.options,
        engine,
        changes.map((change) => requestOf(change, cell.strategy)),
      ),
      scheduleNs: new Float64Array(count),
      deadlineNs: 0,
      least: count,
      probed: [],
      signals: new Signals().buffer,
    });
    if (failed > 0) throw new Error(`${failed} of ${count} changes failed: ${firstFailure}`);
    const edits = cell.strategy === "one-by-one" ? Math.max(...changes.map(editsOf)) : 1;
    return edits * (serviceNs.toSorted()[count >> 1] as number);
  };
  const first = await run(2);
  const more = Math.min(WARM_UP_CHANGES, Math.floor((WARM_UP_MS * 1e6) / first)) & ~1;
  return more > 0 ? run(more) : first;
}

function writing(
  cell: Pick<Cell, "strategy" | "subject">,
  options: BenchOptions,
  engine: Engine,
  requests: UpdateRequest[],
) {
  return {
    engine: engine.handle,
    strategy: cell.strategy,
    family: cell.subject.workload.family,
    quiesce: options.quiesce,
    requests,
  };
}

/**
 * What a program of this kind hands over for a change: the whole ruleset, the chains that may differ, or the edits. As
 * bytes, which is how it comes through a pipe or from a file.
 */
export function requestOf(change: Change, strategy: Strategy): UpdateRequest {
  const encoder = new TextEncoder();
  if (strategy === "full") return { ruleset: encoder.encode(change.whole()) };
  return { batch: encoder.encode(strategy === "partial" ? change.restated() : change.batch) };
}

/** Edits of a batch: its lines but for tables and their ends. */
function editsOf(change: Change): number {
  return change.batch.split("\n").filter((line) => /^[:-]/.test(line)).length;
}

/** The changes and arrivals of one round are not another's. */
const seedOf = ({ options, round }: CellContext): number => (options.seed + round) >>> 0;

function scheduleOf(plan: RunPlan, options: BenchOptions, seed: number): ScheduleOptions {
  return { arrivals: options.arrivals, rate: plan.rate, count: plan.count, seed };
}

function take<T>(items: Iterator<T>, count: number): T[] {
  const taken: T[] = [];
  while (taken.length < count) {
    const next = items.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}

function endedEarly(): never {
  throw new Error("the readers ended before the updates did");
}
