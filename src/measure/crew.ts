/**
 * The bench's threads: one pool of readers and one of a single writer, so that neither runs on code that the other's work
 * has optimised. A thread that throws, exits or runs out of memory fails its task.
 */
import { setFlagsFromString } from "node:v8";
import type { ResourceLimits } from "node:worker_threads";
import { Piscina } from "piscina";
import type { Strategy } from "../update/updater.js";
import type { ReaderRecord, ReaderTask } from "./reader-task.js";
import type { UpdaterRecord, UpdaterTask } from "./updater-task.js";

/** Tasks are compiled code, also when this module itself runs from source as in tests. */
const compiled = (task: string): string => new URL(`../../dist/measure/${task}.js`, import.meta.url).href;

export interface CrewTasks {
  /** Module with the reader's task as default export; as for `updater` an absolute file: address. */
  readonly reader: string;
  readonly updater: string;
  /** Whether updates are made in this thread, where profilers see them, and not in one of their own. */
  readonly writerHere?: boolean;
  /** Of each thread. Default Node's own. */
  readonly limits?: ResourceLimits;
}

export const CREW_TASKS: CrewTasks = Object.freeze({
  reader: compiled("reader-task"),
  updater: compiled("updater-task"),
});

export class WorkerFailure extends Error {
  override readonly name = "WorkerFailure";
  readonly code = "worker-failure";
}

/**
 * Megabytes that a thread of this process fills before its first collection of young objects; from Node's one it would start one
 * every few hundred changes, which takes the collector's helpers to the cores of all who are measured.
 */
const YOUNG_MB = 32;

export class Crew {
  private readonly readers: Piscina;
  /** None where this thread makes the updates. */
  private readonly writer: Piscina | undefined;
  private readonly known = new Set<Strategy>();
  private ended = false;

  constructor(
    readers: number,
    private readonly tasks: CrewTasks = CREW_TASKS,
  ) {
    setFlagsFromString(`--min-semi-space-size=${YOUNG_MB}`);
    // Threads block in their tasks, so the pool must not wait for them with atomics of its own.
    const fixed = (threads: number, filename: string): Piscina =>
      new Piscina({
        filename,
        minThreads: threads,
        maxThreads: threads,
        concurrentTasksPerWorker: 1,
        idleTimeout: Number.POSITIVE_INFINITY,
        atomics: "disabled",
        ...(tasks.limits ? { resourceLimits: tasks.limits } : {}),
      });
    this.readers = fixed(readers, tasks.reader);
    this.writer = tasks.writerHere ? undefined : fixed(1, tasks.updater);
  }

  async read(task: ReaderTask): Promise<ReaderRecord> {
    const who = `reader ${task.reader}`;
    this.refuseAfterEnd(who);
    return this.readers.run(task).catch((error) => fail(who, error));
  }

  async update(task: UpdaterTask): Promise<UpdaterRecord> {
    this.refuseAfterEnd("the updater");
    const made = this.writer ? this.writer.run(task) : this.updateHere(task);
    return made.catch((error) => fail("the updater", error));
  }

  /** A pool that has been destroyed starts new threads for new tasks, which nobody would end. */
  private refuseAfterEnd(who: string): void {
    if (this.ended) fail(who, new Error("its thread has been ended"));
  }

  private async updateHere(task: UpdaterTask): Promise<UpdaterRecord> {
    const { default: run } = (await import(this.tasks.updater)) as { default: (task: UpdaterTask) => UpdaterRecord };
    return run(task);
  }

  /** Whether the writer has never been asked about for this strategy: true once. */
  isNewTo(strategy: Strategy): boolean {
    if (this.known.has(strategy)) return false;
    this.known.add(strategy);
    return true;
  }

  /** Ends all threads, whatever they are doing. */
  async end(): Promise<void> {
    this.ended = true;
    await Promise.all([this.readers.destroy(), this.writer?.destroy()]);
  }
}

function fail(who: string, error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new WorkerFailure(`${who} failed: ${reason}`, { cause: error });
}
