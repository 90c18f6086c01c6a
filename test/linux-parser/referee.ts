/**
 * Asks the installed iptables-legacy what it makes of texts. All of them are loaded in network namespaces of their own,
 * as many in one as need no ipset.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BUILTIN_CHAINS, TABLE_NAMES } from "../../src/ruleset/ruleset.js";
import type { Family } from "../../src/ruleset/row-store.js";
import { run, start } from "../run.js";

export interface Question {
  readonly family: Family;
  readonly text: string | Uint8Array;
  /** Sets to create first, empty. */
  readonly sets?: readonly string[];
}

export interface Answer {
  /** What iptables-legacy-save prints afterwards, or undefined when the text was rejected. */
  readonly saved: string | undefined;
  readonly complaint: string;
}

const available = process.platform === "linux" && process.getuid?.() === 0 && hasTools();
export const refereeAbsence = available
  ? ""
  : " (skipped: needs root on Linux with iptables-legacy, ipset and unshare)";
export const hasReferee = available;

function hasTools(): boolean {
  const probe = "iptables-legacy-save -V && ip6tables-legacy-restore -V && ipset -v";
  return run("unshare", ["--net", "sh", "-c", probe]).status === 0;
}

/** Namespaces at a time. */
const LANES = 2;

/** Tables as they are in a new namespace: one text must not leave its policies to the next. */
const EMPTY = TABLE_NAMES.map((table) => {
  const chains = BUILTIN_CHAINS[table].map((chain) => `:${chain} ACCEPT [0:0]\n`);
  return `*${table}\n${chains.join("")}COMMIT\n`;
}).join("");

/** Lines: number, family's letter ("" or "6"), "reset" or "-". Lanes have locks of their own, as they have tables. */
const SCRIPT = `
cd "$1"
export XTABLES_LOCKFILE="$1/$2.lock"
while read -r n six reset; do
  [ "$six" = 4 ] && six=
  [ "$reset" = reset ] && ip\${six}tables-legacy-restore < empty
  if ip\${six}tables-legacy-restore < "$n.in" > "$n.err" 2>&1; then ip\${six}tables-legacy-save > "$n.out"; fi
done < "$2"
`;

/** One answer a question, in order. */
export async function askLinux(questions: readonly Question[]): Promise<Answer[]> {
  const folder = mkdtempSync(join(tmpdir(), "ruleswap-referee-"));
  try {
    writeFileSync(join(folder, "empty"), EMPTY);
    const lanes: string[][] = Array.from({ length: LANES }, () => []);
    const alone: { line: string; sets: readonly string[]; family: Family }[] = [];
    for (const [n, question] of questions.entries()) {
      writeFileSync(join(folder, `${n}.in`), question.text);
      const line = `${n} ${question.family === "ipv4" ? 4 : 6} ${n < LANES || namesAllPolicies(question.text) ? "-" : "reset"}`;
      if (question.sets?.length) alone.push({ line, sets: question.sets, family: question.family });
      else lanes[n % LANES]?.push(line);
    }
    await Promise.all(lanes.map((lines, lane) => runLane(folder, `lane${lane}`, lines, "")));
    for (const [n, { line, sets, family }] of alone.entries()) {
      const kind = family === "ipv4" ? "inet" : "inet6";
      const create = sets.map((set) => `ipset create '${set}' hash:ip family ${kind}`).join("\n");
      await runLane(folder, `alone${n}`, [line], create);
    }
    return questions.map((_, n) => ({
      saved: existsSync(join(folder, `${n}.out`)) ? readFileSync(join(folder, `${n}.out`), "utf8") : undefined,
      complaint: readFileSync(join(folder, `${n}.err`), "utf8").trim(),
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function namesAllPolicies(text: string | Uint8Array): boolean {
  const whole = typeof text === "string" ? text : Buffer.from(text).toString("latin1");
  for (const table of TABLE_NAMES) {
    const at = whole.indexOf(`*${table}\n`);
    if (at >= 0 && !BUILTIN_CHAINS[table].every((chain) => whole.includes(`\n:${chain} `, at))) return false;
  }
  return true;
}

async function runLane(folder: string, name: string, lines: readonly string[], prepare: string): Promise<void> {
  if (lines.length === 0) return;
  writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
  const script = `set -e\n${prepare}\nset +e\n${SCRIPT}`;
  const { status, stderr } = await start("unshare", ["--net", "sh", "-c", script, "sh", folder, name]).ended;
  if (status === null || status > 1) throw new Error(`referee ended with ${status}\n${stderr}`);
}

/** Tables of iptables-save text without comment lines, by name. */
export function tablesOf(text: string): Map<string, string> {
  const tables = new Map<string, string>();
  for (const part of text.split(/^(?=\*)/m)) {
    const name = /^\*(\S+)\n/.exec(part)?.[1];
    if (name)
      tables.set(
        name,
        part
          .split("\n")
          .filter((line) => !line.startsWith("#"))
          .join("\n")
          .trim(),
      );
  }
  return tables;
}

/** Policies' counters as zero, which they are after a restore without -c. */
export function withoutPolicyCounters(text: string): string {
  return text.replace(/^(:\S+ \S+) \[\d+:\d+\]$/gm, "$1 [0:0]");
}
