/** Text into rulesets and batches. */
import { NAMES_ASKED, NAMES_DECLARED } from "../blob/reading.js";
import type { Batch, ChainScope, TableBatch } from "./batch.js";
import { BatchSink } from "./batch-sink.js";
import { FileParser, type FileSink } from "./file-parser.js";
import { ReadingMemory } from "./reading/reading-memory.js";
import { ReadingSink } from "./reading/reading-sink.js";
import { TableReading } from "./reading/table-reading.js";
import type { Family } from "./row-store.js";
import { Ruleset, type TableName } from "./ruleset.js";

export interface ParseOptions {
  readonly family: Family;
  /** Name for error messages. */
  readonly file?: string;
}

export interface ParseBatchOptions extends ParseOptions {
  /** The chains that are there before the batch. */
  readonly scope: ChainScope;
}

const NO_FILE = "input";

/**
 * The ruleset that `iptables-restore` would leave behind: what iptables-save prints, or any file of its commands.
 * A table that occurs twice counts as the second time. Throws a RulesetError at the first fault.
 */
export function parseRuleset(input: string | Uint8Array, options: ParseOptions): Ruleset {
  return withRuleset(input, options, true, (ruleset, read) => {
    for (const { table, reading } of read) {
      if (table.columns) table.fold(reading.copy());
      reading.rows.own();
    }
    return ruleset;
  });
}

/**
 * The same ruleset for `use` alone: its rows still lie in the memory where text is read, and are gone when `use` returns.
 * What the kernel checks when a table is put in force, loops and hooks, is left to `use`. After a fault, its own or of the
 * text, the file is read again as parseRuleset reads it, to tell the first that there is.
 */
export function useRuleset<T>(input: string | Uint8Array, options: ParseOptions, use: (ruleset: Ruleset) => T): T {
  try {
    return withRuleset(input, options, false, use);
  } catch (error) {
    parseRuleset(input, options);
    throw error;
  }
}

/**
 * The edits that `iptables-restore --noflush` would make, in order. Throws a RulesetError at the first fault that shows
 * without the rules themselves; those of edits that cannot be carried out show when the batch is applied.
 */
export function parseBatch(input: string | Uint8Array, options: ParseBatchOptions): Batch {
  return withBatch(input, options, (batch, sinks) => {
    for (const { reading } of sinks) reading.rows.own();
    return batch;
  });
}

/** The same edits for `use` alone, as with useRuleset. `use` must not parse. */
export function useBatch<T>(input: string | Uint8Array, options: ParseBatchOptions, use: (batch: Batch) => T): T {
  return withBatch(input, options, use);
}

interface Read {
  readonly table: Ruleset["tables"] extends Map<unknown, infer T> ? T : never;
  readonly reading: TableReading;
}

function withRuleset<T>(
  input: string | Uint8Array,
  { family, file = NO_FILE }: ParseOptions,
  checked: boolean,
  use: (ruleset: Ruleset, read: readonly Read[]) => T,
): T {
  return reading(input, (memory) => {
    const ruleset = new Ruleset(family);
    const read: Read[] = [];
    const parser = new FileParser(memory, {
      family,
      file,
      open(name) {
        const reading = new TableReading(memory, family, name, NAMES_DECLARED);
        const table = ruleset.newTable(name, reading.rows);
        read.push({ table, reading });
        return new ReadingSink(table, reading, checked);
      },
    });
    parser.run();
    return use(ruleset, read);
  });
}

function withBatch<T>(
  input: string | Uint8Array,
  { family, file = NO_FILE, scope }: ParseBatchOptions,
  use: (batch: Batch, sinks: readonly BatchFileSink[]) => T,
): T {
  return reading(input, (memory) => {
    const sinks: BatchFileSink[] = [];
    const left = new ChainsLeft(scope);
    const parser = new FileParser(memory, {
      family,
      file,
      open(name) {
        const before = sinks.at(-1);
        if (before) left.note(before);
        const sink = new BatchFileSink(name, left, new TableReading(memory, family, name, NAMES_ASKED));
        sinks.push(sink);
        return sink;
      },
    });
    parser.run();
    const tables = sinks.map(({ table, rows, chainNames, edits }) => ({ table, rows, chainNames, edits }));
    return use({ family, tables }, sinks);
  });
}

function reading<T>(input: string | Uint8Array, use: (memory: ReadingMemory) => T): T {
  const memory = ReadingMemory.take(input);
  try {
    return use(memory);
  } finally {
    memory.giveBack();
  }
}

/** The chains that earlier tables of a text leave: the same table may come again. */
class ChainsLeft implements ChainScope {
  /** Whether a chain is there, of those that were made or deleted. */
  private readonly changed = new Map<TableName, Map<string, boolean>>();

  readonly chains?: NonNullable<ChainScope["chains"]>;

  constructor(private readonly scope: ChainScope) {
    if (scope.chains) this.chains = (table) => this.names(table, scope.chains?.(table) ?? []);
  }

  note({ table, edits }: TableBatch): void {
    const changed = this.changed.get(table) ?? new Map<string, boolean>();
    this.changed.set(table, changed);
    for (const edit of edits) {
      if (edit.op === "new-chain" || edit.op === "declare-chain") changed.set(edit.chain, true);
      else if (edit.op === "delete-chain") changed.set(edit.chain, false);
      else if (edit.op === "rename-chain") changed.set(edit.chain, false).set(edit.to, true);
    }
  }

  hasChain(table: TableName, chain: string): boolean {
    return this.changed.get(table)?.get(chain) ?? this.scope.hasChain(table, chain);
  }

  private names(table: TableName, before: Iterable<string>): Set<string> {
    const names = new Set(before);
    for (const [name, there] of this.changed.get(table) ?? []) names[there ? "add" : "delete"](name);
    return names;
  }
}

class BatchFileSink extends BatchSink implements FileSink {
  constructor(
    table: BatchSink["table"],
    scope: ChainScope,
    readonly reading: TableReading,
  ) {
    super(table, scope, reading);
  }
}
