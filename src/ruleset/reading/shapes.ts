/**
 * Learning the shapes of lines, so that more of the same are read without the parser (see assembly/reading/lines.ts).
 *
 * The shapes of a family and table are a tree of steps. A step is a literal and the kind of the value behind it; those
 * that may follow a step stand in the order in which they were met last.
 */
import { INTERFACE_SIZE, RECORD_BYTES, RECORD_TYPE, ROW_SOURCE, ROW_TARGET } from "../../blob/layout.js";
import { JUMP_CHAIN, MATCH_COMMENT } from "../../blob/payloads.js";
import { INPUT, OUTPUT, POSTROUTING, PREROUTING } from "../../extensions/extension.js";
import * as R from "../../blob/reading.js";
import type { Lexer } from "../lexer.js";
import type { LineParser } from "../line-parser.js";
import { type Family, type RowStore, rowHeadSize } from "../row-store.js";
import { GIVEN_COUNTERS, GIVEN_INPUT, GIVEN_OUTPUT } from "../rule-parser.js";
import type { ReadingMemory } from "./reading-memory.js";
import { FIXED_PART } from "./value-places.js";

/** Commands whose lines have a shape: about a rule, and about a chain, or a place in it, alone. */
const RULE_COMMANDS = "ADICR";
const CHAIN_COMMANDS = "FXD";
/** Steps that may follow one; the one that was met longest ago makes room. */
const STEPS_MOST = 64;
const LONGEST_ROW = 4096;
const LONGEST_LITERAL = 4096;
/** Shapes that are learned before they have paid, and the lines that pay for another. */
const ADVANCE = 512;
const LINES_A_SHAPE = 8;

const SOURCE = 115;
const DESTINATION = 100;
const INPUT_OPTION = 105;

/** Kinds that a value may be of, the first that it is: of both families, of IPv4, of IPv6. */
const FORMS: Readonly<Record<number, Readonly<Record<Family, readonly number[]>>>> = {
  [R.VALUE_ADDRESS]: { ipv4: [R.VALUE_ADDRESS], ipv6: [R.VALUE_ADDRESS6] },
  [R.VALUE_NAT]: { ipv4: [R.VALUE_NAT_PORT, R.VALUE_NAT], ipv6: [R.VALUE_NAT6_PORT, R.VALUE_NAT6] },
};
/** Values that mean something else in every table: a line where one cannot be left open has no shape. */
const NEVER_LITERAL = new Set([R.VALUE_CHAIN, R.VALUE_JUMP, R.VALUE_COMMENT]);

interface Step {
  readonly kind: number;
  /** Where its literal begins and ends in the text. */
  readonly start: number;
  readonly end: number;
  /** Bytes of a target's name that end the literal. */
  readonly name: number;
  /** Offset of the value in the row, 0 for one that is not there. */
  readonly field: number;
}

export class Shapes {
  private readonly steps: Step[] = [];

  constructor(
    private readonly memory: ReadingMemory,
    private readonly lexer: Lexer,
    private readonly parser: LineParser,
    private readonly family: Family,
  ) {}

  /** Learns the shape of the line that the parser has just read, and made row `ordinal` of; -1: no row. */
  learn(rows: RowStore, ordinal: number): void {
    const { memory } = this;
    if (memory.shapesLearned > ADVANCE + memory.linesRead / LINES_A_SHAPE) return;
    if (!this.findSteps(rows, ordinal)) return;
    memory.shapesLearned++;
    this.enter(ordinal < 0 ? NO_ROW : rows.row(ordinal));
  }

  /** The steps of the line; false when it has no shape. */
  private findSteps(rows: RowStore, ordinal: number): boolean {
    const { lexer, parser, steps } = this;
    const { places, rule, command } = parser;
    const commands = ordinal < 0 ? CHAIN_COMMANDS : RULE_COMMANDS;
    if (!commands.includes(command.name) || rule.given & GIVEN_COUNTERS) return false;
    if (places.count >= R.READING_VALUES_COUNT || (ordinal >= 0 && rows.size(ordinal) > LONGEST_ROW)) return false;
    let from = lexer.lineStart;
    let comments = ordinal < 0 ? 0 : commentsOf(rows, ordinal);
    let needed = rule.draft.chain >= 0 || rule.draft.target >= 0 ? 2 : 1;
    steps.length = 0;
    for (let n = 0, before = 0; n < places.count; n++) {
      const token = places.tokens[n] as number;
      for (; before < token; before++) if (this.argumentEnd(before) === 0) return false;
      before = token + 1;
      const end = places.kinds[n] === R.VALUE_COMMENT ? this.commentEnd(token) : this.argumentEnd(token);
      const step = end === 0 ? undefined : this.stepAt(n, from, lexer.origins[token] as number, end);
      if (!step) {
        if (end === 0 || NEVER_LITERAL.has(places.kinds[n] as number)) return false;
        continue;
      }
      if (step.kind === R.VALUE_COMMENT) comments--;
      if (step.kind === R.VALUE_CHAIN || step.kind === R.VALUE_JUMP || step.kind === R.VALUE_TARGET) needed--;
      steps.push(step);
      from = end;
    }
    for (let token = places.tokens[places.count - 1] as number; ++token < lexer.count; )
      if (this.argumentEnd(token) === 0) return false;
    if (comments !== 0 || needed !== 0) return false;
    steps.push({ kind: R.VALUE_END, start: from, end: lexer.lineEnd() + 1, name: 0, field: 0 });
    return steps.every(({ start, end }) => end - start <= LONGEST_LITERAL);
  }

  /** Where an argument ends in the line, its closing quote included; 0 when it had to be put together. */
  private argumentEnd(token: number): number {
    const { starts, ends, origins, bytes } = this.lexer;
    const start = starts[token] as number;
    const end = ends[token] as number;
    if (start === origins[token]) return end;
    return start === (origins[token] as number) + 1 && bytes[end] === QUOTE ? end + 1 : 0;
  }

  /** The same of a comment, which may have escapes: where reading it finds the same bytes. */
  private commentEnd(token: number): number {
    const { lexer, memory } = this;
    const { kernel, bytes } = memory;
    const end = kernel.probeValue(R.VALUE_COMMENT, lexer.origins[token] as number) >>> 0;
    const from = (kernel.commentStart.value as number) >>> 0;
    const length = ((kernel.commentEnd.value as number) >>> 0) - from;
    const start = lexer.starts[token] as number;
    if (end === 0 || length !== (lexer.ends[token] as number) - start) return 0;
    for (let i = 0; i < length; i++) if (bytes[from + i] !== bytes[start + i]) return 0;
    return end;
  }

  /** The step with the nth value of the line, whose literal begins at `from`; undefined when the value is no such one. */
  private stepAt(n: number, from: number, start: number, end: number): Step | undefined {
    const { memory, parser, family } = this;
    const { draft } = parser.rule;
    const declared = parser.places.kinds[n] as number;
    if (declared === R.VALUE_JUMP && draft.target >= 0)
      return { kind: R.VALUE_TARGET, start: from, end, name: end - start, field: 0 };
    for (const kind of FORMS[declared]?.[family] ?? [declared])
      if (memory.kernel.probeValue(kind, start) >>> 0 === end)
        return { kind, start: from, end: start, name: 0, field: this.fieldOf(n) };
    return undefined;
  }

  /** Offset in the row of the nth value of the line. */
  private fieldOf(n: number): number {
    const { draft } = this.parser.rule;
    const { kinds, records, fields } = this.parser.places;
    const kind = kinds[n] as number;
    const record = records[n] as number;
    const field = fields[n] as number;
    if (record !== FIXED_PART) return draft.placeOf(record) + field;
    if (kind === R.VALUE_JUMP) return draft.placeOf(-1) + JUMP_CHAIN;
    if (field === SOURCE) return ROW_SOURCE;
    if (field === DESTINATION) return ROW_SOURCE + 2 * draft.width;
    if (kind !== R.VALUE_INTERFACE) return 0;
    const head = rowHeadSize(this.family);
    return field === INPUT_OPTION || draft.outputFirst ? head : head + 2 * INTERFACE_SIZE;
  }

  /** Puts the steps into the tree, with the row at their end. */
  private enter(row: Uint8Array): void {
    const { memory, steps } = this;
    const room = 2 * LONGEST_ROW + steps.reduce((sum, step) => sum + R.STEP_LITERAL + 16 + step.end - step.start, 0);
    if (memory.shapesEnd + room > R.READING_TEXT) this.forget();
    let head = R.READING_ROOT;
    for (const step of steps) {
      let at = this.findStep(head, step);
      if (at === 0) at = this.addStep(head, step);
      else if (step.kind === R.VALUE_END) return;
      head = at + R.STEP_STEPS;
      if (step.kind === R.VALUE_END) memory.setControl(at + R.STEP_SHAPE, this.addShape(row));
    }
  }

  /** The step after `head` that is the same; 0 when there is none. */
  private findStep(head: number, step: Step): number {
    const { memory } = this;
    const { bytes, view } = memory;
    const length = step.end - step.start;
    for (let at = memory.control(head); at; at = memory.control(at + R.STEP_NEXT)) {
      if (bytes[at + R.STEP_KIND] !== step.kind || view.getUint16(at + R.STEP_LENGTH, true) !== length) continue;
      let i = 0;
      while (i < length && bytes[at + R.STEP_LITERAL + i] === bytes[step.start + i]) i++;
      if (i === length) return at;
    }
    return 0;
  }

  private addStep(head: number, step: Step): number {
    const { memory } = this;
    const { bytes, view } = memory;
    const length = step.end - step.start;
    const at = this.allocate(R.STEP_LITERAL + length + 16);
    memory.setControl(at + R.STEP_NEXT, memory.control(head));
    view.setUint16(at + R.STEP_LENGTH, length, true);
    bytes[at + R.STEP_KIND] = step.kind;
    bytes[at + R.STEP_NAME] = step.name;
    bytes.copyWithin(at + R.STEP_LITERAL, step.start, step.end);
    memory.setControl(head, at);
    let last = at;
    for (let n = 1; n < STEPS_MOST && last; n++) last = memory.control(last + R.STEP_NEXT);
    if (last) memory.setControl(last + R.STEP_NEXT, 0);
    return at;
  }

  private addShape(row: Uint8Array): number {
    const { memory, steps, parser } = this;
    const at = this.allocate(R.SHAPE_ROW + row.length + 16);
    memory.setControl(at + R.SHAPE_COMMAND, parser.command.name.charCodeAt(0));
    memory.setControl(at + R.SHAPE_ROW_BYTES, row.length);
    // As the parser has it: no interface that a packet in a built-in chain cannot have.
    let hooks = 0;
    if (parser.rule.given & GIVEN_OUTPUT) hooks |= PREROUTING | INPUT;
    if (parser.rule.given & GIVEN_INPUT) hooks |= POSTROUTING | OUTPUT;
    memory.setControl(at + R.SHAPE_HOOKS, hooks);
    memory.setControl(at + R.SHAPE_VALUE_COUNT, steps.length - 1);
    for (let n = 0; n < steps.length - 1; n++) {
      const { kind, field } = steps[n] as Step;
      memory.setControl(at + R.SHAPE_FIELDS + 4 * n, field === 0 ? 0 : kind * 65536 + field);
    }
    memory.bytes.set(row, at + R.SHAPE_ROW);
    return at;
  }

  /** Zeroed bytes for a step or a shape. */
  private allocate(bytes: number): number {
    const { memory } = this;
    const at = memory.shapesEnd;
    memory.shapesEnd = at + ((bytes + 15) & ~15);
    memory.bytes.fill(0, at, memory.shapesEnd);
    return at;
  }

  /** Starts over, where there is no room for more. */
  private forget(): void {
    this.memory.words.fill(0, R.READING_ROOTS >> 2, R.READING_TABLE_HOOKS >> 2);
    this.memory.shapesEnd = R.READING_SHAPES;
    this.memory.setControl(R.READING_ROOT, 0);
  }
}

const QUOTE = 34;
const NO_ROW = new Uint8Array(0);

function commentsOf(rows: RowStore, ordinal: number): number {
  const { view } = rows;
  const at = rows.offsets[ordinal] as number;
  const target = at + view.getUint16(at + ROW_TARGET, true);
  let count = 0;
  for (let match = at + rows.matchesOffset(at); match < target; match += view.getUint16(match + RECORD_BYTES, true))
    if (view.getUint16(match + RECORD_TYPE, true) === MATCH_COMMENT) count++;
  return count;
}
