/**
 * Ends a run in which a test file stands still. vitest's own limits need the event loop of the file's process, which a process
 * that waits for another, or spins in WebAssembly, never gets back to.
 */
import { spawnSync } from "node:child_process";
import type { Reporter, TestCase, TestModule } from "vitest/node";

/** Longer than any test here may take, each of which has its own limit. */
const STALLED_MS = Number(process.env.RULESWAP_STALLED_MS ?? 400_000);
const LOOK_MS = Math.min(5_000, STALLED_MS / 4);

/** For `ps`. */
const PS_MS = 10_000;

interface Progress {
  at: number;
  last: string;
}

export default class StallReporter implements Reporter {
  private readonly running = new Map<string, Progress>();
  /** Results of tests may be told after the end of their file. */
  private readonly ended = new Set<string>();
  /** What the run would have said of them at its end. */
  private readonly failures: string[] = [];
  private heard = performance.now();
  private timer: NodeJS.Timeout | undefined;

  onTestRunStart(): void {
    this.heard = performance.now();
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  onTestModuleQueued(module: TestModule): void {
    this.ended.delete(module.moduleId);
    this.note(module, "being loaded");
  }

  onTestModuleStart(module: TestModule): void {
    this.note(module, "loaded");
  }

  onTestCaseReady(test: TestCase): void {
    this.note(test.module, `in ${test.fullName}`);
  }

  onTestCaseResult(test: TestCase): void {
    this.note(test.module, `after ${test.fullName}`);
    for (const { message } of test.result().errors ?? []) this.failures.push(`${test.fullName}: ${message}`);
  }

  onTestModuleEnd(module: TestModule): void {
    this.heard = performance.now();
    this.ended.add(module.moduleId);
    this.running.delete(module.moduleId);
  }

  onTestRunEnd(): void {
    clearInterval(this.timer);
  }

  private note(module: TestModule, last: string): void {
    this.heard = performance.now();
    if (!this.ended.has(module.moduleId)) this.running.set(module.moduleId, { at: this.heard, last });
  }

  private look(): void {
    const stalled = [...this.running].filter(([, { at }]) => performance.now() - at > STALLED_MS);
    if (stalled.length === 0 && performance.now() - this.heard < STALLED_MS) return;
    for (const [file, { last }] of stalled)
      console.error(`\n${file} has stood still for ${STALLED_MS / 1000} s; last heard of ${last}`);
    if (stalled.length === 0)
      console.error(`\nNo file is running, and the run has not ended for ${STALLED_MS / 1000} s`);
    const processes = descendants(process.pid);
    console.error(`Processes:\n${processes.map(({ line }) => line).join("\n")}`);
    if (this.failures.length > 0) console.error(`Failed before that:\n${this.failures.join("\n")}`);
    for (const { pid } of processes) kill(pid);
    process.exit(1);
  }
}

/** The processes that `root` has started, and those of theirs; none where there is no `ps`. */
function descendants(root: number): { pid: number; line: string }[] {
  const { stdout } = spawnSync("ps", ["-ww", "-eo", "pid,ppid,etimes,stat,wchan:24,args"], {
    encoding: "utf8",
    timeout: PS_MS,
    killSignal: "SIGKILL",
  });
  const children = new Map<number, { pid: number; line: string }[]>();
  for (const line of (stdout ?? "").split("\n").slice(1)) {
    const [pid, parent] = line.trim().split(/\s+/, 2).map(Number) as [number, number];
    if (pid) children.set(parent, [...(children.get(parent) ?? []), { pid, line }]);
  }
  const of = (pid: number): { pid: number; line: string }[] =>
    (children.get(pid) ?? []).flatMap((child) => [child, ...of(child.pid)]);
  return of(root);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
