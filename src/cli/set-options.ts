/** Options of commands whose rules may name sets. */
import type { Command } from "commander";
import { withEmptySets } from "../ruleset/ipset/named-sets.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { readInput } from "./input.js";

export interface SetOptions {
  readonly sets?: string;
  readonly emptySets?: boolean;
}

export interface SetText {
  readonly text: string;
  readonly file: string;
}

export function addSetOptions(command: Command): Command {
  return command
    .option("--sets <file>", "sets that the rules name: what ipset save prints, or any file for ipset restore")
    .option("--empty-sets", "make those that the rules name and nobody made, empty; else that is an error");
}

/** What the sets are to be made of. @throws RulesetError at the first fault of the file. */
export function setText(ruleset: Ruleset, { sets, emptySets: makesEmpty }: SetOptions): SetText {
  const input = sets === undefined ? undefined : readInput(sets);
  const text = input ? Buffer.from(input.bytes).toString("utf8") : "";
  const file = input?.file ?? "sets";
  return { text: makesEmpty ? withEmptySets(ruleset, text, file) : text, file };
}
