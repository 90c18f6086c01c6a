/**
 * Rows in force: finding and adding one rule of a linked table, and replacing its policy. The caller holds the writers' lock and is inside
 * an update; everything stored here is undone by a rollback.
 */
import {
  BLOB_ADDRESS_BYTES,
  BLOB_ARENA,
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
  ROW_CHUNK,
  ROW_COUNTER,
  ROW_DIED,
  ROW_MOVED,
  ROW_NEXT,
  ROW_NEXT_SAME,
  ROW_ORDER,
  ROW_TARGET,
} from "../src/blob/layout";
import { CHUNK_NEXT, CHUNK_WORD, RETIRED_ROW } from "../src/blob/memory";
import { COMMENT_TEXT, JUMP_CHAIN, MATCH_COMMENT, TARGET_DNPT, TARGET_SNPT } from "../src/blob/payloads";
import { INDEX_CHUNKS } from "../src/blob/tuple-space";
import { arenaAllocate } from "./arena";
import { isIndexed } from "./chain-index";
import { chunkRow, chunkSame, chunkSlot } from "./chunk";
import { chunkInsert } from "./chunk-insert";
import { isJump, rowTable, sameRule, textAddress } from "./content";
import { counterTake } from "./counters";
import { ruleAdded } from "./levels";
import { generation, retire } from "./retire";
import { inForce } from "./row-neighbours";
import { giveOrder } from "./row-order";
import { stateFault, stateTake, targetTake } from "./state";
import { note32, own32, put16, put32, put8, touched, walked, wrote } from "./store";
import { indexBuild, indexFind, indexInsert } from "./tuple-space";
import { refuse } from "./validate";
import { rowMatches, rowWord, wordMask, wordValue } from "./words";

/** The first rule of the chain that says the same as `staged`, which knows its chain; 0 when there is none. */
export function rowFind(head: usize, staged: usize): usize {
  const index: usize = load<u32>(head, CHAIN_INDEX);
  const list = index ? index + INDEX_CHUNKS : head + CHAIN_CHUNKS;
  const indexed = index ? indexFind(index, staged) : 0;
  for (let chunk: usize = load<u32>(list); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    walked(1);
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
 * comment holds the address of its text. `place`: where the copy goes as the next rule of a run that no reader can see yet;
 * 0: anywhere, and into chunk and index. Returns the new row; 0 without memory.
 */
export function rowInsert(head: usize, before: usize, staged: usize, packets: u64, bytes: u64, place: usize): usize {
  const table = rowTable(staged);
  const arena: usize = load<u32>(table, BLOB_ARENA);
  const row = place ? place : arenaAllocate(arena, load<u16>(staged, ROW_NEXT));
  if (!row || !copyRow(arena, table, staged, row) || !rowState(table, row)) return 0;
  const counter = counterTake(packets, bytes);
  if (!counter) return 0;
  store<u32>(row, counter, ROW_COUNTER);
  if (place) store<u8>(head, load<u8>(head, CHAIN_RUN) + 1, CHAIN_RUN);
  else if (!enter(head, before, row)) return 0;
  own32(head + CHAIN_LIVE_ROWS, load<u32>(head, CHAIN_LIVE_ROWS) + 1);
  own32(table + BLOB_LIVE_ROWS, load<u32>(table, BLOB_LIVE_ROWS) + 1);
  const target = row + load<u16>(row, ROW_TARGET);
  if (isJump(target)) {
    const callee: usize = load<u32>(target, JUMP_CHAIN);
    own32(callee + CHAIN_REFERENCES, load<u32>(callee, CHAIN_REFERENCES) + 1);
  } else noteMoves(table, target);
  ruleAdded(head, row);
  return row;
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
  const arena: usize = load<u32>(table, BLOB_ARENA);
  const row = arenaAllocate(arena, load<u16>(staged, ROW_NEXT));
  if (!row || !copyRow(arena, table, staged, row)) return false;
  const old: usize = load<u32>(head, CHAIN_POLICY);
  const counter = keepCounter ? load<u32>(old, ROW_COUNTER) : counterTake(0, 0);
  if (!counter) return false;
  store<u32>(row, counter, ROW_COUNTER);
  store<u32>(row, <u32>old, ROW_NEXT_SAME);
  if (keepCounter) put16(old + ROW_MOVED, 1);
  put32(head + CHAIN_POLICY, <u32>row);
  note32(old + ROW_DIED, generation() + 1);
  touched(2);
  return retire(RETIRED_ROW, <u32>old, 0, 0);
}

/** Copies a row to `row`, where it is born with the update being made; staged text goes along. False without memory. */
function copyRow(arena: usize, table: usize, staged: usize, row: usize): bool {
  const size = <u32>load<u16>(staged, ROW_NEXT);
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
    if (!to) return false;
    memory.copy(to, from, bytes);
    wrote(bytes);
    store<u32>(match, <u32>(to - text), COMMENT_TEXT);
  }
  return true;
}

/** Puts a fresh row into chunks and index. */
function enter(head: usize, before: usize, row: usize): bool {
  const arena: usize = load<u32>(rowTable(row), BLOB_ARENA);
  const list = head + CHAIN_CHUNKS;
  const index: usize = load<u32>(head, CHAIN_INDEX);
  if (index && !giveOrder(head, before, row)) return false;
  const chunk: usize = before ? <usize>load<u32>(before, ROW_CHUNK) : 0;
  const slot = before ? chunkSlot(chunk, before) : 0;
  if (!chunkInsert(arena, head, list, chunk, slot, row, false)) return false;
  if (index) return indexInsert(arena, index, row);
  return !isIndexed(load<u32>(head, CHAIN_LIVE_ROWS) + 1) || indexBuild(head);
}
