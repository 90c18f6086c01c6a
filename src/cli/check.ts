/** `ruleswap check`: what is wrong with a ruleset, and what in it can never matter. */
import type { Command } from "commander";
import { parseRuleset } from "../ruleset/parse.js";
import type { Family } from "../ruleset/row-store.js";
import { whole } from "../report/units.js";
import { RulesetError } from "../ruleset/ruleset-error.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { shadowedRules } from "../ruleset/shadowed.js";
import { unreachableChains } from "../ruleset/unreachable.js";
import { EXIT_BAD, EXIT_FINDING } from "./fault.js";
import { type Input, readInput } from "./input.js";
import { loadRuleset } from "./load.js";
import { oneOf } from "./number-option.js";
import { print } from "./output.js";

/** Errors that are told of one file. */
const MOST_ERRORS = 50;

export function addCheck(program: Command): void {
  program
    .command("check")
    .description("every error with its place; shadowed rules and unreachable chains (exit code 1 when there are any)")
    .argument("<rules>", 'what iptables-save prints, or any file for iptables-restore; "-" for standard input')
    .option("--family <name>", "ipv4 or ipv6", oneOf(["ipv4", "ipv6"]), "ipv4")
    .action((path: string, { family }: { family: Family }) => check(readInput(path), family));
}

async function check(input: Input, family: Family): Promise<void> {
  const { ruleset, errors } = parseAll(input, family);
  for (const error of errors) process.stderr.write(`${error.message}\n`);
  if (errors.length > 0) process.exitCode = EXIT_BAD;
  if (!ruleset) return;
  if (errors.length === 0) loadRuleset(ruleset, input);
  const findings = [...findingsOf(ruleset)].map((finding) => `${input.file}:${finding}\n`);
  if (findings.length > 0) process.exitCode ??= EXIT_FINDING;
  const rules = [...ruleset.tables.values()].reduce((sum, { rows }) => sum + rows.count, 0);
  const summary = `${input.file}: ${count(ruleset.tables.size, "table")}, ${count(rules, "rule")}, no errors\n`;
  await print(findings.join("") + (errors.length === 0 ? summary : ""));
}

const count = (number: number, what: string): string => `${whole(number)} ${what}${number === 1 ? "" : "s"}`;

/** Every error that shows, not only the first: a rule that is wrong is left out, and the rest read again. */
function parseAll(input: Input, family: Family): { ruleset?: Ruleset; errors: RulesetError[] } {
  const bytes = Uint8Array.from(input.bytes);
  const errors: RulesetError[] = [];
  while (errors.length < MOST_ERRORS) {
    try {
      return { ruleset: parseRuleset(bytes, { family, file: input.file }), errors };
    } catch (error) {
      if (!(error instanceof RulesetError)) throw error;
      errors.push(error);
      if (!leaveOutRule(bytes, error.line)) break;
    }
  }
  return { errors };
}

/** Makes line `number` (from 1) a comment; false unless it holds a rule that others do not depend on. */
function leaveOutRule(bytes: Uint8Array, number: number): boolean {
  let start = 0;
  for (let line = 1; line < number; line++) {
    start = bytes.indexOf(0x0a, start) + 1;
    if (start === 0) return false;
  }
  const end = bytes.indexOf(0x0a, start);
  const text = Buffer.from(bytes.subarray(start, end < 0 ? bytes.length : end)).toString("latin1");
  if (!/^\s*(\[\d+:\d+\]\s*)?(-[AIR]|--append|--insert|--replace)\b/.test(text)) return false;
  bytes.fill(0x23, start, start + text.length);
  return true;
}

function* findingsOf(ruleset: Ruleset): Generator<string> {
  for (const table of ruleset.tables.values()) {
    for (const { chain, rule, line, by } of shadowedRules(table))
      yield `${line}: rule ${rule} of ${table.name} ${chain.name} never matches: rule ${by.rule} (line ${by.line}) takes its packets`;
    for (const chain of unreachableChains(table)) yield ` no hook leads to chain ${chain.name} of table ${table.name}`;
  }
}
