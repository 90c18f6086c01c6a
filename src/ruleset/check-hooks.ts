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
  ROW_FLAGS,
  ROW_FLAG_GOTO,
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
  const ways = table.chainsById.map((chain) => (chain ? waysOf(table.rows, chain) : NO_WAYS));
  const reached = new Uint8Array(ways.length);
  for (const chain of table.chains.values()) if (chain.hook >= 0) follow(table, ways, reached, chain);
  let first: RowFault | undefined;
  for (const [id, { restricted }] of ways.entries())
    for (const row of restricted) {
      const fault = checkRow(table.rows, row, reached[id] as number);
      if (fault && (!first || fault.line < first.line)) first = fault;
    }
  if (first) throw first;
}

/** Hooks that every extension of a row works in, bit n for hook n. */
export function allowedHooks(rows: RowStore, row: number): number {
  return restriction(rows, row).hooks;
}

/** What matters of a chain: its jumps, and the rows that not every hook may reach. */
interface Ways {
  readonly jumps: readonly number[];
  readonly restricted: readonly number[];
}

const NO_WAYS: Ways = { jumps: [], restricted: [] };

function waysOf(rows: RowStore, chain: Chain): Ways {
  let jumps: number[] | undefined;
  let restricted: number[] | undefined;
  const { view, offsets } = rows;
  const head = rowHeadSize(rows.family);
  for (const row of chain.rules) {
    const at = offsets[row] as number;
    const target = at + view.getUint16(at + ROW_TARGET, true);
    const type = view.getUint16(target + RECORD_TYPE, true);
    if (type === TARGET_JUMP) (jumps ??= []).push(row);
    else if (type === TARGET_VERDICT && target === at + head && isUnconditional(rows, at, target)) break;
    if (mayBeRestricted(rows, at, target)) (restricted ??= []).push(row);
  }
  return jumps || restricted ? { jumps: jumps ?? [], restricted: restricted ?? [] } : NO_WAYS;
}

/** Follows all jumps from a built-in chain, on an explicit stack: rulesets nest deeper than the engine's. */
function follow(table: Table, ways: readonly Ways[], reached: Uint8Array, start: Chain): void {
  const bit = 1 << start.hook;
  const onWay = new Uint8Array(ways.length);
  const stack = [start.id];
  const next = [0];
  reached[start.id] = (reached[start.id] as number) | bit;
  onWay[start.id] = 1;
  while (stack.length > 0) {
    const depth = stack.length - 1;
    const chain = stack[depth] as number;
    const row = (ways[chain] as Ways).jumps[next[depth] as number];
    if (row === undefined) {
      onWay[chain] = 0;
      stack.pop();
      next.pop();
      continue;
    }
    next[depth] = (next[depth] as number) + 1;
    const to = jumpTarget(table.rows, row);
    if (onWay[to]) throw loopFault(table, row, to);
    if ((reached[to] as number) & bit) continue;
    reached[to] = (reached[to] as number) | bit;
    onWay[to] = 1;
    stack.push(to);
    next.push(0);
  }
}

function jumpTarget(rows: RowStore, row: number): number {
  const at = rows.offsets[row] as number;
  return rows.view.getUint32(at + rows.view.getUint16(at + ROW_TARGET, true) + JUMP_CHAIN, true);
}

function loopFault(table: Table, row: number, to: number): RowFault {
  const { view, offsets } = table.rows;
  const name = table.chainsById[to]?.name ?? "";
  return new RowFault("loop", view.getUint32((offsets[row] as number) + ROW_LINE, true), name, `no jump back to ${name}, which leads here`);
}

/** A rule without matches whose fixed part says nothing. Flags say that a protocol or an interface is named. */
function isUnconditional(rows: RowStore, at: number, target: number): boolean {
  if (((rows.bytes[at + ROW_FLAGS] as number) & ~ROW_FLAG_GOTO) !== 0 || rows.bytes[at + ROW_INVERT] !== 0) return false;
  for (let word = at + ROW_SOURCE; word < target; word += 4) if (rows.view.getUint32(word, true) !== 0) return false;
  return true;
}

/** Types whose extension works in some hooks only. */
const RESTRICTED_MATCHES = matchByType.map((extension) => extension?.hooks !== undefined);
const RESTRICTED_TARGETS = targetByType.map((extension) => extension?.hooks !== undefined);

function mayBeRestricted(rows: RowStore, at: number, target: number): boolean {
  const { view } = rows;
  if (RESTRICTED_TARGETS[view.getUint16(target + RECORD_TYPE, true)]) return true;
  for (let match = at + rows.matchesOffset(at); match < target; match += view.getUint16(match + RECORD_BYTES, true))
    if (RESTRICTED_MATCHES[view.getUint16(match + RECORD_TYPE, true)]) return true;
  return false;
}

/** The hooks of a row, and the extension that forbids the first of `unwanted`. */
function restriction(rows: RowStore, row: number, unwanted = 0): { hooks: number; culprit: Extension | undefined } {
  const { view } = rows;
  const at = rows.offsets[row] as number;
  const target = at + view.getUint16(at + ROW_TARGET, true);
  let hooks = ALL_HOOKS;
  let culprit: Extension | undefined;
  const look = (extension: Extension | undefined, record: number): void => {
    const allowed = extension?.hooks?.(rows, record) ?? ALL_HOOKS;
    if (unwanted & ~allowed) culprit ??= extension;
    hooks &= allowed;
  };
  for (let match = at + rows.matchesOffset(at); match < target; match += view.getUint16(match + RECORD_BYTES, true))
    look(matchByType[view.getUint16(match + RECORD_TYPE, true)], match);
  look(targetByType[view.getUint16(target + RECORD_TYPE, true)], target);
  return { hooks, culprit };
}

function checkRow(rows: RowStore, row: number, reached: number): RowFault | undefined {
  const { hooks, culprit } = restriction(rows, row, reached);
  if (!culprit) return undefined;
  const line = rows.view.getUint32((rows.offsets[row] as number) + ROW_LINE, true);
  const expected = `a rule reached from ${hookNames(hooks)} alone; this one is from ${hookNames(reached & ~hooks)}`;
  return new RowFault("wrong-hook", line, culprit.name, expected);
}

function hookNames(bits: number): string {
  const names = HOOK_NAMES.filter((_, hook) => (bits >> hook) & 1);
  return names.length === 0 ? "no hook" : names.join(", ");
}
