/**
 * An update: everything between taking the current root and publishing the next one. All of it happens under the writers'
 * lock; a rollback restores every byte of memory in use.
 */
import {
  BLOB_FAMILY,
  BLOB_MAX_DEPTH,
  BLOB_TABLE,
  CHAIN_CHUNKS,
  CHAIN_HOOK,
  CHAIN_LIVE_ROWS,
  CHAIN_POLICY,
  CHAIN_REFERENCES,
  CHAIN_TABLE,
  CHAIN_USER,
  FAMILY_IPV4,
  GENERATION_NEVER,
  ROW_COUNTER,
  ROW_DIED,
  TABLE_COUNT,
} from "../src/blob/layout";
import {
  CHUNK_NEXT,
  CHUNK_USED,
  CONTROL_ADDRESS,
  CONTROL_READERS,
  CONTROL_ROOT,
  CONTROL_STACK_DEPTH,
  FAULT_CHAIN,
  FAULT_CHAIN_BUILTIN,
  FAULT_CHAIN_EXISTS,
  FAULT_CHAIN_NOT_EMPTY,
  FAULT_CHAIN_REFERENCED,
  FAULT_MEMORY,
  FAULT_NONE,
  FAULT_POSITION,
  FRAME_SIZE,
  READER_SIZE,
  READER_STACK,
  READERS_ADDRESS,
  RETIRED_MEMORY,
  RETIRED_TABLE,
  ROOT_FAMILY_COUNT,
  ROOT_GENERATION,
  ROOT_IPV4,
  ROOT_IPV6,
  ROOT_SIZE,
  ROOT_TABLES,
} from "../src/blob/memory";
import { arenaAllocate } from "./arena";
import { chunkRow } from "./chunk";
import { counterSet } from "./counters";
import { heapAllocate } from "./heap";
import { relevel } from "./levels";
import { chainFind, chainMake, chainRemove, chainRename } from "./names";
import { engineArena, generation, reclaim, retire } from "./retire";
import { policyReplace, rowAt, rowDelete, rowFind, rowInsert } from "./row";
import { logBegin, logCommit, logRollback, put32, wrote } from "./store";
import { duplicateHead, LINK_DUPLICATE, LINK_MEMORY, linkTable } from "./table";
import { refuse, validateBlob } from "./validate";

/** The root that this update will publish. */
let next: usize = 0;

/** Starts an update. A FAULT_*. */
export function updateBegin(): u32 {
  logBegin();
  next = arenaAllocate(engineArena(), ROOT_SIZE);
  if (!next) return FAULT_MEMORY;
  memory.copy(next, load<u32>(CONTROL_ADDRESS, CONTROL_ROOT), ROOT_SIZE);
  store<u32>(next, generation() + 1, ROOT_GENERATION);
  wrote(ROOT_SIZE);
  return FAULT_NONE;
}

/** Makes the update visible: one store. A FAULT_*; after a fault the caller rolls back. */
export function updateCommit(): u32 {
  if (!deepenStacks()) return FAULT_MEMORY;
  const old = load<u32>(CONTROL_ADDRESS, CONTROL_ROOT);
  if (!retire(RETIRED_MEMORY, old, engineArena(), ROOT_SIZE)) return FAULT_MEMORY;
  wrote(4);
  atomic.store<u32>(CONTROL_ADDRESS, <u32>next, CONTROL_ROOT);
  logCommit();
  return FAULT_NONE;
}

export function updateRollback(): void {
  logRollback();
}

/** Frees what has passed its grace period, `limit` entries at most; how many it were. */
export function updateReclaim(limit: u32): u32 {
  logBegin();
  const freed = reclaim(limit);
  logCommit();
  return freed;
}

/** The table as the update being made leaves it; 0 when there is none. */
export function updateTable(family: u32, table: u32): usize {
  return load<u32>(slotOf(next, family, table));
}

/** Memory for a blob that updateReplace will take. 0 when memory is at its maximum. */
export function updateAllocate(bytes: u32): usize {
  return heapAllocate(bytes);
}

/** Validates and links the blob at `blob`, and lets it take the place of its table. A FAULT_*. */
export function updateReplace(blob: usize, length: u32, carry: u32): u32 {
  const fault = validateBlob(blob, length);
  if (fault) return fault;
  const slot = slotOf(next, load<u8>(blob, BLOB_FAMILY), load<u8>(blob, BLOB_TABLE));
  const old: usize = load<u32>(slot);
  wrote(length);
  const linked = linkTable(blob, old, carry);
  if (linked == LINK_MEMORY) return FAULT_MEMORY;
  if (linked == LINK_DUPLICATE) return refuse(FAULT_CHAIN, duplicateHead - blob);
  const reached = relevel(blob, true);
  if (reached) return reached;
  store<u32>(slot, <u32>blob);
  return !old || retire(RETIRED_TABLE, <u32>old, 0, 0) ? FAULT_NONE : FAULT_MEMORY;
}

/** Takes the table out of the ruleset. A FAULT_*. */
export function updateRemove(family: u32, table: u32): u32 {
  const slot = slotOf(next, family, table);
  const old: usize = load<u32>(slot);
  store<u32>(slot, 0);
  return !old || retire(RETIRED_TABLE, <u32>old, 0, 0) ? FAULT_NONE : FAULT_MEMORY;
}

/** Makes a user chain. A FAULT_*. */
export function editNewChain(table: usize, text: usize): u32 {
  if (chainFind(table, text)) return FAULT_CHAIN_EXISTS;
  return chainMake(table, text) ? FAULT_NONE : FAULT_MEMORY;
}

/** Removes all rules of a chain. A FAULT_*. */
export function editFlush(head: usize): u32 {
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    for (let i: u32 = 0; i < used; i++) {
      const row = chunkRow(chunk, i);
      if (row && load<u32>(row, ROW_DIED) == GENERATION_NEVER && !rowDelete(row)) return FAULT_MEMORY;
    }
  }
  return FAULT_NONE;
}

/** Deletes an empty user chain that nothing jumps to. A FAULT_*. */
export function editDeleteChain(head: usize): u32 {
  if (load<u8>(head, CHAIN_HOOK) != CHAIN_USER) return FAULT_CHAIN_BUILTIN;
  if (load<u32>(head, CHAIN_REFERENCES)) return FAULT_CHAIN_REFERENCED;
  if (load<u32>(head, CHAIN_LIVE_ROWS)) return FAULT_CHAIN_NOT_EMPTY;
  return chainRemove(load<u32>(head, CHAIN_TABLE), head) ? FAULT_NONE : FAULT_MEMORY;
}

export function editRenameChain(head: usize, text: usize): u32 {
  const table: usize = load<u32>(head, CHAIN_TABLE);
  if (load<u8>(head, CHAIN_HOOK) != CHAIN_USER) return FAULT_CHAIN_BUILTIN;
  if (chainFind(table, text)) return FAULT_CHAIN_EXISTS;
  return chainRename(table, head, text) ? FAULT_NONE : FAULT_MEMORY;
}

/**
 * Inserts a staged rule in front of rule `position` (from 0), or appends it when position is the number of rules. `counters`
 * holds what it has counted: u64 packets, u64 bytes.
 */
export function editInsert(head: usize, position: u32, staged: usize, counters: usize): u32 {
  const rules = load<u32>(head, CHAIN_LIVE_ROWS);
  if (position > rules) return FAULT_POSITION;
  const before = position == rules ? <usize>0 : rowAt(head, position);
  const row = rowInsert(head, before, staged, load<u64>(counters), load<u64>(counters, 8));
  return row ? FAULT_NONE : FAULT_MEMORY;
}

/** Deletes rule `position` (from 0). */
export function editDeleteAt(head: usize, position: u32): u32 {
  if (position >= load<u32>(head, CHAIN_LIVE_ROWS)) return FAULT_POSITION;
  return rowDelete(rowAt(head, position)) ? FAULT_NONE : FAULT_MEMORY;
}

/** Sets the counter of rule `position`, of the policy when it is the number of rules. */
export function editSetCounter(head: usize, position: u32, counters: usize): u32 {
  const rules = load<u32>(head, CHAIN_LIVE_ROWS);
  if (position > rules) return FAULT_POSITION;
  const row = position == rules ? <usize>load<u32>(head, CHAIN_POLICY) : rowAt(head, position);
  if (row) counterSet(load<u32>(row, ROW_COUNTER), load<u64>(counters), load<u64>(counters, 8));
  return FAULT_NONE;
}

/** Zeroes every counter of a chain. */
export function editZero(head: usize): u32 {
  const policy: usize = load<u32>(head, CHAIN_POLICY);
  if (policy) counterSet(load<u32>(policy, ROW_COUNTER), 0, 0);
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    for (let i: u32 = 0; i < used; i++) {
      const row = chunkRow(chunk, i);
      if (row && load<u32>(row, ROW_DIED) == GENERATION_NEVER) counterSet(load<u32>(row, ROW_COUNTER), 0, 0);
    }
  }
  return FAULT_NONE;
}

export { chainFind, policyReplace, rowDelete, rowFind, rowAt };

function slotOf(root: usize, family: u32, table: u32): usize {
  return root + ROOT_TABLES + (((family == FAMILY_IPV4 ? ROOT_IPV4 : ROOT_IPV6) * TABLE_COUNT + table) << 2);
}

/** Gives every reader a jump stack for the deepest table. */
function deepenStacks(): bool {
  const old = load<u32>(CONTROL_ADDRESS, CONTROL_STACK_DEPTH);
  let depth = old;
  for (let i: u32 = 0; i < <u32>(ROOT_FAMILY_COUNT * TABLE_COUNT); i++) {
    const table: usize = load<u32>(next + ROOT_TABLES + (i << 2));
    if (table && load<u32>(table, BLOB_MAX_DEPTH) >= depth) depth = load<u32>(table, BLOB_MAX_DEPTH) * 2;
  }
  if (depth == old) return true;
  const readers = load<u32>(CONTROL_ADDRESS, CONTROL_READERS);
  for (let i: u32 = 0; i < readers; i++) {
    const line: usize = READERS_ADDRESS + i * READER_SIZE;
    const stack = arenaAllocate(engineArena(), depth * FRAME_SIZE);
    if (!stack) return false;
    if (!retire(RETIRED_MEMORY, load<u32>(line, READER_STACK), engineArena(), old * FRAME_SIZE)) return false;
    put32(line + READER_STACK, <u32>stack);
  }
  put32(CONTROL_ADDRESS + CONTROL_STACK_DEPTH, depth);
  return true;
}
