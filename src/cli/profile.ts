/** `ruleswap profile`: the bench under clinic, which is an optional peer: it is large, and few need it. */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Argument, type Command } from "commander";
import { CliError } from "./fault.js";
import { helpText } from "./help.js";

/** What clinic makes of a run. */
const PROFILES = {
  flame: "which functions the processor was in",
  doctor: "what held the program up: processor, memory, event loop",
  bubbleprof: "what asynchronous work waited for",
  heapprofiler: "which functions took memory",
} as const;
type Profile = keyof typeof PROFILES;

const FOLDER = "ruleswap-profile";
/** What logs of other threads than the main one are called. Nobody reads them. */
const THREADS_LOG = "threads";
/** Those that log from every thread, each of which would begin the one log of the process anew. */
const LOGS_OF_THREADS = ["doctor", "bubbleprof"] as const;

/** Threads that are started from now on name their logs otherwise: they take the name from their environment. */
export function keepThreadsLogsApart(): void {
  for (const kind of LOGS_OF_THREADS) process.env[`NODE_CLINIC_${kind.toUpperCase()}_NAME`] = THREADS_LOG;
}

const HELP = `
Example:
  ruleswap profile flame -- bench --sizes 5000 --strategies full

The bench prints its table as ever; one strategy and size make a profile that is easy to read. clinic is installed apart:
npm install clinic. The kinds' pages are explained at clinicjs.org and, for this bench, in docs/profiles.md.

Exit code: the bench's, or 2 where clinic is not installed.`;

export function addProfile(program: Command): void {
  const about = Object.entries(PROFILES).map(([name, text]) => `  ${name.padEnd(14)}${text}`);
  program
    .command("profile")
    .description(
      `a bench under clinic, as a page in ${FOLDER}; updates are made in the main thread, the one that clinic is made for`,
    )
    .addArgument(new Argument("<kind>", "of profile").choices(Object.keys(PROFILES)))
    .argument("<command...>", '"-- bench" and its options')
    .addHelpText("after", helpText(`\nKinds:\n${about.join("\n")}\n${HELP}`))
    .action(profile);
}

function profile(kind: Profile, [command, ...args]: string[]): void {
  if (command !== "bench") throw new CliError(`profile: "-- bench" and its options, not "${command}"`);
  const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
  const bench = [process.execPath, main, "bench", "--no-report", "--writer", "main", ...args];
  const ran = spawnSync(process.execPath, [clinic(), kind, "--open=false", "--dest", FOLDER, "--", ...bench], {
    stdio: "inherit",
    // It would ask, over the network, whether it may report what it is used for.
    env: { ...process.env, NO_INSIGHT: "1" },
  });
  rmSync(join(FOLDER, `${THREADS_LOG}.clinic-${kind}`), { recursive: true, force: true });
  if (ran.error) throw ran.error;
  process.exitCode = ran.status ?? 1;
}

function clinic(): string {
  const { resolve } = createRequire(import.meta.url);
  try {
    return join(dirname(resolve("clinic/package.json")), "bin.js");
  } catch {
    throw new CliError("profile: clinic is not installed; npm install clinic");
  }
}
