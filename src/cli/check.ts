/** `ruleswap check`: what is wrong with a ruleset, and what in it can never matter. */
import type { Command } from "commander";
import type { Finding, FindingKind } from "../ruleset/check/finding.js";
import { findings } from "../ruleset/check/findings.js";
import { parseRuleset } from "../ruleset/parse.js";
import type { Family } from "../ruleset/row-store.js";
import { whole } from "../report/units.js";
import { RulesetError } from "../ruleset/ruleset-error.js";
import type { Ruleset, Table } from "../ruleset/ruleset.js";
import { type CheckReport, checkJson, findingText } from "./check-report.js";
import { EXIT_BAD, EXIT_FINDING } from "./fault.js";
import { helpText } from "./help.js";
import { type Input, readInput } from "./input.js";
import { loadRuleset } from "./load.js";
import { listOf, oneOf } from "./number-option.js";
import { print, writeOutput } from "./output.js";
import {
  addObjectOptions,
  addSetOptions,
  type ObjectOptions,
  objectsOf,
  type SetOptions,
  setText,
} from "./set-options.js";

/** No packet is sent, but a rule that is for tracking alone must not be refused. */
const CONNECTIONS = 1;
/** Errors that are told of one file. */
const MOST_ERRORS = 50;

const KINDS: readonly FindingKind[] = [
  "shadowed",
  "behind-end",
  "excluded",
  "contradiction",
  "unreachable-chain",
  "jump-to-empty-chain",
];

const HELP = `
Examples:
  iptables-save | ruleswap check -
  ruleswap check rules.v6 --family ipv6 --ignore unreachable-chain

Findings, each with the rules that prove it:
  shadowed             rules in front take every packet that the rule would take, one of them or several together
  behind-end           a rule in front ends the chain for all packets
  excluded             no packet that gets to the chain meets the rule's conditions
  contradiction        no packet at all meets the rule's conditions
  unreachable-chain    no hook leads to the chain
  jump-to-empty-chain  the chain that is jumped to has no rules

Nothing is guessed: of conditions that depend on more than the packet (limits, lists, sets, chance, the clock)
nothing is said.

Exit code: 0 nothing found, 1 findings, 2 errors.`;

interface CheckOptions extends SetOptions, ObjectOptions {
  readonly family: Family;
  readonly ignore: FindingKind[];
  readonly json?: string;
}

export function addCheck(program: Command): void {
  addObjectOptions(addSetOptions(program.command("check")))
    .description("every error with its place; rules that can never match and chains that nothing leads to")
    .argument("<rules>", 'what iptables-save prints, or any file for iptables-restore; "-" for standard input')
    .option("--family <name>", "ipv4 or ipv6", oneOf(["ipv4", "ipv6"]), "ipv4")
    .option("--ignore <list>", "kinds of findings to leave out, commas between", listOf(oneOf(KINDS)), [])
    .option("--json <file>", 'write all as JSON; to standard output, in place of text, for "-"')
    .addHelpText("after", helpText(HELP))
    .action((path: string, options: CheckOptions) => check(readInput(path), options));
}

async function check(input: Input, { family, ignore, json, ...sets }: CheckOptions): Promise<void> {
  const { ruleset, errors } = parseAll(input, family);
  for (const error of errors) process.stderr.write(`${error.message}\n`);
  if (ruleset && errors.length === 0)
    loadRuleset(ruleset, input, { connections: CONNECTIONS, ...objectsOf(sets) }, setText(ruleset, sets));
  // What a rule that is wrong would take is not known, nor where it would lead.
  const tables = ruleset && errors.length === 0 ? [...ruleset.tables.values()] : [];
  const found = tables.map((table) => findings(table));
  const report: CheckReport = {
    file: input.file,
    family,
    errors,
    findings: found.flatMap((one) => one.findings).filter(({ kind }) => !ignore.includes(kind)),
    unexamined: found.reduce((sum, one) => sum + one.unexamined, 0),
  };
  if (errors.length > 0) process.exitCode = EXIT_BAD;
  else if (report.findings.length > 0) process.exitCode = EXIT_FINDING;
  if (json !== undefined) await writeOutput(json, checkJson(report));
  if (json !== "-") await print(reportText(report, tables, Buffer.from(input.bytes).toString("utf8").split("\n")));
}

function reportText(report: CheckReport, tables: readonly Table[], lines: readonly string[]): string {
  const { file, errors, unexamined } = report;
  const runs = runsOf(report.findings);
  const text = runs.map(([first, lastRule]) => findingText(first, lastRule, file, lines)).join("");
  if (errors.length > 0) return text;
  const rules = tables.reduce((sum, { rows }) => sum + rows.count, 0);
  const skipped =
    unexamined > 0 ? `; ${count(unexamined, "rule")} not compared with all in front, as there are too many` : "";
  const outcome = `${count(report.findings.length, "finding")}, no errors${skipped}`;
  return `${text}${file}: ${count(tables.length, "table")}, ${count(rules, "rule")}, ${outcome}\n`;
}

/** Findings of rules one behind the other, with one proof, as one: the first, and the number of the last. */
function runsOf(found: readonly Finding[]): [Finding, number][] {
  const runs: [Finding, number][] = [];
  for (const finding of found) {
    const run = runs.at(-1);
    const continues =
      run &&
      finding.kind === "behind-end" &&
      finding.rule === run[1] + 1 &&
      finding.because[0] === run[0].because[0] &&
      run[0].kind === finding.kind;
    if (continues) run[1] = finding.rule;
    else runs.push([finding, finding.rule]);
  }
  return runs;
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
