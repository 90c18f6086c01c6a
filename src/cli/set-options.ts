/** Options of commands whose rules may name sets, objects of nfacct, and policies of nfct. */
import type { Command } from "commander";
import { type AccountingObject, readAccounting } from "../engine/accounting.js";
import type { TimeoutPolicy } from "../engine/timeout-policies.js";
import { readTimeoutPolicies } from "../engine/timeout-policy-text.js";
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

export interface ObjectOptions {
  readonly nfacct?: string;
  readonly nfct?: string;
}

export function addObjectOptions(command: Command): Command {
  return command
    .option("--nfacct <file>", "objects that the rules count in (-m nfacct): what nfacct list prints")
    .option("--nfct <file>", "policies that the rules name (-j CT --timeout): what nfct list timeout prints");
}

/** What the files name. @throws AccountingError with the line that names no object, RulesetError with the place of another fault. */
export function objectsOf({ nfacct, nfct }: ObjectOptions): {
  readonly accounting: AccountingObject[];
  readonly timeoutPolicies: TimeoutPolicy[];
} {
  return {
    accounting: nfacct === undefined ? [] : readAccounting(...textOf(nfacct)),
    timeoutPolicies: nfct === undefined ? [] : readTimeoutPolicies(...textOf(nfct)),
  };
}

function textOf(path: string): [text: string, file: string] {
  const { bytes, file } = readInput(path);
  return [Buffer.from(bytes).toString("utf8"), file];
}
