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
  READING_CHAIN_COUNT,
  READING_CHAIN_START,
  READING_CHAINS,
  READING_COMMAND,
  READING_END,
  READING_HOOKS,
  READING_LINE,
  READING_LINE_LIMIT,
  READING_NAMES,
  READING_NAME_END,
  READING_NAME_START,
  READING_OFFSETS,
  READING_OWNERS,
  READING_PLACED,
  READING_PLACING,
  READING_POSITION,
  READING_ROOT,
  READING_ROW_COUNT,
  READING_ROWS,
  READING_ROWS_BYTES,
  READING_ROWS_END,
  READING_ROWS_MOST,
  READING_TEXTS,
  READING_VALUE_SIZE,
  READING_VALUES,
  SHAPE_COMMAND,
  SHAPE_FIELDS,
  SHAPE_ROW,
  SHAPE_ROW_BYTES,
  SHAPE_HOOKS,
  SHAPE_VALUE_COUNT,
  STEP_KIND,
  STEP_LENGTH,
  STEP_LITERAL,
  STEP_NAME,
  STEP_NEXT,
  STEP_SHAPE,
  STEP_STEPS,
  STOPPED_COLUMNS,
  STOPPED_COMMAND,
  STOPPED_EDITS,
  STOPPED_LINE,
  STOPPED_NAME,
  STOPPED_ROWS,
  TEXT_REFERENCE,
  TEXT_VALUE,
  NAME_FIRST_CHAIN,
  NAME_UNKNOWN,
  NAMES_ASKED,
  NAMES_DECLARED,
  NAMES_OPEN,
  VALUE_CHAIN,
  VALUE_COMMENT,
  VALUE_END,
  VALUE_JUMP,
  VALUE_POSITION,
  VALUE_TARGET,
} from "../../src/blob/reading";
import { declarationRefusal, declare } from "./declaration";
import { commandEdit, declareEdit, editsRoom, nameOpen, nameRefusal, namesTarget, nameTarget } from "./edits";
import { sameLiteral } from "./literal";
import { placeChain } from "./placed";
import { sameText, textFind, textIntern, textRefusal } from "./texts";
import { decimal, readDecimal } from "./numbers";
import { commentEnd, commentStart, readComment, readValue, wordEnd, writeValue } from "./values";

const DASH: u32 = 45;
const COLON: u32 = 58;
const APPEND: u32 = 65;
const LARGEST_POSITION: u32 = 0x7fffffff;

/** What a value or a line gave beside its bytes. */
let chain: u32 = 0;
let chainStart: usize = 0;
let position: u32 = 0;
/** STOPPED_* where the line cannot be read on; 0 where it only does not fit. */
let stopped: u32 = 0;
/** The chain of the line before, -1 for none: lines about a chain follow each other, and chains the order of their declarations. */
let lastChain: i32 = -1;
/** The chain that was jumped to last, -1 for none: many rules jump to the same. */
let lastJump: i32 = -1;

/** Reads lines from READING_AT on, as far as it can; STOPPED_*. */
export function readLines(): u32 {
  lastChain = -1;
  lastJump = -1;
  const end: usize = load<u32>(READING_END);
  let at: usize = load<u32>(READING_AT);
  let line = load<u32>(READING_LINE);
  const names = load<u32>(READING_NAMES);
  let result: u32 = STOPPED_LINE;
  while (at < end) {
    if (names == NAMES_OPEN && !editsRoom()) {
      result = STOPPED_EDITS;
      break;
    }
    const first = <u32>load<u8>(at);
    let next: usize = 0;
    let shape: usize = 0;
    stopped = STOPPED_LINE;
    if (first == DASH) {
      position = 0;
      shape = matchShape(at);
      if (shape) next = makeRow(shape, line + 1) ? lineEnd : 0;
    } else if (first == COLON && names == NAMES_DECLARED) {
      next = declare(at + 1);
      stopped = declarationRefusal;
    } else if (first == COLON && names == NAMES_OPEN) {
      next = declareEdit(at + 1);
      stopped = nameRefusal;
    }
    if (!next) {
      result = stopped;
      break;
    }
    at = next;
    line++;
    if (!shape) continue;
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

/** Address behind a value of `kind` at `at`, which is left at READING_VALUES; 0 when it is none. What names and texts mean is not looked up. */
export function probeValue(kind: u32, at: usize): usize {
  if (kind == VALUE_COMMENT) return readComment(at);
  if (kind == VALUE_POSITION) return readDecimal(at, LARGEST_POSITION);
  if (kind == VALUE_CHAIN || kind == VALUE_JUMP) return wordEnd(at);
  return readValue(kind, at, READING_VALUES);
}

/** Behind the line whose shape matchShape found. */
let lineEnd: usize = 0;

/** The shape of the line at `line`, its values left in READING_VALUES; 0 for none. */
function matchShape(line: usize): usize {
  let at = line;
  let value: usize = READING_VALUES;
  let head: usize = READING_ROOT;
  while (head) {
    let link = head;
    let step: usize = load<u32>(link);
    let behind: usize = 0;
    while (step) {
      const length = <usize>load<u16>(step, STEP_LENGTH);
      if (sameLiteral(at, step + STEP_LITERAL, length)) {
        behind = at + length;
        const kind = <u32>load<u8>(step, STEP_KIND);
        if (kind != VALUE_END) behind = readStep(kind, behind, value, step, at, load<u32>(head));
        if (behind) break;
        if (stopped) return 0;
      }
      link = step + STEP_NEXT;
      step = load<u32>(link);
    }
    if (!step) return 0;
    if (link != head) {
      store<u32>(link, load<u32>(step, STEP_NEXT));
      store<u32>(step, load<u32>(head), STEP_NEXT);
      store<u32>(head, <u32>step);
    }
    at = behind;
    const shape: usize = load<u32>(step, STEP_SHAPE);
    if (shape) {
      lineEnd = at;
      return at - line <= <usize>READING_LINE_LIMIT ? shape : 0;
    }
    value += READING_VALUE_SIZE;
    head = step + STEP_STEPS;
  }
  return 0;
}

/** Reads the value of a step whose literal stands at `literal`, one of those from `first` on; the address behind it, 0 when it is none. */
function readStep(kind: u32, at: usize, into: usize, step: usize, literal: usize, first: usize): usize {
  switch (kind) {
    case VALUE_CHAIN: {
      const end = wordEnd(at);
      const found = chainAt(at, end);
      if (found < 0) return 0;
      chain = found;
      chainStart = at;
      return end;
    }
    case VALUE_JUMP: {
      const end = wordEnd(at);
      if (lastJump < 0 || !isChain(lastJump, at, end)) {
        const found = lookUp(at, end, literal, first);
        if (found < <i32>load<u32>(READING_BUILTINS)) return 0;
        lastJump = found;
      }
      store<u32>(into, lastJump);
      return end;
    }
    case VALUE_TARGET: {
      const name = at - load<u8>(step, STEP_NAME);
      if (load<u32>(READING_NAMES) != NAMES_OPEN) return lookUp(name, at, 0, 0) < 0 && !stopped ? at : 0;
      if (nameTarget(name, at)) return at;
      stopped = nameRefusal;
      return 0;
    }
    case VALUE_POSITION: {
      const end = readDecimal(at, LARGEST_POSITION);
      if (!end || !decimal) return 0;
      position = decimal;
      return end;
    }
    case VALUE_COMMENT: {
      const end = readComment(at);
      if (!end) return 0;
      const slot = textIntern(commentStart, commentEnd);
      if (!slot) {
        stopped = textRefusal;
        return 0;
      }
      store<u32>(into, load<u32>(slot, TEXT_REFERENCE) - 1);
      return end;
    }
    default:
      return readValue(kind, at, into);
  }
}

/** The chain of a command. */
function chainAt(start: usize, end: usize): i32 {
  if (lastChain >= 0) {
    if (isChain(lastChain, start, end)) return lastChain;
    if (<u32>lastChain + 1 < load<u32>(READING_CHAIN_COUNT) && isChain(lastChain + 1, start, end)) return ++lastChain;
  }
  lastChain = lookUp(start, end, 0, 0);
  return lastChain;
}

/** Whether this is the name of chain `number`, as the table of chains has it. */
function isChain(number: i32, start: usize, end: usize): bool {
  const reference = load<u32>(<usize>load<u32>(READING_CHAINS) + (number << 2));
  return sameText(<usize>load<u32>(READING_TEXTS) + reference, start, end - start);
}

/**
 * The number of the chain that has this name, -1 for none. A name that has to be asked for sets `stopped`. One that is not
 * known is no chain's where one of the steps from `first` on has it for a target's, behind the literal at `literal`.
 */
function lookUp(start: usize, end: usize, literal: usize, first: usize): i32 {
  const slot = textFind(start, end);
  const value: u32 = slot ? load<u32>(slot, TEXT_VALUE) : NAME_UNKNOWN;
  if (value >= <u32>NAME_FIRST_CHAIN) return value - NAME_FIRST_CHAIN;
  if (value != NAME_UNKNOWN) return -1;
  const names = load<u32>(READING_NAMES);
  if (names == NAMES_OPEN && !namesTarget(first, literal)) {
    const number = nameOpen(start, end);
    if (number < 0) stopped = nameRefusal;
    return number;
  }
  if (names == NAMES_ASKED) {
    stopped = STOPPED_NAME;
    store<u32>(READING_NAME_START, <u32>start);
    store<u32>(READING_NAME_END, <u32>end);
  }
  return -1;
}

/** Appends the row of a shape, if it has one, with the values that were read; false when there is no room or it may not stand in the chain. */
function makeRow(shape: usize, line: u32): bool {
  const size = load<u32>(shape, SHAPE_ROW_BYTES);
  if (!size) return true;
  if (chain < load<u32>(READING_BUILTINS) && (load<u32>(shape, SHAPE_HOOKS) >> load<u8>(READING_HOOKS + chain)) & 1)
    return false;
  const ordinal = load<u32>(READING_ROW_COUNT);
  if (ordinal == load<u32>(READING_ROWS_MOST)) {
    stopped = STOPPED_COLUMNS;
    return false;
  }
  if (chain + 1 != load<u32>(READING_PLACED) && load<u32>(READING_PLACING) && !placeChain(chain, size)) {
    stopped = STOPPED_ROWS;
    return false;
  }
  const offset = load<u32>(READING_ROWS_END);
  // 16 more, as rows are copied in pieces of that size.
  if (<usize>offset + size + 16 > <usize>load<u32>(READING_ROWS_BYTES)) {
    stopped = STOPPED_ROWS;
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
