/**
 * A network namespace of its own, and a process in it that runs programs: the only way in which ruleswap touches the real
 * kernel. What is loaded there is seen by nobody else, and is gone when it is closed or when this process ends, by
 * whatever means.
 *
 *     this process ──stage, go──▶ resident (unshare --net) ──spawn──▶ iptables-legacy-restore < file
 *                  ◀─outcomes─
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { kernelAbsence, TOOL_PATH } from "./absence.js";
import type { Command, Go, Greeting, Outcome, Stage, STAGED } from "./resident-protocol.js";
import { LinuxError } from "./linux-error.js";

/** The resident is compiled code, also when this module itself runs from source as in tests. */
const RESIDENT = fileURLToPath(new URL("../../dist/linux/resident.js", import.meta.url));

export class Namespace {
  private waiting: { resolve: (answer: Outcome | typeof STAGED) => void; reject: (error: Error) => void } | undefined;
  private readonly ended: Promise<void>;
  /** What the resident said before it ended. */
  private lastWords = "";

  private constructor(
    private readonly resident: ChildProcess,
    private readonly folder: string,
    signal: AbortSignal | undefined,
  ) {
    resident.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.lastWords += text;
    });
    this.ended = new Promise((resolve) => resident.once("close", resolve));
    process.once("exit", this.kill);
    signal?.addEventListener("abort", this.kill);
    if (signal?.aborted) this.kill();
    void this.ended.then(() => {
      process.removeListener("exit", this.kill);
      signal?.removeEventListener("abort", this.kill);
      rmSync(folder, { recursive: true, force: true });
      this.waiting?.reject(
        new LinuxError("resident-gone", `the process in the namespace ended: ${this.lastWords.trim()}`),
      );
    });
  }

  /**
   * A new, empty namespace, which `signal` ends, and whatever has joined it: what is asked of it then fails.
   * @throws LinuxError that says why there can be none.
   */
  static async open(programs: readonly string[] = [], signal?: AbortSignal): Promise<Namespace> {
    const absence = kernelAbsence(programs);
    if (absence) throw absence;
    return Namespace.start(["unshare", "--net"], { signal });
  }

  /** Of the process in the namespace, whose programs have its priority. */
  get pid(): number {
    return this.resident.pid as number;
  }

  /** Another process in the same namespace, so that two programs can run at once. It is closed by itself, or ends with this one. */
  async join(): Promise<Namespace> {
    const enter = ["nsenter", `--net=/proc/${this.resident.pid}/ns/net`];
    const joined = await Namespace.start(enter, { lockFolder: this.folder });
    void this.ended.then(joined.kill);
    return joined;
  }

  /** Gets commands ready. */
  async stage(commands: readonly Command[]): Promise<void> {
    await this.ask({ commands });
  }

  /**
   * Runs what is staged, not before this moment of the monotonic clock. Programs that fail are told in the outcome.
   * @throws LinuxError when one does not end at all.
   */
  async go(notBeforeNs = 0): Promise<Outcome> {
    const outcome = (await this.ask({ notBeforeNs })) as Outcome;
    const stuck = outcome.results.find(({ stuck }) => stuck);
    if (stuck) throw new LinuxError("tool-stuck", `the real kernel: ${stuck.stderr}`);
    return outcome;
  }

  /** Stages and runs. */
  async run(commands: readonly Command[], notBeforeNs = 0): Promise<Outcome> {
    await this.stage(commands);
    return this.go(notBeforeNs);
  }

  /**
   * Runs commands that must succeed, and gives what the last one printed.
   * @throws LinuxError of the first that does not.
   */
  async must(...commands: readonly Command[]): Promise<string> {
    const { results } = await this.run(commands);
    checkOutcome(commands, { results });
    return results.at(-1)?.stdout ?? "";
  }

  /** Ends the resident, whatever it is doing, and with it the namespace. */
  async close(): Promise<void> {
    this.kill();
    await this.ended;
  }

  private static async start(
    enter: readonly string[],
    { lockFolder, signal }: { lockFolder?: string; signal?: AbortSignal | undefined },
  ): Promise<Namespace> {
    const folder = mkdtempSync(join(tmpdir(), "ruleswap-"));
    const [program, ...rest] = enter as [string, ...string[]];
    const resident = spawn(
      program,
      [...rest, process.execPath, RESIDENT, readlinkSync("/proc/self/ns/net"), folder, lockFolder ?? folder],
      {
        env: { ...process.env, PATH: TOOL_PATH },
        stdio: ["ignore", "ignore", "pipe", "ipc"],
        serialization: "advanced",
        // A group of its own: Ctrl-C is for this process alone, and the whole group can be ended at once.
        detached: true,
      },
    );
    const namespace = new Namespace(resident, folder, signal);
    const greeting = await Promise.race([
      new Promise<Greeting>((resolve) => resident.once("message", (message) => resolve(message as Greeting))),
      new Promise<Greeting>((resolve) => resident.once("error", ({ message }) => resolve({ refused: message }))),
      namespace.ended.then((): Greeting => ({ refused: namespace.lastWords.trim() })),
    ]);
    if ("refused" in greeting) {
      namespace.kill();
      throw new LinuxError("host-namespace", `the real kernel: ${greeting.refused}`);
    }
    resident.on("message", (answer: Outcome | typeof STAGED) => namespace.waiting?.resolve(answer));
    return namespace;
  }

  private ask(message: Stage | Go): Promise<Outcome | typeof STAGED> {
    if (this.waiting) throw new Error("one order at a time");
    return new Promise<Outcome | typeof STAGED>((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.resident.send(message, (error) => {
        if (error) reject(new LinuxError("resident-gone", "the process in the namespace has ended", { cause: error }));
      });
    }).finally(() => {
      this.waiting = undefined;
    });
  }

  private readonly kill = (): void => {
    const { pid, exitCode, signalCode } = this.resident;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Ended a moment ago.
    }
  };
}

/** @throws LinuxError of the first command that did not end with status 0. */
export function checkOutcome(commands: readonly Command[], { results }: Pick<Outcome, "results">): void {
  for (const [nth, { status, stderr }] of results.entries()) {
    if (status === 0) continue;
    const called = (commands[nth] as Command).argv.join(" ");
    throw new LinuxError("tool-failed", `${called}: exit ${status}: ${firstLines(stderr)}`);
  }
}

const firstLines = (text: string): string => text.trim().split("\n").slice(0, 3).join("\n");
