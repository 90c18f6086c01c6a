/** Which chains a table's rules jump to. */
import { RECORD_TYPE, ROW_TARGET } from "../blob/layout.js";
import { JUMP_CHAIN, TARGET_JUMP } from "../blob/payloads.js";
import type { Chain, Table } from "./ruleset.js";

/** Numbers of the chains that a rule of the table jumps or goes to. */
export function jumpedTo(table: Table): Set<number> {
  const found = new Set<number>();
  for (const chain of table.chains.values()) for (const callee of jumpsOf(table, chain)) found.add(callee);
  return found;
}

/** Numbers of the chains that rules of `chain` jump or go to, in their order. */
export function* jumpsOf(table: Table, chain: Chain): Generator<number> {
  for (const ordinal of chain.rules) {
    const callee = jumpOf(table, ordinal);
    if (callee >= 0) yield callee;
  }
}

/** Number of the chain that one rule jumps or goes to, -1 for none. */
export function jumpOf(table: Table, ordinal: number): number {
  const { view, offsets } = table.rows;
  const at = offsets[ordinal] as number;
  const record = at + view.getUint16(at + ROW_TARGET, true);
  return view.getUint16(record + RECORD_TYPE, true) === TARGET_JUMP ? view.getUint32(record + JUMP_CHAIN, true) : -1;
}
