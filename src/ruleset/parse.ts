/** Text into rulesets and batches. */
import type { Batch, ChainScope } from "./batch.js";
import { BatchSink } from "./batch-sink.js";
import { FileParser, type FileSink } from "./file-parser.js";
import { ReadingMemory } from "./reading/reading-memory.js";
import { ReadingSink } from "./reading/reading-sink.js";
import { TableReading } from "./reading/table-reading.js";
import type { Family } from "./row-store.js";
import { BUILTIN_CHAINS, Ruleset } from "./ruleset.js";

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
        const reading = new TableReading(memory, family, BUILTIN_CHAINS[name], true);
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
    const parser = new FileParser(memory, {
      family,
      file,
      open(name) {
        const sink = new BatchFileSink(name, scope, new TableReading(memory, family, BUILTIN_CHAINS[name], false));
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

class BatchFileSink extends BatchSink implements FileSink {
  constructor(
    table: BatchSink["table"],
    scope: ChainScope,
    readonly reading: TableReading,
  ) {
    super(table, scope, reading);
  }
}
