/** Carries out the command of a parsed line on a sink. */
import { ROW_INVERT_DESTINATION, ROW_INVERT_SOURCE } from "../blob/layout.js";
import { sameText } from "../extensions/argument.js";
import { Fault } from "../extensions/fault.js";
import { nearest } from "../extensions/nearest.js";
import { drop } from "../extensions/targets/verdict.js";
import type { Lexer } from "./lexer.js";
import { type LineParser, LONGEST_NAME } from "./line-parser.js";
import { ABSENT } from "./chain-names.js";
import { checkRecords } from "./record-checks.js";
import { GIVEN_COUNTERS, GIVEN_INPUT, GIVEN_OUTPUT } from "./rule-parser.js";
import { HOOK_NAMES, type Policy } from "./ruleset.js";
import type { TableSink } from "./table-sink.js";

const POLICIES: readonly Policy[] = ["ACCEPT", "DROP"];
const INVERTED_ADDRESSES = ROW_INVERT_SOURCE | ROW_INVERT_DESTINATION;
const DASH = 45;
const BANG = 33;

export function readPolicy(bytes: Uint8Array, start: number, end: number): Policy {
  const policy = POLICIES.find((name) => sameText(bytes, start, end, name));
  if (!policy) throw new Fault("bad-policy", start, end, POLICIES.join(" or "));
  return policy;
}

/** Carries out a command about rule `row` of the sink's. */
export function carryOutRule(sink: TableSink, command: string, chain: number, position: number, row: number): void {
  if (command === "A") sink.append(chain, row);
  else if (command === "I") sink.insert(chain, position || 1, row);
  else if (command === "D") sink.delete(chain, row);
  else if (command === "R") sink.replace(chain, position, row);
  else sink.check(chain, row);
}

export class CommandExecutor {
  /**
   * Set once nothing is wrong with the words of the line: a fault from there on is the ruleset's or the kernel's refusal
   * (iptables then ends with 1, in place of 2).
   */
  agreed = false;

  constructor(
    private readonly lexer: Lexer,
    private readonly parser: LineParser,
  ) {}

  /** `counters` are those in front of the command, four words. */
  execute(sink: TableSink, counters: Uint32Array | undefined): void {
    const { lexer, parser } = this;
    const { bytes, view } = lexer;
    const { name: command, chainStart, chainEnd, secondStart, secondEnd, position } = parser.command;
    this.agreed = false;
    const isRule =
      command === "A" || command === "I" || command === "C" || command === "R" || (command === "D" && position === 0);
    if (!isRule) this.refuseRuleOptions(command);
    if (command === "N") this.checkNewName(chainStart, chainEnd);
    if (command === "E") this.checkNewName(secondStart, secondEnd);
    if (command === "N") {
      this.agreed = true;
      sink.newChain(bytes, view, chainStart, chainEnd);
      return;
    }
    const chain = chainStart < 0 ? ABSENT : sink.chain(bytes, view, chainStart, chainEnd);
    if (isRule) this.checkRule(sink, command, chain);
    if (command === "P") this.checkPolicy(sink);
    this.agreed = true;
    if (chainStart >= 0 && chain < 0) this.refuseChain(sink);
    if (isRule) this.executeRule(sink, command, chain, counters);
    else if (command === "D") sink.deleteAt(chain, position);
    else if (command === "F") sink.flush(chain);
    else if (command === "X") sink.deleteChain(chain);
    else if (command === "Z") sink.zero(chain, position);
    else if (command === "P") this.executePolicy(sink, chain, counters);
    else sink.rename(chain, bytes, view, secondStart, secondEnd);
  }

  private checkRule(sink: TableSink, command: string, chain: number): void {
    const { rule } = this.parser;
    const { sources, destinations } = rule.draft;
    this.checkPlace(sink, chain);
    if (sources.count > 1 || destinations.count > 1) this.checkSeveral(command);
    if (rule.given & GIVEN_COUNTERS && (command === "D" || command === "C"))
      this.refuse("misplaced-option", `no -c with -${command}`);
  }

  private executeRule(sink: TableSink, command: string, chain: number, counters: Uint32Array | undefined): void {
    const { rule, command: said } = this.parser;
    const { draft } = rule;
    const { sources, destinations } = draft;
    if (command !== "D" && command !== "C") checkRecords(draft, rule.argument, this.lexer, sink.table);
    const counted = rule.given & GIVEN_COUNTERS ? draft.counters : counters;
    for (let s = 0; s < sources.count; s++)
      for (let d = 0; d < destinations.count; d++) {
        const row = draft.write(sink.rows, s, d, sink.line);
        if (counted !== undefined) sink.rows.setCounters(row, counted);
        carryOutRule(sink, command, chain, said.position, row);
      }
  }

  private checkPolicy(sink: TableSink): void {
    const { secondStart, secondEnd } = this.parser.command;
    if (sink.table === "nat" && sameText(this.lexer.bytes, secondStart, secondEnd, "DROP"))
      noDropInNat(secondStart, secondEnd);
  }

  private executePolicy(sink: TableSink, chain: number, counters: Uint32Array | undefined): void {
    const { command, rule } = this.parser;
    const policy = readPolicy(this.lexer.bytes, command.secondStart, command.secondEnd);
    if (sink.hook(chain) < 0) throw new Fault("bad-policy", command.chainStart, command.chainEnd, "a built-in chain");
    sink.setPolicy(chain, policy, rule.given & GIVEN_COUNTERS ? rule.draft.counters : counters);
  }

  /** What iptables asks of a rule for the chain it names: no interface that a packet there cannot have. */
  private checkPlace(sink: TableSink, chain: number): void {
    const { command, rule } = this.parser;
    const { chainStart, chainEnd } = command;
    const hook = chain < 0 ? undefined : HOOK_NAMES[sink.hook(chain)];
    if (hook !== undefined && rule.given & (GIVEN_INPUT | GIVEN_OUTPUT)) {
      if ((hook === "PREROUTING" || hook === "INPUT") && rule.given & GIVEN_OUTPUT)
        throw new Fault("wrong-hook", chainStart, chainEnd, "for -o a chain whose packets have an output interface");
      if ((hook === "POSTROUTING" || hook === "OUTPUT") && rule.given & GIVEN_INPUT)
        throw new Fault("wrong-hook", chainStart, chainEnd, "for -i a chain whose packets have an input interface");
    }
    const { draft } = rule;
    if (sink.table !== "nat" || draft.target < 0 || draft.extensions[draft.target]?.extension !== drop) return;
    const token = draft.tokens[draft.target] as number;
    noDropInNat(this.lexer.starts[token] as number, this.lexer.ends[token] as number);
  }

  private checkSeveral(command: string): void {
    if (this.parser.rule.draft.invert & INVERTED_ADDRESSES)
      this.refuse("not-invertible", "no ! where several addresses are given");
    if (command === "R") this.refuse("bad-address", "one source and one destination with -R");
  }

  /** A command that is not about a rule takes none of its options. */
  refuseRuleOptions(command: string): void {
    const { rule } = this.parser;
    const allowed = command === "P" ? GIVEN_COUNTERS : 0;
    if ((rule.given & ~allowed) !== 0 || rule.draft.count > 0) this.refuse("misplaced-option", `none with -${command}`);
  }

  /** Points at the first option of the rule. */
  private refuse(code: Fault["code"], expected: string): never {
    const { rule } = this.parser;
    const { starts, ends, count } = this.lexer;
    const start = rule.firstGiven < 0 ? (starts[rule.draft.tokens[0] as number] as number) : rule.firstGiven;
    let token = 0;
    while (token < count - 1 && starts[token] !== start) token++;
    throw new Fault(code, start, ends[token] as number, expected);
  }

  /** A name for a new chain: no dash or ! in front, and no target's. */
  private checkNewName(start: number, end: number): void {
    const { bytes } = this.lexer;
    if (end - start > LONGEST_NAME) throw new Fault("bad-chain-name", start, end, `at most ${LONGEST_NAME} bytes`);
    if (start === end || bytes[start] === DASH || bytes[start] === BANG)
      throw new Fault("bad-chain-name", start, end, "a name that begins with neither - nor !");
    if (this.parser.rule.isTarget(start, end))
      throw new Fault("bad-chain-name", start, end, "a name that is no target's");
    for (let i = start; i < end; i++)
      if (bytes[i] === 32 || ((bytes[i] as number) >= 9 && (bytes[i] as number) <= 13))
        throw new Fault("bad-chain-name", start, end, "a name without white space");
  }

  /** The chain that the line names is not there. */
  refuseChain(sink: TableSink): never {
    const { command, rule } = this.parser;
    const { chainStart, chainEnd } = command;
    const suggestion = nearest(rule.argument.text(chainStart, chainEnd), sink.knownChains());
    throw new Fault("unknown-chain", chainStart, chainEnd, `a chain of table ${sink.table}`, suggestion);
  }
}

function noDropInNat(start: number, end: number): never {
  throw new Fault("wrong-table", start, end, "another table, as nat is not for filtering");
}
