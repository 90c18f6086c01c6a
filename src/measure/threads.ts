/**
 * A fixed number of threads that do the tasks of one module. A thread that throws, exits or runs out of memory fails its task.
 *
 * They are ended once, whatever they are doing, and are given no task afterwards: a pool that has been destroyed starts new threads for
 * new tasks, and one that is destroyed while it is being destroyed puts new threads in the place of those that exit. Nobody
 * would end either.
 */
import type { EventEmitter } from "node:events";
import { setFlagsFromString } from "node:v8";
import type { ResourceLimits } from "node:worker_threads";
import { Piscina } from "piscina";

export interface ThreadsOptions {
  readonly count: number;
  /** Module with the task as default export, an absolute file: address. */
  readonly module: string;
  /** Of each thread. Default Node's own. */
  readonly limits?: ResourceLimits | undefined;
}

export class WorkerFailure extends Error {
  override readonly name = "WorkerFailure";
  readonly code = "worker-failure";
}

/**
 * Megabytes that a thread of this process fills before its first collection of young objects; from Node's one it would start one
 * every few hundred changes, which takes the collector's helpers to the cores of all who are measured.
 */
const YOUNG_MB = 32;

const V8_FLAGS = [
  // The one that a thread begins with is no larger than the one that it may come to, 16 unless it is said.
  `--min-semi-space-size=${YOUNG_MB}`,
  `--max-semi-space-size=${YOUNG_MB}`,
  // What code was compiled to is not to be forgotten while other code runs, or when a thread has nothing to do: it would be compiled again
  // beside who is measured. The second one's collections find that what the code was compiled for, engines of cells that have ended, is gone.
  "--no-flush-bytecode",
  "--no-memory-reducer",
  // What passes a call on to WebAssembly is compiled with the module. Else it is one for all that are called, until a function has been
  // called 1,000 times in a thread's instance: what is compiled then takes 100 to 400 us of the change that calls it.
  "--no-wasm-generic-wrapper",
] as const;

/** Tasks are compiled code, also when the bench itself runs from source as in tests. */
export const compiled = (task: string): string => new URL(`../../dist/measure/${task}.js`, import.meta.url).href;

const NUMBER = compiled("thread-number-task");

export class Threads<Task, Result> {
  private readonly pool: Piscina<Task, Result>;
  /** When each of the threads has loaded its module, or ended: Node 20 ends the whole process where one is ended while it loads. */
  readonly loaded: Promise<unknown>;
  private ending: Promise<void> | undefined;

  constructor({ count, module, limits }: ThreadsOptions) {
    for (const flag of V8_FLAGS) setFlagsFromString(flag);
    this.pool = new Piscina({
      filename: module,
      minThreads: count,
      maxThreads: count,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // Threads block in their tasks, so the pool must not wait for them with atomics of its own.
      atomics: "disabled",
      ...(limits ? { resourceLimits: limits } : {}),
    });
    // The first that a thread says is that it is ready.
    const loaded = (thread: EventEmitter): Promise<void> =>
      new Promise((resolve) => thread.once("message", () => resolve()).once("exit", () => resolve()));
    this.loaded = Promise.all(this.pool.threads.map(loaded));
  }

  /** @throws WorkerFailure that names `who`. */
  async run(who: string, task: Task): Promise<Result> {
    if (this.ending) throw failure(who, new Error("its thread has been ended"));
    return this.pool.run(task).catch((error) => {
      throw failure(who, error);
    });
  }

  /**
   * What Linux calls the thread, where there is one.
   * @throws WorkerFailure that names `who`.
   */
  threadNumber(who: string): Promise<number> {
    return this.pool.run(undefined as Task, { filename: NUMBER }).catch((error) => {
      throw failure(who, error);
    }) as Promise<number>;
  }

  /** Ends all threads, whatever they are doing. */
  end(): Promise<void> {
    this.ending ??= this.loaded.then(() => this.pool.destroy());
    return this.ending;
  }
}

export function failure(who: string, error: unknown): WorkerFailure {
  const reason = error instanceof Error ? error.message : String(error);
  return new WorkerFailure(`${who} failed: ${reason}`, { cause: error });
}
