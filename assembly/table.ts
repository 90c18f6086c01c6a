/**
 * Linking: from a validated portable blob in shared memory to a table that can be walked and edited; and freeing one.
 *
 * Linking writes the run-time fields of header, heads and rows, turns jumps into addresses, and builds chunks, names and
 * indexes in the table's own arena. Nothing of it is visible before a root names the blob.
 */
import {
  BLOB_ADDRESS_BYTES,
  BLOB_ARENA,
  BLOB_CHAIN_COUNT,
  BLOB_COUNTERS,
  BLOB_FIRST_CHAIN,
  BLOB_GENERATION,
  BLOB_HEADER_SIZE,
  BLOB_LAST_CHAIN,
  BLOB_LENGTH,
  BLOB_LIVE_CHAINS,
  BLOB_LIVE_ROWS,
  BLOB_NAMES,
  BLOB_RECORDS_END,
  BLOB_ROW_COUNT,
  CHAIN_CHUNKS,
  CHAIN_HOOK,
  CHAIN_LIVE_ROWS,
  CHAIN_NAME,
  CHAIN_NEXT,
  CHAIN_POLICY,
  CHAIN_PREVIOUS,
  CHAIN_REFERENCES,
  CHAIN_ROW_COUNT,
  CHAIN_ROWS_END,
  CHAIN_SIZE,
  CHAIN_TABLE,
  CHAIN_TWIN,
  CHAIN_USER,
  GENERATION_NEVER,
  ROW_BORN,
  ROW_CHAIN,
  ROW_COUNTER,
  ROW_DIED,
  ROW_MOVED,
  ROW_NEXT,
  ROW_TARGET,
} from "../src/blob/layout";
import {
  ARENA_SIZE,
  CHUNK_NEXT,
  CHUNK_ROWS,
  CHUNK_USED,
  CLASSIFIER_TUPLE_SPACE,
  CONTROL_ADDRESS,
  CONTROL_CLASSIFIER,
  COUNTER_SIZE,
} from "../src/blob/memory";
import { INDEX_THRESHOLD } from "../src/blob/tuple-space";
import { JUMP_CHAIN } from "../src/blob/payloads";
import { arenaAllocate, arenaFree, arenaRelease } from "./arena";
import { graphChain, graphHead, graphMake, graphRow } from "./call-graph";
import { carryChain, carryNamed } from "./carry";
import { ANY_WORD, chunkLink, chunkLinking, chunkMake, chunkRow } from "./chunk";
import { isJump, sameText, textAddress } from "./content";
import { counterTake } from "./counters";
import { directoryBuild, WALKED_CHUNKS } from "./directory";
import { heapAllocate, heapFree } from "./heap";
import { chainFind, namesEnter, namesMake } from "./names";
import { engineArena, generation } from "./retire";
import { noteMoves, releaseRow, rowState } from "./row";
import { touched } from "./store";
import { indexBuild } from "./tuple-space";

/** Success, or why a table could not be linked. */
export const LINK_DONE: u32 = 0;
export const LINK_MEMORY: u32 = 1;
/** Two chains have one name; duplicateHead is the second. */
export const LINK_DUPLICATE: u32 = 2;
export let duplicateHead: usize = 0;

/** How rows of the new table come by the counters of the replaced one's. */
export const CARRY_NONE: u32 = 0;
/** By content: the text knows nothing of what is in force. */
export const CARRY_CONTENT: u32 = 1;
/** By number: the rows were read back from the replaced table and edited. */
export const CARRY_NAMED: u32 = 2;

/** Links the validated blob at `table`, which takes the place of `replaced` (0: none); levels are left to graphLevels. */
export function linkTable(table: usize, replaced: usize, carry: u32): u32 {
  const arena = arenaAllocate(engineArena(), ARENA_SIZE);
  if (!arena) return LINK_MEMORY;
  memory.fill(arena, 0, ARENA_SIZE);
  store<u32>(table, <u32>arena, BLOB_ARENA);
  store<u32>(table, generation() + 1, BLOB_GENERATION);
  duplicateHead = 0;
  chunkLinking(true);
  if (!graphMake(load<u32>(table, BLOB_CHAIN_COUNT), load<u32>(table, BLOB_ROW_COUNT))) return LINK_MEMORY;
  const linked = linkHeads(table, carry == CARRY_CONTENT ? replaced : 0) && linkChains(table, replaced, carry);
  chunkLinking(false);
  if (duplicateHead) return LINK_DUPLICATE;
  if (!linked) return LINK_MEMORY;
  touched(load<u32>(table, BLOB_LIVE_ROWS) + load<u32>(table, BLOB_CHAIN_COUNT));
  return LINK_DONE;
}

/** Frees a table that no root names and no reader sees, and what its rows still own. */
export function releaseTable(table: usize): void {
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    const policy: usize = load<u32>(head, CHAIN_POLICY);
    if (policy && !load<u16>(policy, ROW_MOVED)) releaseRow(table, policy);
    for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
      const used = <u32>load<u16>(chunk, CHUNK_USED);
      for (let i: u32 = 0; i < used; i++) {
        const row = chunkRow(chunk, i);
        if (row && !load<u16>(row, ROW_MOVED)) releaseRow(table, row);
      }
    }
  }
  const arena: usize = load<u32>(table, BLOB_ARENA);
  arenaRelease(arena);
  arenaFree(engineArena(), arena, ARENA_SIZE);
  heapFree(table, load<u32>(table, BLOB_LENGTH));
}

/** Links heads in order, enters their names, and finds each one's namesake in the table that is replaced (0: none). */
function linkHeads(table: usize, replaced: usize): bool {
  twinsLongest = 1;
  // Both tables mostly have the same chains in the same order.
  let likely: usize = 0;
  if (replaced) likely = load<u32>(replaced, BLOB_FIRST_CHAIN);
  const names = namesMake(table, load<u32>(table, BLOB_CHAIN_COUNT));
  if (!names) return false;
  store<u32>(table, <u32>names, BLOB_NAMES);
  const end = table + load<u32>(table, BLOB_RECORDS_END);
  let previous: usize = 0;
  let head = table + BLOB_HEADER_SIZE;
  store<u32>(table, <u32>head, BLOB_FIRST_CHAIN);
  while (head < end) {
    store<u32>(head, <u32>table, CHAIN_TABLE);
    store<u32>(head, <u32>previous, CHAIN_PREVIOUS);
    if (previous) store<u32>(previous, <u32>head, CHAIN_NEXT);
    previous = head;
    graphHead(head, true);
    if (!namesEnter(table, head)) {
      duplicateHead = head;
      return false;
    }
    if (replaced) likely = findTwin(table, head, replaced, likely);
    head = table + load<u32>(head, CHAIN_ROWS_END);
  }
  store<u32>(table, <u32>previous, BLOB_LAST_CHAIN);
  store<u32>(table, load<u32>(table, BLOB_CHAIN_COUNT), BLOB_LIVE_CHAINS);
  return true;
}

/**
 * Chain by chain, while its rows are at hand: run-time fields, jumps, chunks, counters, state, index. Rows that name counters
 * are carried when all are linked.
 */
function linkChains(table: usize, replaced: usize, carry: u32): bool {
  const arena: usize = load<u32>(table, BLOB_ARENA);
  const staging = heapAllocate(CHUNK_ROWS * 4);
  if (!staging) return false;
  const room = heapAllocate(twinsLongest * 8);
  if (!room) return false;
  const address = load<u32>(table, BLOB_ADDRESS_BYTES);
  const named = carry == CARRY_NAMED;
  const initial: usize = load<u32>(table, BLOB_COUNTERS);
  countersAt = initial ? table + initial : 0;
  let rules: u32 = 0;
  let good = true;
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head && good; head = load<u32>(head, CHAIN_NEXT)) {
    const end = table + load<u32>(head, CHAIN_ROWS_END);
    let row = head + CHAIN_SIZE;
    let left = load<u32>(head, CHAIN_ROW_COUNT);
    if (load<u8>(head, CHAIN_HOOK) != CHAIN_USER) left--;
    store<u32>(head, left, CHAIN_LIVE_ROWS);
    rules += left;
    let previous: usize = 0;
    graphChain(head);
    while (left && good) {
      const count = left < <u32>CHUNK_ROWS ? left : <u32>CHUNK_ROWS;
      for (let i: u32 = 0; i < count; i++) {
        linkRow(table, head, row, named);
        graphRow(row);
        store<u32>(staging + (i << 2), <u32>row);
        row += load<u16>(row, ROW_NEXT);
      }
      const chunk = chunkMake(arena, head, staging, count, (count + 3) & ~3, false, ANY_WORD);
      if (!chunk) good = false;
      else chunkLink(head + CHAIN_CHUNKS, chunk, previous);
      previous = chunk;
      left -= count;
    }
    if (good && load<u32>(head, CHAIN_LIVE_ROWS) > <u32>CHUNK_ROWS * WALKED_CHUNKS) good = directoryBuild(head);
    if (row < end) {
      linkRow(table, head, row, named);
      store<u32>(head, <u32>row, CHAIN_POLICY);
    }
    if (!named && good) {
      const twin: usize = load<u32>(head, CHAIN_TWIN);
      if (twin) carryChain(twin, head, room, address);
      good = linkCounters(table, head, true);
    }
    if (
      good &&
      load<u32>(CONTROL_ADDRESS, CONTROL_CLASSIFIER) == CLASSIFIER_TUPLE_SPACE &&
      load<u32>(head, CHAIN_LIVE_ROWS) >= <u32>INDEX_THRESHOLD
    )
      good = indexBuild(head);
  }
  heapFree(staging, CHUNK_ROWS * 4);
  heapFree(room, twinsLongest * 8);
  store<u32>(table, rules, BLOB_LIVE_ROWS);
  return good && (!named || linkNamed(table, replaced));
}

function linkRow(table: usize, head: usize, row: usize, named: bool): void {
  store<u32>(row, generation() + 1, ROW_BORN);
  store<u32>(row, GENERATION_NEVER, ROW_DIED);
  store<u32>(row, <u32>head, ROW_CHAIN);
  store<u16>(row, 0, ROW_MOVED);
  if (!named) store<u32>(row, 0, ROW_COUNTER);
  const target = row + load<u16>(row, ROW_TARGET);
  if (!isJump(target)) return noteMoves(table, target);
  const callee = table + load<u32>(target, JUMP_CHAIN);
  store<u32>(target, <u32>callee, JUMP_CHAIN);
  store<u32>(callee, load<u32>(callee, CHAIN_REFERENCES) + 1, CHAIN_REFERENCES);
}

/** State for every row, then what those that name a rule in force take over from it, and counters for the others. */
function linkNamed(table: usize, replaced: usize): bool {
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    let row = head + CHAIN_SIZE;
    for (let left = load<u32>(head, CHAIN_LIVE_ROWS); left; left--, row += load<u16>(row, ROW_NEXT))
      if (!rowState(table, row)) return false;
  }
  if (!carryNamed(table, replaced)) return false;
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT))
    if (!linkCounters(table, head, false)) return false;
  return true;
}

/** The counters that came with the blob, of the rows that are linked next; 0: they are zero. */
let countersAt: usize = 0;

/** Gives the rows of a chain that were not carried their counters, and where `states` their state. False without memory. */
function linkCounters(table: usize, head: usize, states: bool): bool {
  let row = head + CHAIN_SIZE;
  for (let left = load<u32>(head, CHAIN_ROW_COUNT); left; left--, row += load<u16>(row, ROW_NEXT)) {
    const at = countersAt;
    if (at) countersAt += COUNTER_SIZE;
    if (load<u32>(row, ROW_COUNTER)) continue;
    const counter = at ? counterTake(load<u64>(at), load<u64>(at, 8)) : counterTake(0, 0);
    if (!counter || (states && !rowState(table, row))) return false;
    store<u32>(row, counter, ROW_COUNTER);
  }
  return true;
}

/** The most rules that a chain has which has a namesake, or one of those. */
let twinsLongest: u32 = 1;

/** Finds a chain's namesake in the replaced table, perhaps `likely`; the chain behind that. */
function findTwin(table: usize, head: usize, replaced: usize, likely: usize): usize {
  const name = textAddress(table, load<u32>(head, CHAIN_NAME));
  let twin = likely;
  if (!twin || !sameText(textAddress(replaced, load<u32>(twin, CHAIN_NAME)), name)) twin = chainFind(replaced, name);
  store<u32>(head, <u32>twin, CHAIN_TWIN);
  if (!twin) return likely;
  const rows = load<u32>(head, CHAIN_ROW_COUNT);
  const rules = load<u32>(twin, CHAIN_LIVE_ROWS);
  if (rows > twinsLongest) twinsLongest = rows;
  if (rules > twinsLongest) twinsLongest = rules;
  return load<u32>(twin, CHAIN_NEXT);
}
