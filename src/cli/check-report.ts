/** What `ruleswap check` has found, in text for people and as JSON. */
import type { Finding, FindingKind, RulePlace } from "../ruleset/check/finding.js";
import type { Family } from "../ruleset/row-store.js";
import { excerpt, type RulesetError } from "../ruleset/ruleset-error.js";
import type { TableName } from "../ruleset/ruleset.js";

export const CHECK_SCHEMA = "ruleswap.check/1";

/** Rules that a proof shows; of a longer one it says how many more there are. */
const MOST_SHOWN = 5;

/** `file:12:1: shadowed: rule 3 of filter INPUT never matches: ...`, the line with a caret, and the lines that prove it. */
export function findingText(finding: Finding, lastRule: number, file: string, lines: readonly string[]): string {
  const line = finding.line || chainLine(lines, finding.table, finding.chain);
  const source = lines[line - 1] ?? "";
  const column = source.search(finding.rule === 0 ? /[^:]/ : /-[AI]|--(append|insert)/) + 1;
  const where = line === 0 ? file : `${file}:${line}:${Math.max(1, column)}`;
  const text = `${where}: ${finding.kind.replaceAll("-", " ")}: ${sentence(finding, lastRule)}`;
  const shown = source === "" ? "" : `\n${excerpt(source, Math.max(1, column))}`;
  const others = finding.because.filter((place) => place.line > 0 && place.line !== line);
  const proof = others.slice(0, MOST_SHOWN).map((place) => `\n    line ${place.line}: ${lines[place.line - 1] ?? ""}`);
  const more = others.length - MOST_SHOWN;
  return `${text}${shown}${proof.join("")}${more > 0 ? `\n    and ${more} more lines` : ""}\n`;
}

function sentence({ kind, table, chain, rule, because, target }: Finding, lastRule: number): string {
  const rules = lastRule > rule ? `rules ${rule} to ${lastRule}` : `rule ${rule}`;
  const matches = `${rules} of ${table} ${chain} never ${lastRule > rule ? "match" : "matches"}`;
  const proof = placesText(because, chain);
  const ends: Record<FindingKind, string> = {
    "unreachable-chain": `no hook leads to chain ${chain} of table ${table}${proof && `; ${proof} would, but never matches`}`,
    "jump-to-empty-chain": `rule ${rule} of ${table} ${chain} jumps to ${target}, which has no rules`,
    contradiction: `${matches}: no packet meets all its conditions`,
    excluded: `${matches}: no packet that gets to ${chain} meets its conditions${proof && `, by ${proof}`}`,
    "behind-end": `${matches}: ${proof} takes all packets`,
    shadowed: `${matches}: its packets are taken by ${proof}`,
  };
  return ends[kind];
}

function placesText(places: readonly RulePlace[], chain: string): string {
  const shown = places.slice(0, MOST_SHOWN).map((place) => {
    const own = place.chain === chain ? "" : `${place.chain} `;
    return `${own}rule ${place.rule}${place.line > 0 ? ` (line ${place.line})` : ""}`;
  });
  const more = places.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}

/** The line that declares a chain, 0 where there is none. */
function chainLine(lines: readonly string[], table: TableName, chain: string): number {
  const start = lines.indexOf(`*${table}`);
  for (let at = start + 1; start >= 0 && at < lines.length && lines[at] !== "COMMIT"; at++) {
    const [first, second] = (lines[at] as string).split(/\s+/);
    if (first === `:${chain}` || (first === "-N" && second === chain)) return at + 1;
  }
  return 0;
}

export interface CheckReport {
  readonly file: string;
  readonly family: Family;
  readonly errors: readonly RulesetError[];
  readonly findings: readonly Finding[];
  /** Rules that were not compared with those in front of them, as there are too many. */
  readonly unexamined: number;
}

export function checkJson({ file, family, errors, findings, unexamined }: CheckReport): string {
  const plain = errors.map(({ code, line, column, found, expected, message }) => ({
    code,
    line,
    column,
    found,
    expected,
    message,
  }));
  return `${JSON.stringify({ schema: CHECK_SCHEMA, file, family, errors: plain, findings, unexamined }, null, 2)}\n`;
}
