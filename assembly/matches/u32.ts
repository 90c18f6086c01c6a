/**
 * u32 (xt_u32.c): words of the packet's bytes, found by arithmetic, against ranges of numbers. A packet whose bytes are not
 * known neither matches nor fails to: it satisfies no such rule.
 */
import { RECORD_BYTES } from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { rewrittenBytes, rewrittenLength } from "../rewritten";
import { asTheyCame } from "../rewritten-sums";

const WORD_BYTES: u32 = 4;
const WORD_BITS: u32 = 32;
/** Of wordAt: a place outside of the packet. */
const OUTSIDE: i64 = -1;

export function matchU32(record: usize): bool {
  const bytes = rewrittenBytes();
  if (!bytes) return false;
  const hold = allHold(record, bytes, rewrittenLength);
  asTheyCame();
  return hold != (load<u8>(record, P.U32_INVERT) != 0);
}

/** Whether every test, step and range lies inside of the record and is one that the walk can do. */
export function checkU32(record: usize): bool {
  const end = record + load<u16>(record, RECORD_BYTES);
  const count = <u32>load<u8>(record, P.U32_COUNT);
  if (!count || count > <u32>P.U32_TESTS_COUNT || load<u8>(record, P.U32_INVERT) > 1) return false;
  let test = record + P.U32_TESTS;
  for (let i: u32 = 0; i < count; i++) {
    if (test + P.U32_TEST_SIZE > end) return false;
    const steps = <u32>load<u8>(test, P.U32_TEST_STEPS);
    const ranges = <u32>load<u8>(test, P.U32_TEST_RANGES);
    if (!steps || steps > <u32>P.U32_PARTS_COUNT || !ranges || ranges > <u32>P.U32_PARTS_COUNT) return false;
    const next = rangesOf(test) + ranges * P.U32_RANGE_SIZE;
    if (next > end || !checkSteps(test + P.U32_TEST_SIZE, rangesOf(test))) return false;
    test = next;
  }
  return test == end;
}

/** The first step is a place, the others are operators; a word has no more than its bits to be shifted by. */
function checkSteps(first: usize, end: usize): bool {
  for (let step = first; step < end; step += P.U32_STEP_SIZE) {
    const operation = load<u32>(step, P.U32_STEP_OPERATION);
    if ((operation == P.U32_STEP_FIRST) != (step == first) || operation > <u32>P.U32_STEP_AT) return false;
    const shifts = operation == P.U32_STEP_LEFT || operation == P.U32_STEP_RIGHT;
    if (shifts && load<u32>(step, P.U32_STEP_NUMBER) >= WORD_BITS) return false;
  }
  return true;
}

function rangesOf(test: usize): usize {
  return test + P.U32_TEST_SIZE + <u32>load<u8>(test, P.U32_TEST_STEPS) * P.U32_STEP_SIZE;
}

function allHold(record: usize, bytes: usize, length: u32): bool {
  let test = record + P.U32_TESTS;
  for (let left = load<u8>(record, P.U32_COUNT); left; left--) {
    const ranges = rangesOf(test);
    const next = ranges + <u32>load<u8>(test, P.U32_TEST_RANGES) * P.U32_RANGE_SIZE;
    const word = calculate(test + P.U32_TEST_SIZE, ranges, bytes, length);
    if (word == OUTSIDE || !inRanges(<u32>word, ranges, next)) return false;
    test = next;
  }
  return true;
}

/** What the steps make of the packet; OUTSIDE where one of them leaves it. */
function calculate(first: usize, end: usize, bytes: usize, length: u32): i64 {
  let origin: u32 = 0;
  let found = wordAt(bytes, length, 0, load<u32>(first, P.U32_STEP_NUMBER));
  for (let step = first + P.U32_STEP_SIZE; step < end && found != OUTSIDE; step += P.U32_STEP_SIZE) {
    const number = load<u32>(step, P.U32_STEP_NUMBER);
    const word = <u32>found;
    switch (load<u32>(step, P.U32_STEP_OPERATION)) {
      case P.U32_STEP_AND:
        found = word & number;
        break;
      case P.U32_STEP_LEFT:
        found = word << number;
        break;
      case P.U32_STEP_RIGHT:
        found = word >>> number;
        break;
      default:
        // Behind the packet anyway, and before it could come around.
        if (word > length || origin + word > length) return OUTSIDE;
        origin += word;
        found = wordAt(bytes, length, origin, number);
    }
  }
  return found;
}

/** The word at `place` behind `origin`, which is not behind the packet. */
function wordAt(bytes: usize, length: u32, origin: u32, place: u32): i64 {
  const left = length - origin;
  if (left < WORD_BYTES || place > left - WORD_BYTES) return OUTSIDE;
  return <i64>(<u64>bswap<u32>(load<u32>(bytes + origin + place)));
}

function inRanges(word: u32, first: usize, end: usize): bool {
  for (let range = first; range < end; range += P.U32_RANGE_SIZE)
    if (word >= load<u32>(range, P.U32_RANGE_MIN) && word <= load<u32>(range, P.U32_RANGE_MAX)) return true;
  return false;
}
