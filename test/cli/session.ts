/**
 * One process that carries out many command lines of ruleswap, for tests of what they say: to start a process for each takes ten
 * times as long as most of them do. What a process's own input, signals or end are about is tested by processes of its own.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import type { Ran } from "../run.js";

const PROGRAM = fileURLToPath(new URL("session.mjs", import.meta.url));

/** What carries out a command line in the folder, one at a time, with nothing on standard input; it ends with the file that asks for it. */
export function openSession(cwd: string): (...args: string[]) => Promise<Ran> {
  let child: ChildProcess | undefined;
  afterAll(() => void child?.kill("SIGKILL"));
  return async (...args) => {
    child ??= fork(PROGRAM, { cwd, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const answered = new AbortController();
    const { signal } = answered;
    const ended = once(child, "exit", { signal }).then(([status]) => {
      throw new Error(`the process that carries out command lines has ended with ${status}: ${args.join(" ")}`);
    });
    const message = once(child, "message", { signal });
    child.send(args);
    try {
      return (await Promise.race([message, ended]))[0] as Ran;
    } finally {
      answered.abort();
    }
  };
}
