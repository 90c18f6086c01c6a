/** All commands. Each is loaded when it is asked for: all of them together take longer to load than most run. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { EXIT_BAD, EXIT_FINE } from "./fault.js";
import { HELP_FORMAT, helpText } from "./help.js";

interface CommandModule {
  readonly names: readonly string[];
  /** Adds the commands of these names. */
  readonly load: () => Promise<(program: Command) => void>;
}

const COMMANDS: readonly CommandModule[] = [
  { names: ["bench"], load: async () => (await import("./bench.js")).addBench },
  { names: ["compare", "merge", "report"], load: async () => (await import("./compare.js")).addCompare },
  { names: ["profile"], load: async () => (await import("./profile.js")).addProfile },
  { names: ["check"], load: async () => (await import("./check.js")).addCheck },
  { names: ["trace"], load: async () => (await import("./trace.js")).addTrace },
  { names: ["verify"], load: async () => (await import("./verify.js")).addVerify },
  { names: ["edit"], load: async () => (await import("./edit.js")).addEdit },
  { names: ["gen"], load: async () => (await import("./gen.js")).addGen },
  { names: ["dump"], load: async () => (await import("./dump.js")).addDump },
];

const HELP = `
First steps:
  ruleswap bench                        what one change costs on this machine; a table, and a page
  ruleswap bench --workload rules.v4    the same for your own ruleset, as iptables-save prints it
  ruleswap check rules.v4               what is wrong with it, and what in it can never matter
  ruleswap COMMAND --help               units, defaults and examples

Exit code: 0 fine, 1 a finding (a regression, a mismatch, a failed check), 2 bad use or bad input.`;

/** With the command that the first word names, or with all of them where it names none. */
async function makeProgram(word: string | undefined): Promise<Command> {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const program = new Command("ruleswap")
    .description("netfilter's rules in WebAssembly, and what it costs to change them")
    .version(version)
    .exitOverride()
    .showHelpAfterError("(--help says more)")
    .configureHelp(HELP_FORMAT);
  if (word === "--version" || word === "-V") return program;
  const named = COMMANDS.filter(({ names }) => word !== undefined && names.includes(word));
  // Commands take the settings above over from the program.
  for (const { load } of named.length > 0 ? named : COMMANDS) (await load())(program);
  return program.addHelpText("after", helpText(HELP));
}

/** Runs one command line. Resolves when all output is written; the exit code is in `process.exitCode`. */
export async function run(argv: readonly string[]): Promise<void> {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  try {
    const program = await makeProgram(argv[2]);
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has said it already.
      process.exitCode = error.exitCode === 0 ? EXIT_FINE : EXIT_BAD;
      return;
    }
    const { faultText } = await import("./fault-text.js");
    process.stderr.write(`${faultText(error)}\n`);
    process.exitCode = EXIT_BAD;
  }
}
