/** Where and by what a result was made. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, freemem, loadavg, release, totalmem, type, version } from "node:os";
import { fileURLToPath } from "node:url";
import { mayGoFirst } from "../linux/priority.js";

export interface Environment {
  /** Of ruleswap's own repository; null where it was installed as a package. A "+" behind it: with changes of one's own. */
  readonly commit: string | null;
  readonly versions: { readonly ruleswap: string; readonly node: string; readonly v8: string };
  readonly cpu: string;
  /** Processors that this process may use. */
  readonly cores: number;
  readonly memory_bytes: number;
  readonly free_memory_bytes: number;
  /** Processes that wanted to run, a mean of the minute before the start; 0 on Windows. */
  readonly load_average: number;
  /** Whether what was measured went before whoever else had work (see linux/priority.ts). */
  readonly measured_first: boolean;
  /** Whether it did so at real-time priority in rounds that are short enough for it (see linux/real-time.ts). */
  readonly real_time: boolean;
  readonly os: string;
  readonly arch: string;
  /** ISO 8601, UTC. */
  readonly started: string;
}

export function environment(realTime: boolean, now = new Date()): Environment {
  const { version: ruleswap } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return {
    commit: commit(),
    versions: { ruleswap, node: process.versions.node, v8: process.versions.v8 },
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory_bytes: totalmem(),
    free_memory_bytes: freemem(),
    load_average: loadavg()[0] ?? 0,
    measured_first: mayGoFirst(),
    real_time: realTime,
    os: `${type()} ${release()} ${version()}`,
    arch: process.arch,
    started: now.toISOString(),
  };
}

/** A checkout on a network's disk is not worth waiting for. */
const GIT_MS = 10_000;

function commit(): string | null {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", root, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: GIT_MS,
    }).trim();
  try {
    // Inside node_modules of someone's repository git would name theirs.
    if (git("rev-parse", "--show-prefix") !== "") return null;
    return git("rev-parse", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "+");
  } catch {
    return null;
  }
}
