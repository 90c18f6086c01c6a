/** The structure of iptables-save text: tables, chains, rules and commands, COMMIT. Findings go to sinks. */
import { sameText } from "../extensions/argument.js";
import { Fault } from "../extensions/fault.js";
import { nearest } from "../extensions/nearest.js";
import { readCounter } from "../extensions/values/number.js";
import { RowFault } from "./check-hooks.js";
import { CommandExecutor, readPolicy } from "./command-executor.js";
import { Lexer } from "./lexer.js";
import { LineParser, LONGEST_NAME } from "./line-parser.js";
import { locatedError } from "./located-error.js";
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

export interface FileParserOptions {
  readonly family: Family;
  readonly file: string;
  /** Called at each `*table` with the bytes of text up to the next one. */
  open(table: TableName, size: number): TableSink;
}

export class FileParser {
  readonly lexer: Lexer;
  private readonly parser: LineParser;
  private readonly executor: CommandExecutor;
  private sink: TableSink | undefined;
  /** Bytes to point at when a sink refuses. */
  private blameStart = 0;
  private blameEnd = 0;
  private readonly counters = new Uint32Array(4);

  constructor(
    input: string | Uint8Array,
    private readonly options: FileParserOptions,
  ) {
    this.lexer = new Lexer(input);
    this.parser = new LineParser(this.lexer, options.family);
    this.executor = new CommandExecutor(this.lexer, this.parser);
  }

  /** Reads to the end. Throws a RulesetError at the first fault. */
  run(): void {
    try {
      while (this.lexer.nextLine()) this.parseLine();
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
    this.sink = this.options.open(table, lexer.bytesToTable());
  }

  /** `:CHAIN POLICY [packets:bytes]`. Quotes mean nothing here, and what follows the counters is not read. */
  private parseChain(sink: TableSink): void {
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
  private parseCommand(sink: TableSink, counters: boolean): void {
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
    this.executor.execute(sink, counters ? this.counters : undefined);
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
