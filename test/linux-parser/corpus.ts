/** Files that others wrote, read where they lie: RULESWAP_CORPUS or ../shared/corpus beside the repository. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Family } from "../../src/ruleset/row-store.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = process.env.RULESWAP_CORPUS ?? resolve(ROOT, "../shared/corpus");

/** Where it lies, if it is there. */
export const corpusFolder = FOLDER;
export const hasCorpus = existsSync(join(FOLDER, "loads.txt"));
export const absence = hasCorpus ? "" : ` (skipped: no corpus at ${FOLDER})`;

export interface CorpusFile {
  readonly path: string;
  readonly family: Family;
  readonly bytes: Uint8Array;
  /** Names of the sets that it matches against. */
  readonly sets: readonly string[];
}

export interface RejectedFile extends CorpusFile {
  /** The line that iptables-restore complains about. */
  readonly line: number;
  readonly complaint: string;
}

/** Files that iptables-legacy-restore loads. */
export function loadedFiles(): CorpusFile[] {
  return listed("loads.txt").map(({ file }) => file);
}

/** Files that it rejects. */
export function rejectedFiles(): RejectedFile[] {
  return listed("rejects.txt").map(({ file, rest }) => ({
    ...file,
    line: Number(/line:? (\d+)/.exec(rest)?.[1]),
    complaint: rest,
  }));
}

function listed(name: string): { file: CorpusFile; rest: string }[] {
  const lines = readFileSync(join(FOLDER, name), "utf8").trim().split("\n");
  return lines.map((line) => {
    const [path = "", version] = line.split(" ");
    const bytes = readFileSync(join(FOLDER, path));
    const sets = new Set([...bytes.toString("utf8").matchAll(/--match-set (\S+)/g)].map((match) => match[1] as string));
    return { file: { path, family: version === "v6" ? "ipv6" : "ipv4", bytes, sets: [...sets] }, rest: line };
  });
}

/** One line of iptables' own syntax tests: a rule for a table and a chain. */
export interface SyntaxCase {
  readonly source: string;
  readonly family: Family;
  readonly table: string;
  readonly chain: string;
  readonly rule: string;
  /** What iptables-save prints of it behind the chain, or undefined where it must be rejected. */
  readonly expected: string | undefined;
  /** Lines to stand in the table first, for objects that the rule names. */
  readonly setup: readonly string[];
}

/** A ruleset that holds the rule of a case. */
export function textOf({ table, chain, rule, setup }: SyntaxCase): string {
  return `*${table}\n${setup.map((line) => `${line}\n`).join("")}-A ${chain} ${rule}\nCOMMIT\n`;
}

/** The cases of files for iptables and ip6tables; those for both families are given twice. */
export function syntaxCases(): SyntaxCase[] {
  const folder = join(FOLDER, "iptables-t");
  const cases: SyntaxCase[] = [];
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith(".t") || /^lib(ebt|arpt)_/.test(name)) continue;
    const families: Family[] = name.startsWith("libipt_")
      ? ["ipv4"]
      : name.startsWith("libip6t_")
        ? ["ipv6"]
        : ["ipv4", "ipv6"];
    let tables = ["filter"];
    let chains: string[] = [];
    let setup: string[] = [];
    for (const [index, line] of readFileSync(join(folder, name), "utf8").split("\n").entries()) {
      const command = /^%iptables (-[ID]) (.*)/.exec(line);
      if (command?.[1] === "-I") setup.push(`-I ${command[2]}`);
      else if (command) setup = setup.filter((one) => one !== `-I ${command[2]}`);
      if (line === "" || /^[#%@]/.test(line)) continue;
      if (line.startsWith(":")) chains = line.slice(1).split(",");
      else if (line.startsWith("*")) tables = line.slice(1).split(",");
      else {
        const [rule = "", print, result] = line.split(";");
        const expected = result?.trim() === "FAIL" ? undefined : print === "=" ? rule : print;
        const source = `${name}:${index + 1}`;
        for (const family of families)
          for (const table of tables)
            for (const chain of chains) cases.push({ source, family, table, chain, rule, expected, setup: [...setup] });
      }
    }
  }
  return cases;
}
