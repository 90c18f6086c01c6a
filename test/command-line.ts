/**
 * Command lines of ruleswap, carried out in the test's own process by the function that the program is: to start a process for each
 * takes ten times as long as most of them do. What input, pipes, signals and a process's end are about is tested by processes.
 */
import { run } from "../src/cli/program.js";
import type { Ran } from "./run.js";

// Each command line listens for errors anew.
process.stdout.setMaxListeners(0);

/** What carries out a command line in the folder, one at a time. */
export function commandsIn(folder: string): (...args: string[]) => Promise<Ran> {
  return async (...args) => {
    const said = { stdout: "", stderr: "" };
    const restore = (["stdout", "stderr"] as const).map((name) => {
      const { write } = process[name];
      process[name].write = ((text: string | Uint8Array, done?: () => void) => {
        said[name] += Buffer.from(text).toString();
        done?.();
        return true;
      }) as typeof write;
      return () => {
        process[name].write = write;
      };
    });
    const { exitCode } = process;
    const here = process.cwd();
    process.chdir(folder);
    try {
      process.exitCode = 0;
      await run([process.execPath, "ruleswap", ...args]);
      return { status: Number(process.exitCode), ...said };
    } finally {
      process.chdir(here);
      process.exitCode = exitCode;
      for (const one of restore) one();
    }
  };
}
