/**
 * Which rules of a new table are untouched ones of the table it replaces: they keep counter and state.
 *
 * Chain by chain, by content and in order: the equal rows at both ends first, then, for the rows between, each new row
 * takes the first old row behind the last one taken that says the same, looking at most LOOK_AHEAD rows ahead. Every
 * strategy that restates rules (full, partial, a declared chain in incremental) uses this one rule.
 */
import {
  BLOB_ADDRESS_BYTES,
  CHAIN_LIVE_ROWS,
  CHAIN_POLICY,
  CHAIN_CHUNKS,
  GENERATION_NEVER,
  ROW_COUNTER,
  ROW_DIED,
  ROW_MOVED,
  ROW_TARGET,
  RECORD_BYTES,
} from "../src/blob/layout";
import { CHUNK_NEXT, CHUNK_USED } from "../src/blob/memory";
import { chunkRow } from "./chunk";
import { rowTable, sameRule } from "./content";
import { stateMove, targetGive } from "./state";
import { put16, walked } from "./store";
import { rowMatches } from "./words";

const LOOK_AHEAD: u32 = 64;

/** Moves counters and state from the rows of `from` to equal rows of `to`. `room` holds a word for each of both. */
export function carryChain(from: usize, to: usize, room: usize): void {
  const oldPolicy: usize = load<u32>(from, CHAIN_POLICY);
  const newPolicy: usize = load<u32>(to, CHAIN_POLICY);
  if (oldPolicy && newPolicy) move(oldPolicy, newPolicy);
  const oldCount = load<u32>(from, CHAIN_LIVE_ROWS);
  const newCount = load<u32>(to, CHAIN_LIVE_ROWS);
  if (!oldCount || !newCount) return;
  const old = room;
  const fresh = old + oldCount * 4;
  list(from, old);
  list(to, fresh);
  walked(oldCount + newCount);
  let first: u32 = 0;
  while (first < oldCount && first < newCount && same(old, fresh, first, first)) first++;
  let oldEnd = oldCount;
  let newEnd = newCount;
  while (oldEnd > first && newEnd > first && same(old, fresh, oldEnd - 1, newEnd - 1)) {
    oldEnd--;
    newEnd--;
  }
  let at = first;
  for (let i = first; i < newEnd; i++) {
    const limit = at + LOOK_AHEAD < oldEnd ? at + LOOK_AHEAD : oldEnd;
    for (let k = at; k < limit; k++)
      if (same(old, fresh, k, i)) {
        at = k + 1;
        break;
      }
  }
}

function same(old: usize, fresh: usize, i: u32, k: u32): bool {
  const a: usize = load<u32>(old + (i << 2));
  const b: usize = load<u32>(fresh + (k << 2));
  if (!sameRule(a, b, true)) return false;
  move(a, b);
  return true;
}

/** The rows in force of a chain, in order. */
function list(head: usize, into: usize): void {
  let to = into;
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    for (let i: u32 = 0; i < used; i++) {
      const row = chunkRow(chunk, i);
      if (!row || load<u32>(row, ROW_DIED) != GENERATION_NEVER) continue;
      store<u32>(to, <u32>row);
      to += 4;
    }
  }
}

/** Counter and state cells go over; the old row no longer owns them. */
export function move(old: usize, fresh: usize): void {
  if (load<u16>(old, ROW_MOVED)) return;
  store<u32>(fresh, load<u32>(old, ROW_COUNTER), ROW_COUNTER);
  put16(old + ROW_MOVED, 1);
  const addressBytes = load<u32>(rowTable(old), BLOB_ADDRESS_BYTES);
  const target = old + load<u16>(old, ROW_TARGET);
  const offset = fresh - old;
  for (let match = rowMatches(old, addressBytes); match < target; match += load<u16>(match, RECORD_BYTES))
    stateMove(match, match + offset);
  // Both refer to the same; the old row will not give back what it holds.
  targetGive(target + offset);
}
