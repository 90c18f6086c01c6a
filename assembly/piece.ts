/**
 * A batch carried out as it stands, piece by piece: text in, edits out, no line that the parser sees.
 *
 * Problem. A service's change is some fifteen lines. Read in a memory of its own, and what came of them copied to the engine's, a
 *   third of its time went into passing things on.
 * Idea. The writer copies a piece of the text to the engine's memory, once. Its lines become edits there (reading/), where
 *   editBatch finds them. A piece is so small that it stays in the caches, however long the batch is.
 * Cost. The piece's bytes once, its rows once. Shapes are learned by the thread's parser, and copied here when a line is not known.
 * Right because. See reading/edits.ts: who does not know what there is has the engine refuse what the parser would have read differently.
 *   Nothing here outlives an update but the shapes; the writers' lock is held throughout.
 */
import { FAULT_CHAIN_MISSING } from "../src/blob/memory";
import {
  NAMES_OPEN,
  PIECE_DONE,
  PIECE_EDITS_READ,
  PIECE_LAST,
  PIECE_UNKNOWN,
  READING_AT,
  READING_BUILTINS,
  READING_CHAIN_COUNT,
  READING_CHAINS,
  READING_CHAINS_MOST,
  READING_EDIT_COUNT,
  READING_EDITS,
  READING_EDITS_MOST,
  READING_END,
  READING_FAMILY,
  READING_KNOWN,
  READING_LINE,
  READING_NAME_SIZE,
  READING_NAMES,
  READING_OFFSETS,
  READING_OWNERS,
  READING_ROWS,
  READING_ROWS_BYTES,
  READING_ROWS_MOST,
  READING_SLOTS,
  READING_TABLE,
  READING_TABLE_NAMES,
  READING_TABLES,
  READING_TEXT,
  READING_TEXTS,
  READING_TEXTS_MOST,
  STOPPED_LINE,
} from "../src/blob/reading";
import {
  BATCH_COMMAND_COUNT,
  BATCH_COMMANDS,
  BATCH_NAMES,
  BATCH_NAMES_END,
  BATCH_ROWS,
  BATCH_TEXT,
  BATCH_WANTED,
  NAME_SIZE,
} from "../src/blob/staged-batch";
import { editBatch } from "./edit";
import { editVerify } from "./levels";
import {
  PIECE_BATCH,
  PIECE_CHAINS,
  PIECE_CHAINS_MOST,
  PIECE_EDITS,
  PIECE_EDITS_MOST,
  PIECE_NAMES,
  PIECE_OFFSETS,
  PIECE_OWNERS,
  PIECE_ROWS,
  PIECE_ROWS_BYTES,
  PIECE_ROWS_MOST,
  PIECE_SLOTS,
  PIECE_SLOTS_MOST,
  PIECE_TEXTS,
  PIECE_TEXTS_BYTES,
} from "./piece-room";
import { readLines } from "./reading/lines";
import { tableClose, tableOpen } from "./reading/table-open";
import { sameText } from "./reading/texts";
import { wordEnd } from "./reading/values";
import { updateTable } from "./update";

const NEWLINE: u32 = 10;
const HASH: u32 = 35;
const STAR: u32 = 42;
/** `COMMIT` and the newline behind it. */
const COMMIT: u64 = 0x0a54494d4d4f43;
const COMMIT_BYTES: usize = 7;

/** The table whose edits wait, and whether they are the last of it. */
let edited: u32 = 0;
let committed = false;

/** A batch of `family` begins, of which `bytes` lie at READING_TEXT; what comes of reading them, as of pieceRead. */
export function pieceFirst(family: u32, bytes: u32): u32 {
  store<u32>(READING_FAMILY, family);
  store<u32>(READING_TABLE, 0);
  store<u32>(READING_LINE, 0);
  return pieceNext(bytes);
}

/** The next piece of it: whole lines, but for the newline of the last one. */
export function pieceNext(bytes: u32): u32 {
  const end: usize = <usize>READING_TEXT + bytes;
  store<u8>(end, <u8>NEWLINE);
  store<u32>(READING_AT, READING_TEXT);
  store<u32>(READING_END, <u32>end);
  return pieceRead();
}

/** Reads on until there are edits of a table, or there is no more: PIECE_*. After PIECE_UNKNOWN what was read since the last edits is read again. */
export function pieceRead(): u32 {
  const start = load<u32>(READING_AT);
  const line = load<u32>(READING_LINE);
  const before = load<u32>(READING_TABLE);
  const end: usize = load<u32>(READING_END);
  let table = before;
  if (!table) {
    const at = skipEmpty();
    if (at >= end) return PIECE_DONE;
    table = tableNamed(at);
    store<u32>(READING_TABLE, table);
  }
  if (!table || !open(table - 1)) return unknown(start, line, before);
  let stopped = readLines();
  while (stopped == STOPPED_LINE && isEmpty(load<u32>(READING_AT))) {
    skipEmpty();
    stopped = readLines();
  }
  edited = table - 1;
  tableClose(load<u32>(READING_FAMILY), edited);
  committed = false;
  const at: usize = load<u32>(READING_AT);
  const edits = load<u32>(READING_EDIT_COUNT);
  if (stopped != STOPPED_LINE) {
    if (!edits) return unknown(start, line, before);
  } else if (at < end) {
    // As for iptables-restore the last line's newline has to be in the text.
    if ((load<u64>(at) << 8) >> 8 != COMMIT || at + COMMIT_BYTES > end) return unknown(start, line, before);
    committed = true;
    store<u32>(READING_TABLE, 0);
    store<u32>(READING_AT, <u32>(at + COMMIT_BYTES));
    store<u32>(READING_LINE, load<u32>(READING_LINE) + 1);
  } else if (!edits) return PIECE_DONE;
  store<u32>(READING_KNOWN, load<u32>(READING_KNOWN) + load<u32>(READING_LINE) - line);
  return committed && skipEmpty() >= end ? PIECE_LAST : PIECE_EDITS_READ;
}

/** Carries out the edits that were read; a FAULT_*, after which the caller rolls back. */
export function pieceEdit(): u32 {
  const table = updateTable(load<u32>(READING_FAMILY), edited);
  if (!table) return FAULT_CHAIN_MISSING;
  store<u32>(PIECE_BATCH, PIECE_NAMES, BATCH_NAMES);
  store<u32>(PIECE_BATCH, PIECE_NAMES + load<u32>(READING_BUILTINS) * NAME_SIZE, BATCH_WANTED);
  store<u32>(PIECE_BATCH, PIECE_NAMES + load<u32>(READING_CHAIN_COUNT) * NAME_SIZE, BATCH_NAMES_END);
  store<u32>(PIECE_BATCH, PIECE_ROWS, BATCH_ROWS);
  store<u32>(PIECE_BATCH, PIECE_TEXTS, BATCH_TEXT);
  store<u32>(PIECE_BATCH, PIECE_EDITS, BATCH_COMMANDS);
  store<u32>(PIECE_BATCH, load<u32>(READING_EDIT_COUNT), BATCH_COMMAND_COUNT);
  const fault = editBatch(table, PIECE_BATCH);
  return fault || !committed ? fault : editVerify(table);
}

/** Opens a table for what comes next of it. False where there is no such one. */
function open(table: u32): bool {
  store<u32>(READING_NAMES, NAMES_OPEN);
  store<u32>(READING_SLOTS, PIECE_SLOTS);
  store<u32>(READING_CHAINS, PIECE_CHAINS);
  store<u32>(READING_CHAINS_MOST, PIECE_CHAINS_MOST);
  store<u32>(READING_OFFSETS, PIECE_OFFSETS);
  store<u32>(READING_OWNERS, PIECE_OWNERS);
  store<u32>(READING_ROWS_MOST, PIECE_ROWS_MOST);
  store<u32>(READING_TEXTS, PIECE_TEXTS);
  store<u32>(READING_TEXTS_MOST, PIECE_TEXTS_BYTES);
  store<u32>(READING_EDITS, PIECE_EDITS);
  store<u32>(READING_EDITS_MOST, PIECE_EDITS_MOST);
  store<u32>(READING_ROWS, PIECE_ROWS);
  store<u32>(READING_ROWS_BYTES, PIECE_ROWS_BYTES);
  const bytes = load<u32>(READING_END) - load<u32>(READING_AT);
  let slots: u32 = 32;
  while (slots < PIECE_SLOTS_MOST && slots << 5 < bytes) slots <<= 1;
  return tableOpen(load<u32>(READING_FAMILY), table, slots) == 0;
}

/** 1 + the number of the table that the line at `at` begins, and reading goes on behind it; 0 where it is none. */
function tableNamed(at: usize): u32 {
  const end = wordEnd(++at);
  if (load<u8>(at - 1) != STAR || end == at || load<u8>(end) != NEWLINE) return 0;
  for (let table: u32 = 0; table < <u32>READING_TABLES; table++) {
    if (!sameText(READING_TABLE_NAMES + table * READING_NAME_SIZE, at, end - at)) continue;
    store<u32>(READING_AT, <u32>(end + 1));
    store<u32>(READING_LINE, load<u32>(READING_LINE) + 1);
    return table + 1;
  }
  return 0;
}

/** Whether there is a line at `at` that says nothing. */
function isEmpty(at: usize): bool {
  const first = <u32>load<u8>(at);
  return at < <usize>load<u32>(READING_END) && (first == NEWLINE || first == HASH);
}

/** Takes reading behind lines that say nothing; the address there. */
function skipEmpty(): usize {
  let at: usize = load<u32>(READING_AT);
  let line = load<u32>(READING_LINE);
  for (; isEmpty(at); line++) {
    while (load<u8>(at) != NEWLINE) at++;
    at++;
  }
  store<u32>(READING_AT, <u32>at);
  store<u32>(READING_LINE, line);
  return at;
}

/** There is a line that shapes do not know: takes reading back to where it began. */
function unknown(start: u32, line: u32, table: u32): u32 {
  store<u32>(READING_AT, start);
  store<u32>(READING_LINE, line);
  store<u32>(READING_TABLE, table);
  return PIECE_UNKNOWN;
}
