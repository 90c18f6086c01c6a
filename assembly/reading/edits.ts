/**
 * A batch read as it stands: lines become edits as editBatch takes them (see src/blob/staged-batch.ts), names their numbers.
 *
 * Nobody is asked what a name stands for. Where a chain has to be, it is taken for one, and a target's for none, with the
 * condition among the edits; so the engine finds out, and refuses the batch where the parser would have read it differently.
 */
import {
  NAME_ABSENT,
  NAME_FIRST_CHAIN,
  NAME_UNKNOWN,
  NAMES_OPEN,
  READING_BUILTINS,
  READING_CHAIN_COUNT,
  READING_CHAINS,
  READING_CHAINS_MOST,
  READING_EDIT_COUNT,
  READING_EDITS,
  READING_EDITS_MOST,
  READING_HOOK_NAMES,
  READING_HOOKS,
  READING_NAME_SIZE,
  READING_NAMES,
  READING_TEXTS,
  READING_TEXTS_END,
  STEP_KIND,
  STEP_LENGTH,
  STEP_LITERAL,
  STEP_NEXT,
  STOPPED_CHAINS,
  STOPPED_LINE,
  TEXT_HASH,
  TEXT_REFERENCE,
  TEXT_VALUE,
  VALUE_TARGET,
} from "../../src/blob/reading";
import {
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
  EDIT_NO_CHAIN,
  EDIT_REPLACE,
  NAME_FIRST,
  NAME_HASH,
  NAME_HEAD,
  NAME_SINCE,
  NAME_SIZE,
  NAME_TEXT,
} from "../../src/blob/staged-batch";
import { PIECE_NAMES } from "../piece-room";
import { declaredEnd, readDeclaration } from "./declaration";
import { sameLiteral } from "./literal";
import { sameText, textIntern, textRefusal } from "./texts";

/** Edits that one line makes at most. */
const LINE_EDITS: u32 = 2;

/** A length that no text has. */
const NO_LENGTH: u64 = 0xffff;

/** Why a name has no number: STOPPED_*. */
export let nameRefusal: u32 = 0;

/** Whether there is room for the edits of another line. */
export function editsRoom(): bool {
  return load<u32>(READING_EDIT_COUNT) + LINE_EDITS <= load<u32>(READING_EDITS_MOST);
}

/** The number of the chain of this name, -1 with nameRefusal where there is no room, or it is a target's, or not ASCII. */
export function nameOpen(start: usize, end: usize): i32 {
  return numberOf(start, end, NAME_FIRST_CHAIN);
}

/** Takes it that no chain has this name; false with nameRefusal otherwise. */
export function nameTarget(start: usize, end: usize): bool {
  const slot = textIntern(start, end);
  if (slot && load<u32>(slot, TEXT_VALUE) == NAME_ABSENT) return true;
  const number = numberOf(start, end, NAME_ABSENT);
  if (number < 0) return false;
  addEdit(EDIT_NO_CHAIN, number, 0, 0);
  return true;
}

/** Whether one of the steps from `step` on says that a target's name stands behind the literal at `at`. */
export function namesTarget(step: usize, at: usize): bool {
  for (; step; step = load<u32>(step, STEP_NEXT)) {
    if (load<u8>(step, STEP_KIND) != VALUE_TARGET) continue;
    const length = <usize>load<u16>(step, STEP_LENGTH);
    if (load<u8>(at + length) <= 32 && sameLiteral(at, step + STEP_LITERAL, length)) return true;
  }
  return false;
}

/** A declaration: the chain is made, or emptied. The address of the next line; 0 with nameRefusal when it is something else. */
export function declareEdit(start: usize): usize {
  nameRefusal = STOPPED_LINE;
  const next = readDeclaration(start);
  if (!next) return 0;
  const number = nameOpen(start, declaredEnd);
  if (number < <i32>load<u32>(READING_BUILTINS)) return 0;
  addEdit(EDIT_DECLARE_CHAIN, number, 0, 0);
  return next;
}

/** The edit of a command, by its letter. `row`: offset of its row in the rows. */
export function commandEdit(letter: u32, chain: u32, row: u32, position: u32): void {
  switch (letter) {
    case 65: // A
      return addEdit(EDIT_APPEND, chain, row, 0);
    case 67: // C
      return addEdit(EDIT_CHECK, chain, row, 0);
    case 68: // D
      return addEdit(position ? EDIT_DELETE_AT : EDIT_DELETE, chain, row, position);
    case 70: // F
      return addEdit(EDIT_FLUSH, chain, 0, 0);
    case 73: // I
      return addEdit(EDIT_INSERT, chain, row, position ? position : 1);
    case 82: // R
      return addEdit(EDIT_REPLACE, chain, row, position);
    default: // X
      return addEdit(EDIT_DELETE_CHAIN, chain, 0, 0);
  }
}

/** The number of a name, whose slot gets `value`, plus the number where it is a chain's. */
function numberOf(start: usize, end: usize, value: u32): i32 {
  const slot = textIntern(start, end);
  if (!slot) {
    nameRefusal = textRefusal;
    return -1;
  }
  nameRefusal = STOPPED_LINE;
  const known = load<u32>(slot, TEXT_VALUE);
  if (known != NAME_UNKNOWN)
    return known >= <u32>NAME_FIRST_CHAIN && value != NAME_ABSENT ? known - NAME_FIRST_CHAIN : -1;
  if (start == end) return -1;
  for (let at = start; at < end; at++) if (load<i8>(at) < 0) return -1;
  const open = load<u32>(READING_NAMES) == NAMES_OPEN;
  const builtin: i32 = open ? builtinOf(start, end - start) : -1;
  if (builtin >= 0 && value == NAME_ABSENT) return -1;
  const count = load<u32>(READING_CHAIN_COUNT);
  if (builtin < 0 && count == load<u32>(READING_CHAINS_MOST)) {
    nameRefusal = STOPPED_CHAINS;
    return -1;
  }
  const number: u32 = builtin < 0 ? count : builtin;
  store<u32>(slot, value == NAME_ABSENT ? value : value + number, TEXT_VALUE);
  const reference = load<u32>(slot, TEXT_REFERENCE) - 1;
  store<u32>(<usize>load<u32>(READING_CHAINS) + (number << 2), reference);
  if (builtin < 0) store<u32>(READING_CHAIN_COUNT, count + 1);
  if (open) addName(number, reference, load<u32>(slot, TEXT_HASH));
  return number;
}

/** Keeps the first numbers for built-in chains, which get their names when these are met: until then no text is theirs. */
export function numbersReserve(): void {
  const builtins = load<u32>(READING_BUILTINS);
  const chains: usize = load<u32>(READING_CHAINS);
  store<u64>(<usize>load<u32>(READING_TEXTS), NO_LENGTH);
  store<u32>(READING_TEXTS_END, 8);
  for (let n: u32 = 0; n < builtins; n++) store<u32>(chains + (n << 2), 0);
  store<u32>(READING_CHAIN_COUNT, builtins);
}

/** The number of the table's built-in chain of this name, -1 where it is none's. */
function builtinOf(start: usize, length: usize): i32 {
  const builtins = load<u32>(READING_BUILTINS);
  for (let n: u32 = 0; n < builtins; n++) {
    const name: usize = <usize>READING_HOOK_NAMES + <usize>load<u8>(READING_HOOKS + n) * READING_NAME_SIZE;
    if (sameText(name, start, length)) return n;
  }
  return -1;
}

/** The name as edits have it: no chain was looked up for it yet. */
function addName(number: u32, reference: u32, hash: u32): void {
  const name: usize = <usize>PIECE_NAMES + number * NAME_SIZE;
  store<u32>(name, load<u32>(READING_TEXTS) + reference, NAME_TEXT);
  store<u32>(name, 0, NAME_HEAD);
  store<u32>(name, <u32>name, NAME_FIRST);
  store<u32>(name, hash, NAME_HASH);
  for (let field: usize = NAME_SINCE; field < <usize>NAME_SIZE; field += 4) store<u32>(name + field, 0);
}

function addEdit(edit: u32, chain: u32, row: u32, position: u32): void {
  const count = load<u32>(READING_EDIT_COUNT);
  const at: usize = <usize>load<u32>(READING_EDITS) + count * COMMAND_SIZE;
  store<u32>(at, edit, COMMAND_EDIT);
  store<u32>(at, chain, COMMAND_CHAIN);
  store<u32>(at, row, COMMAND_ROW);
  store<u32>(at, position, COMMAND_POSITION);
  store<u32>(at, 0, COMMAND_COUNTERS);
  store<u32>(READING_EDIT_COUNT, count + 1);
}
