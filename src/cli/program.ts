/** All commands. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { RulesetError } from "../ruleset/ruleset-error.js";
import { addBench } from "./bench.js";
import { addProfile } from "./profile.js";
import { addCompare } from "./compare.js";
import { addCheck } from "./check.js";
import { addDump } from "./dump.js";
import { addEdit } from "./edit.js";
import { addGen } from "./gen.js";
import { addTrace } from "./trace.js";
import { addVerify } from "./verify.js";
import { EXIT_BAD, EXIT_FINE, messageOf } from "./fault.js";

const COMMANDS = [addBench, addCompare, addProfile, addCheck, addTrace, addVerify, addEdit, addGen, addDump];

function makeProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const program = new Command("ruleswap")
    .description("netfilter's rules in WebAssembly, and what it costs to change them")
    .version(version)
    .exitOverride()
    .showHelpAfterError("(--help says more)")
    .configureHelp({ helpWidth: 100 });
  // Commands take these settings over from the program.
  for (const add of COMMANDS) add(program);
  return program;
}

/** Runs one command line. Resolves when all output is written; the exit code is in `process.exitCode`. */
export async function run(argv: readonly string[]): Promise<void> {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  try {
    await makeProgram().parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has said it already.
      process.exitCode = error.exitCode === 0 ? EXIT_FINE : EXIT_BAD;
      return;
    }
    // A fault in a file begins with the file's name and place, as compilers have it.
    const who = error instanceof RulesetError ? "" : "ruleswap: ";
    process.stderr.write(`${who}${messageOf(error)}\n`);
    process.exitCode = EXIT_BAD;
  }
}
