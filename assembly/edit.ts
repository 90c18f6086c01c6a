/**
 * Edits: the batch of one table that the writer has laid out (see src/blob/staged-batch.ts), carried out in one call. Chains are
 * looked up once a name; a fault ends the batch and tells which edit it was.
 */
import {
  BLOB_ADDRESS_BYTES,
  BLOB_TEXT,
  CHAIN_CHUNKS,
  CHAIN_HOOK,
  CHAIN_LIVE_ROWS,
  CHAIN_POLICY,
  CHAIN_REFERENCES,
  CHAIN_RUN,
  CHAIN_SIZE,
  CHAIN_USER,
  GENERATION_NEVER,
  RECORD_BYTES,
  RECORD_TYPE,
  ROW_CHAIN,
  ROW_COUNTER,
  ROW_DIED,
  ROW_NEXT,
  ROW_PROTOCOL,
  ROW_TARGET,
} from "../src/blob/layout";
import {
  CHUNK_NEXT,
  CHUNK_USED,
  FAULT_CALLEE_MISSING,
  FAULT_CHAIN_BUILTIN,
  FAULT_CHAIN_EXISTS,
  FAULT_CHAIN_MISSING,
  FAULT_CHAIN_NOT_EMPTY,
  FAULT_CHAIN_REFERENCED,
  FAULT_MEMORY,
  FAULT_NONE,
  FAULT_POLICY,
  FAULT_POSITION,
  FAULT_RULE_MISSING,
  RUN_MOST,
} from "../src/blob/memory";
import { COMMENT_TEXT, JUMP_CHAIN, MATCH_COMMENT } from "../src/blob/payloads";
import {
  BATCH_COMMAND_COUNT,
  BATCH_COMMANDS,
  BATCH_ROWS,
  BATCH_TEXT,
  COMMAND_CHAIN,
  COMMAND_COUNTERS,
  COMMAND_EDIT,
  COMMAND_POSITION,
  COMMAND_ROW,
  COMMAND_SIZE,
  EDIT_APPEND,
  EDIT_CHECK,
  EDIT_DECLARE_CHAIN,
  EDIT_DELETE,
  EDIT_DELETE_AT,
  EDIT_DELETE_CHAIN,
  EDIT_FLUSH,
  EDIT_INSERT,
  EDIT_NEW_CHAIN,
  EDIT_NO_CHAIN,
  EDIT_POLICY,
  EDIT_RENAME_CHAIN,
  EDIT_REPLACE,
  NAME_BIRTH,
  NAME_HASH,
  NAME_HEAD,
  NAME_NEXT,
  NAME_ROOM,
  NAME_RULES,
  NAME_TEXT,
} from "../src/blob/staged-batch";
import { nameAt, nameHash, surveyNames } from "./batch-names";
import { nextRule, rulesOf } from "./chain-rules";
import { chunkRow } from "./chunk";
import { endRun } from "./chunk-insert";
import { isJump } from "./content";
import { counterSet } from "./counters";
import { chainFindHashed, chainMake, chainRemove, chainRename } from "./names";
import { policyReplace, rowFind, rowInsert } from "./row";
import { rowDelete, runEnds, runNote } from "./row-end";
import { rowAt } from "./row-neighbours";
import { stateBegin, stateFault } from "./state";
import { validateStaged } from "./validate";
import { rowMatches } from "./words";

/** Number of the edit that is at fault; that of all edits when none is. */
export let failedEdit: u32 = 0;

/** Bytes of rules up to which a chain gets them in one piece with its head. */
const ROOM_MOST: u32 = 1536;

/** Carries out a batch, or a slice of one, on a table. A FAULT_*; after a fault the caller rolls back. */
export function editBatch(table: usize, batch: usize): u32 {
  const count = load<u32>(batch, BATCH_COMMAND_COUNT);
  let command: usize = load<u32>(batch, BATCH_COMMANDS);
  surveyNames(table, batch, command, count);
  for (failedEdit = 0; failedEdit < count; failedEdit++) {
    const fault = edit(table, batch, command);
    if (fault) return fault;
    command += COMMAND_SIZE;
  }
  return FAULT_NONE;
}

/** Zeroes every counter of a chain. */
export function editZero(head: usize): void {
  const policy: usize = load<u32>(head, CHAIN_POLICY);
  if (policy) counterSet(load<u32>(policy, ROW_COUNTER), 0, 0);
  rulesOf(head);
  for (let row = nextRule(); row; row = nextRule())
    if (load<u32>(row, ROW_DIED) == GENERATION_NEVER) counterSet(load<u32>(row, ROW_COUNTER), 0, 0);
}

function edit(table: usize, batch: usize, command: usize): u32 {
  const kind = load<u32>(command, COMMAND_EDIT);
  const name = nameAt(load<u32>(command, COMMAND_CHAIN));
  const head = chainOf(table, name);
  if (kind == EDIT_NEW_CHAIN || kind == EDIT_DECLARE_CHAIN) {
    if (head) return kind == EDIT_DECLARE_CHAIN ? flush(head, command) : FAULT_CHAIN_EXISTS;
    return makeChain(table, name, command);
  }
  if (kind == EDIT_NO_CHAIN) return head ? FAULT_CHAIN_EXISTS : FAULT_NONE;
  if (!head) return FAULT_CHAIN_MISSING;
  if (kind == EDIT_APPEND && load<u32>(name, NAME_NEXT)) return appendNext(table, batch, head, name, command);
  // The first kinds are about a rule.
  if (kind <= <u32>EDIT_CHECK && !endRun(head)) return FAULT_MEMORY;
  const rules = load<u32>(head, CHAIN_LIVE_ROWS);
  const row = <usize>load<u32>(batch, BATCH_ROWS) + load<u32>(command, COMMAND_ROW);
  const position = load<u32>(command, COMMAND_POSITION) - 1;
  const counters: usize = load<u32>(command, COMMAND_COUNTERS);
  switch (kind) {
    case EDIT_APPEND:
      return insert(table, batch, head, rules, row, counters);
    case EDIT_INSERT:
      return position > rules ? FAULT_POSITION : insert(table, batch, head, position, row, counters);
    case EDIT_REPLACE: {
      if (position >= rules) return FAULT_POSITION;
      const fault = insert(table, batch, head, position, row, counters);
      return fault ? fault : remove(rowAt(head, position + 1));
    }
    case EDIT_DELETE:
    case EDIT_CHECK: {
      const fault = resolve(table, batch, head, row);
      if (fault) return fault;
      const found = rowFind(head, row);
      if (!found) return FAULT_RULE_MISSING;
      return kind == EDIT_DELETE ? remove(found) : FAULT_NONE;
    }
    case EDIT_DELETE_AT:
      return position >= rules ? FAULT_POSITION : remove(rowAt(head, position));
    case EDIT_FLUSH:
      return flush(head, command);
    case EDIT_DELETE_CHAIN:
      return deleteChain(table, head, name);
    case EDIT_RENAME_CHAIN:
      return renameChain(table, head, name, nameAt(position + 1));
    case EDIT_POLICY:
      return setPolicy(head, row, counters);
    default:
      return FAULT_NONE;
  }
}

/** Puts a staged rule in front of rule `position` (from 0), or at the end when position is the number of rules. */
function insert(table: usize, batch: usize, head: usize, position: u32, row: usize, counters: usize): u32 {
  const fault = resolve(table, batch, head, row);
  if (fault) return fault;
  const before = position == load<u32>(head, CHAIN_LIVE_ROWS) ? <usize>0 : rowAt(head, position);
  return add(table, head, before, row, counters, 0);
}

/** Adds a rule whose chain and names are found; see rowInsert. */
function add(table: usize, head: usize, before: usize, row: usize, counters: usize, place: usize): u32 {
  const refused = validateStaged(row, load<u32>(table, BLOB_ADDRESS_BYTES));
  if (refused) return refused;
  const packets: u64 = counters ? load<u64>(counters) : 0;
  const bytes: u64 = counters ? load<u64>(counters, 8) : 0;
  stateBegin();
  return rowInsert(head, before, row, packets, bytes, place) ? FAULT_NONE : stateFault;
}

/** A new chain, with room for the rules that are appended to it next. */
function makeChain(table: usize, name: usize, command: usize): u32 {
  let rules = load<u32>(name, NAME_RULES);
  let room = load<u32>(name, NAME_ROOM);
  if (load<u32>(name, NAME_BIRTH) != <u32>command || rules > <u32>RUN_MOST || room > ROOM_MOST) rules = room = 0;
  const made = chainMake(table, load<u32>(name, NAME_TEXT), load<u32>(name, NAME_HASH), room, rules);
  store<u32>(name, <u32>made, NAME_HEAD);
  if (room && made) store<u32>(name, <u32>(made + CHAIN_SIZE), NAME_NEXT);
  return made ? FAULT_NONE : FAULT_MEMORY;
}

/** Appends a rule where its chain has kept a place for it. */
function appendNext(table: usize, batch: usize, head: usize, name: usize, command: usize): u32 {
  const row = <usize>load<u32>(batch, BATCH_ROWS) + load<u32>(command, COMMAND_ROW);
  const refused = resolve(table, batch, head, row);
  if (refused) return refused;
  const place: usize = load<u32>(name, NAME_NEXT);
  const bytes = load<u16>(row, ROW_NEXT);
  const room = load<u32>(name, NAME_ROOM) - bytes;
  store<u32>(name, room, NAME_ROOM);
  store<u32>(name, room ? <u32>(place + bytes) : 0, NAME_NEXT);
  const fault = add(table, head, 0, row, load<u32>(command, COMMAND_COUNTERS), place);
  if (!fault) runNote(head, place, load<u32>(name, NAME_RULES));
  return fault;
}

function remove(row: usize): u32 {
  return rowDelete(row) ? FAULT_NONE : FAULT_MEMORY;
}

/** Removes all rules of a chain. */
function flush(head: usize, command: usize): u32 {
  if (load<u32>(command, COMMAND_POSITION) && load<u8>(head, CHAIN_RUN)) {
    runEnds(head);
    return FAULT_NONE;
  }
  if (!endRun(head)) return FAULT_MEMORY;
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    for (let i: u32 = 0; i < used; i++) {
      const row = chunkRow(chunk, i);
      if (row && load<u32>(row, ROW_DIED) == GENERATION_NEVER && !rowDelete(row)) return FAULT_MEMORY;
    }
  }
  return FAULT_NONE;
}

/** Deletes an empty user chain that nothing jumps to. */
function deleteChain(table: usize, head: usize, name: usize): u32 {
  if (load<u8>(head, CHAIN_HOOK) != CHAIN_USER) return FAULT_CHAIN_BUILTIN;
  if (load<u32>(head, CHAIN_REFERENCES)) return FAULT_CHAIN_REFERENCED;
  if (load<u32>(head, CHAIN_LIVE_ROWS)) return FAULT_CHAIN_NOT_EMPTY;
  store<u32>(name, 0, NAME_HEAD);
  return chainRemove(table, head) ? FAULT_NONE : FAULT_MEMORY;
}

function renameChain(table: usize, head: usize, from: usize, to: usize): u32 {
  if (load<u8>(head, CHAIN_HOOK) != CHAIN_USER) return FAULT_CHAIN_BUILTIN;
  if (chainOf(table, to)) return FAULT_CHAIN_EXISTS;
  store<u32>(from, 0, NAME_HEAD);
  store<u32>(to, <u32>head, NAME_HEAD);
  return chainRename(table, head, load<u32>(to, NAME_TEXT)) ? FAULT_NONE : FAULT_MEMORY;
}

function setPolicy(head: usize, row: usize, counters: usize): u32 {
  if (load<u8>(head, CHAIN_HOOK) == CHAIN_USER) return FAULT_POLICY;
  store<u32>(row, <u32>head, ROW_CHAIN);
  if (!policyReplace(head, row, false)) return FAULT_MEMORY;
  if (counters)
    counterSet(load<u32>(load<u32>(head, CHAIN_POLICY), ROW_COUNTER), load<u64>(counters), load<u64>(counters, 8));
  return FAULT_NONE;
}

/** Makes a row of the batch one of the chain at `head`: run-time fields, the chain it jumps to, its texts. */
function resolve(table: usize, batch: usize, head: usize, row: usize): u32 {
  for (let field: usize = ROW_COUNTER; field < <usize>ROW_PROTOCOL; field += 4) store<u32>(row + field, 0);
  store<u32>(row, <u32>head, ROW_CHAIN);
  const target = row + load<u16>(row, ROW_TARGET);
  if (isJump(target)) {
    const callee = chainOf(table, nameAt(load<u32>(target, JUMP_CHAIN)));
    if (!callee) return FAULT_CALLEE_MISSING;
    store<u32>(target, <u32>callee, JUMP_CHAIN);
  }
  const text = <usize>load<u32>(batch, BATCH_TEXT) - (table + load<u32>(table, BLOB_TEXT));
  const first = rowMatches(row, load<u32>(table, BLOB_ADDRESS_BYTES));
  for (let match = first; match < target; match += load<u16>(match, RECORD_BYTES))
    if (load<u16>(match, RECORD_TYPE) == MATCH_COMMENT)
      store<u32>(match, <u32>(text + load<u32>(match, COMMENT_TEXT)), COMMENT_TEXT);
  return FAULT_NONE;
}

/** The chain of a name; 0 when there is none. */
function chainOf(table: usize, name: usize): usize {
  const known: usize = load<u32>(name, NAME_HEAD);
  if (known) return known;
  const head = chainFindHashed(table, load<u32>(name, NAME_TEXT), nameHash(name));
  store<u32>(name, <u32>head, NAME_HEAD);
  return head;
}
