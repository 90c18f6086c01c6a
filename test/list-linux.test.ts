/** -L and -S beside those of iptables-legacy. */
import { describe, expect, it } from "vitest";
import { MATCH_LISTINGS } from "../src/extensions/listing/match-listings.js";
import { TARGET_LISTINGS } from "../src/extensions/listing/target-listings.js";
import { MATCHES } from "../src/extensions/matches.js";
import { TARGETS } from "../src/extensions/targets.js";
import { runCommand } from "../src/ruleset/command-line.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import type { Family } from "../src/ruleset/row-store.js";
import { type Ruleset, TABLE_NAMES } from "../src/ruleset/ruleset.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { type History, playHistories } from "./edit/iptables.js";
import { absence, hasCorpus, syntaxCases } from "./linux-parser/corpus.js";
import { hasReferee, refereeAbsence } from "./linux-parser/referee.js";
import { randomRuleset, seedOf } from "./linux-parser/rule-generator.js";

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];
const OPTIONS = ["-L", "-L -n", "-L -v", "-nvL --line-numbers", "-L -v -x", "-S", "-S -v"];
const RULES_A_TABLE = 60;
/** Names that this machine has for networks and hosts. */
const NAMED_NETWORK = /[ !](default|loopback|link-local|localhost)\b/;
/** Of what the program or the kernel here may lack, or of objects that only a kernel has. */
const NOT_EVERYWHERE = /-set |-m ipvs|-m nfacct|-j SECMARK|mld-listener|^-ptcp|--protocol=/;
/** A device that is any: Linux lists the `+`, which a rule does not keep here. */
const ANY_DEVICE = / (! )?-[io] \+(?= |$)/gm;

function parsed(text: string, family: Family): Ruleset | undefined {
  try {
    return parseRuleset(text, { family });
  } catch (error) {
    if (error instanceof RulesetError) return undefined;
    throw error;
  }
}

/** The first line that is not Linux's, of every listing of every history. */
async function differences(
  family: Family,
  histories: readonly History[],
): Promise<{ found: string[]; lines: number; loaded: number }> {
  const answers = await playHistories(family, histories);
  const found: string[] = [];
  let lines = 0;
  let loaded = 0;
  for (const [h, { text, commands }] of histories.entries()) {
    const answer = answers[h];
    // Some rules need what this kernel may lack.
    if (!answer) continue;
    loaded++;
    const ruleset = parseRuleset(text, { family });
    for (const [n, command] of commands.entries()) {
      const { listing } = runCommand(ruleset, command);
      const ours = Buffer.from(listing ?? [])
        .toString("utf8")
        .split("\n");
      const theirs = (answer[n]?.output ?? "").split("\n");
      lines += theirs.length;
      for (const [at, line] of theirs.entries())
        if (line !== ours[at] && !NAMED_NETWORK.test(line))
          found.push(`${family} ${command.join(" ")}:\n  ours  ${ours[at]}\n  Linux ${line}`);
      if (ours.length !== theirs.length)
        found.push(`${family} ${command.join(" ")}: ${ours.length} lines for ${theirs.length}`);
    }
  }
  return { found, lines, loaded };
}

describe("a listing", () => {
  it("knows every match and target in words", () => {
    const unlisted = [
      ...Object.values(MATCHES).filter(({ type }) => !MATCH_LISTINGS[type]),
      ...Object.values(TARGETS).filter(({ type }) => !TARGET_LISTINGS[type]),
    ];
    expect(unlisted.map(({ name }) => name)).toEqual([]);
  });

  it.skipIf(!hasReferee)(
    `of generated rules is Linux's, line for line${refereeAbsence}`,
    async () => {
      const seed = seedOf();
      for (const family of FAMILIES) {
        const histories = Array.from({ length: 6 }, (_, n) => ({
          text: randomRuleset(family, seed + n).replace(ANY_DEVICE, ""),
          commands: TABLE_NAMES.flatMap((table) => OPTIONS.map((options) => ["-t", table, ...options.split(" ")])),
          lists: true,
        }));
        const { found, lines } = await differences(family, histories);
        expect(lines).toBeGreaterThan(7_500);
        expect(found.slice(0, 3), `seed ${seed}, ${found.length} differences`).toEqual([]);
      }
    },
    300_000,
  );

  it.skipIf(!hasReferee || !hasCorpus)(
    `of every rule of iptables' own syntax tests is Linux's${absence || refereeAbsence}`,
    async () => {
      for (const family of FAMILIES) {
        const rules = new Map<string, string[]>();
        for (const { family: own, table, chain, rule, setup } of syntaxCases()) {
          const line = `-A ${chain} ${rule}`.replace(ANY_DEVICE, "");
          const isOurs = own === family && !NOT_EVERYWHERE.test(rule);
          if (isOurs && parsed(`*${table}\n${line}\nCOMMIT\n`, family)) {
            const list = rules.get(table) ?? [];
            list.push(...setup, line);
            rules.set(table, list);
          }
        }
        const histories: History[] = [];
        for (const [table, lines] of rules)
          for (let at = 0; at < lines.length; at += RULES_A_TABLE) {
            const text = `*${table}\n${lines.slice(at, at + RULES_A_TABLE).join("\n")}\nCOMMIT\n`;
            const commands = OPTIONS.map((options) => ["-t", table, ...options.split(" ")]);
            histories.push({ text, commands, lists: true });
          }
        const { found, loaded } = await differences(family, histories);
        expect(loaded).toBe(histories.length);
        expect(found.slice(0, 3), `${found.length} differences`).toEqual([]);
      }
    },
    300_000,
  );
});
