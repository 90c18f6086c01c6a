/**
 * What Linux checks when a table is put in force (mark_source_chains and the extensions' own checks): no chain leads back
 * to itself, and no hook reaches a rule that must not be used there. And how deep jumps nest, for the readers' stacks.
 *
 * Reached means by jumps from a built-in chain, over rules that no unconditional verdict in front of them hides: elsewhere
 * Linux accepts everything. A reached chain has a level above its callers' (built-in chains have 1), so the levels of a
 * table prove that it has no loop, and a bit for every hook that may reach it.
 *
 * Edits keep both up to date from above: a new jump raises its callee and what that calls, hidden rules included, and
 * nothing is ever lowered. So they may see a fault where there is none, but not overlook one. Then the table is suspect, and
 * before the update is published everything is computed anew from the hooks (call-graph.ts), which is exact.
 */
import {
  BLOB_MAX_DEPTH,
  BLOB_SUSPECT,
  CHAIN_CHUNKS,
  CHAIN_LEVEL,
  CHAIN_REACHED,
  CHAIN_RUN,
  CHAIN_SIZE,
  CHAIN_TABLE,
  GENERATION_NEVER,
  ROW_DIED,
  ROW_FORBIDDEN,
  ROW_NEXT,
  ROW_TARGET,
} from "../src/blob/layout";
import { CHUNK_NEXT, CHUNK_USED, FAULT_NONE } from "../src/blob/memory";
import { JUMP_CHAIN } from "../src/blob/payloads";
import { relevel } from "./call-graph";
import { chunkRow } from "./chunk";
import { isJump } from "./content";
import { own32, put8, walked } from "./store";

/** Chains that one raise may visit before computing anew is cheaper. */
const RAISE_LIMIT: u32 = 4096;

let visits: u32 = 0;

/** Accounts for a rule that was added: what its jump reaches, and whether it may stand where it stands. */
export function ruleAdded(head: usize, row: usize): void {
  const reached = load<u8>(head, CHAIN_REACHED);
  if (!reached) return;
  if (load<u8>(row, ROW_FORBIDDEN) & reached) suspect(head);
  const target = row + load<u16>(row, ROW_TARGET);
  if (!isJump(target)) return;
  visits = 0;
  if (!lift(load<u32>(target, JUMP_CHAIN), load<u32>(head, CHAIN_LEVEL) + 1, reached, head)) suspect(head);
}

/** Accounts for a rule that ended its chain and was taken out in front of others: it hid them. */
export function ruleRemoved(head: usize): void {
  if (load<u8>(head, CHAIN_REACHED)) suspect(head);
}

/** Checks what all edits of an update have left of a table, if it is suspect; a FAULT_* (see faultRow). */
export function editVerify(table: usize): u32 {
  if (!load<u32>(table, BLOB_SUSPECT)) return FAULT_NONE;
  own32(table + BLOB_SUSPECT, 0);
  return relevel(table);
}

function suspect(head: usize): void {
  own32(load<u32>(head, CHAIN_TABLE) + BLOB_SUSPECT, 1);
}

/** Gives a chain at least `level` and the bits of `reached`, and what it calls accordingly; false to have it computed anew. */
function lift(head: usize, level: u32, reached: u8, caller: usize): bool {
  if (head == caller) return false;
  const has = load<u8>(head, CHAIN_REACHED);
  if (load<u32>(head, CHAIN_LEVEL) >= level && (has | reached) == has) return true;
  if (++visits > RAISE_LIMIT) return false;
  if (load<u32>(head, CHAIN_LEVEL) < level) own32(head + CHAIN_LEVEL, level);
  put8(head + CHAIN_REACHED, has | reached);
  const table: usize = load<u32>(head, CHAIN_TABLE);
  const own = load<u32>(head, CHAIN_LEVEL);
  if (own > load<u32>(table, BLOB_MAX_DEPTH)) own32(table + BLOB_MAX_DEPTH, own);
  let run = <u32>load<u8>(head, CHAIN_RUN);
  walked(run);
  for (let row = head + CHAIN_SIZE; run; run--, row += load<u16>(row, ROW_NEXT))
    if (!liftCallee(row, own + 1, reached, caller)) return false;
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    walked(used);
    for (let i: u32 = 0; i < used; i++) {
      const row = chunkRow(chunk, i);
      if (row && !liftCallee(row, own + 1, reached, caller)) return false;
    }
  }
  return true;
}

/** The same for the chain that a rule calls, if it is in force and does. */
function liftCallee(row: usize, level: u32, reached: u8, caller: usize): bool {
  if (load<u32>(row, ROW_DIED) != GENERATION_NEVER) return true;
  if (load<u8>(row, ROW_FORBIDDEN) & reached) return false;
  const target = row + load<u16>(row, ROW_TARGET);
  return !isJump(target) || lift(load<u32>(target, JUMP_CHAIN), level, reached, caller);
}
