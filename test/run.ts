/**
 * Programs that tests run. None may take longer than the test that waits for it, since a process that waits for another has no
 * event loop for vitest's own limits; and none is left behind, nor what it has started: all of them carry a mark in their environment.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { onTestFinished, TestRunner } from "vitest";

export interface Ran {
  /** Null where it could not be started, or a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Milliseconds. Default what the test may take, or two minutes outside of tests. */
  readonly limitMs?: number;
}

const OUTSIDE_TESTS_MS = 120_000;
const MOST_OUTPUT = 2 ** 28;
const MARK = "RULESWAP_TEST_PROGRAM";

/**
 * Runs a program to its end.
 * @throws Error with all that it has said when it does not end in time.
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Ran {
  const { cwd, env = process.env, input = "" } = options;
  const { limitMs = TestRunner.getCurrentTest()?.timeout ?? OUTSIDE_TESTS_MS } = options;
  const mark = randomUUID();
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...env, [MARK]: mark },
    input,
    encoding: "utf8",
    maxBuffer: MOST_OUTPUT,
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  if (error && (error as NodeJS.ErrnoException).code === "ETIMEDOUT") {
    endAll(mark);
    const command = [program, ...args].join(" ");
    throw new Error(`not ended after ${limitMs / 1000} s: ${command}\nstdout: ${stdout}\nstderr: ${stderr}`);
  }
  // One that is not there has said nothing.
  return { status, stdout: stdout ?? "", stderr: stderr ?? "" };
}

/**
 * Runs a program that must succeed, and gives what it printed.
 * @throws Error with what it said when it ends otherwise.
 */
export function output(program: string, args: readonly string[], options: RunOptions = {}): string {
  const { status, stdout, stderr } = run(program, args, options);
  if (status !== 0) throw new Error(`exit ${status}: ${[program, ...args].join(" ")}\n${stderr}`);
  return stdout;
}

export interface Started {
  readonly child: ChildProcess & { readonly stdout: Readable; readonly stderr: Readable };
  /** Resolves when it has ended and all that it said is read. */
  readonly ended: Promise<Ran>;
}

/** Starts a program that is ended with the test, if it has not ended by then, however the test ends; outside of tests after two minutes. */
export function start(program: string, args: readonly string[], options: Omit<RunOptions, "limitMs"> = {}): Started {
  const { cwd, env = process.env, input = "" } = options;
  const mark = randomUUID();
  const child = spawn(program, args, { ...(cwd === undefined ? {} : { cwd }), env: { ...env, [MARK]: mark } });
  const end = (): void => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    endAll(mark);
  };
  if (TestRunner.getCurrentTest()) onTestFinished(end);
  else setTimeout(end, OUTSIDE_TESTS_MS).unref();
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (part: string) => {
      said[stream] += part;
    });
  child.stdin.on("error", () => {}).end(input);
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, ...said }));
  });
  // Of one that nobody waits for.
  ended.catch(() => {});
  return { child, ended };
}

/** Ends what has been started with this mark: those whose parents have ended are nobody's children. Only where there is a /proc. */
function endAll(mark: string): void {
  if (!existsSync("/proc/self/environ")) return;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, "latin1").includes(`${MARK}=${mark}`))
        process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
}
