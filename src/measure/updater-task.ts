/** The writer thread of the bench: makes the changes it is given, when they arrive, by one strategy. */
import * as M from "../blob/memory.js";
import { Engine, type EngineHandle } from "../engine/engine.js";
import { goFirst } from "../linux/priority.js";
import { type Phase, PHASES, QUIESCE, type UpdateReport } from "../update/phases.js";
import type { Quiesce } from "../update/quiesce.js";
import { type Strategy, Updater, type UpdateRequest } from "../update/updater.js";
import type { Family } from "../ruleset/row-store.js";
import { REAL_CLOCK } from "./clock.js";
import { type OpenLoopWork, runOpenLoop } from "./open-loop.js";
import { Signals } from "./signals.js";
import { measureYardstick } from "./yardstick.js";
import { collectYoung } from "./young.js";

export interface UpdaterTask {
  readonly engine: EngineHandle;
  readonly strategy: Strategy;
  readonly family: Family;
  readonly quiesce: Quiesce;
  /** Of what arrives, what can be carried out in time. */
  readonly requests: readonly UpdateRequest[];
  /** Nanoseconds from the start to each arrival. */
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
  /** Milliseconds from when the task arrives to its first change. */
  readonly settleMs: number;
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

/** Between one lap and the next while the thread settles. */
const LAP_NS = 1e6;

export default function runUpdater(task: UpdaterTask): UpdaterRecord {
  goFirst();
  const engine = Engine.attach(task.engine);
  const { strategy, family, quiesce, requests } = task;
  const updater = new Updater(engine, { strategy, family, quiesce });
  const changes = new Changes(updater, requests, new Signals(task.signals));
  restartPeak(engine);
  const yardstick = (): number[] => (task.yardstick ? measureYardstick() : []);
  const yardstickNs = yardstick();
  if (task.settleMs > 0) settle(updater, requests.slice(0, task.lap), task.settleMs * 1e6);

  const { scheduleNs, deadlineNs, least } = task;
  const loop = runOpenLoop({ clock: REAL_CLOCK, scheduleNs, deadlineNs, least, most: requests.length, work: changes });
  return {
    latencyNs: loop.latencyNs,
    begunNs: loop.begunNs,
    serviceNs: loop.serviceNs,
    wakeNs: loop.wakeNs,
    unfinished: loop.unfinished,
    startNs: loop.startNs,
    lengthNs: loop.lengthNs,
    ...changes.record(),
    memory: engine.memory(),
    yardstickNs: [...yardstickNs, ...yardstick()],
  };
}

/** Makes the changes, and notes what each cost. */
class Changes implements OpenLoopWork {
  private readonly phasesUs: Float64Array;
  private readonly bytesWritten: Float64Array;
  private readonly recordsTouched: Float64Array;
  private readonly recordsWalked: Float64Array;
  private readonly failedChanges: number[] = [];
  private firstFailure: string | undefined;
  private made = 0;
  /** Of the change just made, until it is noted. */
  private report: UpdateReport | undefined;

  constructor(
    private readonly updater: Updater,
    private readonly requests: readonly UpdateRequest[],
    private readonly signals: Signals,
  ) {
    const { length } = requests;
    this.phasesUs = new Float64Array(length * PHASES.length);
    this.bytesWritten = new Float64Array(length);
    this.recordsTouched = new Float64Array(length);
    this.recordsWalked = new Float64Array(length);
  }

  carryOut(index: number): void {
    try {
      this.report = this.updater.update(this.requests[index] as UpdateRequest);
    } catch (error) {
      this.failedChanges.push(index);
      this.firstFailure ??= error instanceof Error ? error.message : String(error);
    }
    this.signals.made = index + 1;
  }

  /** Notes what the change cost, frees what it has left behind, and counts that with the change. */
  tidy(): void {
    if (this.report) this.note(this.report);
    this.report = undefined;
    const begunNs = REAL_CLOCK.nowNs();
    const { bytesWritten, recordsTouched, recordsWalked } = this.updater.reclaim();
    const last = this.made - 1;
    if (last < 0) return;
    addTo(this.phasesUs, last * PHASES.length + QUIESCE, (REAL_CLOCK.nowNs() - begunNs) / 1000);
    addTo(this.bytesWritten, last, bytesWritten);
    addTo(this.recordsTouched, last, recordsTouched);
    addTo(this.recordsWalked, last, recordsWalked);
  }

  record() {
    const { made, firstFailure } = this;
    return {
      phasesUs: this.phasesUs.slice(0, made * PHASES.length),
      bytesWritten: this.bytesWritten.slice(0, made),
      recordsTouched: this.recordsTouched.slice(0, made),
      recordsWalked: this.recordsWalked.slice(0, made),
      failedChanges: this.failedChanges,
      ...(firstFailure === undefined ? {} : { firstFailure }),
    };
  }

  private note(report: UpdateReport): void {
    const made = this.made++;
    for (let nth = 0; nth < PHASES.length; nth++)
      this.phasesUs[made * PHASES.length + nth] = report.phasesUs[PHASES[nth] as Phase];
    this.bytesWritten[made] = report.bytesWritten;
    this.recordsTouched[made] = report.recordsTouched;
    this.recordsWalked[made] = report.recordsWalked;
  }
}

function addTo(column: Float64Array, index: number, more: number): void {
  column[index] = (column[index] as number) + more;
}

/** Collects what rehearsals have left and makes a lap's changes over and over meanwhile; one that fails does so again where it is counted. */
function settle(updater: Updater, lap: readonly UpdateRequest[], lengthNs: number): void {
  const clock = REAL_CLOCK;
  if (lap.length > 0) collectYoung();
  const settledNs = clock.nowNs() + lengthNs;
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
