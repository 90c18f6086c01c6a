/**
 * -m u32: words of the packet, found by arithmetic, against ranges of numbers.
 *
 * `0>>22&0x3c@0>>24=0:5,7` reads the word at byte 0, shifts and masks it, takes what comes out for a place, reads the
 * word there, shifts it, and asks whether it is from 0 to 5, or 7. Several such tests are joined by `&&`.
 */
import {
  MATCH_U32,
  U32_COUNT,
  U32_INVERT,
  U32_PARTS_COUNT,
  U32_RANGE_MAX,
  U32_RANGE_MIN,
  U32_RANGE_SIZE,
  U32_SIZE,
  U32_STEP_AND,
  U32_STEP_AT,
  U32_STEP_FIRST,
  U32_STEP_LEFT,
  U32_STEP_NUMBER,
  U32_STEP_OPERATION,
  U32_STEP_RIGHT,
  U32_STEP_SIZE,
  U32_TEST_RANGES,
  U32_TEST_SIZE,
  U32_TEST_STEPS,
  U32_TESTS,
  U32_TESTS_COUNT,
} from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Extension, RecordMemory } from "../extension.js";
import { numberEnd, readNumber } from "../values/number.js";

/** By number: what stands in front of a step. */
const OPERATORS = ["", "&", "<<", ">>", "@"];
const WORD_BITS = 32;
const LARGEST = 0xffffffff;

export const u32: Extension = {
  name: "u32",
  type: MATCH_U32,
  size: U32_SIZE,
  options: [
    {
      name: "u32",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        if (argument.inverted) record.bytes[at + U32_INVERT] = 1;
        new TestReader(argument, record, at).read();
      },
    },
  ],

  finish: (_, record, at) => endOf(record, at) - at,

  print(out, record, at) {
    out.text(record.bytes[at + U32_INVERT] ? ' ! --u32 "' : ' --u32 "');
    printTests(out, record, at);
    out.byte(QUOTE);
  },
};

const QUOTE = 34;

/** The tests as Linux prints them, without quotes. */
export function printTests(out: ByteWriter, { bytes, view }: RecordMemory, at: number): void {
  let from = at + U32_TESTS;
  for (let test = 0; test < (bytes[at + U32_COUNT] as number); test++) {
    const steps = bytes[from + U32_TEST_STEPS] as number;
    const ranges = bytes[from + U32_TEST_RANGES] as number;
    from += U32_TEST_SIZE;
    if (test > 0) out.text("&&");
    for (let step = 0; step < steps; step++, from += U32_STEP_SIZE) {
      out.text(`${OPERATORS[view.getUint32(from + U32_STEP_OPERATION, true)]}0x`);
      out.hexadecimal(view.getUint32(from + U32_STEP_NUMBER, true));
    }
    for (let range = 0; range < ranges; range++, from += U32_RANGE_SIZE) {
      const minimum = view.getUint32(from + U32_RANGE_MIN, true);
      const maximum = view.getUint32(from + U32_RANGE_MAX, true);
      out.text(range === 0 ? "=0x" : ",0x");
      out.hexadecimal(minimum);
      if (maximum === minimum) continue;
      out.text(":0x");
      out.hexadecimal(maximum);
    }
  }
}

function endOf({ bytes }: RecordMemory, at: number): number {
  let end = at + U32_TESTS;
  for (let test = 0; test < (bytes[at + U32_COUNT] as number); test++)
    end +=
      U32_TEST_SIZE +
      U32_STEP_SIZE * (bytes[end + U32_TEST_STEPS] as number) +
      U32_RANGE_SIZE * (bytes[end + U32_TEST_RANGES] as number);
  return end;
}

/** Reads the argument from left to right into the record. */
class TestReader {
  private from: number;
  private to: number;

  constructor(
    private readonly argument: Argument,
    private readonly record: RecordMemory,
    private readonly at: number,
  ) {
    this.from = argument.start;
    this.to = at + U32_TESTS;
  }

  read(): void {
    const { bytes } = this.record;
    do {
      const test = bytes[this.at + U32_COUNT] as number;
      if (test === U32_TESTS_COUNT) this.fail(`at most ${U32_TESTS_COUNT} tests`);
      bytes[this.at + U32_COUNT] = test + 1;
      const head = this.to;
      this.to += U32_TEST_SIZE;
      bytes[head + U32_TEST_STEPS] = this.readSteps();
      bytes[head + U32_TEST_RANGES] = this.readRanges();
    } while (this.skip("&&"));
    if (this.from < this.argument.end) this.fail("&& and another test, or the end");
  }

  private readSteps(): number {
    let operation = U32_STEP_FIRST;
    for (let steps = 1; ; steps++) {
      const start = this.from;
      const number = this.readNumber();
      if ((operation === U32_STEP_LEFT || operation === U32_STEP_RIGHT) && number >= WORD_BITS)
        this.argument.fail("bad-number", `a shift of at most ${WORD_BITS - 1} bits`, start, this.from);
      this.write(operation, number);
      if (this.skip("=")) return steps;
      operation = this.readOperator();
      if (steps === U32_PARTS_COUNT) this.fail(`at most ${U32_PARTS_COUNT} numbers in front of =`);
    }
  }

  private readOperator(): number {
    if (this.skip("&")) return U32_STEP_AND;
    if (this.skip("<<")) return U32_STEP_LEFT;
    if (this.skip(">>")) return U32_STEP_RIGHT;
    if (this.skip("@")) return U32_STEP_AT;
    return this.fail("=, &, <<, >> or @");
  }

  private readRanges(): number {
    let ranges = 0;
    do {
      if (ranges++ === U32_PARTS_COUNT) this.fail(`at most ${U32_PARTS_COUNT} ranges`);
      const minimum = this.readNumber();
      this.write(minimum, this.skip(":") ? this.readNumber() : minimum);
    } while (this.skip(","));
    return ranges;
  }

  private write(first: number, second: number): void {
    this.record.view.setUint32(this.to, first, true);
    this.record.view.setUint32(this.to + 4, second, true);
    this.to += 8;
  }

  private readNumber(): number {
    const { bytes, end } = this.argument;
    const value = readNumber(bytes, this.from, end);
    if (value < 0 || value > LARGEST) this.fail("a number of 32 bits");
    this.from = numberEnd;
    return value;
  }

  /** Whether the text comes next, white space left out; it is then passed. */
  private skip(text: string): boolean {
    const { bytes, end } = this.argument;
    while (this.from < end && (bytes[this.from] === SPACE || bytes[this.from] === TAB)) this.from++;
    if (this.argument.text(this.from, Math.min(end, this.from + text.length)) !== text) return false;
    // A single & never is the first of two.
    if (text === "&" && bytes[this.from + 1] === text.charCodeAt(0) && this.from + 1 < end) return false;
    this.from += text.length;
    return true;
  }

  private fail(expected: string): never {
    return this.argument.fail("bad-value", expected, Math.min(this.from, this.argument.end), this.argument.end);
  }
}

const SPACE = 32;
const TAB = 9;
