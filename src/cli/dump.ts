/** `ruleswap dump`: the blob that a ruleset compiles to, readable. */
import type { Command } from "commander";
import { compile } from "../blob/compile.js";
import { dump } from "../blob/dump.js";
import { parseRuleset } from "../ruleset/parse.js";
import type { Family } from "../ruleset/row-store.js";
import { TABLE_NAMES, type TableName } from "../ruleset/ruleset.js";
import { CliError } from "./fault.js";
import { helpText } from "./help.js";
import { type Input, readInput } from "./input.js";
import { oneOf } from "./number-option.js";
import { print } from "./output.js";

interface DumpOptions {
  readonly family: Family;
  readonly table?: TableName;
}

const HELP = `
Examples:
  ruleswap dump rules.v4 --table nat
  iptables-save | ruleswap dump - --table filter | head -40

In front of each record stands its offset from the blob's start; jumps name the offset that they lead to.`;

export function addDump(program: Command): void {
  program
    .command("dump")
    .description("the compiled blob of every table: header, then each record with its offset and size in bytes")
    .argument("<rules>", 'a ruleset as iptables-save prints it; "-" for standard input')
    .option("--family <name>", "ipv4 or ipv6", oneOf(["ipv4", "ipv6"]), "ipv4")
    .option("--table <name>", `one of ${TABLE_NAMES.join(", ")} alone`, oneOf(TABLE_NAMES))
    .addHelpText("after", helpText(HELP))
    .action((path: string, options: DumpOptions) => dumpFile(readInput(path), options));
}

async function dumpFile(input: Input, options: DumpOptions): Promise<void> {
  const ruleset = parseRuleset(input.bytes, { family: options.family, file: input.file });
  const tables = [...ruleset.tables.values()].filter(({ name }) => name === (options.table ?? name));
  if (tables.length === 0) throw new CliError(`${input.file}: no table ${options.table ?? ""}`.trimEnd());
  const blobs = tables.map((table) => `${[...dump(table, compile(table))].join("\n")}\n`);
  await print(blobs.join("\n"));
}
