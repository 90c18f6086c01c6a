/** `ruleswap dump`: the compiled blob, readable. */
import type { Command } from "commander";
import { compile } from "../blob/compile.js";
import { dump } from "../blob/dump.js";
import { parseRuleset } from "../ruleset/parse.js";
import type { Family } from "../ruleset/row-store.js";
import { readInput } from "./input.js";
import { oneOf } from "./number-option.js";
import { print } from "./output.js";

export function addDump(program: Command): void {
  program
    .command("dump")
    .description("the compiled blob, readable: offsets and sizes in bytes of every chain and rule")
    .argument("<rules>", 'a ruleset as iptables-save prints it; "-" for standard input')
    .option("--family <name>", "ipv4 or ipv6", oneOf(["ipv4", "ipv6"]), "ipv4")
    .action(async (path: string, { family }: { family: Family }) => {
      const input = readInput(path);
      const ruleset = parseRuleset(input.bytes, { family, file: input.file });
      const texts = [...ruleset.tables.values()].map((table) => `${[...dump(table, compile(table))].join("\n")}\n`);
      await print(texts.join("\n"));
    });
}
