/**
 * Names that rules jump to, and comments, looked up a batch at a time.
 *
 * Problem. A name is found in two steps, its slot and its text, each most likely out of the caches' reach; one name after the
 *   other, a file's jumps and comments cost as much as all else that is read.
 * Idea. They do not decide how a line is read on. So a line leaves them pending: where the text is, and which field wants
 *   its number. When a batch is full, all slots are touched first, then all texts, so that the processor waits for many of
 *   them at once; only then is each looked up.
 * Right because. A name that is no chain's, or a text that there is no room for, takes reading back to where the batch
 *   began, and those lines are read again with nothing left pending. A name that a target has is never left pending.
 * Cost. Nothing but work where all texts lie in the caches anyway, so short files do without. Most rules jump to few chains; names that were looked up lately are kept, by their last bytes, and found at once.
 *
 * Pending: 0 start | 4 length | 8 field | 12 kind | 16 hash
 * Recent:  0 last eight bytes of the name | 8 1 + number of the chain
 */
import {
  NAME_FIRST_CHAIN,
  READING_AT,
  READING_BUILTINS,
  READING_HEAD,
  READING_HEAD_ROWS,
  READING_LINE,
  READING_PENDING,
  READING_PENDING_COUNT,
  READING_PENDING_SIZE,
  READING_PLACED,
  READING_PLACING,
  READING_RECENT,
  READING_RECENT_COUNT,
  READING_RECENT_SIZE,
  READING_ROW_COUNT,
  READING_ROWS_END,
  READING_SLOT_MASK,
  TEXT_REFERENCE,
  TEXT_VALUE,
  VALUE_JUMP,
} from "../../src/blob/reading";
import { hashBytes } from "../content";
import { slotTouch, textFindHashed, textInternHashed, textTouch } from "./texts";

const START: usize = 0;
const LENGTH: usize = 4;
const FIELD: usize = 8;
const KIND: usize = 12;
const HASH: usize = 16;
const RECENT_NUMBER: usize = 8;
/** Slots from which on texts are out of the caches' reach, and waiting for one text after the other costs more than leaving them pending. */
const FAR_SLOTS: u32 = 65536;

/** Behind the entries of lines that were read, and of the line that is being read. */
let end: usize = READING_PENDING;
let tentative: usize = READING_PENDING;
/** Lines up to this address leave nothing pending. */
let exactTo: usize = 0;
/** The current line and its number. */
let lineAt: u32 = 0;
let lineNumber: u32 = 0;

/** Where the batch began: what a line changes. */
let at: u32 = 0;
let line: u32 = 0;
let rows: u32 = 0;
let rowsEnd: u32 = 0;
let placing: u32 = 0;
let placed: u32 = 0;
let head: u32 = 0;
let headRows: u32 = 0;

/** Reading begins, or goes on where something else may have changed what names stand for. Whether texts may wait. */
export function pendingReset(): bool {
  exactTo = 0;
  if (load<u32>(READING_SLOT_MASK) < FAR_SLOTS - 1) return false;
  memory.fill(READING_RECENT, 0, READING_RECENT_SIZE * READING_RECENT_COUNT);
  return true;
}

/** Whether line number `next` at `start` may leave texts pending. */
export function mayPend(start: usize, next: u32): bool {
  tentative = end;
  lineAt = <u32>start;
  lineNumber = next;
  return start >= exactTo;
}

/** Whether there is room for what another line leaves. */
export function pendingFull(): bool {
  return end + 4 * READING_PENDING_SIZE > <usize>READING_PENDING + READING_PENDING_COUNT * READING_PENDING_SIZE;
}

/** Whether a line has left something pending. */
export function isPending(): bool {
  return end != <usize>READING_PENDING;
}

/** In a value that is the number of a text: the entry that it waits for, 0 when it is known. */
export const VALUE_PENDING: usize = 8;

/** Leaves a text of the current line pending, of which nothing is written yet; its entry. */
export function pend(kind: u32, start: usize, length: usize): u32 {
  const entry = tentative;
  if (entry == <usize>READING_PENDING) begin();
  store<u32>(entry, <u32>start, START);
  store<u32>(entry, <u32>length, LENGTH);
  store<u32>(entry, kind, KIND);
  tentative += READING_PENDING_SIZE;
  return <u32>entry;
}

/** The field that wants the number of entry `entry`. */
export function pendFor(entry: u32, field: usize): void {
  store<u32>(entry, <u32>field, FIELD);
}

/** The line was read; it is part of the batch. */
export function pendLine(): void {
  end = tentative;
}

/** The number of a chain whose name was looked up lately, perhaps that of these bytes; -1 for none. */
export function recentNumber(start: usize, length: usize): i32 {
  if (length < 8) return -1;
  const key = load<u64>(start + length - 8);
  const recent = recentOf(key);
  return load<u64>(recent) == key ? <i32>load<u32>(recent, RECENT_NUMBER) - 1 : -1;
}

/** Looks all up that is pending. False when it takes exact reading: then everything is as when the batch began. */
export function pendingResolve(): bool {
  for (let entry: usize = READING_PENDING; entry < end; entry += READING_PENDING_SIZE) {
    const hash = hashBytes(load<u32>(entry, START), load<u32>(entry, LENGTH));
    store<u32>(entry, hash, HASH);
    touched ^= slotTouch(hash);
  }
  for (let entry: usize = READING_PENDING; entry < end; entry += READING_PENDING_SIZE)
    touched ^= textTouch(load<u32>(entry, HASH));
  let good = true;
  for (let entry: usize = READING_PENDING; entry < end && good; entry += READING_PENDING_SIZE) good = resolve(entry);
  if (!good) back();
  end = tentative = READING_PENDING;
  return good;
}

/** What was loaded for the caches' sake alone, kept so that it is. */
export let touched: u32 = 0;

function resolve(entry: usize): bool {
  const start: usize = load<u32>(entry, START);
  const length: usize = load<u32>(entry, LENGTH);
  const field: usize = load<u32>(entry, FIELD);
  const jump = load<u32>(entry, KIND) == VALUE_JUMP;
  const hash = load<u32>(entry, HASH);
  const slot = jump ? textFindHashed(start, length, hash) : textInternHashed(start, length, hash);
  if (!slot) return false;
  if (!jump) {
    store<u32>(field, load<u32>(slot, TEXT_REFERENCE) - 1);
    return true;
  }
  const value = load<u32>(slot, TEXT_VALUE);
  if (value < <u32>NAME_FIRST_CHAIN + load<u32>(READING_BUILTINS)) return false;
  const number = value - NAME_FIRST_CHAIN;
  store<u32>(field, number);
  if (length >= 8) {
    const key = load<u64>(start + length - 8);
    const recent = recentOf(key);
    store<u64>(recent, key);
    store<u32>(recent, number + 1, RECENT_NUMBER);
  }
  return true;
}

/** A batch begins with the current line. */
function begin(): void {
  at = lineAt;
  line = lineNumber;
  rows = load<u32>(READING_ROW_COUNT);
  rowsEnd = load<u32>(READING_ROWS_END);
  placing = load<u32>(READING_PLACING);
  placed = load<u32>(READING_PLACED);
  head = load<u32>(READING_HEAD);
  headRows = load<u32>(READING_HEAD_ROWS);
}

/** Takes reading back to where the batch began. */
function back(): void {
  exactTo = load<u32>(READING_AT) + 1;
  store<u32>(READING_AT, at);
  store<u32>(READING_LINE, line);
  store<u32>(READING_ROW_COUNT, rows);
  store<u32>(READING_ROWS_END, rowsEnd);
  store<u32>(READING_PLACING, placing);
  store<u32>(READING_PLACED, placed);
  store<u32>(READING_HEAD, head);
  store<u32>(READING_HEAD_ROWS, headRows);
}

function recentOf(key: u64): usize {
  const i = <u32>((key * 0x9e3779b97f4a7c15) >> 58);
  return READING_RECENT + (i & (READING_RECENT_COUNT - 1)) * READING_RECENT_SIZE;
}
