/**
 * Rows in force: adding, finding and removing one rule of a linked table. The caller holds the writers' lock and is inside
 * an update; everything stored here is undone by a rollback.
 */
import {
  BLOB_ADDRESS_BYTES,
  BLOB_ARENA,
  BLOB_LENGTH,
  BLOB_LIVE_ROWS,
  BLOB_MOVES,
  BLOB_TEXT,
  CHAIN_CHUNKS,
  CHAIN_INDEX,
  CHAIN_LIVE_ROWS,
  CHAIN_POLICY,
  CHAIN_REFERENCES,
  CHAIN_RUN,
  GENERATION_NEVER,
  RECORD_BYTES,
  RECORD_TYPE,
  ROW_BORN,
  ROW_CHAIN,
  ROW_CHUNK,
  ROW_COUNTER,
  ROW_DIED,
  ROW_FLAG_POLICY,
  ROW_FLAGS,
  ROW_MOVED,
  ROW_NEXT,
  ROW_NEXT_SAME,
  ROW_ORDER,
  ROW_TARGET,
} from "../src/blob/layout";
import { COMMENT_TEXT, JUMP_CHAIN, MATCH_COMMENT, TARGET_DNPT, TARGET_SNPT } from "../src/blob/payloads";
import {
  CHUNK_LIVE,
  CHUNK_NEXT,
  CHUNK_PREVIOUS,
  CHUNK_USED,
  CHUNK_WORD,
  CLASSIFIER_TUPLE_SPACE,
  CONTROL_ADDRESS,
  CONTROL_CLASSIFIER,
  RETIRED_ROW,
} from "../src/blob/memory";
import { INDEX_CHUNKS, INDEX_THRESHOLD, ORDER_GAP_BITS } from "../src/blob/tuple-space";
import { arenaAllocate, arenaFree } from "./arena";
import { entryDied } from "./bucket";
import { chunkDied, chunkRemove, chunkRow, chunkSame, chunkSlot } from "./chunk";
import { chunkInsert } from "./chunk-insert";
import { endsChain, isJump, rowTable, sameRule, textAddress } from "./content";
import { counterGive, counterTake } from "./counters";
import { directoryFind, positionInChunk } from "./directory";
import { ruleAdded, ruleRemoved } from "./levels";
import { generation, retire, retireRecord } from "./retire";
import { stateFault, stateGive, stateTake, targetGive, targetTake } from "./state";
import { put8, put16, put32, touched, walked, wrote } from "./store";
import { refuse } from "./validate";
import { indexBuild, indexFind, indexInsert, indexRemove } from "./tuple-space";
import { rowMatches, rowWord, wordMask, wordValue } from "./words";

/** Distance of the order keys of a run of rows at one place, as a power of two. */
const RUN_STEP_BITS: u64 = 12;

/** Rule number `position` (from 0) of a chain that has more, in the writer's view. */
export function rowAt(head: usize, position: u32): usize {
  const chunk = directoryFind(head, position);
  const used = <u32>load<u16>(chunk, CHUNK_USED);
  let left = positionInChunk;
  // Where no dead row is left in the chunk, rows need not be asked.
  let rows: u32 = 0;
  for (let i: u32 = 0; i < used; i++) if (chunkRow(chunk, i)) rows++;
  const ask = rows != <u32>load<u16>(chunk, CHUNK_LIVE);
  for (let i: u32 = 0; i < used; i++) {
    const row = chunkRow(chunk, i);
    if (row && (!ask || inForce(row)) && left-- == 0) return row;
  }
  return 0;
}

/** The first rule of the chain that says the same as `staged`, which knows its chain; 0 when there is none. */
export function rowFind(head: usize, staged: usize): usize {
  const index: usize = load<u32>(head, CHAIN_INDEX);
  const list = index ? index + INDEX_CHUNKS : head + CHAIN_CHUNKS;
  const indexed = index ? indexFind(index, staged) : 0;
  for (let chunk: usize = load<u32>(list); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    rowWord(staged, load<u16>(chunk, CHUNK_WORD));
    let bits = chunkSame(chunk, wordValue, wordMask);
    while (bits) {
      const row = chunkRow(chunk, <u32>ctz(bits));
      bits &= bits - 1;
      if (!row) continue;
      walked(1);
      if (inForce(row) && sameRule(row, staged, false))
        return indexed && load<u64>(indexed, ROW_ORDER) < load<u64>(row, ROW_ORDER) ? indexed : row;
    }
  }
  return indexed;
}

/**
 * Adds a copy of `staged` in front of `before` (a row in force of the chain), or at the end when it is 0. A staged
 * comment holds the address of its text. Returns the new row; 0 without memory.
 */
export function rowInsert(head: usize, before: usize, staged: usize, packets: u64, bytes: u64): usize {
  const table = rowTable(staged);
  const arena: usize = load<u32>(table, BLOB_ARENA);
  const row = copyRow(arena, table, staged);
  if (!row || !rowState(table, row)) return 0;
  const counter = counterTake(packets, bytes);
  if (!counter) return 0;
  store<u32>(row, counter, ROW_COUNTER);
  if (!place(head, before, row)) return 0;
  put32(head + CHAIN_LIVE_ROWS, load<u32>(head, CHAIN_LIVE_ROWS) + 1);
  put32(table + BLOB_LIVE_ROWS, load<u32>(table, BLOB_LIVE_ROWS) + 1);
  const target = row + load<u16>(row, ROW_TARGET);
  if (isJump(target)) {
    const callee: usize = load<u32>(target, JUMP_CHAIN);
    put32(callee + CHAIN_REFERENCES, load<u32>(callee, CHAIN_REFERENCES) + 1);
  } else noteMoves(table, target);
  ruleAdded(head, row);
  return row;
}

/** Ends a rule with the update being made. False without memory. */
export function rowDelete(row: usize): bool {
  const head: usize = load<u32>(row, ROW_CHAIN);
  const table = rowTable(row);
  const target = row + load<u16>(row, ROW_TARGET);
  if (isJump(target)) {
    const callee: usize = load<u32>(target, JUMP_CHAIN);
    put32(callee + CHAIN_REFERENCES, load<u32>(callee, CHAIN_REFERENCES) - 1);
  }
  if (endsChain(row) && rowAfter(row)) ruleRemoved(head);
  put32(head + CHAIN_LIVE_ROWS, load<u32>(head, CHAIN_LIVE_ROWS) - 1);
  put32(table + BLOB_LIVE_ROWS, load<u32>(table, BLOB_LIVE_ROWS) - 1);
  return end(row);
}

/** Takes a row that has passed its grace period out of chain and index, and frees what it held. */
export function unlinkRow(row: usize): void {
  const head: usize = load<u32>(row, ROW_CHAIN);
  const table = rowTable(row);
  const arena: usize = load<u32>(table, BLOB_ARENA);
  if (load<u8>(row, ROW_FLAGS) & ROW_FLAG_POLICY) {
    let link = head + CHAIN_POLICY;
    while (load<u32>(link) != <u32>row) link = <usize>load<u32>(link) + ROW_NEXT_SAME;
    put32(link, load<u32>(row, ROW_NEXT_SAME));
  } else {
    const index: usize = load<u32>(head, CHAIN_INDEX);
    if (index) indexRemove(arena, index, row);
    chunkRemove(arena, head + CHAIN_CHUNKS, load<u32>(row, ROW_CHUNK), row);
  }
  if (!load<u16>(row, ROW_MOVED)) releaseRow(table, row);
  retireRecord(table, row, load<u16>(row, ROW_NEXT));
}

/** Gives back counter, state and text of a row that no reader sees. */
export function releaseRow(table: usize, row: usize): void {
  counterGive(load<u32>(row, ROW_COUNTER));
  const target = row + load<u16>(row, ROW_TARGET);
  targetGive(target);
  const arena: usize = load<u32>(table, BLOB_ARENA);
  for (
    let match = rowMatches(row, load<u32>(table, BLOB_ADDRESS_BYTES));
    match < target;
    match += load<u16>(match, RECORD_BYTES)
  ) {
    stateGive(match);
    if (load<u16>(match, RECORD_TYPE) != MATCH_COMMENT) continue;
    const text = textAddress(table, load<u32>(match, COMMENT_TEXT));
    if (text < table || text >= table + load<u32>(table, BLOB_LENGTH)) arenaFree(arena, text, 2 + load<u16>(text));
  }
}

/**
 * State for every match of a fresh row that remembers, and what its table has to know of the row. False when it cannot be had,
 * as stateFault says.
 */
export function rowState(table: usize, row: usize): bool {
  const target = row + load<u16>(row, ROW_TARGET);
  const address = load<u32>(table, BLOB_ADDRESS_BYTES);
  for (let match = rowMatches(row, address); match < target; match += load<u16>(match, RECORD_BYTES)) {
    if (!stateTake(match, address)) return lacks(table, match);
  }
  return targetTake(target) || lacks(table, target);
}

/** Notes in the table that it has a rule which gives packets another address and lets them go on. */
export function noteMoves(table: usize, target: usize): void {
  const type = <u32>load<u16>(target, RECORD_TYPE);
  if ((type == TARGET_SNPT || type == TARGET_DNPT) && !load<u8>(table, BLOB_MOVES)) put8(table + BLOB_MOVES, 1);
}

/** Notes the record of the table's blob that could not have its state. False. */
function lacks(table: usize, record: usize): bool {
  refuse(stateFault, record - table);
  return false;
}

/** Replaces the policy of a built-in chain by `staged`. False without memory. */
export function policyReplace(head: usize, staged: usize, keepCounter: bool): bool {
  const table = rowTable(staged);
  const row = copyRow(load<u32>(table, BLOB_ARENA), table, staged);
  if (!row) return false;
  const old: usize = load<u32>(head, CHAIN_POLICY);
  const counter = keepCounter ? load<u32>(old, ROW_COUNTER) : counterTake(0, 0);
  if (!counter) return false;
  store<u32>(row, counter, ROW_COUNTER);
  store<u32>(row, <u32>old, ROW_NEXT_SAME);
  if (keepCounter) put16(old + ROW_MOVED, 1);
  put32(head + CHAIN_POLICY, <u32>row);
  put32(old + ROW_DIED, generation() + 1);
  touched(2);
  return retire(RETIRED_ROW, <u32>old, 0, 0);
}

function inForce(row: usize): bool {
  return load<u32>(row, ROW_DIED) == GENERATION_NEVER;
}

/** The chain's rules are no longer those that lie behind its head. */
function endRun(head: usize): void {
  if (load<u8>(head, CHAIN_RUN)) put8(head + CHAIN_RUN, 0);
}

function end(row: usize): bool {
  endRun(load<u32>(row, ROW_CHAIN));
  put32(row + ROW_DIED, generation() + 1);
  entryDied(row, generation() + 1);
  chunkDied(load<u32>(row, ROW_CHUNK));
  touched(1);
  return retire(RETIRED_ROW, <u32>row, 0, 0);
}

/** A copy in the table's arena, born with the update being made; staged text goes along. */
function copyRow(arena: usize, table: usize, staged: usize): usize {
  const size = <u32>load<u16>(staged, ROW_NEXT);
  const row = arenaAllocate(arena, size);
  if (!row) return 0;
  memory.copy(row, staged, size);
  store<u32>(row, generation() + 1, ROW_BORN);
  store<u32>(row, GENERATION_NEVER, ROW_DIED);
  store<u16>(row, 0, ROW_MOVED);
  wrote(size);
  touched(1);
  const target = row + load<u16>(row, ROW_TARGET);
  const text = table + load<u32>(table, BLOB_TEXT);
  for (
    let match = rowMatches(row, load<u32>(table, BLOB_ADDRESS_BYTES));
    match < target;
    match += load<u16>(match, RECORD_BYTES)
  ) {
    if (load<u16>(match, RECORD_TYPE) != MATCH_COMMENT) continue;
    const from = textAddress(table, load<u32>(match, COMMENT_TEXT));
    const bytes = 2 + <u32>load<u16>(from);
    const to = arenaAllocate(arena, bytes);
    if (!to) return 0;
    memory.copy(to, from, bytes);
    wrote(bytes);
    store<u32>(match, <u32>(to - text), COMMENT_TEXT);
  }
  return row;
}

/** Puts a fresh row into chunks and index. */
function place(head: usize, before: usize, row: usize): bool {
  const arena: usize = load<u32>(rowTable(row), BLOB_ARENA);
  const list = head + CHAIN_CHUNKS;
  const index: usize = load<u32>(head, CHAIN_INDEX);
  endRun(head);
  if (index && !giveOrder(head, before, row)) return false;
  const chunk: usize = before ? <usize>load<u32>(before, ROW_CHUNK) : 0;
  const slot = before ? chunkSlot(chunk, before) : 0;
  if (!chunkInsert(arena, head, list, chunk, slot, row, false)) return false;
  if (index) return indexInsert(arena, index, row);
  if (
    load<u32>(CONTROL_ADDRESS, CONTROL_CLASSIFIER) == CLASSIFIER_TUPLE_SPACE &&
    load<u32>(head, CHAIN_LIVE_ROWS) + 1 >= <u32>INDEX_THRESHOLD
  )
    return indexBuild(head);
  return true;
}

/** An order key between the neighbours'; where there is no room the rows behind get new ones. */
function giveOrder(head: usize, before: usize, row: usize): bool {
  const previous = before ? rowBefore(before) : lastRow(head);
  const low: u64 = previous ? load<u64>(previous, ROW_ORDER) : 1;
  if (!before) {
    store<u64>(row, (previous ? low : (<u64>1) << 56) + ((<u64>1) << ORDER_GAP_BITS), ROW_ORDER);
    return true;
  }
  const high = load<u64>(before, ROW_ORDER);
  if (!previous && high > (<u64>2) << ORDER_GAP_BITS) {
    store<u64>(row, high - ((<u64>1) << ORDER_GAP_BITS), ROW_ORDER);
    return true;
  }
  if (high - low < 2) return renew(low, before, row);
  store<u64>(row, low + between(previous, before, high - low), ROW_ORDER);
  return true;
}

/**
 * Where in a gap a new row goes. Rows come in runs: the next one will most likely come between this one and the older of its
 * neighbours, so it stays close to the newer one.
 */
function between(previous: usize, before: usize, gap: u64): u64 {
  const step = (<u64>1) << RUN_STEP_BITS;
  const born = load<u32>(before, ROW_BORN);
  const bornBefore = previous ? load<u32>(previous, ROW_BORN) : 0;
  if (gap < 2 * step || bornBefore == born) return gap >> 1;
  return bornBefore > born ? step : gap - step;
}

/**
 * Spreads `row` and as many rows from `from` on as it takes over the gap behind `low`, by replacing those rows with copies.
 * The copies share counter and state with the rows they replace.
 */
function renew(low: u64, from: usize, row: usize): bool {
  let count: u64 = 1;
  let behind = from;
  let high: u64 = 0;
  while (true) {
    behind = rowAfter(behind);
    high = behind ? load<u64>(behind, ROW_ORDER) : low + ((count + 2) << ORDER_GAP_BITS);
    if (high - low > (count + 2) << 8) break;
    count++;
  }
  const step = (high - low) / (count + 2);
  let order = low + step;
  store<u64>(row, order, ROW_ORDER);
  let old = from;
  while (old != behind) {
    const next = rowAfter(old);
    order += step;
    if (!moveTo(old, order)) return false;
    old = next;
  }
  return true;
}

/** Replaces a row by a copy with another order key, right behind it. */
function moveTo(old: usize, order: u64): bool {
  const head: usize = load<u32>(old, ROW_CHAIN);
  const table = rowTable(old);
  const arena: usize = load<u32>(table, BLOB_ARENA);
  const size = <u32>load<u16>(old, ROW_NEXT);
  const row = arenaAllocate(arena, size);
  if (!row) return false;
  memory.copy(row, old, size);
  store<u32>(row, generation() + 1, ROW_BORN);
  store<u64>(row, order, ROW_ORDER);
  wrote(size);
  touched(1);
  const chunk: usize = load<u32>(old, ROW_CHUNK);
  const after = nextSlotRow(chunk, chunkSlot(chunk, old));
  const at: usize = after ? <usize>load<u32>(after, ROW_CHUNK) : 0;
  if (!chunkInsert(arena, head, head + CHAIN_CHUNKS, at, after ? chunkSlot(at, after) : 0, row, false)) return false;
  if (!indexInsert(arena, load<u32>(head, CHAIN_INDEX), row)) return false;
  put16(old + ROW_MOVED, 1);
  return end(old);
}

/** The row in the next taken slot behind slot `i`, dead or alive. */
function nextSlotRow(chunk: usize, i: u32): usize {
  let at = i + 1;
  let here = chunk;
  while (here) {
    const used = <u32>load<u16>(here, CHUNK_USED);
    for (; at < used; at++) {
      const row = chunkRow(here, at);
      if (row) return row;
    }
    here = load<u32>(here, CHUNK_NEXT);
    at = 0;
  }
  return 0;
}

/** The next row in force; 0 at the end. */
export function rowAfter(row: usize): usize {
  let next = row;
  do {
    const chunk: usize = load<u32>(next, ROW_CHUNK);
    next = nextSlotRow(chunk, chunkSlot(chunk, next));
    walked(1);
  } while (next && !inForce(next));
  return next;
}

function rowBefore(row: usize): usize {
  let chunk: usize = load<u32>(row, ROW_CHUNK);
  let i = chunkSlot(chunk, row);
  while (chunk) {
    while (i > 0) {
      const other = chunkRow(chunk, --i);
      walked(1);
      if (other && inForce(other)) return other;
    }
    chunk = load<u32>(chunk, CHUNK_PREVIOUS);
    if (chunk) i = load<u16>(chunk, CHUNK_USED);
  }
  return 0;
}

function lastRow(head: usize): usize {
  // A chain that was flushed may hold thousands of dead rows.
  if (!load<u32>(head, CHAIN_LIVE_ROWS)) return 0;
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS + 4); chunk; chunk = load<u32>(chunk, CHUNK_PREVIOUS))
    for (let i = <u32>load<u16>(chunk, CHUNK_USED); i > 0; i--) {
      const row = chunkRow(chunk, i - 1);
      if (row && inForce(row)) return row;
    }
  return 0;
}
