/**
 * Linking: from a portable blob in shared memory to a table that can be walked and edited; and freeing one.
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
  BLOB_LENGTH,
  BLOB_LIVE_ROWS,
  BLOB_MOVED,
  BLOB_ROW_COUNT,
  CHAIN_CHUNKS,
  CHAIN_HOOK,
  CHAIN_LIVE_ROWS,
  CHAIN_MOVED,
  CHAIN_NEXT,
  CHAIN_POLICY,
  CHAIN_ROW_COUNT,
  CHAIN_ROWS_END,
  CHAIN_RUN,
  CHAIN_SIZE,
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
  CHUNK_ROWS,
  COUNTER_SIZE,
  FAULT_CHAIN,
  FAULT_HEADER,
  FAULT_MEMORY,
  FAULT_NONE,
  RUN_MOST,
} from "../src/blob/memory";
import { JUMP_CHAIN } from "../src/blob/payloads";
import { arenaAllocate, arenaFree, arenaRelease } from "./arena";
import { graphChain, graphLevels, graphMake, graphRow, NO_CALLEE } from "./call-graph";
import { carryBegin, carryDone, carryEnd, carryNamed, carryNext, carryTable } from "./carry";
import { isIndexed } from "./chain-index";
import { chainCount, numberHead, numberRefer, numbersMake, numberTwin } from "./chain-numbers";
import { nextRule, rulesOf } from "./chain-rules";
import { ANY_WORD, chunkLink, chunkLinking, chunkMake } from "./chunk";
import { compareTexts, isJump } from "./content";
import { counterTake } from "./counters";
import { directoryBuild, WALKED_CHUNKS } from "./directory";
import { heapAllocate, heapFree } from "./heap";
import { engineArena, generation } from "./retire";
import { linkHeads, twinsLongest } from "./link-heads";
import { noteMoves, rowState } from "./row";
import { releaseRow } from "./row-end";
import { stateBegin, stateFault } from "./state";
import { touched } from "./store";
import { indexBuild } from "./tuple-space";
import { checkHooks, checkRow, checkUnderflow, refuse } from "./validate";

/** How rows of the new table come by the counters of the replaced one's. */
export const CARRY_NONE: u32 = 0;
/** By content: the text knows nothing of what is in force. */
export const CARRY_CONTENT: u32 = 1;
/** By number: the rows were read back from the replaced table and edited. */
export const CARRY_NAMED: u32 = 2;

/** Checks and links the blob at `table`, whose header was checked, which takes the place of `replaced` (0: none); a FAULT_*. */
export function linkTable(table: usize, replaced: usize, carry: u32): u32 {
  const arena = arenaAllocate(engineArena(), ARENA_SIZE);
  if (!arena) return FAULT_MEMORY;
  memory.fill(arena, 0, ARENA_SIZE);
  store<u32>(table, <u32>arena, BLOB_ARENA);
  store<u32>(table, generation() + 1, BLOB_GENERATION);
  const chains = load<u32>(table, BLOB_CHAIN_COUNT);
  if (!numbersMake(chains) || !graphMake(chains, load<u32>(table, BLOB_ROW_COUNT))) return FAULT_MEMORY;
  const content = carry == CARRY_CONTENT ? replaced : 0;
  compareTexts(content, table);
  stateBegin();
  carryTable();
  chunkLinking(arena);
  let fault = linkHeads(table, content);
  if (!fault) fault = linkChains(table, carry == CARRY_NAMED);
  if (!fault) fault = checkHooks(table);
  if (!fault && content) carryDone(content);
  if (!fault && carry == CARRY_NAMED && !linkNamed(table, replaced)) fault = stateFault;
  chunkLinking(0);
  compareTexts(0, table);
  if (fault) return fault;
  touched(load<u32>(table, BLOB_LIVE_ROWS) + chains);
  return graphLevels(table, true);
}

/** Frees a table that no root names and no reader sees, and what its rows still own. */
export function releaseTable(table: usize): void {
  let first: usize = 0;
  if (!load<u32>(table, BLOB_MOVED)) first = load<u32>(table, BLOB_FIRST_CHAIN);
  for (let head = first; head; head = load<u32>(head, CHAIN_NEXT)) {
    const policy: usize = load<u32>(head, CHAIN_POLICY);
    if (policy && !load<u16>(policy, ROW_MOVED)) releaseRow(table, policy);
    if (load<u8>(head, CHAIN_MOVED)) continue;
    rulesOf(head);
    for (let row = nextRule(); row; row = nextRule()) if (!load<u16>(row, ROW_MOVED)) releaseRow(table, row);
  }
  const arena: usize = load<u32>(table, BLOB_ARENA);
  arenaRelease(arena);
  arenaFree(engineArena(), arena, ARENA_SIZE);
  heapFree(table, load<u32>(table, BLOB_LENGTH));
}

/**
 * Chain by chain, while its rows are at hand: checks, run-time fields, jumps, chunks, counters, state, index; a FAULT_*. Rows
 * that name counters are carried when all are linked.
 */
function linkChains(table: usize, named: bool): u32 {
  const staging = heapAllocate(CHUNK_ROWS * 4);
  if (!staging) return FAULT_MEMORY;
  const room = heapAllocate(twinsLongest * 8);
  if (!room) return FAULT_MEMORY;
  const initial: usize = load<u32>(table, BLOB_COUNTERS);
  countersAt = initial ? table + initial : 0;
  rowsLeft = load<u32>(table, BLOB_ROW_COUNT);
  store<u32>(table, 0, BLOB_LIVE_ROWS);
  for (let number: u32 = 0; number < chainCount; number++) {
    const head = numberHead(number);
    graphChain();
    const fault = linkRows(table, number, staging, named);
    if (fault) return fault;
    const rules = load<u32>(head, CHAIN_LIVE_ROWS);
    store<u32>(table, load<u32>(table, BLOB_LIVE_ROWS) + rules, BLOB_LIVE_ROWS);
    if (rules > <u32>CHUNK_ROWS * WALKED_CHUNKS && !directoryBuild(head)) return FAULT_MEMORY;
    if (!named) {
      if (numberTwin(number)) carryEnd(number, head, room);
      if (!carried && !linkCounters(table, head, true)) return stateFault;
    }
    if (isIndexed(rules) && !indexBuild(head)) return FAULT_MEMORY;
  }
  if (rowsLeft) return refuse(FAULT_HEADER, BLOB_ROW_COUNT);
  heapFree(staging, CHUNK_ROWS * 4);
  heapFree(room, twinsLongest * 8);
  return FAULT_NONE;
}

/** Rows that the header counts and no chain has had yet. */
let rowsLeft: u32 = 0;
/** Whether every row of the chain that was linked last was carried, and brought no counters. */
let carried = false;

/** Checks and links the rows of chain `number`, and puts its rules into chunks unless it is a run; a FAULT_*. */
function linkRows(table: usize, number: u32, staging: usize, named: bool): u32 {
  const arena: usize = load<u32>(table, BLOB_ARENA);
  const address = load<u32>(table, BLOB_ADDRESS_BYTES);
  const head = numberHead(number);
  const rowsEnd = load<u32>(head, CHAIN_ROWS_END);
  const hook = <u32>load<u8>(head, CHAIN_HOOK);
  let left = load<u32>(head, CHAIN_ROW_COUNT);
  if (hook != CHAIN_USER) left--;
  store<u32>(head, left, CHAIN_LIVE_ROWS);
  const run = left <= <u32>RUN_MOST;
  if (run) store<u8>(head, <u8>left, CHAIN_RUN);
  if (!named) carryBegin(numberTwin(number), address);
  carried = !countersAt;
  let at = <u32>(head - table) + CHAIN_SIZE;
  let previous: usize = 0;
  while (left) {
    const count = left < <u32>CHUNK_ROWS ? left : <u32>CHUNK_ROWS;
    for (let i: u32 = 0; i < count; i++) {
      const fault = checkNext(table, head, at, rowsEnd, address, false);
      if (fault) return fault;
      const row = table + at;
      const callee = linkRow(table, head, row, named);
      graphRow(row, callee);
      if (!named && !carryNext(row, callee == NO_CALLEE ? 0 : numberTwin(callee))) carried = false;
      store<u32>(staging + (i << 2), <u32>row);
      at += load<u16>(row, ROW_NEXT);
    }
    left -= count;
    if (run) continue;
    const chunk = chunkMake(arena, head, staging, count, (count + 3) & ~3, false, ANY_WORD);
    if (!chunk) return FAULT_MEMORY;
    chunkLink(head + CHAIN_CHUNKS, chunk, previous);
    previous = chunk;
  }
  if (hook != CHAIN_USER) {
    let fault = checkNext(table, head, at, rowsEnd, address, true);
    if (!fault) fault = checkUnderflow(table, hook, at);
    if (fault) return fault;
    linkRow(table, head, table + at, named);
    store<u32>(head, <u32>(table + at), CHAIN_POLICY);
    carried = false;
    at += load<u16>(table + at, ROW_NEXT);
  }
  return at == rowsEnd ? FAULT_NONE : refuse(FAULT_CHAIN, at);
}

/** Checks that the chain and the table have another row, and the row, at offset `at`; a FAULT_*. */
function checkNext(table: usize, head: usize, at: u32, rowsEnd: u32, address: u32, policy: bool): u32 {
  if (at == rowsEnd) return refuse(FAULT_CHAIN, head + CHAIN_ROW_COUNT - table);
  if (!rowsLeft--) return refuse(FAULT_HEADER, BLOB_ROW_COUNT);
  return checkRow(table, at, rowsEnd, address, policy);
}

/** Links a row that was checked; the number of the chain that it jumps to, NO_CALLEE if it does not. */
function linkRow(table: usize, head: usize, row: usize, named: bool): u32 {
  store<u32>(row, generation() + 1, ROW_BORN);
  store<u32>(row, GENERATION_NEVER, ROW_DIED);
  store<u32>(row, <u32>head, ROW_CHAIN);
  store<u16>(row, 0, ROW_MOVED);
  if (!named) store<u32>(row, 0, ROW_COUNTER);
  const target = row + load<u16>(row, ROW_TARGET);
  if (!isJump(target)) {
    noteMoves(table, target);
    return NO_CALLEE;
  }
  const callee = load<u32>(target, JUMP_CHAIN);
  store<u32>(target, <u32>numberRefer(callee), JUMP_CHAIN);
  return callee;
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
