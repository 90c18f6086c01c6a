/** The machine's own iptables, in a network namespace that is gone when the answer is there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Family } from "../../src/ruleset/row-store.js";
import { BUILTIN_CHAINS, TABLE_NAMES, type TableName } from "../../src/ruleset/ruleset.js";
import { output, run } from "../run.js";

/** Why the kernel's answers cannot be had here, or undefined where they can. */
export function kernelMissing(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  const probe = run("unshare", ["--net", "iptables-legacy-restore", "--version"]);
  return probe.status === 0 ? undefined : "needs unshare and iptables-legacy-restore";
}

/**
 * One round in a namespace: load `text` as a whole (and forget what was there), counters included, then `batch` with
 * --noflush and counters.
 */
export interface Round {
  readonly text: string;
  readonly batch?: string;
}

export interface Answer {
  /** Exit status of the last restore, with what it said. */
  readonly status: number;
  readonly message: string;
  /** Lines of iptables-save --counters behind it, without the comments of date. */
  readonly saved: string;
}

/** All rounds in one namespace, one after another. */
export function askKernel(family: Family, rounds: readonly Round[]): Answer[] {
  const directory = mkdtempSync(join(tmpdir(), "ruleswap-kernel-"));
  const prefix = family === "ipv4" ? "iptables-legacy" : "ip6tables-legacy";
  const empty = join(directory, "empty");
  // A restore leaves policies alone that it does not state.
  const state = (table: TableName): string => BUILTIN_CHAINS[table].map((chain) => `:${chain} ACCEPT [0:0]\n`).join("");
  writeFileSync(empty, TABLE_NAMES.map((table) => `*${table}\n${state(table)}COMMIT\n`).join(""));
  // A lock of its own: others' namespaces are no business of this one's.
  const script = [`export XTABLES_LOCKFILE='${join(directory, "lock")}'`];
  rounds.forEach((round, index) => {
    const file = (name: string): string => join(directory, `${index}.${name}`);
    writeFileSync(file("text"), round.text);
    script.push(`${prefix}-restore <${empty}`);
    if (round.batch === undefined)
      script.push(`${prefix}-restore --counters <${file("text")} 2>${file("err")}; echo $? >${file("rc")}`);
    else {
      writeFileSync(file("batch"), round.batch);
      script.push(`${prefix}-restore --counters <${file("text")} 2>${file("err")} || echo unloadable >>${file("err")}`);
      script.push(`${prefix}-restore --noflush --counters <${file("batch")} 2>>${file("err")}; echo $? >${file("rc")}`);
    }
    script.push(`${prefix}-save --counters >${file("saved")}`);
  });
  try {
    output("unshare", ["--net", "sh"], { input: script.join("\n") });
    return rounds.map((_round, index) => {
      const read = (name: string): string => readFileSync(join(directory, `${index}.${name}`), "utf8");
      const saved = read("saved").replace(/^#.*\n/gm, "");
      return { status: Number(read("rc")), message: read("err"), saved };
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
