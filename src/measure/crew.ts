/**
 * The bench's threads: readers apart from a single writer, so that neither runs on code that the other's work has optimised.
 */
import type { ResourceLimits } from "node:worker_threads";
import type { RealTime } from "../linux/real-time.js";
import type { Strategy } from "../update/updater.js";
import type { ReaderRecord, ReaderTask } from "./reader-task.js";
import { compiled, failure, Threads } from "./threads.js";
import type { UpdaterRecord, UpdaterTask } from "./updater-task.js";

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

const WRITER = "the updater";

export class Crew {
  private readonly readers: Threads<ReaderTask, ReaderRecord>;
  /** None where this thread makes the updates. */
  private readonly writer: Threads<UpdaterTask, UpdaterRecord> | undefined;
  private readonly known = new Set<Strategy>();
  private atRealTime = false;

  constructor(
    readers: number,
    private readonly tasks: CrewTasks = CREW_TASKS,
    private readonly realTime?: RealTime,
  ) {
    const { reader, updater, limits, writerHere } = tasks;
    this.readers = new Threads({ count: readers, module: reader, limits });
    this.writer = writerHere ? undefined : new Threads({ count: 1, module: updater, limits });
  }

  read(task: ReaderTask): Promise<ReaderRecord> {
    return this.readers.run(`reader ${task.reader}`, task);
  }

  /** At real-time priority where that is asked for and allowed. */
  async update(task: UpdaterTask, atRealTime = false): Promise<UpdaterRecord> {
    if (!this.writer) return this.updateHere(task);
    await this.schedule(this.writer, atRealTime);
    return this.writer.run(WRITER, task);
  }

  /** Where updates at real-time priority are made from now on: see RealTime. Undefined also where this thread makes them, which never has it. */
  async settle(): Promise<number | undefined> {
    return this.writer && this.realTime?.settle();
  }

  private async schedule(writer: Threads<UpdaterTask, UpdaterRecord>, atRealTime: boolean): Promise<void> {
    // One that has it may be kept where nobody is any more.
    if (!this.realTime || !(atRealTime || this.atRealTime)) return;
    const thread = await writer.threadNumber(WRITER);
    await (atRealTime ? this.realTime.raise(thread) : this.realTime.lower(thread));
    this.atRealTime = atRealTime;
  }

  private async updateHere(task: UpdaterTask): Promise<UpdaterRecord> {
    const { default: run } = (await import(this.tasks.updater)) as { default: (task: UpdaterTask) => UpdaterRecord };
    try {
      return run(task);
    } catch (error) {
      throw failure(WRITER, error);
    }
  }

  /** Whether the writer has never been asked about for this strategy: true once. */
  isNewTo(strategy: Strategy): boolean {
    if (this.known.has(strategy)) return false;
    this.known.add(strategy);
    return true;
  }

  /** Ends all threads, whatever they are doing. They take no more tasks. */
  async end(): Promise<void> {
    await Promise.all([this.readers.end(), this.writer?.end()]);
  }
}
