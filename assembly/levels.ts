/**
 * Loops between chains, and how deep jumps nest.
 *
 * Every chain that a hook reaches has a level above its callers' (built-in chains have 1), so a set of levels is a proof
 * that there is no loop. A new jump raises its callee where needed, and what the callee calls. Chains that no hook reaches
 * have level 0: Linux accepts loops among them (mark_source_chains walks from the hooks).
 *
 * Levels are never lowered by edits, so a raise may meet its caller over a path from which a chain has since been cut. Then,
 * or when raising takes long, all levels are computed anew from the hooks, and that answer is exact.
 */
import {
  BLOB_FIRST_CHAIN,
  BLOB_MAX_DEPTH,
  CHAIN_CHUNKS,
  CHAIN_HOOK,
  CHAIN_LEVEL,
  CHAIN_NEXT,
  CHAIN_TABLE,
  CHAIN_USER,
  CHAIN_VISIT,
  GENERATION_NEVER,
  ROW_DIED,
  ROW_TARGET,
} from "../src/blob/layout";
import { CHUNK_NEXT, CHUNK_USED } from "../src/blob/memory";
import { JUMP_CHAIN } from "../src/blob/payloads";
import { chunkRow } from "./chunk";
import { isJump } from "./content";
import { put32, walked } from "./store";

/** Chains that one raise may visit before computing anew is cheaper. */
const RAISE_LIMIT: u32 = 4096;
const INSIDE: u8 = 1;
const DONE: u8 = 2;

/** The row whose jump closed the loop that was found last. */
export let loopRow: usize = 0;
let visits: u32 = 0;

/** Accounts for a new jump from `caller` to `callee`; false when it closes a loop that a hook reaches. */
export function raise(caller: usize, callee: usize): bool {
  const level = load<u32>(caller, CHAIN_LEVEL);
  if (!level || load<u32>(callee, CHAIN_LEVEL) > level) return true;
  visits = 0;
  return lift(callee, level + 1, caller) || relevel(load<u32>(caller, CHAIN_TABLE));
}

/** Computes every level from the hooks; false when they reach a loop (see loopRow). Visits every rule. */
export function relevel(table: usize): bool {
  let deepest: u32 = 0;
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    put32(head + CHAIN_LEVEL, 0);
    store<u8>(head, 0, CHAIN_VISIT);
  }
  let good = true;
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    if (load<u8>(head, CHAIN_HOOK) == CHAIN_USER) continue;
    const height = measure(head);
    if (!height) good = false;
    if (height > deepest) deepest = height;
  }
  // Heights count from the leaves; levels from the hooks, so that a callee's is the greater one.
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    const height = load<u32>(head, CHAIN_LEVEL);
    if (height) put32(head + CHAIN_LEVEL, load<u8>(head, CHAIN_HOOK) == CHAIN_USER ? deepest - height + 1 : 1);
    store<u8>(head, 0, CHAIN_VISIT);
  }
  put32(table + BLOB_MAX_DEPTH, deepest);
  return good;
}

function lift(head: usize, level: u32, caller: usize): bool {
  if (head == caller) return false;
  if (load<u32>(head, CHAIN_LEVEL) >= level) return true;
  if (++visits > RAISE_LIMIT) return false;
  put32(head + CHAIN_LEVEL, level);
  const table: usize = load<u32>(head, CHAIN_TABLE);
  if (level > load<u32>(table, BLOB_MAX_DEPTH)) put32(table + BLOB_MAX_DEPTH, level);
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    walked(used);
    for (let i: u32 = 0; i < used; i++) {
      const row = chunkRow(chunk, i);
      if (!row || load<u32>(row, ROW_DIED) != GENERATION_NEVER) continue;
      const target = row + load<u16>(row, ROW_TARGET);
      if (isJump(target) && !lift(load<u32>(target, JUMP_CHAIN), level + 1, caller)) return false;
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
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    walked(used);
    for (let i: u32 = 0; i < used; i++) {
      const row = chunkRow(chunk, i);
      if (!row || load<u32>(row, ROW_DIED) != GENERATION_NEVER) continue;
      const target = row + load<u16>(row, ROW_TARGET);
      if (!isJump(target)) continue;
      const below = measure(load<u32>(target, JUMP_CHAIN));
      if (!below) {
        if (!loopRow) loopRow = row;
        return 0;
      }
      if (below + 1 > height) height = below + 1;
    }
  }
  store<u8>(head, DONE, CHAIN_VISIT);
  put32(head + CHAIN_LEVEL, height);
  return height;
}
