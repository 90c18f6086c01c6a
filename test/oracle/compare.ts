/** Runs packets through the oracle and the engine and says where they part, with the smallest case that still does. */
import type { Family } from "../../src/ruleset/row-store.js";
import { printSets } from "../../src/ruleset/ipset/print-sets.js";
import { parseRuleset } from "../../src/ruleset/parse.js";
import { Oracle } from "./oracle.js";
import { describePacket, type Packet } from "./packet.js";
import { LOCAL_ADDRESSES } from "./random-pool.js";
import type { Result, Step } from "./result.js";
import { CLASSIFIERS, countersOf, Subject } from "./subject.js";

/** The first difference in words of an engine by any classifier, or undefined. Every third packet is matched without a trace. */
export function difference(family: Family, text: string, packets: readonly Packet[], sets = ""): string | undefined {
  const ruleset = parseRuleset(text, { family });
  const oracle = new Oracle(ruleset, LOCAL_ADDRESSES, sets);
  const subjects = CLASSIFIERS.map((classifier) => {
    const subject = new Subject(classifier);
    subject.updater.updateSets({ sets });
    subject.updater.load(ruleset);
    return { classifier, subject };
  });
  for (const [index, packet] of packets.entries()) {
    const wanted = oracle.walk(packet);
    const words = inWords(wanted);
    for (const { classifier, subject } of subjects) {
      const got = index % 3 === 2 ? { result: subject.match(packet), steps: wanted.steps } : subject.trace(packet);
      if (words !== inWords(got))
        return `${classifier}, packet ${index}: ${describePacket(packet)}\noracle ${words}\nengine ${inWords(got)}`;
    }
  }
  const now = packets.at(-1)?.time ?? 0;
  for (const { classifier, subject } of subjects) {
    const saved = printSets(subject.engine.readSets(now).values());
    const found =
      firstDifference(oracle.counters(), countersOf(subject.ruleset())) ??
      firstDifference(oracle.sets(now).split("\n"), saved.split("\n"));
    if (found !== undefined) return `${classifier}, ${found}`;
  }
  return undefined;
}

/** A packet's end on one line, its way on the next. */
export function inWords({ result, steps }: { result: Result; steps: readonly Step[] }): string {
  const end = Object.entries(result).map(([field, value]) => `${field}=${value}`);
  const way = steps.map(({ hook, table, chain, rule, verdict }) => `${hook} ${table} ${chain}:${rule}=${verdict}`);
  return `${end.join(" ")}\n  ${way.join(", ")}`;
}

/** Of counters, in any order of chains. */
export function firstDifference(
  wantedInAnyOrder: readonly string[],
  gotInAnyOrder: readonly string[],
): string | undefined {
  const wanted = [...wantedInAnyOrder].sort();
  const got = [...gotInAnyOrder].sort();
  for (let i = 0; i < Math.max(wanted.length, got.length); i++)
    if (wanted[i] !== got[i]) return `counted: oracle ${wanted[i]}, engine ${got[i]}`;
  return undefined;
}

/** Drops packets, then rules, as long as a difference stays; greedy, from big pieces to single ones. */
export function shrink(family: Family, text: string, packets: readonly Packet[], sets = ""): string {
  const differs = (lines: readonly string[], some: readonly Packet[]): string | undefined => {
    try {
      return difference(family, lines.join("\n"), some, sets);
    } catch (error) {
      return `threw ${String(error)}`;
    }
  };
  let lines = text.split("\n");
  const fewer = removePieces(
    [...packets],
    () => true,
    (some) => differs(lines, some) !== undefined,
  );
  lines = removePieces(
    lines,
    (line) => line.startsWith("-A "),
    (some) => differs(some, fewer) !== undefined,
  );
  return `${lines.join("\n")}\n${differs(lines, fewer)}`;
}

/** Leaves out pieces of a list, halves first, then smaller ones, while what is left still fails. */
export function removePieces<T>(list: T[], removable: (one: T) => boolean, fails: (rest: T[]) => boolean): T[] {
  let kept = list;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let at = 0; at < kept.length; ) {
      const rest = kept.filter((one, i) => i < at || i >= at + size || !removable(one));
      if (rest.length < kept.length && fails(rest)) kept = rest;
      else at += size;
    }
  return kept;
}
