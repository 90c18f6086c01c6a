/** The shape of a line, found step by step, and the values between its literals. */
import {
  READING_BUILTINS,
  READING_CHAIN_COUNT,
  READING_CHAINS,
  READING_END,
  READING_LINE_LIMIT,
  READING_NAMES,
  READING_NAME_END,
  READING_NAME_START,
  READING_ROOT,
  READING_TEXTS,
  READING_VALUE_SIZE,
  READING_VALUES,
  STEP_KIND,
  STEP_LENGTH,
  STEP_LITERAL,
  STEP_NAME,
  STEP_NEXT,
  STEP_SHAPE,
  STEP_STEPS,
  STOPPED_LINE,
  STOPPED_NAME,
  TEXT_REFERENCE,
  TEXT_VALUE,
  NAME_FIRST_CHAIN,
  NAME_UNKNOWN,
  NAMES_ASKED,
  NAMES_OPEN,
  VALUE_CHAIN,
  VALUE_COMMENT,
  VALUE_END,
  VALUE_JUMP,
  VALUE_POSITION,
  VALUE_TARGET,
} from "../../src/blob/reading";
import { nameOpen, nameRefusal, namesTarget, nameTarget } from "./edits";
import { sameLiteral } from "./literal";
import { isPending, pend, recentNumber, VALUE_PENDING } from "./pending";
import { sameText, textFind, textIntern, textRefusal } from "./texts";
import { decimal, readDecimal } from "./numbers";
import { commentEnd, commentStart, readComment, readValue, wordEnd } from "./values";

const LARGEST_POSITION: u32 = 0x7fffffff;

/** What a value or a line gave beside its bytes. */
export let chain: u32 = 0;
export let chainStart: usize = 0;
export let position: u32 = 0;
/** STOPPED_* where the line cannot be read on; 0 where it only does not fit. */
export let stopped: u32 = 0;
/** The chain of the line before, -1 for none: lines about a chain follow each other, and chains the order of their declarations. */
let lastChain: i32 = -1;
/** The chain that was jumped to last, -1 for none: many rules jump to the same. */
let lastJump: i32 = -1;
/** The step of a target's name that no chain had, when there were so many chains. */
let absentStep: usize = 0;
let absentOf: u32 = 0;
/** Whether texts of the line may be looked up later. */
let mayWait = false;

/** Why a line was not read: what is pending has to be looked up first. */
export const STOPPED_PENDING: u32 = 255;

/** Address behind a value of `kind` at `at`, which is left at READING_VALUES; 0 when it is none. What names and texts mean is not looked up. */
export function probeValue(kind: u32, at: usize): usize {
  if (kind == VALUE_COMMENT) return readComment(at);
  if (kind == VALUE_POSITION) return readDecimal(at, LARGEST_POSITION);
  if (kind == VALUE_CHAIN || kind == VALUE_JUMP) return wordEnd(at);
  return readValue(kind, at, READING_VALUES);
}

/** Behind the line whose shape matchShape found. */
export let lineEnd: usize = 0;

/** Nothing is known of the lines that come next. */
export function matchReset(): void {
  lastChain = -1;
  lastJump = -1;
  absentStep = 0;
}

/**
 * The shape of the line at `line`, its values left in READING_VALUES; 0 for none, and why in `stopped`. `pending`: texts may be
 * looked up later.
 */
export function matchShape(line: usize, pending: bool): usize {
  stopped = STOPPED_LINE;
  position = 0;
  mayWait = pending;
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
        const recent = mayWait ? recentNumber(at, end - at) : -1;
        if (recent >= 0 && isChain(recent, at, end)) lastJump = recent;
        else if (mayWait && end > at && !namesTarget(first, literal)) {
          store<u32>(into, pend(kind, at, end - at), VALUE_PENDING);
          return end;
        } else {
          const found = lookUp(at, end, literal, first);
          if (found < <i32>load<u32>(READING_BUILTINS)) return 0;
          lastJump = found;
        }
      }
      store<u32>(into, lastJump);
      store<u32>(into, 0, VALUE_PENDING);
      return end;
    }
    case VALUE_TARGET: {
      const name = at - load<u8>(step, STEP_NAME);
      if (load<u32>(READING_NAMES) != NAMES_OPEN) {
        const chains = load<u32>(READING_CHAIN_COUNT);
        if (step == absentStep && chains == absentOf) return at;
        if (lookUp(name, at, 0, 0) >= 0 || stopped) return 0;
        absentStep = step;
        absentOf = chains;
        return at;
      }
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
      // What was put together because of escapes is gone with the line.
      if (mayWait && commentStart < <usize>load<u32>(READING_END)) {
        store<u32>(into, pend(kind, commentStart, commentEnd - commentStart), VALUE_PENDING);
        return end;
      }
      if (mayWait && isPending()) {
        // Texts stand in the order of the file.
        stopped = STOPPED_PENDING;
        return 0;
      }
      store<u32>(into, 0, VALUE_PENDING);
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
