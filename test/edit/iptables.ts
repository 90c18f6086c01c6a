/** The real iptables-legacy as a judge of commands: whole histories in one network namespace, one answer a command. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Family } from "../../src/ruleset/row-store.js";
import { BUILTIN_CHAINS, TABLE_NAMES } from "../../src/ruleset/ruleset.js";
import { start } from "../run.js";

/** A ruleset, loaded with its counters into empty tables, and commands that follow each other. */
export interface History {
  readonly text: string;
  readonly commands: readonly (readonly string[])[];
  /** Its commands only list, so that nothing is saved behind them. */
  readonly lists?: boolean;
}

export interface CommandAnswer {
  readonly status: number;
  readonly output: string;
  readonly complaint: string;
  /** iptables-legacy-save -c behind the command, without comments; empty where commands only list. */
  readonly saved: string;
}

const EMPTY = TABLE_NAMES.map((table) => {
  const chains = BUILTIN_CHAINS[table].map((chain) => `:${chain} ACCEPT [0:0]\n`);
  return `*${table}\n${chains.join("")}COMMIT\n`;
}).join("");

/** Answers by history and command; undefined for a history whose text does not load. */
export async function playHistories(
  family: Family,
  histories: readonly History[],
): Promise<(CommandAnswer[] | undefined)[]> {
  const folder = mkdtempSync(join(tmpdir(), "ruleswap-edit-"));
  const program = family === "ipv4" ? "iptables-legacy" : "ip6tables-legacy";
  // A lock of its own: others' namespaces are no business of this one's.
  const script = [`cd '${folder}'; export XTABLES_LOCKFILE='${folder}/lock'`];
  writeFileSync(join(folder, "empty"), EMPTY);
  for (const [h, { text, commands, lists }] of histories.entries()) {
    writeFileSync(join(folder, `${h}.text`), text);
    script.push(`${program}-restore < empty`, `${program}-restore -c < ${h}.text 2>> load.err; echo $? > ${h}.loaded`);
    for (const [n, command] of commands.entries()) {
      const name = `${h}.${n}`;
      script.push(
        `${program} ${command.map(shellQuoted).join(" ")} > ${name}.out 2> ${name}.err; echo $? > ${name}.status`,
      );
      if (!lists) script.push(`${program}-save -c > ${name}.saved`);
    }
  }
  try {
    await runInNamespace(script.join("\n"));
    const read = (name: string): string => readFileSync(join(folder, name), "utf8");
    return histories.map(({ commands, lists }, h) => {
      if (read(`${h}.loaded`).trim() !== "0") return undefined;
      return commands.map((_, n) => ({
        status: Number(read(`${h}.${n}.status`)),
        output: read(`${h}.${n}.out`),
        complaint: read(`${h}.${n}.err`).trim(),
        saved: lists ? "" : read(`${h}.${n}.saved`).replace(/^#.*\n/gm, ""),
      }));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const runInNamespace = (input: string): Promise<unknown> => start("unshare", ["--net", "sh"], { input }).ended;

export const shellQuoted = (argument: string): string => `'${argument.replaceAll("'", "'\\''")}'`;

/** Arguments of a line as iptables-restore cuts them. */
export function argumentsOf(line: string): string[] {
  const words: string[] = [];
  for (const [, quoted, bare] of line.matchAll(/"((?:[^"\\]|\\.)*)"|([^\s"]+)/g))
    words.push(bare ?? (quoted as string).replace(/\\(.)/g, "$1"));
  return words;
}
