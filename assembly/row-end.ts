/** How a row ends: with an update, from which on no new reader sees it, and behind its grace period, when nobody does. */
import {
  BLOB_ADDRESS_BYTES,
  BLOB_ARENA,
  BLOB_LIVE_ROWS,
  CHAIN_CHUNKS,
  CHAIN_INDEX,
  CHAIN_LIVE_ROWS,
  CHAIN_POLICY,
  CHAIN_REFERENCES,
  CHAIN_ROWS_END,
  CHAIN_RUN,
  CHAIN_SIZE,
  CHAIN_TABLE,
  RECORD_BYTES,
  RECORD_TYPE,
  ROW_CHAIN,
  ROW_CHUNK,
  ROW_COUNTER,
  ROW_DIED,
  ROW_FLAG_POLICY,
  ROW_FLAGS,
  ROW_MOVED,
  ROW_NEXT,
  ROW_NEXT_SAME,
  ROW_TARGET,
} from "../src/blob/layout";
import { RETIRED_ROW } from "../src/blob/memory";
import { COMMENT_TEXT, JUMP_CHAIN, MATCH_COMMENT } from "../src/blob/payloads";
import { arenaFree, arenaFreeWalked } from "./arena";
import { entryDied } from "./bucket";
import { chunkDied, chunkRemove } from "./chunk";
import { endsChain, inBlob, isJump, refersByName, rowTable, textAddress } from "./content";
import { counterGive } from "./counters";
import { ruleRemoved } from "./levels";
import { chainHolds, chainName, nameApart } from "./names";
import { freeOfBlob, generation, retire, retireRecord, retireUrgently } from "./retire";
import { rowAfter } from "./row-neighbours";
import { matchHolds, stateGive, targetGive } from "./state";
import { note32, own32, put32, touched, wrote } from "./store";
import { indexRemove } from "./tuple-space";
import { rowMatches } from "./words";

/** Ends a rule with the update being made. False without memory. */
export function rowDelete(row: usize): bool {
  const head: usize = load<u32>(row, ROW_CHAIN);
  const table = rowTable(row);
  calleeLeft(calleeOf(row));
  if (endsChain(row) && rowAfter(row)) ruleRemoved(head);
  own32(head + CHAIN_LIVE_ROWS, load<u32>(head, CHAIN_LIVE_ROWS) - 1);
  own32(table + BLOB_LIVE_ROWS, load<u32>(table, BLOB_LIVE_ROWS) - 1);
  return rowEnds(row);
}

/** A row that is in force until the update being made. False without memory. */
export function rowEnds(row: usize): bool {
  note32(row + ROW_DIED, generation() + 1);
  entryDied(row, generation() + 1);
  chunkDied(load<u32>(row, ROW_CHUNK));
  touched(1);
  if (holdsObjects(row)) retireUrgently();
  return retire(RETIRED_ROW, <u32>row, 0, 0);
}

/** In a note of a rule, whose chain's head is aligned: a match or the target keeps what others see (see holdsObjects). */
const HOLDS: u32 = 1;

/** Where the notes of the rules begin that an edit's chain was made with. */
function runNotes(head: usize, rules: u32): usize {
  return <usize>load<u32>(head, CHAIN_TABLE) + load<u32>(head, CHAIN_ROWS_END) - (rules << 2);
}

/**
 * Notes of the newest rule of a run that is made, with room for `rules`, what its end will ask for: the chain it calls and whether
 * it holds objects. Packets do not look there, and a line that another processor has had is waited for.
 */
export function runNote(head: usize, row: usize, rules: u32): void {
  const callee = <u32>calleeOf(row);
  const nth = <u32>load<u8>(head, CHAIN_RUN) - 1;
  store<u32>(runNotes(head, rules) + (nth << 2), holdsObjects(row) ? callee | HOLDS : callee);
  wrote(4);
}

/** All rules of a run, whose chain goes with the update being made as well: nobody enters it any more, so none is marked. */
export function runEnds(head: usize): void {
  const table: usize = load<u32>(head, CHAIN_TABLE);
  const rules = load<u32>(head, CHAIN_LIVE_ROWS);
  if (inBlob(table, head)) {
    let row = head + CHAIN_SIZE;
    for (let left = rules; left; left--, row += load<u16>(row, ROW_NEXT)) {
      calleeLeft(calleeOf(row));
      if (holdsObjects(row)) retireUrgently();
    }
  } else {
    let note = runNotes(head, rules);
    for (let left = rules; left; left--, note += 4) {
      calleeLeft(load<u32>(note) & ~HOLDS);
      if (load<u32>(note) & HOLDS) retireUrgently();
    }
  }
  own32(table + BLOB_LIVE_ROWS, load<u32>(table, BLOB_LIVE_ROWS) - rules);
  own32(head + CHAIN_LIVE_ROWS, 0);
  touched(rules);
}

/** The chain that a rule calls, 0 where it calls none. */
function calleeOf(row: usize): usize {
  const target = row + load<u16>(row, ROW_TARGET);
  return isJump(target) ? <usize>load<u32>(target, JUMP_CHAIN) : 0;
}

/** One jump fewer to a chain, if it is one. */
function calleeLeft(callee: usize): void {
  if (callee) own32(callee + CHAIN_REFERENCES, load<u32>(callee, CHAIN_REFERENCES) - 1);
}

/** Whether a match or the target of a row keeps an object that others can see, or the state that a later rule of the name would find. */
function holdsObjects(row: usize): bool {
  const target = row + load<u16>(row, ROW_TARGET);
  if (refersByName(load<u16>(target, RECORD_TYPE))) return true;
  for (
    let match = rowMatches(row, load<u32>(rowTable(row), BLOB_ADDRESS_BYTES));
    match < target;
    match += load<u16>(match, RECORD_BYTES)
  )
    if (matchHolds(match)) return true;
  return false;
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
  if (!chainHolds(table, head, row)) retireRecord(table, row, load<u16>(row, ROW_NEXT));
}

/** Frees a chain that no reader sees, with the rules of its run. */
export function releaseChain(head: usize): void {
  const table: usize = load<u32>(head, CHAIN_TABLE);
  const arena: usize = load<u32>(table, BLOB_ARENA);
  const name = chainName(table, head);
  const apart = nameApart(table, head, name);
  if (apart) arenaFree(arena, name, apart);
  const made = !inBlob(table, head);
  let row = head + CHAIN_SIZE;
  for (let left = <u32>load<u8>(head, CHAIN_RUN); left; left--) {
    const bytes = <u32>load<u16>(row, ROW_NEXT);
    releaseRow(table, row);
    if (!made) freeOfBlob(arena, row, bytes);
    row += bytes;
  }
  if (made) arenaFreeWalked(arena, head, <u32>(table + load<u32>(head, CHAIN_ROWS_END) - head));
  else freeOfBlob(arena, head, CHAIN_SIZE);
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
    if (!inBlob(table, text)) arenaFree(arena, text, 2 + load<u16>(text));
  }
}
