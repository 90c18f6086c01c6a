/**
 * What the kernel checks when a table is put in force (mark_source_chains and the checks of each extension): no chain
 * leads back to itself, and no rule can be reached from a hook that one of its extensions does not work in.
 *
 * Reached means by jumps from a built-in chain. Rules behind one that ends its chain for every packet are not reached,
 * nor are chains that nothing jumps to: there Linux accepts everything, loops included.
 */
import {
  RECORD_BYTES,
  RECORD_TYPE,
  ROW_FLAG_GOTO,
  ROW_FLAGS,
  ROW_FORBIDDEN,
  ROW_INVERT,
  ROW_LINE,
  ROW_SOURCE,
  ROW_TARGET,
} from "../blob/layout.js";
import { JUMP_CHAIN, TARGET_JUMP, TARGET_VERDICT } from "../blob/payloads.js";
import type { ErrorCode } from "../extensions/error-code.js";
import { ALL_HOOKS, type Extension } from "../extensions/extension.js";
import { matchByType, targetByType } from "./extension-index.js";
import { type RowStore, rowHeadSize } from "./row-store.js";
import { type Arrangement, arrange } from "./arrangement.js";
import { type Chain, HOOK_NAMES, type Table } from "./ruleset.js";

/** A rule that cannot stand where it stands. */
export class RowFault extends Error {
  override readonly name = "RowFault";

  /** `line` is the rule's own, `found` the word of it that is wrong; `expected` ends the sentence "expected ...". */
  constructor(
    readonly code: ErrorCode,
    readonly line: number,
    readonly found: string,
    readonly expected: string,
  ) {
    super(`${code} "${found}"`);
  }
}

/** Throws a RowFault for the first loop, or else for the first rule of the file that a wrong hook reaches. */
export function checkHooks(table: Table): void {
  const { rows } = table;
  const arrangement = arrange(table);
  const ways = new Ways(rows, arrangement);
  const reached = new Uint8Array(arrangement.starts.length - 1);
  for (const chain of table.builtIn) follow(table, ways, reached, chain);
  let first: RowFault | undefined;
  for (let n = 0; n < ways.restrictedCount; n++) {
    const row = ways.restrictedRows[n] as number;
    const hooks = reached[ways.restrictedChains[n] as number] as number;
    if ((hooks & (rows.bytes[(rows.offsets[row] as number) + ROW_FORBIDDEN] as number)) === 0) continue;
    const fault = wrongHook(rows, row, hooks);
    if (!first || fault.line < first.line) first = fault;
  }
  if (first) throw first;
}

/** Hooks that every extension of a row works in, bit n for hook n. */
function allowedHooks(rows: RowStore, row: number): number {
  const { view } = rows;
  const at = rows.offsets[row] as number;
  const target = at + view.getUint16(at + ROW_TARGET, true);
  let hooks = targetByType[view.getUint16(target + RECORD_TYPE, true)]?.hooks?.(rows, target) ?? ALL_HOOKS;
  for (let match = at + rows.matchesOffset(at); match < target; match += view.getUint16(match + RECORD_BYTES, true)) {
    const type = view.getUint16(match + RECORD_TYPE, true);
    hooks &= matchByType[type]?.hooks?.(rows, match) ?? ALL_HOOKS;
  }
  return hooks;
}

/** What matters of a table: the jumps of every chain in order, and the rows that not every hook may reach. */
class Ways {
  /** Chain n has jumps `starts[n]` to `starts[n + 1]`. */
  readonly starts: Int32Array;
  readonly jumpRows: Int32Array;
  readonly jumpChains: Int32Array;
  restrictedCount = 0;
  readonly restrictedRows: Int32Array;
  readonly restrictedChains: Int32Array;

  constructor(rows: RowStore, { starts, rules }: Arrangement) {
    const chains = starts.length - 1;
    this.starts = new Int32Array(chains + 1);
    this.jumpRows = new Int32Array(rules.length);
    this.jumpChains = new Int32Array(rules.length);
    this.restrictedRows = new Int32Array(rules.length);
    this.restrictedChains = new Int32Array(rules.length);
    const { bytes, words, offsets } = rows;
    const head = rowHeadSize(rows.family);
    let jumps = 0;
    for (let id = 0; id < chains; id++) {
      const end = starts[id + 1] as number;
      for (let n = starts[id] as number; n < end; n++) {
        const row = rules[n] as number;
        const at = offsets[row] as number;
        const target = at + ((words[at >>> 2] as number) >>> 16);
        const type = (words[target >>> 2] as number) >>> 16;
        if (type === TARGET_JUMP) {
          this.jumpRows[jumps] = row;
          this.jumpChains[jumps++] = words[(target + JUMP_CHAIN) >>> 2] as number;
        } else if (type === TARGET_VERDICT && target === at + head && isUnconditional(rows, at, target)) break;
        if (bytes[at + ROW_FORBIDDEN] === 0) continue;
        this.restrictedRows[this.restrictedCount] = row;
        this.restrictedChains[this.restrictedCount++] = id;
      }
      this.starts[id + 1] = jumps;
    }
  }
}

/** A rule without matches whose fixed part says nothing. Flags say that a protocol or an interface is named. */
function isUnconditional(rows: RowStore, at: number, target: number): boolean {
  if (((rows.bytes[at + ROW_FLAGS] as number) & ~ROW_FLAG_GOTO) !== 0 || rows.bytes[at + ROW_INVERT] !== 0)
    return false;
  for (let word = at + ROW_SOURCE; word < target; word += 4) if (rows.view.getUint32(word, true) !== 0) return false;
  return true;
}

/** Follows all jumps from a built-in chain, on an explicit stack: rulesets nest deeper than the engine's. */
function follow(table: Table, ways: Ways, reached: Uint8Array, start: Chain): void {
  const bit = 1 << start.hook;
  const onWay = new Uint8Array(reached.length);
  const stack = [start.id];
  const next = [ways.starts[start.id] as number];
  reached[start.id] = (reached[start.id] as number) | bit;
  onWay[start.id] = 1;
  while (stack.length > 0) {
    const depth = stack.length - 1;
    const chain = stack[depth] as number;
    const jump = next[depth] as number;
    if (jump === ways.starts[chain + 1]) {
      onWay[chain] = 0;
      stack.pop();
      next.pop();
      continue;
    }
    next[depth] = jump + 1;
    const to = ways.jumpChains[jump] as number;
    if (onWay[to]) throw loopFault(table, ways.jumpRows[jump] as number, to);
    if ((reached[to] as number) & bit) continue;
    reached[to] = (reached[to] as number) | bit;
    onWay[to] = 1;
    stack.push(to);
    next.push(ways.starts[to] as number);
  }
}

function loopFault(table: Table, row: number, to: number): RowFault {
  const name = table.chainsById[to]?.name ?? "";
  return new RowFault("loop", lineOf(table.rows, row), name, `no jump back to ${name}, which leads here`);
}

function lineOf(rows: RowStore, row: number): number {
  return rows.view.getUint32((rows.offsets[row] as number) + ROW_LINE, true);
}

/** The fault of a row that is reached from hooks that one of its extensions does not work in. */
function wrongHook(rows: RowStore, row: number, reached: number): RowFault {
  const { view } = rows;
  const at = rows.offsets[row] as number;
  const target = at + view.getUint16(at + ROW_TARGET, true);
  let culprit: Extension | undefined;
  for (let match = at + rows.matchesOffset(at); match < target; match += view.getUint16(match + RECORD_BYTES, true)) {
    const extension = matchByType[view.getUint16(match + RECORD_TYPE, true)];
    if (reached & ~(extension?.hooks?.(rows, match) ?? ALL_HOOKS)) culprit ??= extension;
  }
  culprit ??= targetByType[view.getUint16(target + RECORD_TYPE, true)];
  const hooks = allowedHooks(rows, row);
  const expected = `a rule reached from ${hookNames(hooks)} alone; this one is from ${hookNames(reached & ~hooks)}`;
  return new RowFault("wrong-hook", lineOf(rows, row), culprit?.name ?? "", expected);
}

function hookNames(bits: number): string {
  const names = HOOK_NAMES.filter((_, hook) => (bits >> hook) & 1);
  return names.length === 0 ? "no hook" : names.join(", ");
}
