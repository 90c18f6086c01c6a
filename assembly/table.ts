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
  RECORD_BYTES,
  ROW_BORN,
  ROW_CHAIN,
  ROW_COUNTER,
  ROW_DIED,
  ROW_FLAGS,
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
  CONTROL_COUNTER_TOP,
  COUNTER_SIZE,
} from "../src/blob/memory";
import { INDEX_THRESHOLD } from "../src/blob/tuple-space";
import { JUMP_CHAIN } from "../src/blob/payloads";
import { arenaAllocate, arenaFree, arenaRelease } from "./arena";
import { graphChain, graphHead, graphMake, graphRow } from "./call-graph";
import { carryChain, move } from "./carry";
import { ANY_WORD, chunkLink, chunkLinking, chunkMake, chunkRow } from "./chunk";
import { isJump, rowTable, sameText, textAddress } from "./content";
import { counterTake } from "./counters";
import { directoryBuild, WALKED_CHUNKS } from "./directory";
import { heapAllocate, heapFree } from "./heap";
import { chainFind, namesEnter, namesMake } from "./names";
import { engineArena, generation } from "./retire";
import { releaseRow, rowState } from "./row";
import { touched } from "./store";
import { indexBuild } from "./tuple-space";
import { rowMatches } from "./words";

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
  const linked = linkHeads(table) && linkChains(table) && linkCounters(table, replaced, carry);
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

/** Links heads in order and enters their names. */
function linkHeads(table: usize): bool {
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
    head = table + load<u32>(head, CHAIN_ROWS_END);
  }
  store<u32>(table, <u32>previous, BLOB_LAST_CHAIN);
  store<u32>(table, load<u32>(table, BLOB_CHAIN_COUNT), BLOB_LIVE_CHAINS);
  return true;
}

/** Rows: run-time fields, jumps, state; chunks and index of each chain. */
function linkChains(table: usize): bool {
  const arena: usize = load<u32>(table, BLOB_ARENA);
  const staging = heapAllocate(CHUNK_ROWS * 4);
  if (!staging) return false;
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
        linkRow(table, head, row);
        graphRow(row);
        good = rowState(table, row) && good;
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
      linkRow(table, head, row);
      store<u32>(head, <u32>row, CHAIN_POLICY);
    }
    if (
      good &&
      load<u32>(CONTROL_ADDRESS, CONTROL_CLASSIFIER) == CLASSIFIER_TUPLE_SPACE &&
      load<u32>(head, CHAIN_LIVE_ROWS) >= <u32>INDEX_THRESHOLD
    )
      good = indexBuild(head);
  }
  heapFree(staging, CHUNK_ROWS * 4);
  store<u32>(table, rules, BLOB_LIVE_ROWS);
  return good;
}

function linkRow(table: usize, head: usize, row: usize): void {
  store<u32>(row, generation() + 1, ROW_BORN);
  store<u32>(row, GENERATION_NEVER, ROW_DIED);
  store<u32>(row, <u32>head, ROW_CHAIN);
  store<u16>(row, 0, ROW_MOVED);
  const target = row + load<u16>(row, ROW_TARGET);
  if (!isJump(target)) return;
  const callee = table + load<u32>(target, JUMP_CHAIN);
  store<u32>(target, <u32>callee, JUMP_CHAIN);
  store<u32>(callee, load<u32>(callee, CHAIN_REFERENCES) + 1, CHAIN_REFERENCES);
}

/** Gives every row its counter: the one it names, its twin's in the replaced table, or a fresh one. */
function linkCounters(table: usize, replaced: usize, carry: u32): bool {
  const longest = replaced && carry == CARRY_CONTENT ? findTwins(table, replaced) : 0;
  const room = longest ? heapAllocate(longest * 4) : 0;
  if (longest && !room) return false;
  if (carry == CARRY_NAMED && !carryNamed(table, replaced)) return false;
  const initial: usize = load<u32>(table, BLOB_COUNTERS);
  let counters = table + initial;
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    let row = head + CHAIN_SIZE;
    const twin: usize = load<u32>(head, CHAIN_TWIN);
    if (twin) carryChain(twin, head, room);
    for (let left = load<u32>(head, CHAIN_ROW_COUNT); left; left--) {
      if (carry == CARRY_NONE) store<u32>(row, 0, ROW_COUNTER);
      if (!load<u32>(row, ROW_COUNTER)) {
        const counter = initial ? counterTake(load<u64>(counters), load<u64>(counters, 8)) : counterTake(0, 0);
        if (!counter) return false;
        store<u32>(row, counter, ROW_COUNTER);
      }
      counters += COUNTER_SIZE;
      row += load<u16>(row, ROW_NEXT);
    }
  }
  if (longest) heapFree(room, longest * 4);
  return true;
}

/** Finds each chain's namesake in the replaced table; the most rules that a chain and one of those may have together. */
function findTwins(table: usize, replaced: usize): u32 {
  let longest: u32 = 1;
  let longestOld: u32 = 1;
  // Both tables mostly have the same chains in the same order.
  let likely: usize = load<u32>(replaced, BLOB_FIRST_CHAIN);
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    const name = textAddress(table, load<u32>(head, CHAIN_NAME));
    let twin = likely;
    if (!twin || !sameText(textAddress(replaced, load<u32>(twin, CHAIN_NAME)), name)) twin = chainFind(replaced, name);
    store<u32>(head, <u32>twin, CHAIN_TWIN);
    if (load<u32>(head, CHAIN_LIVE_ROWS) > longest) longest = load<u32>(head, CHAIN_LIVE_ROWS);
    if (!twin) continue;
    if (load<u32>(twin, CHAIN_LIVE_ROWS) > longestOld) longestOld = load<u32>(twin, CHAIN_LIVE_ROWS);
    likely = load<u32>(twin, CHAIN_NEXT);
  }
  return longest + longestOld;
}

/** Rows that name a counter of a rule in force of the replaced table take it over, with its state. */
function carryNamed(table: usize, replaced: usize): bool {
  const top = load<u32>(CONTROL_ADDRESS, CONTROL_COUNTER_TOP);
  const rows = heapAllocate(top * 4);
  if (!rows) return false;
  memory.fill(rows, 0, top * 4);
  if (replaced)
    for (let head: usize = load<u32>(replaced, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
      const policy: usize = load<u32>(head, CHAIN_POLICY);
      if (policy) store<u32>(rows + (load<u32>(policy, ROW_COUNTER) << 2), <u32>policy);
      for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
        const used = <u32>load<u16>(chunk, CHUNK_USED);
        for (let i: u32 = 0; i < used; i++) {
          const row = chunkRow(chunk, i);
          if (row && load<u32>(row, ROW_DIED) == GENERATION_NEVER)
            store<u32>(rows + (load<u32>(row, ROW_COUNTER) << 2), <u32>row);
        }
      }
    }
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    let row = head + CHAIN_SIZE;
    for (let left = load<u32>(head, CHAIN_ROW_COUNT); left; left--) {
      const counter = load<u32>(row, ROW_COUNTER);
      const old: usize = counter && counter < top ? <usize>load<u32>(rows + (counter << 2)) : 0;
      store<u32>(row, 0, ROW_COUNTER);
      if (old && sameShape(old, row)) move(old, row);
      row += load<u16>(row, ROW_NEXT);
    }
  }
  heapFree(rows, top * 4);
  return true;
}

/** Whether both rows have the same records, so that state can go from one to the other. */
function sameShape(old: usize, row: usize): bool {
  const target = <usize>load<u16>(row, ROW_TARGET);
  if (load<u16>(old, ROW_TARGET) != target || load<u8>(old, ROW_FLAGS) != load<u8>(row, ROW_FLAGS)) return false;
  const first = rowMatches(row, load<u32>(rowTable(row), BLOB_ADDRESS_BYTES)) - row;
  for (let at = first; at < target; at += load<u16>(row + at, RECORD_BYTES))
    if (load<u32>(row + at) != load<u32>(old + at)) return false;
  return true;
}
