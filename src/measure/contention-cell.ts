/**
 * One round of several writers of one ruleset: an engine with the rules of all, a thread for each writer that makes its own
 * program's changes by the same strategy, and readers that match all the while.
 *
 * Every strategy is handed the least edits: a program that states its chains whole, as portmap states POSTROUTING, takes
 * what others have in them, and a whole ruleset is nothing that one of several programs knows.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { PACKET_SIZE } from "../blob/layout.js";
import { type Classifier, Engine } from "../engine/engine.js";
import { type Strategy, Updater } from "../update/updater.js";
import type { Change, Workload } from "../workload/workload.js";
import { type WorkloadName, workloads } from "../workload/workloads.js";
import type { BenchOptions } from "./bench-options.js";
import { tracking } from "./cell.js";
import type { ContenderRecord, ContenderTask } from "./contender-task.js";
import { contentionOfRounds, type ContentionRecord, type WriterResult, writerResult } from "./contention.js";
import type { Crew } from "./crew.js";
import { scheduleNs } from "./open-loop.js";
import { isTrial, planRun } from "./plan.js";
import { requestOf, take } from "./request.js";
import { PHASE_UPDATING, Signals } from "./signals.js";
import { compiled, Threads } from "./threads.js";

/** What cells of one size share. */
export interface ContentionSubject {
  readonly size: number;
  readonly names: readonly WorkloadName[];
  /** In the order of their names. */
  readonly writers: readonly Workload[];
  /** Packets that each reader cycles through, some of each writer's. */
  readonly traffic: Uint8Array;
  readonly localAddresses: readonly string[];
  readonly routing: Workload["routing"];
}

export interface ContendedCell {
  readonly subject: ContentionSubject;
  readonly strategy: Strategy;
  readonly classifier: Classifier;
}

export interface ContentionContext {
  readonly crew: Crew;
  readonly options: BenchOptions;
  /** From 0. */
  readonly round: number;
  readonly signal: AbortSignal;
}

const CONTENDER = compiled("contender-task");
/** In which a new thread's code is optimised, more or less; and where that is no matter. */
const WARM_UP_MS = 300;
const TRIAL_WARM_UP_MS = 30;
/** Changes that a writer makes over and over, more or less. */
const CYCLE = 24;

/** Whole periods, so that the last leads back to where the first began. */
export const cycleOf = (writer: Workload, seed: number): Change[] =>
  take(writer.changes(seed), Math.ceil(CYCLE / writer.period) * writer.period);

/** The changes and arrivals of one round are not another's, those of writer `nth` not another's. */
export const writerSeed = ({ seed, rounds }: BenchOptions, round: number, nth: number): number =>
  (seed + round + nth * rounds) >>> 0;

/** @param machine Another workload of the bench: it has the machine's addresses and routes where the user describes them. */
export function contentionSubject(
  options: Pick<BenchOptions, "writers" | "family" | "seed" | "churn">,
  size: number,
  machine: Pick<Workload, "routing" | "localAddresses">,
  trafficOf: (workload: Workload) => Uint8Array,
): ContentionSubject {
  const { writers: names, family, seed, churn } = options;
  const writers = names.map((name) => workloads[name].make({ size, seed, family, churn }));
  const shares = writers.map((writer) => {
    const packets = trafficOf(writer);
    return packets.subarray(0, Math.floor(packets.length / PACKET_SIZE / names.length) * PACKET_SIZE);
  });
  const own = new Set(writers.flatMap(({ localAddresses }) => localAddresses));
  return {
    size,
    names,
    writers,
    traffic: Buffer.concat(shares),
    localAddresses: machine.localAddresses.length === 0 ? [] : [...own],
    routing: machine.routing,
  };
}

/** Results by writer. */
export async function measureContention(cell: ContendedCell, context: ContentionContext): Promise<WriterResult[]> {
  const { crew, options, round, signal } = context;
  const { names, writers, traffic, localAddresses, routing } = cell.subject;
  const engine = Engine.create({
    readers: options.readers,
    classifier: cell.classifier,
    seed: (options.seed + round) >>> 0,
    localAddresses,
    ...tracking(options),
    ...(routing ? { routing } : {}),
  });
  load(engine, writers);
  const signals = new Signals();
  const tasks = writers.map(
    (_, nth): ContenderTask => ({
      ...contenderTask(cell, context, nth),
      engine: engine.handle,
      signals: signals.buffer,
    }),
  );
  const threads = new Threads<ContenderTask, ContenderRecord>({ count: tasks.length, module: CONTENDER });
  const end = (): void => void threads.end();
  signal.addEventListener("abort", end, { once: true });
  // Beside readers, who go before them and never rest, threads would take many times as long to load.
  await threads.loaded;
  const reading = Array.from({ length: options.readers }, (_, reader) =>
    crew.read({ engine: engine.handle, reader, traffic, probes: [], signals: signals.buffer, track: options.track }),
  );
  const writing = tasks.map((task, nth) => threads.run(`the writer ${names[nth]}`, task));
  const work = async (): Promise<ContenderRecord[]> => {
    while (signals.ready < reading.length + writing.length) {
      await sleep(1);
      if (signals.stopped) throw new Error("a reader or writer failed");
    }
    signals.phase = PHASE_UPDATING;
    return Promise.all(writing);
  };
  try {
    const records = await Promise.race([work(), Promise.all([...reading, ...writing]).then(endedEarly)]);
    return records.map((record, nth) => writerResult(names[nth] as WorkloadName, record));
  } finally {
    signals.stop();
    signal.removeEventListener("abort", end);
    await threads.end();
    await Promise.allSettled(reading);
  }
}

/** Of all rounds. */
export function assembleContention(
  { subject, strategy, classifier }: ContendedCell,
  rounds: readonly WriterResult[][],
  { seed }: BenchOptions,
): ContentionRecord {
  const rules = subject.writers.reduce((sum, writer) => sum + writer.rules, 0);
  return contentionOfRounds({ services: subject.size, rules, strategy, classifier, target: "ruleswap", seed }, rounds);
}

/** Each writer's rules beside those of the others. */
function load(engine: Engine, writers: readonly Workload[]): void {
  for (const writer of writers) {
    const { family, name: file, sets } = writer;
    const updater = new Updater(engine, { strategy: "full", family });
    updater.update({ batch: writer.ruleset(), file, ...(sets === undefined ? {} : { sets }) });
  }
}

/** What writer `nth` does; the rest of the task is the engine's. */
function contenderTask(
  { subject, strategy }: ContendedCell,
  { options, round }: ContentionContext,
  nth: number,
): Omit<ContenderTask, "engine" | "signals"> {
  const writer = subject.writers[nth] as Workload;
  const seed = writerSeed(options, round, nth);
  const plan = planRun(options, round, 0);
  const { arrivals, rate } = options;
  const backToBack = rate === "auto";
  return {
    strategy,
    family: writer.family,
    quiesce: options.quiesce,
    lockTimeoutMs: options.lockTimeout * 1000,
    requests: cycleOf(writer, seed).map((change) =>
      // Whatever the strategy: see above.
      requestOf(change, "incremental"),
    ),
    warmUpMs: isTrial(options) ? TRIAL_WARM_UP_MS : WARM_UP_MS,
    scheduleNs: backToBack ? null : scheduleNs({ arrivals, rate, count: plan.count, seed }),
    deadlineNs: backToBack ? (options.duration / options.rounds) * 1e9 : plan.deadlineNs,
    least: plan.least,
  };
}

function endedEarly(): never {
  throw new Error("the readers ended before the writers did");
}
