/** One round of one cell (size, strategy, classifier): an engine of its own, loaded, matched idle, then updated. */
import { setTimeout as sleep } from "node:timers/promises";
import { Engine, type Classifier } from "../engine/engine.js";
import { RulesetError } from "../ruleset/ruleset-error.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { type Strategy, Updater } from "../update/updater.js";
import type { Change, Workload } from "../workload/workload.js";
import type { BenchOptions } from "./bench-options.js";
import type { Crew } from "./crew.js";
import { type ScheduleOptions, scheduleNs } from "./open-loop.js";
import { isTrial, planRun, type RunPlan, suitsRealTime } from "./plan.js";
import { requestOf, take } from "./request.js";
import { type Effects, effectsOf } from "./effects.js";
import type { ReaderRecord } from "./reader-task.js";
import { PHASE_IDLE, PHASE_UPDATING, Signals } from "./signals.js";
import type { UpdaterRecord, UpdaterTask } from "./updater-task.js";
import { warmUp } from "./warm-up.js";

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
  /** On which the changes were made; undefined for any. */
  readonly processor: number | undefined;
  readonly updater: UpdaterRecord;
  readonly effects: Effects;
  /** By reader. */
  readonly readers: readonly ReaderRecord[];
  /** Bytes of shared memory that hold the bench's own packets and results; in `updater.memory` too. */
  readonly poolBytes: number;
}

export interface CellContext {
  readonly crew: Crew;
  readonly options: BenchOptions;
  /** From 0. */
  readonly round: number;
  /** What one change took in an earlier round, in nanoseconds; without it the cell is warmed up to find out. Threads that
   *  have not made changes of this strategy are warmed up in any case, but for trials. */
  readonly expectedNs?: number;
  /** Milliseconds that readers match for nothing first. Default 0. */
  readonly warmUpMs?: number;
}

/** Connections that are tracked at a time: readers' traffic begins at most 4,096, probes the rest. */
const CONNECTIONS = 65_536;

/** What an engine is told of connections. */
export const tracking = ({ track }: BenchOptions): { connections?: number } =>
  track ? { connections: CONNECTIONS } : {};

/** What a lap may take that is made for nothing: longer ones are as quick the first time. */
const LAP_MOST_NS = 10e6;

/** Milliseconds that the writer waits first: whoever handed the task over is busy for some more, and there may be no core left for it. */
const SETTLE_MS = 50;

/** Milliseconds of matching alone, and of trials. */
const IDLE_MS = 100;
const TRIAL_IDLE_MS = 25;

export async function measureCell(cell: Cell, context: CellContext): Promise<CellRound> {
  const { crew, options } = context;
  const seed = seedOf(context);
  const { workload, ruleset, traffic } = cell.subject;
  const engine = Engine.create({
    readers: options.readers,
    classifier: cell.classifier,
    seed,
    localAddresses: workload.localAddresses,
    ...tracking(options),
    ...(workload.routing ? { routing: workload.routing } : {}),
    ...(workload.accounting ? { accounting: workload.accounting } : {}),
    ...(workload.timeoutPolicies ? { timeoutPolicies: workload.timeoutPolicies } : {}),
  });
  load(engine, ruleset, workload);
  const changesOf = (count: number): Change[] => take(workload.changes(seed), count);
  const trial = isTrial(options);
  const first = !trial && crew.isNewTo(cell.strategy);
  const warmedUp = async (): Promise<number> =>
    warmUp({
      cell,
      first,
      trial,
      period: workload.period,
      changes: changesOf,
      update: (task) => crew.update({ ...writing(cell, options, engine), ...task }),
    });
  const bestNs = first || context.expectedNs === undefined ? await warmedUp() : undefined;
  const expectedNs = context.expectedNs ?? (bestNs as number);
  const plan = planRun(options, context.round, expectedNs);
  const atRealTime = suitsRealTime(plan, expectedNs);
  const processor = atRealTime && !trial ? await crew.settle() : undefined;
  const changes = changesOf(plan.most);
  const requests = changes.map((change) => requestOf(change, cell.strategy));
  const schedule = scheduleNs(scheduleOf(plan, options, seed));
  const signals = new Signals();
  const ownBytes = engine.memory().liveBytes;
  const readers = Array.from({ length: options.readers }, (_, reader) =>
    crew.read({
      engine: engine.handle,
      reader,
      traffic,
      probes: changes.map(({ probe }) => probe),
      signals: signals.buffer,
      track: options.track,
      warmUpMs: context.warmUpMs ?? 0,
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
    await sleep(trial ? TRIAL_IDLE_MS : IDLE_MS);
    signals.phase = PHASE_UPDATING;
    const task: UpdaterTask = {
      ...writing(cell, options, engine),
      strategy: cell.strategy,
      requests,
      scheduleNs: schedule,
      deadlineNs: plan.deadlineNs,
      least: plan.least,
      signals: signals.buffer,
      yardstick: true,
      settleMs: trial ? 0 : SETTLE_MS,
      lap: workload.period <= changes.length && workload.period * expectedNs <= LAP_MOST_NS ? workload.period : 0,
    };
    return crew.update(task, atRealTime);
  };
  let poolBytes = 0;
  try {
    const updater = await Promise.race([work(), reading.then(endedEarly)]);
    signals.stop();
    const records = await reading;
    const probed = changes.map(({ probe }) => probe !== undefined);
    const seen = records.map(({ effects }) => effects);
    return {
      plan,
      processor,
      updater,
      effects: effectsOf(probed, schedule, updater, seen),
      readers: records,
      poolBytes,
    };
  } finally {
    signals.stop();
  }
}

/** Lines are those of the printed ruleset, which is not the user's file: the rule itself is what tells. */
function load(engine: Engine, ruleset: Ruleset, { name, sets }: Workload): void {
  try {
    const updater = new Updater(engine, { strategy: "full", family: ruleset.family });
    if (sets !== undefined) updater.updateSets({ sets });
    updater.load(ruleset);
  } catch (error) {
    if (!(error instanceof RulesetError)) throw error;
    const { code, found, expected } = error;
    throw new RulesetError({ code, file: name, line: 0, column: 0, found, expected });
  }
}

function writing(cell: Cell, options: BenchOptions, engine: Engine) {
  return { engine: engine.handle, family: cell.subject.workload.family, quiesce: options.quiesce };
}

/** The changes and arrivals of one round are not another's. */
const seedOf = ({ options, round }: CellContext): number => (options.seed + round) >>> 0;

function scheduleOf(plan: RunPlan, options: BenchOptions, seed: number): ScheduleOptions {
  return { arrivals: options.arrivals, rate: plan.rate, count: plan.count, seed };
}

function endedEarly(): never {
  throw new Error("the readers ended before the updates did");
}
