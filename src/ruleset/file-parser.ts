/** The structure of iptables-save text: tables, chains, rules and commands, COMMIT. Findings go to sinks. */
import { sameText } from "../extensions/argument.js";
import { Fault } from "../extensions/fault.js";
import { nearest } from "../extensions/nearest.js";
import { VERDICT_NAMES } from "../extensions/targets/verdict.js";
import { readCounter } from "../extensions/values/number.js";
import { RowFault } from "./check-hooks.js";
import * as R from "../blob/reading.js";
import { CommandExecutor, carryOutRule, readPolicy } from "./command-executor.js";
import { Lexer } from "./lexer.js";
import { LineParser, LONGEST_NAME } from "./line-parser.js";
import { locatedError } from "./located-error.js";
import { closeTable } from "./reading/open-table.js";
import type { ReadingMemory } from "./reading/reading-memory.js";
import { Shapes } from "./reading/shapes.js";
import type { TableReading } from "./reading/table-reading.js";
import type { Family } from "./row-store.js";
import { TABLE_NAMES, type TableName } from "./ruleset.js";
import { RulesetError } from "./ruleset-error.js";
import type { TableSink } from "./table-sink.js";

const NEWLINE = 10;
const HASH = 35;
const STAR = 42;
const COLON = 58;
const OPEN = 91;
const CLOSE = 93;

/** A table's sink that rows can go past, by the shapes of their lines. */
export interface FileSink extends TableSink {
  readonly reading: TableReading;
  /** Takes notice of chains, and of the first `count` rows (all), that were read past it. */
  absorb(count?: number): void;
}

export interface FileParserOptions {
  readonly family: Family;
  readonly file: string;
  /** Called at each `*table`. */
  open(table: TableName): FileSink;
}

export class FileParser {
  readonly lexer: Lexer;
  private readonly parser: LineParser;
  private readonly executor: CommandExecutor;
  private readonly shapes: Shapes;
  private sink: FileSink | undefined;
  /** Bytes to point at when a sink refuses. */
  private blameStart = 0;
  private blameEnd = 0;
  private readonly counters = new Uint32Array(4);

  /** Reads the text in `memory`. */
  constructor(
    private readonly memory: ReadingMemory,
    private readonly options: FileParserOptions,
  ) {
    this.lexer = new Lexer(memory);
    this.parser = new LineParser(this.lexer, options.family);
    this.executor = new CommandExecutor(this.lexer, this.parser);
    this.shapes = new Shapes(memory, this.lexer, this.parser, options.family);
  }

  /** Reads to the end. Throws a RulesetError at the first fault. */
  run(): void {
    try {
      while (this.lexer.nextLine()) if (!this.sink || !this.readKnown(this.sink)) this.parseLine();
      if (this.lexer.openQuote > 0) this.refuseOpenQuote();
    } catch (fault) {
      if (fault instanceof RowFault) throw this.rowError(fault);
      throw fault instanceof Fault ? this.error(fault) : fault;
    }
    if (this.sink) {
      const { file } = this.options;
      const expected = `COMMIT at the end of table ${this.sink.table}`;
      throw new RulesetError({ code: "missing-commit", file, line: this.lexer.line + 1, column: 1, expected });
    }
  }

  /**
   * Reads lines of known shape from the current one on. False at a line for the parser, which then is the current one.
   */
  private readKnown(sink: FileSink): boolean {
    const { lexer, memory } = this;
    for (;;) {
      const stopped = sink.reading.readLines(lexer.lineStart, lexer.line);
      lexer.next = memory.control(R.READING_AT);
      lexer.line = memory.control(R.READING_LINE);
      if (stopped === R.STOPPED_COMMAND) {
        this.carryOut(sink);
        return true;
      }
      sink.absorb();
      if (!lexer.nextLine()) return true;
      if (stopped === R.STOPPED_LINE) return false;
      if (stopped !== R.STOPPED_NAME) memory.grow(stopped);
      else
        sink.chain(memory.bytes, memory.view, memory.control(R.READING_NAME_START), memory.control(R.READING_NAME_END));
    }
  }

  /** Carries out the command of the line behind which reading stopped. Its row, where it is about one, is the newest. */
  private carryOut(sink: FileSink): void {
    const { lexer, memory } = this;
    lexer.lineStart = lexer.bytes.lastIndexOf(NEWLINE, lexer.next - 2) + 1;
    sink.line = lexer.line;
    this.blameStart = memory.control(R.READING_CHAIN_START);
    this.blameEnd = this.wordEnd(this.blameStart);
    const row = sink.rows.count - 1;
    const chain = memory.control(R.READING_CHAIN);
    const position = memory.control(R.READING_POSITION);
    const command = String.fromCharCode(memory.control(R.READING_COMMAND));
    if (command === "F" || command === "X" || (command === "D" && position > 0)) {
      sink.absorb();
      if (command === "F") sink.flush(chain);
      else if (command === "D") sink.deleteAt(chain, position);
      else sink.deleteChain(chain);
      return;
    }
    sink.absorb(row);
    carryOutRule(sink, command, chain, position, row);
  }

  /** The error of a fault in the current line. */
  private error(fault: Fault): RulesetError {
    return locatedError(fault, this.lexer, this.options.file, { start: this.blameStart, end: this.blameEnd });
  }

  private refuseOpenQuote(): never {
    const { lexer } = this;
    lexer.rewind(lexer.openQuote);
    const end = lexer.lineEnd();
    throw new Fault("unterminated-quote", end, end, 'a closing " on the same line');
  }

  /** The error of a rule that shows only when its table is whole. */
  private rowError(fault: RowFault): RulesetError {
    const { lexer } = this;
    lexer.rewind(fault.line);
    lexer.split(lexer.lineStart);
    let token = 0;
    while (
      token < lexer.count &&
      !sameText(lexer.bytes, lexer.starts[token] as number, lexer.ends[token] as number, fault.found)
    )
      token++;
    const start = token < lexer.count ? (lexer.starts[token] as number) : lexer.lineStart;
    const end = token < lexer.count ? (lexer.ends[token] as number) : start;
    return this.error(new Fault(fault.code, start, end, fault.expected));
  }

  private parseLine(): void {
    const { lexer } = this;
    const start = lexer.lineStart;
    const first = lexer.bytes[start];
    if (first === NEWLINE) lexer.next = start + 1;
    else if (first === HASH) lexer.skipLine();
    else if (this.sink) {
      this.sink.line = lexer.line;
      if (first === COLON) this.parseChain(this.sink);
      else if (lexer.isLine("COMMIT")) {
        this.blameStart = start;
        this.blameEnd = start + 6;
        this.sink.commit();
        closeTable(this.memory, this.options.family, this.sink.table);
        this.sink = undefined;
        lexer.skipLine();
      } else this.parseCommand(this.sink, first === OPEN);
    } else if (first === STAR) this.openTable();
    else {
      const end = lexer.bytes.indexOf(0, start);
      if (end >= 0 && end < lexer.lineEnd()) throw new Fault("not-text", end, end + 1, "text without zero bytes");
      throw new Fault("text-outside-table", start, lexer.lineEnd(), "a *table line in front");
    }
  }

  /** `*filter`. */
  private openTable(): void {
    const { lexer } = this;
    lexer.split(lexer.lineStart + 1);
    const start = lexer.count > 0 ? (lexer.starts[0] as number) : lexer.lineStart;
    const end = lexer.count > 0 ? (lexer.ends[0] as number) : start + 1;
    const name = decoder.decode(lexer.bytes.subarray(start, end));
    const table = TABLE_NAMES.find((known) => known === name);
    if (!table) {
      const expected = `one of ${TABLE_NAMES.join(", ")}${name.endsWith("\r") ? ", and lines that end without a carriage return" : ""}`;
      throw new Fault("unknown-table", start, end, expected, nearest(name, TABLE_NAMES));
    }
    this.sink = this.options.open(table);
  }

  /** `:CHAIN POLICY [packets:bytes]`. Quotes mean nothing here, and what follows the counters is not read. */
  private parseChain(sink: FileSink): void {
    const { bytes, view, lineStart } = this.lexer;
    const start = this.skipBlanks(lineStart + 1);
    const end = this.wordEnd(start);
    const policyStart = this.skipBlanks(end);
    const policyEnd = this.wordEnd(policyStart);
    const countersStart = this.skipBlanks(policyEnd);
    const countersEnd = this.wordEnd(countersStart);
    this.lexer.next = bytes[countersEnd] === NEWLINE ? countersEnd + 1 : bytes.indexOf(NEWLINE, countersEnd) + 1;
    this.blameStart = start;
    this.blameEnd = end;
    if (start === end) throw new Fault("bad-chain-name", start, end, "the name of a chain");
    if (end - start > LONGEST_NAME) throw new Fault("bad-chain-name", start, end, `at most ${LONGEST_NAME} bytes`);
    const chain = sink.chain(bytes, view, start, end);
    const builtIn = chain >= 0 && sink.hook(chain) >= 0;
    const none = policyEnd - policyStart === 1 && bytes[policyStart] === 45;
    if (countersStart < countersEnd) this.readCounters(countersStart, countersEnd);
    if (!builtIn) {
      if (!none) throw new Fault("bad-policy", policyStart, policyEnd, "- as this is no built-in chain");
      if (VERDICT_NAMES.some((name) => sameText(bytes, start, end, name)))
        throw new Fault("bad-chain-name", start, end, "a name that is no verdict's");
      sink.declare(bytes, view, start, end);
      return;
    }
    if (none) return;
    sink.setPolicy(
      chain,
      readPolicy(bytes, policyStart, policyEnd),
      countersStart < countersEnd ? this.counters : undefined,
    );
  }

  /** `[packets:bytes]` into `counters`. */
  private readCounters(start: number, end: number): void {
    const { bytes } = this.lexer;
    let colon = start;
    while (colon < end && bytes[colon] !== COLON) colon++;
    const whole =
      bytes[start] === OPEN &&
      bytes[end - 1] === CLOSE &&
      readCounter(bytes, start + 1, colon, this.counters, 0) &&
      readCounter(bytes, colon + 1, end - 1, this.counters, 2);
    if (!whole) throw new Fault("bad-counters", start, end, COUNTERS_FORM);
  }

  /** A line of a rule or another command, perhaps with counters in front. */
  private parseCommand(sink: FileSink, counters: boolean): void {
    const { lexer, parser } = this;
    let start = lexer.lineStart;
    if (counters) {
      const end = lexer.bytes.indexOf(CLOSE, start) + 1;
      if (end === 0 || end > lexer.lineEnd())
        throw new Fault("bad-counters", start, this.wordEnd(start), COUNTERS_FORM);
      this.readCounters(start, end);
      start = end;
    }
    lexer.split(start);
    const first = lexer.starts[0] as number;
    const firstEnd = lexer.ends[0] as number;
    if (lexer.count > 0 && sameText(lexer.bytes, first, firstEnd, "COMMIT"))
      throw new Fault("bad-argument", first, firstEnd, "COMMIT alone between the ends of its line");
    if (lexer.count > 0 && lexer.bytes[first] === STAR)
      throw new Fault("missing-commit", first, firstEnd, `COMMIT of table ${sink.table} first`);
    parser.parse(sink);
    const { foreign, chainStart, chainEnd } = parser.command;
    if (foreign) return;
    this.blameStart = chainStart < 0 ? first : chainStart;
    this.blameEnd = chainStart < 0 ? firstEnd : chainEnd;
    const rows = sink.rows.count;
    this.executor.execute(sink, counters ? this.counters : undefined);
    const made = sink.rows.count - rows;
    if (!counters && made <= 1) this.shapes.learn(sink.rows, made === 1 ? rows : -1);
  }

  private skipBlanks(at: number): number {
    const { bytes } = this.lexer;
    let i = at;
    while (bytes[i] === 32 || bytes[i] === 9) i++;
    return i;
  }

  private wordEnd(at: number): number {
    const { bytes } = this.lexer;
    let i = at;
    while (bytes[i] !== 32 && bytes[i] !== 9 && bytes[i] !== NEWLINE) i++;
    return i;
  }
}

const COUNTERS_FORM = "[packets:bytes]";
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
