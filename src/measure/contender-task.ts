/**
 * One of several writers of the bench, a program that changes a table which others change as well: makes its changes one
 * after another, each as often as it takes, since it gives up waiting for the lock after a while, as iptables' -w has it.
 */
import { Engine, type EngineHandle } from "../engine/engine.js";
import type { Family } from "../ruleset/row-store.js";
import type { Quiesce } from "../update/quiesce.js";
import { LockTimeout } from "../update/transaction.js";
import { type Strategy, Updater, type UpdateRequest } from "../update/updater.js";
import { nowNs, REAL_CLOCK } from "./clock.js";
import { runOpenLoop } from "./open-loop.js";
import { PHASE_NONE, Signals } from "./signals.js";

export interface ContenderTask {
  readonly engine: EngineHandle;
  readonly strategy: Strategy;
  readonly family: Family;
  readonly quiesce: Quiesce;
  /** Milliseconds after which an attempt gives up waiting for the lock. */
  readonly lockTimeoutMs: number;
  /** Changes that lead back to where they begin, made over and over. */
  readonly requests: readonly UpdateRequest[];
  /** Milliseconds of changes before any is measured, for the optimising compiler's sake. */
  readonly warmUpMs: number;
  /** Nanoseconds from the start to each change's arrival; null where each begins when the one before is done. */
  readonly scheduleNs: Float64Array | null;
  /** Nanoseconds from the start after which no change is begun, once `least` are done. */
  readonly deadlineNs: number;
  readonly least: number;
  /** Reports ready when it is warm, starts when the phase is another. */
  readonly signals: SharedArrayBuffer;
}

/** Columns of numbers, one element a change. */
export interface ContenderRecord {
  /** From the arrival until it was in force; those that arrived but were not done come last, with their age. */
  readonly changeNs: Float64Array;
  readonly unfinished: number;
  /** Waiting for the lock, attempts that gave up included; of those changes that were made. */
  readonly waitNs: Float64Array;
  /** Attempts that gave up; of those changes that were made. */
  readonly timeouts: Float64Array;
  readonly failed: number;
  /** What the first failed change threw. */
  readonly firstFailure?: string;
  readonly lengthNs: number;
}

/** Changes between two looks at the clock while warming up. */
const WARM_UP_STEP = 2;

export default function runContender(task: ContenderTask): ContenderRecord {
  const { strategy, family, quiesce, lockTimeoutMs, requests } = task;
  const updater = new Updater(Engine.attach(task.engine), { strategy, family, quiesce, lockTimeoutMs });
  const signals = new Signals(task.signals);
  let next = 0;
  let record = newRecord();
  const change = (): void => makeChange(updater, requests[next++ % requests.length] as UpdateRequest, record);

  const warm = nowNs() + task.warmUpMs * 1e6;
  do {
    for (let step = 0; step < WARM_UP_STEP; step++) change();
  } while (nowNs() < warm);
  record = newRecord();
  signals.reportReady();
  signals.awaitEndOf(PHASE_NONE);

  const { scheduleNs, deadlineNs, least } = task;
  const timed =
    scheduleNs === null
      ? backToBack(change, { deadlineNs, least })
      : runOpenLoop({ clock: REAL_CLOCK, scheduleNs, deadlineNs, least, work: { carryOut: change } });
  return {
    changeNs: timed.latencyNs,
    unfinished: timed.unfinished,
    waitNs: Float64Array.from(record.waits),
    timeouts: Float64Array.from(record.timeouts),
    failed: record.failed,
    ...(record.firstFailure === undefined ? {} : { firstFailure: record.firstFailure }),
    lengthNs: timed.lengthNs,
  };
}

interface Made {
  readonly waits: number[];
  readonly timeouts: number[];
  failed: number;
  firstFailure: string | undefined;
}

const newRecord = (): Made => ({ waits: [], timeouts: [], failed: 0, firstFailure: undefined });

function makeChange(updater: Updater, request: UpdateRequest, record: Made): void {
  let waited = 0;
  for (let timeouts = 0; ; timeouts++) {
    const begun = nowNs();
    try {
      const { phasesUs } = updater.update(request);
      record.waits.push(waited + phasesUs.lock * 1000);
      record.timeouts.push(timeouts);
      return;
    } catch (error) {
      waited += nowNs() - begun;
      if (error instanceof LockTimeout) continue;
      record.failed++;
      record.firstFailure ??= error instanceof Error ? error.message : String(error);
      return;
    }
  }
}

/** As many changes as there is time for. */
function backToBack(
  change: () => void,
  { deadlineNs, least }: Pick<ContenderTask, "deadlineNs" | "least">,
): { latencyNs: Float64Array; unfinished: number; lengthNs: number } {
  const latencies: number[] = [];
  const start = nowNs();
  let now = start;
  while (now - start < deadlineNs || latencies.length < least) {
    change();
    const done = nowNs();
    latencies.push(done - now);
    now = done;
  }
  return { latencyNs: Float64Array.from(latencies), unfinished: 0, lengthNs: now - start };
}
