/** Rules that somebody has mistyped: lines of the corpus with one or two words lost, doubled, swapped or changed. */
import type { Family } from "../../src/ruleset/row-store.js";
import { loadedFiles, syntaxCases } from "./corpus.js";
import type { Random } from "./random.js";

interface Line {
  readonly family: Family;
  readonly table: string;
  readonly chain: string;
  readonly words: readonly string[];
}

export interface Mutant {
  readonly family: Family;
  readonly rule: string;
  readonly text: string;
}

/** What stands where a number or a value is due. */
const VALUES =
  "0 1 -1 255 256 65535 65536 4294967295 4294967296 18446744073709551615 18446744073709551616 0x10 010 08 1.5 +1 1k 1:2 2:1 : 1: " +
  ":1 1-2 2-1 1/2 any a,b 1,2 0x 0xffffffff/0xff 1/ /1 1,,2 ,1 1,";
const BUILT_IN = /^-A (INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING) (.*)$/;

/** Makers of mutants: `random` chooses the line and what goes wrong. */
export function mutator(random: Random): () => Mutant {
  const lines = linesOfCorpus();
  const words = [...new Set(lines.flatMap((line) => line.words))];
  const values = VALUES.split(" ");
  const wordsAt = (line: readonly string[], at: number): string => line[at] ?? "";
  const mutate = (line: string[]): void => {
    const at = random.below(line.length);
    const word = wordsAt(line, at);
    const other = random.below(line.length);
    const changes: (() => void)[] = [
      () => line.splice(at, 1),
      () => line.splice(at, 0, word),
      () => {
        line[at] = wordsAt(line, other);
        line[other] = word;
      },
      () => line.splice(at, 0, "!"),
      () => line.splice(at, 1, random.pick(words)),
      () => line.splice(at, 0, random.pick(words)),
      () => line.splice(at, 1, random.pick(values)),
      () =>
        line.splice(
          at,
          1,
          word.replace(/\d+/, () => random.pick(values)),
        ),
      // getopt takes the beginning of a long option, and its value behind an equals sign.
      () => word.startsWith("--") && line.splice(at, 1, word.slice(0, 3 + random.below(word.length))),
      () => word.startsWith("--") && line.splice(at, 2, `${word}=${wordsAt(line, at + 1)}`),
      () => line.splice(at, 1, random.chance(0.5) ? word.toUpperCase() : word.toLowerCase()),
      () => {
        const lent = random.pick(lines).words;
        const match = lent.indexOf("-m");
        if (match >= 0) line.splice(at, 0, ...lent.slice(match, match + 2 + random.below(4)));
      },
    ];
    random.pick(changes)();
  };
  return () => {
    const { family, table, chain, words: whole } = random.pick(lines);
    const line = [...whole];
    mutate(line);
    if (random.chance(0.5)) mutate(line);
    const rule = `-A ${chain} ${line.join(" ")}`;
    return { family, rule, text: `*${table}\n${rule}\nCOMMIT\n` };
  };
}

/** Rules of built-in chains that jump to none of a user's. */
function linesOfCorpus(): Line[] {
  const split = (rule: string): string[] => rule.split(/\s+/).filter(Boolean);
  const lines: Line[] = syntaxCases().map(({ rule, ...where }) => ({ ...where, words: split(rule) }));
  for (const { family, bytes } of loadedFiles()) {
    let table = "";
    for (const line of Buffer.from(bytes).toString("latin1").split("\n")) {
      if (line.startsWith("*")) table = line.slice(1).trim();
      const [, chain, rule] = BUILT_IN.exec(line) ?? [];
      if (chain && rule && !/ -[jg] (?![A-Z]{2,9}\b(?!-))/.test(` ${rule}`))
        lines.push({ family, table, chain, words: split(rule) });
    }
  }
  return lines.filter(({ words }) => words.length > 0);
}
