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
 * before the update is published everything is computed anew from the hooks, which is exact.
 */
import {
  BLOB_ADDRESS_BYTES,
  BLOB_FIRST_CHAIN,
  BLOB_MAX_DEPTH,
  BLOB_SUSPECT,
  CHAIN_CHUNKS,
  CHAIN_HOOK,
  CHAIN_LEVEL,
  CHAIN_NEXT,
  CHAIN_REACHED,
  CHAIN_TABLE,
  CHAIN_TWIN,
  CHAIN_USER,
  CHAIN_VISIT,
  GENERATION_NEVER,
  RECORD_TYPE,
  ROW_DIED,
  ROW_FLAG_GOTO,
  ROW_FLAGS,
  ROW_FORBIDDEN,
  ROW_INVERT,
  ROW_PROTOCOL,
  ROW_SOURCE,
  ROW_TARGET,
} from "../src/blob/layout";
import { CHUNK_NEXT, CHUNK_USED, FAULT_LOOP, FAULT_NONE, FAULT_REACHED } from "../src/blob/memory";
import { JUMP_CHAIN, TARGET_VERDICT } from "../src/blob/payloads";
import { chunkRow } from "./chunk";
import { isJump, rowTable } from "./content";
import { put32, put8, walked } from "./store";

/** Chains that one raise may visit before computing anew is cheaper. */
const RAISE_LIMIT: u32 = 4096;
const INSIDE: u8 = 1;
const DONE: u8 = 2;

/** The row that is at fault: whose jump closes a loop, or which a wrong hook reaches. */
export let faultRow: usize = 0;
let visits: u32 = 0;
/** Chains that were measured, callers in front of callees, linked by CHAIN_TWIN. */
let ordered: usize = 0;
let logged = true;

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

/** Checks a table that edits have made suspect; a FAULT_* (see faultRow). */
export function verifyTable(table: usize): u32 {
  if (!load<u32>(table, BLOB_SUSPECT)) return FAULT_NONE;
  put32(table + BLOB_SUSPECT, 0);
  return relevel(table, false);
}

/**
 * Computes levels and hooks of every chain; a FAULT_* (see faultRow). Visits every rule that is reached twice: callees first
 * for the heights, callers first for the hooks. `fresh`: nobody has seen the table yet, so nothing needs to be undone.
 */
export function relevel(table: usize, fresh: bool): u32 {
  logged = !fresh;
  faultRow = 0;
  ordered = 0;
  let deepest: u32 = 0;
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    setLevel(head, 0);
    setReached(head, 0);
    store<u8>(head, 0, CHAIN_VISIT);
  }
  let good = true;
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    if (load<u8>(head, CHAIN_HOOK) == CHAIN_USER) continue;
    const height = measure(head);
    if (!height) good = false;
    if (height > deepest) deepest = height;
  }
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT))
    store<u8>(head, 0, CHAIN_VISIT);
  if (!good) return FAULT_LOOP;
  put32(table + BLOB_MAX_DEPTH, deepest);
  for (let head = ordered; head; head = load<u32>(head, CHAIN_TWIN)) {
    if (load<u8>(head, CHAIN_HOOK) != CHAIN_USER) {
      setLevel(head, 1);
      setReached(head, 1 << load<u8>(head, CHAIN_HOOK));
    }
    // Heights count from the leaves; levels from the hooks, so that a callee's is the greater one.
    else setLevel(head, deepest - load<u32>(head, CHAIN_LEVEL) + 1);
    reach(head);
  }
  return faultRow ? FAULT_REACHED : FAULT_NONE;
}

/** Whether no packet gets past the row: a verdict, or RETURN, without any condition. */
export function endsChain(row: usize): bool {
  const target = <usize>load<u16>(row, ROW_TARGET);
  if (load<u16>(row + target, RECORD_TYPE) != TARGET_VERDICT) return false;
  if (load<u8>(row, ROW_FLAGS) & ~(<u8>ROW_FLAG_GOTO) || load<u8>(row, ROW_INVERT) || load<u8>(row, ROW_PROTOCOL))
    return false;
  if (target != ROW_SOURCE + 4 * load<u32>(rowTable(row), BLOB_ADDRESS_BYTES)) return false;
  for (let at: usize = ROW_SOURCE; at < target; at += 4) if (load<u32>(row + at)) return false;
  return true;
}

function suspect(head: usize): void {
  put32(load<u32>(head, CHAIN_TABLE) + BLOB_SUSPECT, 1);
}

/** Gives a chain at least `level` and the bits of `reached`, and what it calls accordingly; false to have it computed anew. */
function lift(head: usize, level: u32, reached: u8, caller: usize): bool {
  if (head == caller) return false;
  const has = load<u8>(head, CHAIN_REACHED);
  if (load<u32>(head, CHAIN_LEVEL) >= level && (has | reached) == has) return true;
  if (++visits > RAISE_LIMIT) return false;
  if (load<u32>(head, CHAIN_LEVEL) < level) put32(head + CHAIN_LEVEL, level);
  put8(head + CHAIN_REACHED, has | reached);
  const table: usize = load<u32>(head, CHAIN_TABLE);
  const own = load<u32>(head, CHAIN_LEVEL);
  if (own > load<u32>(table, BLOB_MAX_DEPTH)) put32(table + BLOB_MAX_DEPTH, own);
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    walked(used);
    for (let i: u32 = 0; i < used; i++) {
      const row = chunkRow(chunk, i);
      if (!row || load<u32>(row, ROW_DIED) != GENERATION_NEVER) continue;
      if (load<u8>(row, ROW_FORBIDDEN) & reached) return false;
      const target = row + load<u16>(row, ROW_TARGET);
      if (isJump(target) && !lift(load<u32>(target, JUMP_CHAIN), own + 1, reached, caller)) return false;
    }
  }
  return true;
}

/** 1 + the greatest height of the chains called; 0 for a loop. Leaves it in CHAIN_LEVEL. */
function measure(head: usize): u32 {
  const visit = load<u8>(head, CHAIN_VISIT);
  if (visit == DONE) return load<u32>(head, CHAIN_LEVEL);
  if (visit == INSIDE) return 0;
  store<u8>(head, INSIDE, CHAIN_VISIT);
  let height: u32 = 1;
  let hidden = false;
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk && !hidden; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    walked(used);
    for (let i: u32 = 0; i < used && !hidden; i++) {
      const row = chunkRow(chunk, i);
      if (!row || load<u32>(row, ROW_DIED) != GENERATION_NEVER) continue;
      hidden = endsChain(row);
      const target = row + load<u16>(row, ROW_TARGET);
      if (!isJump(target)) continue;
      const below = measure(load<u32>(target, JUMP_CHAIN));
      if (!below) {
        if (!faultRow) faultRow = row;
        return 0;
      }
      if (below + 1 > height) height = below + 1;
    }
  }
  store<u8>(head, DONE, CHAIN_VISIT);
  setLevel(head, height);
  if (logged) put32(head + CHAIN_TWIN, <u32>ordered);
  else store<u32>(head, <u32>ordered, CHAIN_TWIN);
  ordered = head;
  return height;
}

/** Passes the hooks that reach a chain on to what it calls, and notes the first rule that one of them must not reach. */
function reach(head: usize): void {
  const reached = load<u8>(head, CHAIN_REACHED);
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    for (let i: u32 = 0; i < used; i++) {
      const row = chunkRow(chunk, i);
      if (!row || load<u32>(row, ROW_DIED) != GENERATION_NEVER) continue;
      if (load<u8>(row, ROW_FORBIDDEN) & reached && !faultRow) faultRow = row;
      const target = row + load<u16>(row, ROW_TARGET);
      if (isJump(target)) {
        const callee: usize = load<u32>(target, JUMP_CHAIN);
        const has = load<u8>(callee, CHAIN_REACHED);
        if ((has | reached) != has) setReached(callee, has | reached);
      } else if (endsChain(row)) return;
    }
  }
}

function setLevel(head: usize, level: u32): void {
  if (logged) put32(head + CHAIN_LEVEL, level);
  else store<u32>(head, level, CHAIN_LEVEL);
}

function setReached(head: usize, reached: u32): void {
  if (logged) put8(head + CHAIN_REACHED, <u8>reached);
  else store<u8>(head, <u8>reached, CHAIN_REACHED);
}
