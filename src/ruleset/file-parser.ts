/** The structure of iptables-save text: tables, chains, rules and commands, COMMIT. Findings go to sinks. */
import { Fault } from "../extensions/fault.js";
import { nearest } from "../extensions/nearest.js";
import { readCounter } from "../extensions/values/number.js";
import { sameText } from "../extensions/argument.js";
import { Lexer } from "./lexer.js";
import { LineParser, LONGEST_NAME } from "./line-parser.js";
import type { Family } from "./row-store.js";
import { HOOK_NAMES, type Policy, TABLE_NAMES, type TableName } from "./ruleset.js";
import { RulesetError } from "./ruleset-error.js";
import type { TableSink } from "./table-sink.js";

const NEWLINE = 10;
const HASH = 35;
const STAR = 42;
const COLON = 58;
const OPEN = 91;
const CLOSE = 93;
const POLICIES: readonly Policy[] = ["ACCEPT", "DROP"];
/** Bits of `LineParser.given` that stand for -c, and for all that only a rule has. */
const GIVEN_COUNTERS = 128;

export interface FileParserOptions {
  readonly family: Family;
  readonly file: string;
  /** Called at each `*table`. */
  open(table: TableName): TableSink;
}

export class FileParser {
  readonly lexer: Lexer;
  private readonly parser: LineParser;
  private sink: TableSink | undefined;
  /** Bytes to point at when a sink refuses. */
  private blameStart = 0;
  private blameEnd = 0;
  private readonly counters = new Uint32Array(4);
  private hasCounters = false;

  constructor(
    input: string | Uint8Array,
    private readonly options: FileParserOptions,
  ) {
    this.lexer = new Lexer(input);
    this.parser = new LineParser(this.lexer, options.family);
  }

  /** Reads to the end. Throws a RulesetError at the first fault. */
  run(): void {
    try {
      while (this.lexer.nextLine()) this.parseLine();
    } catch (fault) {
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
    const { lexer } = this;
    let start = fault.start < 0 ? this.blameStart : fault.start;
    const end = fault.start < 0 ? this.blameEnd : fault.end;
    const found = decoder.decode(lexer.bytes.subarray(start, end));
    // What lies behind the text was put together from the line.
    for (let n = 0; n < lexer.starts.length && start > lexer.length; n++)
      if ((lexer.starts[n] as number) <= start && start <= (lexer.ends[n] as number)) start = lexer.origins[n] as number;
    const source = decoder.decode(lexer.bytes.subarray(lexer.lineStart, lexer.lineEnd()));
    const before = decoder.decode(lexer.bytes.subarray(lexer.lineStart, start));
    return new RulesetError({
      code: fault.code,
      file: this.options.file,
      line: lexer.line,
      column: [...before].length + 1,
      found,
      expected: fault.expected,
      suggestion: fault.suggestion,
      source,
    });
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
    this.sink = this.options.open(table);
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
    sink.setPolicy(chain, this.readPolicy(policyStart, policyEnd), countersStart < countersEnd ? this.counters : undefined);
  }

  private readPolicy(start: number, end: number): Policy {
    const policy = POLICIES.find((name) => sameText(this.lexer.bytes, start, end, name));
    if (!policy) throw new Fault("bad-policy", start, end, `${POLICIES.join(" or ")}`);
    return policy;
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
    if (!whole) throw new Fault("bad-counters", start, end, "[packets:bytes]");
  }

  private parseCommand(sink: TableSink, counters: boolean): void {
    const { lexer, parser } = this;
    let start = lexer.lineStart;
    this.hasCounters = counters;
    if (counters) {
      const end = lexer.bytes.indexOf(CLOSE, start) + 1;
      if (end === 0 || end > lexer.lineEnd()) throw new Fault("bad-counters", start, this.wordEnd(start), "[packets:bytes]");
      this.readCounters(start, end);
      start = end;
    }
    lexer.split(start);
    if (lexer.count > 0 && sameText(lexer.bytes, lexer.starts[0] as number, lexer.ends[0] as number, "COMMIT"))
      throw new Fault("bad-argument", lexer.starts[0] as number, lexer.ends[0] as number, "COMMIT alone between the ends of a line");
    if (lexer.count > 0 && lexer.bytes[lexer.starts[0] as number] === STAR)
      throw new Fault("missing-commit", lexer.starts[0] as number, lexer.ends[0] as number, `COMMIT of table ${sink.table} first`);
    parser.parse(sink);
    if (!parser.foreign) this.execute(sink);
  }

  private execute(sink: TableSink): void {
    const { lexer, parser } = this;
    const { bytes, view } = lexer;
    const { chainStart, chainEnd, position } = parser;
    const command = String.fromCharCode(parser.command);
    this.blameStart = chainStart < 0 ? (lexer.starts[0] as number) : chainStart;
    this.blameEnd = chainStart < 0 ? (lexer.ends[0] as number) : chainEnd;
    const isRule = "ACIR".includes(command) || (command === "D" && position === 0);
    if (!isRule) this.refuseRuleOptions(command);
    if (command === "N") {
      this.checkNewName(chainStart, chainEnd);
      sink.newChain(bytes, view, chainStart, chainEnd);
      return;
    }
    let chain = -1;
    if (chainStart >= 0) {
      chain = sink.chain(bytes, view, chainStart, chainEnd);
      if (chain < 0) this.unknownChain(sink);
    }
    if (isRule) this.executeRule(sink, command, chain);
    else if (command === "D") sink.deleteAt(chain, position);
    else if (command === "F") sink.flush(chain);
    else if (command === "X") sink.deleteChain(chain);
    else if (command === "Z") sink.zero(chain, position);
    else if (command === "E") {
      this.checkNewName(parser.secondStart, parser.secondEnd);
      sink.rename(chain, bytes, view, parser.secondStart, parser.secondEnd);
    } else this.executePolicy(sink, chain);
  }

  private executeRule(sink: TableSink, command: string, chain: number): void {
    const { parser } = this;
    const { draft } = parser;
    const { sources, destinations } = draft;
    this.checkPlace(sink, chain);
    const several = sources.count > 1 || destinations.count > 1;
    if (several && (draft.invert & INVERTED_ADDRESSES) !== 0)
      throw new Fault("not-invertible", parser.firstGiven, parser.firstGiven, "no ! where several addresses are given");
    if (several && command === "R")
      throw new Fault("bad-address", parser.firstGiven, parser.firstGiven, "one source and one destination with -R");
    const ownCounters = (parser.given & GIVEN_COUNTERS) !== 0;
    if (ownCounters && (command === "D" || command === "C"))
      throw new Fault("misplaced-option", parser.firstGiven, parser.firstGiven, `no -c with -${command}`);
    for (let s = 0; s < sources.count; s++)
      for (let d = 0; d < destinations.count; d++) {
        const row = draft.write(sink.rows, s, d, sink.line);
        if (ownCounters) sink.rows.counters.set(draft.counters, 4 * row);
        else if (this.hasCounters) sink.rows.counters.set(this.counters, 4 * row);
        if (command === "A") sink.append(chain, row);
        else if (command === "I") sink.insert(chain, parser.position || 1, row);
        else if (command === "D") sink.delete(chain, row);
        else if (command === "R") sink.replace(chain, parser.position, row);
        else sink.check(chain, row);
      }
  }

  private executePolicy(sink: TableSink, chain: number): void {
    const { parser } = this;
    const policy = this.readPolicy(parser.secondStart, parser.secondEnd);
    if (sink.hook(chain) < 0) throw new Fault("bad-policy", this.blameStart, this.blameEnd, "a built-in chain");
    if (policy === "DROP" && sink.table === "nat") noDropInNat(parser.secondStart, parser.secondEnd);
    let counters: Uint32Array | undefined;
    if (parser.given & GIVEN_COUNTERS) counters = parser.draft.counters;
    else if (this.hasCounters) counters = this.counters;
    sink.setPolicy(chain, policy, counters);
  }

  /** What iptables asks of a rule for the chain it names: no interface that a packet there cannot have. */
  private checkPlace(sink: TableSink, chain: number): void {
    const { parser, lexer } = this;
    const hook = HOOK_NAMES[sink.hook(chain)];
    const flags = parser.given;
    if ((hook === "PREROUTING" || hook === "INPUT") && flags & 16)
      throw new Fault("wrong-hook", this.blameStart, this.blameEnd, "a chain whose packets have an output interface, for -o");
    if ((hook === "POSTROUTING" || hook === "OUTPUT") && flags & 8)
      throw new Fault("wrong-hook", this.blameStart, this.blameEnd, "a chain whose packets have an input interface, for -i");
    const { draft } = parser;
    if (sink.table !== "nat" || draft.target < 0 || draft.extensions[draft.target]?.extension.name !== "DROP") return;
    const token = draft.tokens[draft.target] as number;
    noDropInNat(lexer.starts[token] as number, lexer.ends[token] as number);
  }

  private refuseRuleOptions(command: string): void {
    const { parser, lexer } = this;
    const allowed = command === "P" ? GIVEN_COUNTERS : 0;
    if ((parser.given & ~allowed) === 0 && parser.draft.count === 0) return;
    const start = parser.firstGiven < 0 ? (lexer.starts[parser.draft.tokens[0] as number] as number) : parser.firstGiven;
    throw new Fault("misplaced-option", start, this.wordEnd(start), `none with -${command}`);
  }

  /** A name for a new chain: no dash or ! in front, and no target's. */
  private checkNewName(start: number, end: number): void {
    const { bytes } = this.lexer;
    if (end - start > LONGEST_NAME) throw new Fault("bad-chain-name", start, end, `at most ${LONGEST_NAME} bytes`);
    if (start < 0 || start === end || bytes[start] === 45 || bytes[start] === 33)
      throw new Fault("bad-chain-name", start, end, "a name that begins with neither - nor !");
    if (this.parser.isTarget(start, end)) throw new Fault("bad-chain-name", start, end, "a name that is no target's");
  }

  private unknownChain(sink: TableSink): never {
    const name = decoder.decode(this.lexer.bytes.subarray(this.blameStart, this.blameEnd));
    const suggestion = nearest(name, sink.knownChains());
    throw new Fault("unknown-chain", this.blameStart, this.blameEnd, `a chain of table ${sink.table}`, suggestion);
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

const INVERTED_ADDRESSES = 8 | 16;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function noDropInNat(start: number, end: number): never {
  throw new Fault("wrong-table", start, end, "another table, as nat is not for filtering");
}
