/** Commands on a ruleset beside the same commands of iptables-legacy on the kernel's. */
import { describe, expect, it } from "vitest";
import { CommandError, runCommand } from "../src/ruleset/command-line.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";
import { type CommandAnswer, type History, playHistories, shellQuoted } from "./edit/iptables.js";
import { randomHistory } from "./edit/random-commands.js";
import { randomFrom } from "./linux-parser/random.js";
import { hasReferee, refereeAbsence, tablesOf } from "./linux-parser/referee.js";
import { seedOf } from "./linux-parser/rule-generator.js";

const HISTORIES = 16;
const COMMANDS = 30;
/** iptables ends with 3 where there is no such table; here that is a wrong word as any other. */
const NO_SUCH_TABLE = 3;

/** Short of 1.8.10 ip6tables compares not all of a rule when it checks (it does when it deletes): it says of this one that it is there. */
const CHECKS_ROUGHLY: History = {
  text: "*filter\n-A INPUT -p tcp -m tcp --dport 2 -j ACCEPT\nCOMMIT\n",
  commands: [["-C", "INPUT", "-p", "tcp", "--dport", "1", "-j", "ACCEPT"]],
};

interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly complaint: string;
}

function ours(ruleset: Ruleset, command: readonly string[]): Outcome {
  try {
    const { listing } = runCommand(ruleset, command);
    return { status: 0, output: Buffer.from(listing ?? []).toString("utf8"), complaint: "" };
  } catch (error) {
    if (error instanceof CommandError) return { status: error.status, output: "", complaint: error.message };
    throw error;
  }
}

/** What differs behind one command, or "". */
function difference(
  ruleset: Ruleset,
  command: readonly string[],
  linux: CommandAnswer,
  checksRoughly: boolean,
): string {
  const outcome = ours(ruleset, command);
  if (checksRoughly && command.includes("-C") && outcome.status === 1 && linux.status === 0) return "";
  const said = `${command.map(shellQuoted).join(" ")}\n  ours: ${outcome.complaint}\n  Linux: ${linux.complaint}`;
  if (outcome.status !== (linux.status === NO_SUCH_TABLE ? 2 : linux.status))
    return `status ${outcome.status} for ${linux.status}: ${said}`;
  if (linux.status === 0 && outcome.output !== linux.output)
    return `output of ${said}\n${outcome.output}for\n${linux.output}`;
  const saved = tablesOf(linux.saved);
  for (const [name, table] of tablesOf(printRuleset(ruleset, { counters: true })))
    if (table !== saved.get(name)) return `ruleset behind ${said}\n${table}\nfor\n${saved.get(name)}`;
  return "";
}

describe("a command on a ruleset", () => {
  it.skipIf(!hasReferee)(
    `leaves what iptables leaves, says what it says and ends as it ends${refereeAbsence}`,
    async () => {
      const seed = seedOf();
      const statuses = new Map<number, number>();
      const differences: string[] = [];
      for (const family of ["ipv4", "ipv6"] as const) {
        const histories: History[] = Array.from({ length: HISTORIES }, (_, n) =>
          randomHistory(randomFrom(seed + n), family, COMMANDS),
        );
        const [[probe] = [], ...answers] = await playHistories(family, [CHECKS_ROUGHLY, ...histories]);
        const checksRoughly = probe?.status === 0;
        let loaded = 0;
        for (const [h, { text, commands }] of histories.entries()) {
          const answer = answers[h];
          if (!answer) continue;
          loaded++;
          const ruleset = parseRuleset(text, { family });
          for (const [n, command] of commands.entries()) {
            const linux = answer[n] as CommandAnswer;
            statuses.set(linux.status, (statuses.get(linux.status) ?? 0) + 1);
            const found = difference(ruleset, command, linux, checksRoughly);
            if (found === "") continue;
            differences.push(`seed ${seed}, ${family} history ${h}, command ${n}: ${found}`);
            break;
          }
        }
        expect(loaded, `seed ${seed}`).toBeGreaterThan(HISTORIES * 0.8);
      }
      expect(differences.length, differences.slice(0, 3).join("\n")).toBe(0);
      for (const status of [0, 1, 2])
        expect(statuses.get(status), `commands that end with ${status}`).toBeGreaterThan(80);
    },
    300_000,
  );
});
