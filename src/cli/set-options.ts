/** Options of commands whose rules may name sets and objects of nfacct. */
import type { Command } from "commander";
import { type AccountingObject, readAccounting } from "../engine/accounting.js";
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

export interface AccountingOptions {
  readonly nfacct?: string;
}

export function addAccountingOption(command: Command): Command {
  return command.option("--nfacct <file>", "objects that the rules count in (-m nfacct): what nfacct list prints");
}

/** The objects that the file names. @throws AccountingError with the line that names none. */
export function accountingOf({ nfacct }: AccountingOptions): AccountingObject[] {
  if (nfacct === undefined) return [];
  const { bytes, file } = readInput(nfacct);
  return readAccounting(Buffer.from(bytes).toString("utf8"), file);
}
