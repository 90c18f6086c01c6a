/**
 * Something that comes and goes as a whole: a service, a container, a published port. It brings chains of its own and
 * rules for chains that it shares with others.
 */
import type { TableName } from "../ruleset/ruleset.js";
import { type Difference, NO_DIFFERENCE, type SaveDocument } from "./save-document.js";
import { batchOf, declaration } from "./save-text.js";
import type { Change, Probe } from "./workload.js";

export interface Addition {
  readonly table: TableName;
  /** Its own chains with their lines "-A CHAIN ...". */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly shared: readonly SharedRules[];
}

export interface SharedRules {
  readonly chain: string;
  /** Lines "-A CHAIN ...". */
  readonly lines: readonly string[];
  /** Rules of the chain that stay behind these. Default 0. */
  readonly behind?: number;
}

export interface ComeAndGo {
  readonly document: SaveDocument;
  /** What comes: "service shop-3/cart-101:http". */
  readonly name: string;
  /** Parts for tables that the document lacks are left out. */
  readonly additions: readonly Addition[];
  /** The probe of its coming; that of its going is the reverse. */
  readonly probe?: Probe;
  /** Text for `ipset restore` that goes with its coming, and with its going. */
  readonly sets?: readonly [string, string];
  /** How its own program states the change. Default: the shared chains that differ and its own, whole. */
  readonly restate?: (difference: Difference, own: readonly string[], stale: readonly string[]) => string;
}

/** Two changes: it comes, it goes. */
export function* comeAndGo(item: ComeAndGo): Generator<Change> {
  const { document, name, probe, sets } = item;
  const additions = item.additions.filter(({ table }) => document.table(table));
  const difference = differenceOf(document, additions);
  const own = additions.flatMap(({ chains }) => [...chains.keys()]);
  const restate =
    item.restate ?? ((changed, _, stale) => restateShared(document, additions, changed, stale.length > 0));
  yield {
    label: `add ${name}`,
    batch: additions.map((part) => comingOf(document, part)).join(""),
    rules: document.rules + additions.reduce((sum, part) => sum + linesOf(part).length, 0),
    restated: () => restate(difference, own, []),
    whole: () => document.print(difference),
    ...(sets ? { sets: sets[0] } : {}),
    ...(probe ? { probe } : {}),
  };
  yield {
    label: `remove ${name}`,
    batch: additions.map(goingOf).join(""),
    rules: document.rules,
    restated: () => restate(NO_DIFFERENCE, [], own),
    whole: () => document.print(),
    ...(sets ? { sets: sets[1] } : {}),
    ...(probe ? { probe: { packet: probe.packet, before: probe.after, after: probe.before } } : {}),
  };
}

/** Chains made and filled, then the rules that lead to them. */
function comingOf(document: SaveDocument, { table, chains, shared }: Addition): string {
  const placed = shared.flatMap(({ chain, lines, behind = 0 }) => {
    if (behind === 0) return lines;
    const first = (document.table(table)?.count(chain) ?? 0) - behind + 1;
    return lines.map((line, nth) => line.replace(`-A ${chain}`, `-I ${chain} ${first + nth}`));
  });
  return batchOf(table, [
    ...[...chains.keys()].map((chain) => `:${chain} - [0:0]`),
    ...[...chains.values()].flat(),
    ...placed,
  ]);
}

/** The rules that lead to its chains, by what they say, then the chains. */
function goingOf({ table, chains, shared }: Addition): string {
  const names = [...chains.keys()];
  return batchOf(table, [
    ...shared.flatMap(({ lines }) => lines.map((line) => line.replace("-A ", "-D "))),
    ...names.map((chain) => `-F ${chain}`),
    ...names.map((chain) => `-X ${chain}`),
  ]);
}

/** The chains that differ once everything has come. */
function differenceOf(document: SaveDocument, additions: readonly Addition[]): Difference {
  const difference = new Map<TableName, Map<string, string>>();
  for (const { table, chains, shared } of additions) {
    const changed = new Map<string, string>();
    for (const [chain, lines] of chains) changed.set(chain, text(lines));
    for (const { chain, lines, behind = 0 } of shared) {
      const base = changed.get(chain) ?? document.table(table)?.chain(chain) ?? "";
      const atFront = behind > 0 && behind === document.table(table)?.count(chain);
      const at = atFront ? 0 : startOfLast(base, behind);
      changed.set(chain, base.slice(0, at) + text(lines) + base.slice(at));
    }
    difference.set(table, changed);
  }
  return difference;
}

/** The shared chains that differ and its own chains, emptied and written whole, or its own removed. */
function restateShared(
  document: SaveDocument,
  additions: readonly Addition[],
  difference: Difference,
  goes: boolean,
): string {
  return additions
    .map(({ table, chains, shared }) => {
      const own = [...chains.keys()];
      const common = [...new Set(shared.filter(({ lines }) => lines.length > 0).map(({ chain }) => chain))];
      if (own.length + common.length === 0) return "";
      // Declaring a built-in chain sets its policy and leaves its rules.
      const builtIn = common.filter((chain) => document.table(table)?.isBuiltIn(chain));
      const declared = [...common.filter((chain) => !builtIn.includes(chain)), ...own];
      const stated = [...common, ...(goes ? [] : own)];
      return [
        `*${table}\n`,
        ...declared.map(declaration),
        ...builtIn.map((chain) => `-F ${chain}\n`),
        ...stated.map((chain) => document.chain(table, chain, difference)),
        ...(goes ? own : []).map((chain) => `-X ${chain}\n`),
        "COMMIT\n",
      ].join("");
    })
    .join("");
}

/** Where the last `count` lines of a chain begin. */
function startOfLast(lines: string, count: number): number {
  let at = lines.length;
  for (let nth = 0; nth < count && at > 0; nth++) at = lines.lastIndexOf("\n", at - 2) + 1;
  return at;
}

const linesOf = ({ chains, shared }: Addition): string[] =>
  [...chains.values(), ...shared.map(({ lines }) => lines)].flat();
const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");
