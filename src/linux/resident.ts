/**
 * The process that lives in a network namespace and runs programs there. Arguments: what the owner's namespace is called,
 * a folder for its files, which it removes in the end, and the folder of the lock that it shares with its like.
 *
 * It ends when its owner does, however that ends: the channel between them closes. The namespace, with every rule in it,
 * is gone with its last process.
 */
import { spawn } from "node:child_process";
import { watchLock } from "./lock-watch.js";
import { closeSync, openSync, readlinkSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TOOL_PATH } from "./absence.js";
import { goFirst } from "./priority.js";
import {
  type Command,
  type CommandResult,
  type Go,
  type Greeting,
  monotonicNs,
  type Outcome,
  type Stage,
  STAGED,
} from "./resident-protocol.js";

const [hostNamespace, folder, lockFolder] = process.argv.slice(2);

/** The namespace that a process is in, or undefined where that cannot be seen. */
function namespaceOf(process: string): string | undefined {
  try {
    return readlinkSync(`/proc/${process}/ns/net`);
  } catch {
    return undefined;
  }
}

function refusal(): string | undefined {
  const here = namespaceOf("self");
  if (here === undefined) return "cannot tell which network namespace this is";
  if (hostNamespace === undefined || folder === undefined || lockFolder === undefined)
    return "not told which network namespace to stay out of";
  if (here === hostNamespace || here === namespaceOf("1")) return "in the network namespace of the host";
  return undefined;
}

/** A lock file apart: nobody outside waits for what is done in here. */
const environment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: TOOL_PATH,
  LC_ALL: "C",
  XTABLES_LOCKFILE: join(lockFolder ?? "", "xtables.lock"),
};

interface Staged {
  readonly command: Command;
  /** Descriptor of what it reads. */
  readonly input: number | undefined;
}

function stage({ commands }: Stage, own: string): Staged[] {
  return commands.map((command) => ({
    command,
    input: command.input === undefined ? undefined : inputFile(command.input, own),
  }));
}

async function carryOut(staged: readonly Staged[], { notBeforeNs }: Go): Promise<Outcome> {
  const results: CommandResult[] = [];
  try {
    await waitUntil(notBeforeNs);
    const begunNs = monotonicNs();
    for (const { command, input } of staged) {
      const result = await run(command, input);
      results.push(result);
      if (result.status !== 0) break;
    }
    return { begunNs, endedNs: monotonicNs(), results };
  } finally {
    for (const { input } of staged) if (input !== undefined) closeSync(input);
  }
}

/** A file without a name, open at its start: nothing is left of it, whatever happens. */
function inputFile(input: string | Uint8Array, own: string): number {
  const path = join(own, "input");
  writeFileSync(path, input);
  const descriptor = openSync(path, "r");
  unlinkSync(path);
  return descriptor;
}

/** Nobody outside holds what a program waits for in here, so that none takes this long: ten thousands of services take a minute. */
const STUCK_MS = 30 * 60_000;

/** Not in one synchronous call: when the owner ends, so does the program that runs. */
function run(
  { argv, output = false, watched = false, limitMs = STUCK_MS }: Command,
  input: number | undefined,
): Promise<CommandResult> {
  const [program, ...rest] = argv as [string, ...string[]];
  const child = spawn(program, rest, {
    env: environment,
    stdio: [input ?? "ignore", output ? "pipe" : "ignore", "pipe"],
  });
  const waited = watched && child.pid !== undefined ? watchLock(child.pid) : () => 0;
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on("data", (part: Buffer) => stdout.push(part));
  child.stderr?.on("data", (part: Buffer) => stderr.push(part));
  return new Promise((resolve) => {
    const end = (status: number | null, fault: string, stuck = false): void => {
      clearTimeout(timer);
      resolve({
        status: status ?? 127,
        stuck,
        stdout: String(Buffer.concat(stdout)),
        stderr: Buffer.concat(stderr) + fault,
        waitedNs: waited(),
      });
    };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      // Not when it has ended: what waits inside the kernel does so whatever it is sent.
      end(127, `${argv.join(" ")}: not ended after ${limitMs / 1000} s`, true);
    }, limitMs);
    child.once("error", (error) => end(127, error.message));
    child.once("close", (status, signal) => end(status, signal ? `ended by ${signal}` : ""));
  });
}

/** Timers are early or late by a millisecond. */
async function waitUntil(moment: number): Promise<void> {
  const left = (): number => (moment - monotonicNs()) / 1e6;
  if (left() > 2) await sleep(left() - 2);
  if (left() > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, left());
}

/** That the owner has ended meanwhile is no error: "disconnect" comes next, and what is to be done then. */
function tell(message: Greeting | Outcome | typeof STAGED): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

function main(): void {
  const refused = refusal();
  if (refused !== undefined || folder === undefined) {
    tell({ refused: refused ?? "no folder" });
    process.stderr.write(`refused: ${refused}\n`);
    process.exitCode = 3;
    process.disconnect?.();
    return;
  }
  goFirst();
  let staged: Staged[] = [];
  process.on("message", async (message: Stage | Go) => {
    if ("commands" in message) staged = stage(message, folder);
    tell("commands" in message ? STAGED : await carryOut(staged.splice(0), message));
  });
  process.on("disconnect", () => {
    rmSync(folder, { recursive: true, force: true });
    // The group is this process and the program that it runs.
    process.kill(0, "SIGKILL");
  });
  tell({ ready: true });
}

main();
