import { describe, expect, it } from "vitest";
import { parseRuleset } from "../src/ruleset/parse.js";
import { TABLE_NAMES } from "../src/ruleset/ruleset.js";
import { attempt, printed } from "./oracle/history.js";
import { askKernel, kernelMissing } from "./oracle/kernel.js";
import { Random } from "./oracle/random.js";
import { randomBatch } from "./oracle/random-batch.js";
import { randomRuleset } from "./oracle/random-ruleset.js";

const ROUNDS = 45;
const missing = kernelMissing();

/** Linux commits table by table, so one table a round. */
function randomRound(seed: number, family: "ipv4" | "ipv6") {
  const random = new Random(seed);
  const tables = [random.pick(TABLE_NAMES)];
  const { text } = randomRuleset(random, { family, tables, anyHook: true, forgetful: true, longest: 12 });
  const counted = text.replace(/^-A/gm, () => `[${random.below(5)}:${random.below(500)}] -A`);
  const model = parseRuleset(counted, { family });
  const batch = randomBatch(random, model, { tables, edits: 6, mistakes: 0.05 });
  return { text: counted, batch, model, table: tables[0] as string };
}

describe("a batch", () => {
  for (const family of ["ipv4", "ipv6"] as const)
    it.skipIf(missing)(
      `does what iptables-restore --noflush does, ${family}${missing ? ` (skipped: ${missing})` : ""}`,
      () => {
        const rounds = Array.from({ length: ROUNDS }, (_, seed) => randomRound(seed, family));
        const answers = askKernel(family, rounds);
        const parted = rounds.flatMap(({ text, batch, model, table }, seed) => {
          const answer = answers[seed];
          if (!answer || answer.message.includes("unloadable"))
            return [`seed ${seed}: Linux refuses\n${text}${answer?.message}`];
          const after = attempt(model, batch);
          const refused = "code" in after;
          const wanted = printed(refused ? model : after);
          const saved = tableOf(answer.saved, table);
          // Linux takes line by line; ruleswap reads the batch first, so a line that cannot be read comes before one that
          // cannot be done. Loops Linux finds at COMMIT.
          const line = Number(/line:? (\d+)/.exec(answer.message)?.[1] ?? 0);
          const sameLine = !refused || after.line >= line || after.code === "loop";
          if (refused === (answer.status !== 0) && wanted === saved && sameLine) return [];
          const words = refused ? `${after.code} at ${after.line}` : "accepted";
          const apart = [...onlyIn("Linux", saved, wanted), ...onlyIn("ruleswap", wanted, saved)].join("\n");
          return [
            `seed ${seed}\n${text}batch\n${batch}Linux: ${answer.message || "accepted"}\nruleswap: ${words}\n${apart}`,
          ];
        });
        expect(parted.length, parted[0]).toBe(0);
      },
      170_000,
    );
});

function onlyIn(whose: string, text: string, other: string): string[] {
  const lines = new Set(other.split("\n"));
  return text
    .split("\n")
    .filter((line) => !lines.has(line))
    .map((line) => `only ${whose}: ${line}`);
}

function tableOf(saved: string, table: string): string {
  const start = saved.indexOf(`*${table}\n`);
  return saved.slice(start, saved.indexOf("COMMIT\n", start) + "COMMIT\n".length);
}
