/**
 * Threads at real-time priority, before whoever has none, also before the kernel's own threads, which a nice value of -20 does not hold
 * back: those that have slept get a turn of 4 ms at the next tick (EEVDF).
 *
 * Node cannot ask for it, `chrt` and `taskset` of util-linux can. They are not started from here: where a process has grown to a gigabyte a fork takes
 * 25 to 45 ms, and write-protects its pages, some 14 us each for whoever writes one next. A shell does so that is started while this
 * process is small.
 *
 * They are kept on one processor, the one that was interrupted least when it was looked for: where a thread runs is else a matter of chance,
 * and with it its 99th percentile.
 *
 * Of each second Linux gives others 50 ms where a real-time thread leaves them less (sched_rt_runtime_us, or the fair server): who runs that
 * long would see that as one pause. It is for what is shorter.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readlinkSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { allowedProcessors, numbersOf, quietProcessor } from "./quiet-processor.js";

/** The least of 99: above everybody that has none, below the kernel's own of that kind. */
const PRIORITY = 1;

/**
 * For each line on standard input, a policy, a priority, processors and a thread, whether the thread has them now. The shell tries it on itself
 * first, with the processors that it is told of.
 */
const SCRIPT = `
give() { chrt "$1" -p "$2" "$4" >/dev/null 2>&1 && taskset -p -c "$3" "$4" >/dev/null 2>&1 && echo yes || echo no; }
give -f ${PRIORITY} "$1" $$
while read -r policy priority processors thread; do give "$policy" "$priority" "$processors" "$thread"; done
`;

export class RealTime {
  private readonly waiting: ((granted: boolean) => void)[] = [];
  private text = "";
  private readonly ended: Promise<void>;
  /** Where a raised thread is kept: the number of a processor, or all that this process may use. */
  private place: string;

  private constructor(
    private readonly shell: ChildProcessByStdio<Writable, Readable, null>,
    private readonly processors: string,
  ) {
    this.place = processors;
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        for (const answer of this.waiting.splice(0)) answer(false);
        resolve();
      };
      shell.once("error", end).once("close", end);
    });
    // That it has ended is told by "close".
    shell.stdin.on("error", () => {});
    shell.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (this.text + text).split("\n");
      this.text = lines.pop() ?? "";
      for (const line of lines) this.waiting.shift()?.(line === "yes");
    });
  }

  /** Undefined where this process may not have it: without `chrt` and `taskset`, without the right to, elsewhere than on Linux. */
  static async start(): Promise<RealTime | undefined> {
    if (process.platform !== "linux") return undefined;
    const processors = allowedProcessors();
    // A session of its own: Ctrl-C is for this process alone.
    const shell = spawn("sh", ["-c", SCRIPT, "sh", processors], { stdio: ["pipe", "pipe", "ignore"], detached: true });
    const realTime = new RealTime(shell, processors);
    if (await realTime.answer()) return realTime;
    await realTime.end();
    return undefined;
  }

  /**
   * Looks for the processor that is interrupted least, where whoever is raised is kept until it is looked for again: its number, undefined
   * for any. Takes this thread 50 ms for each that is tried.
   */
  async settle(): Promise<number | undefined> {
    const stay = (processor: number): Promise<boolean> => this.give(`-f ${PRIORITY} ${processor}`, process.pid);
    const quiet = await quietProcessor(numbersOf(this.processors), stay);
    await this.lower(process.pid);
    this.place = quiet === undefined ? this.processors : String(quiet);
    return quiet;
  }

  /** The thread, by its number as `threadNumber` gives it, or the main one of a process, has it from now on; false where it is gone. */
  raise(thread: number): Promise<boolean> {
    return this.give(`-f ${PRIORITY} ${this.place}`, thread);
  }

  /** The thread has it no more, its nice value counts again, and it runs where there is room. */
  lower(thread: number): Promise<boolean> {
    return this.give(`-o 0 ${this.processors}`, thread);
  }

  /** Ends the shell, which is gone when this resolves; who has been raised stays so. */
  async end(): Promise<void> {
    this.shell.stdin.end();
    await this.ended;
  }

  private give(terms: string, thread: number): Promise<boolean> {
    if (!this.shell.stdin.writable || this.shell.exitCode !== null) return Promise.resolve(false);
    this.shell.stdin.write(`${terms} ${thread}\n`);
    return this.answer();
  }

  private answer(): Promise<boolean> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

/** What Linux calls the thread that asks. */
export function threadNumber(): number {
  return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
}
