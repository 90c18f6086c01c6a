/**
 * Reading lines of known form.
 *
 * Problem. A ruleset is a hundred thousand lines of some ten forms, and a parser that knows every option of every extension
 *   spends microseconds on each.
 * Idea. That parser (src/ruleset/) stays the only one that knows options. From a line it has read it learns the line's
 *   *shape*: the literal bytes, the kinds of the values between them, and the row that came of it with a place for each
 *   value. Lines of the same shape are read here: compare, read values, copy the row, put the values in.
 * Example. `-A a -s 10.0.0.1/32 -j b` is "-A " chain " -s " address " -j " jump end. Behind the first chain, " -s " and
 *   " -p tcp -m tcp -j DNAT" are steps of two shapes; the one that was met last is tried first.
 * Cost. A line of unknown shape is tried against the steps that could follow, and goes to the parser, errors included.
 * Right because. A literal is compared whole, so all that the parser concluded from it holds again. A kind is declared by
 *   an option only when its value goes into its field and nowhere else; it is read in canonical form alone.
 * Threads. One memory a thread; nothing is shared.
 */
import { ROW_LINE } from "../../src/blob/layout";
import {
  READING_AT,
  READING_BUILTINS,
  READING_CHAIN,
  READING_CHAIN_START,
  READING_COMMAND,
  READING_END,
  READING_HOOKS,
  READING_LINE,
  READING_NAMES,
  READING_OFFSETS,
  READING_OWNERS,
  READING_PLACED,
  READING_PLACING,
  READING_POSITION,
  READING_ROW_COUNT,
  READING_ROWS,
  READING_ROWS_BYTES,
  READING_ROWS_END,
  READING_ROWS_MOST,
  READING_VALUE_SIZE,
  READING_VALUES,
  SHAPE_COMMAND,
  SHAPE_FIELDS,
  SHAPE_ROW,
  SHAPE_ROW_BYTES,
  SHAPE_HOOKS,
  SHAPE_VALUE_COUNT,
  STOPPED_COLUMNS,
  STOPPED_COMMAND,
  STOPPED_EDITS,
  STOPPED_LINE,
  STOPPED_ROWS,
  NAMES_DECLARED,
  NAMES_OPEN,
} from "../../src/blob/reading";
import { declarationRefusal, declare } from "./declaration";
import { commandEdit, declareEdit, editsRoom, nameRefusal } from "./edits";
import { chain, chainStart, lineEnd, matchReset, matchShape, position, stopped, STOPPED_PENDING } from "./match-shape";
import { isPending, mayPend, pendingFull, pendingReset, pendingResolve, pendLine } from "./pending";
import { placeChain } from "./placed";
import { writeValue } from "./values";

const DASH: u32 = 45;
const COLON: u32 = 58;
const APPEND: u32 = 65;

/** Reads lines from READING_AT on, as far as it can; STOPPED_*. */
export function readLines(): u32 {
  matchReset();
  const names = load<u32>(READING_NAMES);
  if (names != NAMES_DECLARED || !pendingReset()) return readBatch(names, false);
  while (true) {
    const result = readBatch(names, true);
    if (pendingResolve() && result != STOPPED_PENDING) return result;
  }
}

/** Reads lines until it has to stop, or, as texts wait (see pending.ts), to look up what is pending. */
function readBatch(names: u32, waits: bool): u32 {
  const end: usize = load<u32>(READING_END);
  let at: usize = load<u32>(READING_AT);
  let line = load<u32>(READING_LINE);
  let result: u32 = STOPPED_LINE;
  while (at < end) {
    if (names == NAMES_OPEN && !editsRoom()) {
      result = STOPPED_EDITS;
      break;
    }
    if (waits && pendingFull()) {
      result = STOPPED_PENDING;
      break;
    }
    const first = <u32>load<u8>(at);
    let next: usize = 0;
    let shape: usize = 0;
    let stop: u32 = STOPPED_LINE;
    if (first == DASH) {
      shape = matchShape(at, waits && mayPend(at, line));
      stop = stopped;
      if (shape) {
        refusal = STOPPED_LINE;
        next = makeRow(shape, line + 1) ? lineEnd : 0;
        stop = refusal;
      }
    } else if (first == COLON && names == NAMES_DECLARED) {
      // A batch that is read again must not declare twice.
      if (waits && isPending()) stop = STOPPED_PENDING;
      else {
        next = declare(at + 1);
        stop = declarationRefusal;
      }
    } else if (first == COLON && names == NAMES_OPEN) {
      next = declareEdit(at + 1);
      stop = nameRefusal;
    }
    if (!next) {
      result = stop;
      break;
    }
    at = next;
    line++;
    if (!shape) continue;
    if (waits) pendLine();
    const command = load<u32>(shape, SHAPE_COMMAND);
    if (names == NAMES_OPEN)
      commandEdit(command, chain, load<u32>(READING_ROWS_END) - load<u32>(shape, SHAPE_ROW_BYTES), position);
    else if (command != APPEND) {
      store<u32>(READING_COMMAND, command);
      store<u32>(READING_POSITION, position);
      store<u32>(READING_CHAIN, chain);
      store<u32>(READING_CHAIN_START, <u32>chainStart);
      result = STOPPED_COMMAND;
      break;
    }
  }
  store<u32>(READING_AT, <u32>at);
  store<u32>(READING_LINE, line);
  return result;
}

/** Why makeRow has not made one: STOPPED_*. */
let refusal: u32 = 0;

/** Appends the row of a shape, if it has one, with the values that were read; false when there is no room or it may not stand in the chain. */
function makeRow(shape: usize, line: u32): bool {
  const size = load<u32>(shape, SHAPE_ROW_BYTES);
  if (!size) return true;
  if (chain < load<u32>(READING_BUILTINS) && (load<u32>(shape, SHAPE_HOOKS) >> load<u8>(READING_HOOKS + chain)) & 1)
    return false;
  const ordinal = load<u32>(READING_ROW_COUNT);
  if (ordinal == load<u32>(READING_ROWS_MOST)) {
    refusal = STOPPED_COLUMNS;
    return false;
  }
  if (chain + 1 != load<u32>(READING_PLACED) && load<u32>(READING_PLACING) && !placeChain(chain, size)) {
    refusal = STOPPED_ROWS;
    return false;
  }
  const offset = load<u32>(READING_ROWS_END);
  // 16 more, as rows are copied in pieces of that size.
  if (<usize>offset + size + 16 > <usize>load<u32>(READING_ROWS_BYTES)) {
    refusal = STOPPED_ROWS;
    return false;
  }
  const row: usize = <usize>load<u32>(READING_ROWS) + offset;
  for (let i: usize = 0; i < <usize>size; i += 16) v128.store(row + i, v128.load(shape + SHAPE_ROW + i));
  store<u32>(row, line, ROW_LINE);
  const count = load<u32>(shape, SHAPE_VALUE_COUNT);
  let value: usize = READING_VALUES;
  for (let i: u32 = 0; i < count; i++) {
    const field = load<u32>(shape + SHAPE_FIELDS + (i << 2));
    if (field) writeValue(field >>> 16, value, row + (field & 0xffff));
    value += READING_VALUE_SIZE;
  }
  store<u32>(<usize>load<u32>(READING_OFFSETS) + (ordinal << 2), offset);
  store<u32>(<usize>load<u32>(READING_OWNERS) + (ordinal << 2), chain);
  store<u32>(READING_ROW_COUNT, ordinal + 1);
  store<u32>(READING_ROWS_END, offset + size);
  return true;
}
