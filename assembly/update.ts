/**
 * An update: everything between taking the current root and publishing the next one. All of it happens under the writers'
 * lock; a rollback restores every byte of memory in use.
 */
import { BLOB_FAMILY, BLOB_MAX_DEPTH, BLOB_TABLE, FAMILY_IPV4, TABLE_COUNT } from "../src/blob/layout";
import {
  CONTROL_ADDRESS,
  CONTROL_READERS,
  CONTROL_ROOT,
  CONTROL_STACK_DEPTH,
  FAULT_MEMORY,
  FAULT_NONE,
  FRAME_SIZE,
  READER_SIZE,
  READER_STACK,
  READERS_ADDRESS,
  RETIRED_MEMORY,
  RETIRED_RUN,
  RETIRED_TABLE,
  ROOT_FAMILY_COUNT,
  ROOT_GENERATION,
  ROOT_HOOKS,
  ROOT_IPV4,
  ROOT_IPV6,
  ROOT_ROUTING,
  ROOT_SIZE,
  ROOT_TABLES,
} from "../src/blob/memory";
import { HOOKS_BYTES, HOOKS_TABLES, REGISTERED_COUNT } from "../src/blob/hooks";
import { ROUTING_BYTES } from "../src/blob/routing";
import { arenaAllocate } from "./arena";
import { heapAllocate, heapFree } from "./heap";
import { engineArena, generation, reclaim, retire, retireBegin } from "./retire";
import { setsSpread } from "./sets/commands";
import { OWN_MOST } from "./own";
import { logBegin, logCommit, logNothing, logRollback, put32, wrote } from "./store";
import { linkTable } from "./table";
import { checkHeader } from "./validate";

/** The root that this update will publish. */
let next: usize = 0;

/** Starts an update. A FAULT_*. */
export function updateBegin(): u32 {
  logBegin();
  retireBegin();
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
  setsSpread();
  logCommit();
  return FAULT_NONE;
}

export function updateRollback(): void {
  logRollback();
}

/** Frees what has passed its grace period, `limit` entries at most; how many it were. */
export function updateReclaim(limit: u32): u32 {
  logNothing();
  return reclaim(limit);
}

/** The table as the update being made leaves it; 0 when there is none. */
export function updateTable(family: u32, table: u32): usize {
  return load<u32>(slotOf(next, family, table));
}

/** Memory for a blob that updateReplace will take, or for a batch. 0 when memory is at its maximum. */
export function updateAllocate(bytes: u32): usize {
  return heapAllocate(bytes);
}

/** Gives back memory of updateAllocate. */
export function updateFree(address: usize, bytes: u32): void {
  heapFree(address, bytes);
}

/** Checks (see validate.ts for `sealed`) and links the blob at `blob`, and lets it take the place of its table. A FAULT_*. */
export function updateReplace(blob: usize, length: u32, carry: u32, sealed: bool): u32 {
  const fault = checkHeader(blob, length, sealed);
  if (fault) return fault;
  return replaceAt(slotOf(next, load<u8>(blob, BLOB_FAMILY), load<u8>(blob, BLOB_TABLE)), blob, length, carry);
}

/** The same for the table that a user has hung up as number `index`; 0 as `blob` takes it away. A FAULT_*. */
export function updateRegistered(index: u32, blob: usize, length: u32, carry: u32): u32 {
  const slot: usize = <usize>load<u32>(next, ROOT_HOOKS) + HOOKS_TABLES + (index << 2);
  if (blob) {
    const fault = checkHeader(blob, length, false);
    return fault ? fault : replaceAt(slot, blob, length, carry);
  }
  const old: usize = load<u32>(slot);
  store<u32>(slot, 0);
  return !old || retire(RETIRED_TABLE, <u32>old, 0, 0) ? FAULT_NONE : FAULT_MEMORY;
}

/** Puts the hook registry at `record`, memory of updateAllocate, in force; updateRegistered may still change it. A FAULT_*. */
export function updateHooks(record: usize): u32 {
  return swapRun(ROOT_HOOKS, record, HOOKS_BYTES);
}

/** Puts the routing image at `image`, memory of updateAllocate, in force. A FAULT_*. */
export function updateRouting(image: usize): u32 {
  return swapRun(ROOT_ROUTING, image, ROUTING_BYTES);
}

/** Lets the record at `fresh` take the place of the root's; each says at offset `bytes` how long it is. */
function swapRun(field: usize, fresh: usize, bytes: usize): u32 {
  const old: usize = load<u32>(next + field);
  wrote(load<u32>(fresh + bytes));
  store<u32>(next + field, <u32>fresh);
  return !old || retire(RETIRED_RUN, <u32>old, 0, load<u32>(old + bytes)) ? FAULT_NONE : FAULT_MEMORY;
}

function replaceAt(slot: usize, blob: usize, length: u32, carry: u32): u32 {
  const old: usize = load<u32>(slot);
  wrote(length);
  const fault = linkTable(blob, old, carry);
  if (fault) return fault;
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

function slotOf(root: usize, family: u32, table: u32): usize {
  return root + ROOT_TABLES + (((family == FAMILY_IPV4 ? ROOT_IPV4 : ROOT_IPV6) * TABLE_COUNT + table) << 2);
}

/** Gives every reader a jump stack for the deepest table. */
function deepenStacks(): bool {
  const old = load<u32>(CONTROL_ADDRESS, CONTROL_STACK_DEPTH);
  let depth = old;
  depth = deepest(next + ROOT_TABLES, ROOT_FAMILY_COUNT * TABLE_COUNT, depth);
  const hooks: usize = load<u32>(next, ROOT_HOOKS);
  if (hooks) depth = deepest(hooks + HOOKS_TABLES, REGISTERED_COUNT, depth);
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

/** `depth`, or twice as much as the deepest of `count` tables needs: a walk, and those of copies within it. */
function deepest(tables: usize, count: u32, depth: u32): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const table: usize = load<u32>(tables + (i << 2));
    const most: u32 = table ? (OWN_MOST + 1) * load<u32>(table, BLOB_MAX_DEPTH) : 0;
    if (most >= depth) depth = most * 2;
  }
  return depth;
}
