/** The real iptables-legacy for the tests: whatever is loaded here is loaded into a network namespace of its own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Family } from "../src/ruleset/row-store.js";
import { output, run } from "./run.js";

const works = (command: string): boolean => run("sh", ["-c", command]).status === 0;

/** Why the kernel cannot be asked, for the titles of skipped tests; empty when it can. */
export const whyNoKernel: string =
  process.platform !== "linux"
    ? "skipped: not Linux"
    : process.getuid?.() !== 0
      ? "skipped: not root"
      : !works("command -v unshare iptables-legacy-restore ip6tables-legacy-restore iptables-legacy-save")
        ? "skipped: no iptables-legacy tools"
        : !works("unshare --net iptables-legacy-save -t filter")
          ? "skipped: no network namespaces"
          : "";

export interface Step {
  readonly text: string;
  /** A whole ruleset, edits on what is there, or sets for `ipset restore`. */
  readonly kind: "whole" | "batch" | "sets";
}

/**
 * Loads the steps one after another into one new namespace, and gives what iptables-save prints after each rule step:
 * tables by name, without comments.
 */
export function loadAndSave(family: Family, steps: readonly Step[]): Map<string, string>[] {
  const folder = mkdtempSync(join(tmpdir(), "ruleswap-"));
  const tool = family === "ipv4" ? "iptables-legacy" : "ip6tables-legacy";
  try {
    const commands = steps.map(({ text, kind }, nth) => {
      const file = join(folder, `${nth}.in`);
      writeFileSync(file, text);
      if (kind === "sets") return `ipset restore < ${file}`;
      return `${tool}-restore ${kind === "batch" ? "--noflush" : ""} < ${file} && ${tool}-save > ${folder}/${nth}.out`;
    });
    output("unshare", ["--net", "sh", "-ec", commands.join("\n")]);
    return steps.flatMap(({ kind }, nth) =>
      kind === "sets" ? [] : [tablesOf(readFileSync(join(folder, `${nth}.out`), "utf8"))],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The tables of a save file, without comment lines. The order of tables says only which was used first. */
export function tablesOf(save: string): Map<string, string> {
  const plain = save.replace(/^#.*\n/gm, "");
  return new Map(plain.split(/(?<=^COMMIT\n)/m).map((table) => [table.slice(1, table.indexOf("\n")), table]));
}
