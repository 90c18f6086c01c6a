/**
 * One command of the program iptables, carried out on a ruleset as the program carries it out on the kernel's: the same
 * options, the same result, the same refusals. What cannot mean anything for a file (-w, -W, -M, and -v but for
 * listing) is refused.
 */
import { sameText } from "../extensions/argument.js";
import { ByteWriter } from "../extensions/byte-writer.js";
import { Fault } from "../extensions/fault.js";
import { nearest } from "../extensions/nearest.js";
import { BatchSink } from "./batch-sink.js";
import { RowFault } from "./check-hooks.js";
import type { CommandDraft } from "./command-draft.js";
import { CommandExecutor } from "./command-executor.js";
import { targetNames } from "./extension-index.js";
import { Lexer } from "./lexer.js";
import { LineParser } from "./line-parser.js";
import { chainsOf, type ListOptions, listRules, listTable } from "./list.js";
import { locate } from "./located-error.js";
import { ABSENT } from "./chain-names.js";
import { NamedChains } from "./named-chains.js";
import { type Family, RowStore } from "./row-store.js";
import { RulesetError, type RulesetErrorDetails } from "./ruleset-error.js";
import { type Ruleset, TABLE_NAMES, type Table, type TableName } from "./ruleset.js";
import { RulesetSink } from "./ruleset-sink.js";
import { restoreTable, snapshotOf } from "./table-snapshot.js";

/** Name of the command line in error messages. */
const COMMAND = "command";
const DEFAULT_TABLE: TableName = "filter";

export interface CommandResult {
  /** Whether the command was one that changes rules or counters: not -C, nor -L or -S alone. */
  readonly changes: boolean;
  /** What -L or -S prints, undefined for all others. */
  readonly listing: Uint8Array | undefined;
}

export class CommandError extends RulesetError {
  /** As iptables ends: 2 for words that are wrong, 1 for what the ruleset or the kernel refuses. */
  readonly status: 1 | 2;

  constructor(details: RulesetErrorDetails, status: 1 | 2) {
    super(details);
    this.status = status;
  }
}

/**
 * `argv` is what stands behind the program's name, an argument an element; -t names the table (filter when not given).
 * `file` names the ruleset in error messages.
 * @throws CommandError, and then the ruleset is as it was.
 */
export function runCommand(ruleset: Ruleset, argv: readonly string[], file = "ruleset"): CommandResult {
  const line = new CommandLine(ruleset.family, argv, file);
  const name = line.tableName();
  const there = ruleset.tables.has(name);
  const table = ruleset.table(name);
  const before = snapshotOf(table);
  try {
    const result = line.carryOut(table);
    if (!there && !result.changes) ruleset.tables.delete(name);
    return result;
  } catch (error) {
    if (there) restoreTable(table, before);
    else ruleset.tables.delete(name);
    throw error;
  }
}

class CommandLine {
  private readonly lexer: Lexer;
  private readonly parser: LineParser;
  private readonly executor: CommandExecutor;
  /** Set once nothing can be wrong with the words. */
  private agreed = false;

  constructor(
    private readonly family: Family,
    argv: readonly string[],
    private readonly file: string,
  ) {
    this.lexer = Lexer.ofLine(argv.map(quoted).join(" "));
    this.parser = new LineParser(this.lexer, family, false);
    this.executor = new CommandExecutor(this.lexer, this.parser);
  }

  /** -t may stand anywhere in the line, so this reads it once without knowing the table. */
  tableName(): TableName {
    return this.guarded(() => {
      const { lexer, family } = this;
      const targets = new Set(targetNames(family));
      lexer.nextLine();
      lexer.split(0);
      const scope = { hasChain: (_: TableName, name: string) => !targets.has(name) };
      this.parser.scan(new BatchSink(DEFAULT_TABLE, scope, { rows: new RowStore(family), chains: new NamedChains() }));
      const { tableStart, tableEnd } = this.parser.command;
      if (tableStart < 0) return DEFAULT_TABLE;
      const table = TABLE_NAMES.find((known) => sameText(lexer.bytes, tableStart, tableEnd, known));
      if (table) return table;
      const suggestion = nearest(this.parser.rule.argument.text(tableStart, tableEnd), TABLE_NAMES);
      throw new Fault("unknown-table", tableStart, tableEnd, `one of ${TABLE_NAMES.join(", ")}`, suggestion);
    });
  }

  carryOut(table: Table): CommandResult {
    return this.guarded(() => {
      const sink = new RulesetSink(table);
      this.parser.parse(sink);
      const { command } = this.parser;
      this.checkDisplay(command);
      if (command.isListing) return this.list(table, sink);
      const hasNoUserChain = [...table.chains.values()].every((chain) => chain.hook >= 0);
      this.executor.execute(sink, undefined);
      if (command.name === "C" || (command.name === "X" && hasNoUserChain))
        return { changes: false, listing: undefined };
      sink.commit();
      forgetPolicyCounters(table, command.name === "P" ? this.chainOf(sink) : ABSENT);
      return { changes: true, listing: undefined };
    });
  }

  private list(table: Table, sink: RulesetSink): CommandResult {
    const { name, chainStart, position, display, zeroing } = this.parser.command;
    this.executor.refuseRuleOptions(name);
    this.agreed = true;
    const id = this.chainOf(sink);
    if (chainStart >= 0 && id < 0) this.executor.refuseChain(sink);
    const scope = { chain: table.chainsById[id], position };
    const options: ListOptions = {
      numeric: display.includes("n"),
      verbose: display.includes("v"),
      exact: display.includes("x"),
      lineNumbers: display.includes("0"),
    };
    const out = new ByteWriter();
    if (name === "S") listRules(out, table, options.verbose, scope);
    else listTable(out, table, options, scope);
    if (zeroing === "chain" && options.verbose)
      for (const chain of chainsOf(table, scope)) out.unicode(`Zeroing chain \`${chain.name}'\n`);
    const listing = out.take();
    if (zeroing === "nothing") return { changes: false, listing };
    sink.zero(id, zeroing === "rule" ? position : 0);
    forgetPolicyCounters(table, ABSENT);
    return { changes: true, listing };
  }

  /** Options of listing are for -L, and -v for -S as well. */
  private checkDisplay({ name, display }: CommandDraft): void {
    const allowed = name === "L" ? "nvx0" : name === "S" ? "v" : "";
    const unwanted = [...display].find((letter) => !allowed.includes(letter));
    if (unwanted === undefined) return;
    const option = unwanted === "0" ? "--line-numbers" : `-${unwanted}`;
    throw new Fault("misplaced-option", -1, -1, `no ${option} with -${name}`);
  }

  /** The number of the chain that the line names, ABSENT where it names none or there is none of that name. */
  private chainOf(sink: RulesetSink): number {
    const { bytes, view } = this.lexer;
    const { chainStart, chainEnd } = this.parser.command;
    return chainStart < 0 ? ABSENT : sink.chain(bytes, view, chainStart, chainEnd);
  }

  private guarded<T>(work: () => T): T {
    const status = (): 1 | 2 => (this.agreed || this.executor.agreed ? 1 : 2);
    try {
      return work();
    } catch (fault) {
      if (fault instanceof RowFault) throw new CommandError(this.rowDetails(fault), 1);
      if (fault instanceof Fault) throw new CommandError(this.details(fault), status());
      throw fault;
    }
  }

  private details(fault: Fault): RulesetErrorDetails {
    const { chainStart, chainEnd } = this.parser.command;
    const blame = chainStart < 0 ? { start: 0, end: 0 } : { start: chainStart, end: chainEnd };
    return { ...locate(fault, this.lexer, COMMAND, blame), line: 0 };
  }

  /** A rule that cannot stand in the table as it now is: the command's own, which has no line, or one of the file's. */
  private rowDetails({ code, line, found, expected }: RowFault): RulesetErrorDetails {
    if (line > 0) return { code, file: this.file, line, column: 0, found, expected };
    return this.details(new Fault(code, -1, -1, expected));
  }
}

/** iptables carries the counters of rules over to the table it puts in force, but not those of policies. */
function forgetPolicyCounters(table: Table, except: number): void {
  for (const chain of table.chains.values()) if (chain.hook >= 0 && chain.id !== except) chain.policyCounters.fill(0);
}

/** As a restore file has the argument. */
function quoted(argument: string): string {
  if (argument.includes("\n")) {
    const details = { code: "bad-argument", file: COMMAND, line: 0, column: 0, found: argument } as const;
    throw new CommandError({ ...details, expected: "an argument of one line" }, 2);
  }
  return argument === "" || /[\s"]/.test(argument) ? `"${argument.replace(/["\\]/g, "\\$&")}"` : argument;
}
