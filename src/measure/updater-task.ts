/** The writer thread of the bench: makes the changes it is given, when they arrive, by one strategy. */
import * as M from "../blob/memory.js";
import { Engine, type EngineHandle } from "../engine/engine.js";
import { goFirst } from "../linux/priority.js";
import { PHASES } from "../update/phases.js";
import type { Quiesce } from "../update/quiesce.js";
import { type Strategy, Updater, type UpdateRequest } from "../update/updater.js";
import type { Family } from "../ruleset/row-store.js";
import { type Clock, realClock } from "./clock.js";
import { runOpenLoop } from "./open-loop.js";
import { Signals } from "./signals.js";
import { measureYardstick } from "./yardstick.js";

export interface UpdaterTask {
  readonly engine: EngineHandle;
  readonly strategy: Strategy;
  readonly family: Family;
  readonly quiesce: Quiesce;
  readonly requests: readonly UpdateRequest[];
  /** Nanoseconds from the start to each request's arrival. */
  readonly scheduleNs: Float64Array;
  readonly deadlineNs: number;
  /** Requests that are carried out whatever the deadline says. */
  readonly least: number;
  readonly signals: SharedArrayBuffer;
  /** Whether this is measured: the yardstick is timed as well, before the first change and behind the last. */
  readonly yardstick: boolean;
  /**
   * Of what is measured, how many of the first requests lead back to where they begin, where it pays to make them for nothing first: an
   * engine that a thread has just come to is not the one that it has been changing. 0 none.
   */
  readonly lap: number;
}

/** Columns of numbers, one element a change that was made, unless said otherwise. */
export interface UpdaterRecord {
  /** As in OpenLoopResult: unfinished ones at the end. */
  readonly latencyNs: Float64Array;
  readonly begunNs: Float64Array;
  readonly serviceNs: Float64Array;
  readonly wakeNs: Float64Array;
  readonly unfinished: number;
  readonly startNs: number;
  readonly lengthNs: number;
  /** PHASES.length numbers a change. */
  readonly phasesUs: Float64Array;
  readonly bytesWritten: Float64Array;
  readonly recordsTouched: Float64Array;
  readonly recordsWalked: Float64Array;
  /** Which changes failed. */
  readonly failedChanges: readonly number[];
  /** What the first failed change threw. */
  readonly firstFailure?: string;
  readonly memory: { readonly liveBytes: number; readonly peakBytes: number };
  readonly yardstickNs: readonly number[];
}

/** From when a measured task arrives to its first change. */
const SETTLE_NS = 50e6;
/** Between one lap and the next meanwhile. */
const LAP_NS = 1e6;

export default function runUpdater(task: UpdaterTask): UpdaterRecord {
  goFirst();
  const engine = Engine.attach(task.engine);
  const { strategy, family, quiesce } = task;
  const updater = new Updater(engine, { strategy, family, quiesce });
  const signals = new Signals(task.signals);
  const clock = realClock();
  const count = task.requests.length;
  const phasesUs = new Float64Array(count * PHASES.length);
  const bytesWritten = new Float64Array(count);
  const recordsTouched = new Float64Array(count);
  const recordsWalked = new Float64Array(count);
  const failedChanges: number[] = [];
  let made = 0;
  let firstFailure: string | undefined;
  restartPeak(engine);
  const yardstick = (): number[] => (task.yardstick ? measureYardstick() : []);
  const yardstickNs = yardstick();
  // Whoever handed the task over is busy for some milliseconds more, and there may be no core left for it.
  if (task.yardstick) settle(clock, updater, task.requests.slice(0, task.lap));

  const loop = runOpenLoop({
    clock,
    scheduleNs: task.scheduleNs,
    deadlineNs: task.deadlineNs,
    least: task.least,
    work(index) {
      signals.begun = index + 1;
      try {
        const report = updater.update(task.requests[index] as UpdateRequest);
        PHASES.forEach((phase, nth) => {
          phasesUs[made * PHASES.length + nth] = report.phasesUs[phase];
        });
        bytesWritten[made] = report.bytesWritten;
        recordsTouched[made] = report.recordsTouched;
        recordsWalked[made] = report.recordsWalked;
        made++;
      } catch (error) {
        failedChanges.push(index);
        firstFailure ??= error instanceof Error ? error.message : String(error);
      }
      signals.made = index + 1;
    },
  });
  return {
    latencyNs: loop.latencyNs,
    begunNs: loop.begunNs,
    serviceNs: loop.serviceNs,
    wakeNs: loop.wakeNs,
    unfinished: loop.unfinished,
    startNs: loop.startNs,
    lengthNs: loop.lengthNs,
    phasesUs: phasesUs.slice(0, made * PHASES.length),
    bytesWritten: bytesWritten.slice(0, made),
    recordsTouched: recordsTouched.slice(0, made),
    recordsWalked: recordsWalked.slice(0, made),
    failedChanges,
    ...(firstFailure === undefined ? {} : { firstFailure }),
    memory: engine.memory(),
    yardstickNs: [...yardstickNs, ...yardstick()],
  };
}

/** Makes a lap's changes over and over meanwhile; one that fails does so again where it is counted. */
function settle(clock: Clock, updater: Updater, lap: readonly UpdateRequest[]): void {
  const settledNs = clock.nowNs() + SETTLE_NS;
  try {
    while (lap.length > 0 && clock.nowNs() < settledNs) {
      for (const request of lap) updater.update(request);
      clock.waitUntilNs(clock.nowNs() + LAP_NS);
    }
  } catch {
    // Nothing of it was carried out.
  }
  clock.waitUntilNs(settledNs);
}

/** From here on the engine's peak is that of the updates, not of loading. */
function restartPeak(engine: Engine): void {
  engine.locked(() => {
    const view = engine.data();
    const live = view.getUint32(M.CONTROL_ADDRESS + M.CONTROL_LIVE_BYTES, true);
    view.setUint32(M.CONTROL_ADDRESS + M.CONTROL_PEAK_BYTES, live, true);
  });
}
