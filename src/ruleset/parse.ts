/** Text into rulesets and batches. */
import type { Batch, ChainScope } from "./batch.js";
import { BatchSink } from "./batch-sink.js";
import { FileParser } from "./file-parser.js";
import type { Family } from "./row-store.js";
import { Ruleset } from "./ruleset.js";
import { RulesetSink } from "./ruleset-sink.js";

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
/** Rows take about as much room as the text they come from; what is reserved in vain is never touched. */
const ROW_BYTES_A_BYTE = 0.75;

/**
 * The ruleset that `iptables-restore` would leave behind: what iptables-save prints, or any file of its commands.
 * A table that occurs twice counts as the second time. Throws a RulesetError at the first fault.
 */
export function parseRuleset(input: string | Uint8Array, options: ParseOptions): Ruleset {
  const ruleset = new Ruleset(options.family);
  const parser = new FileParser(input, {
    family: options.family,
    file: options.file ?? NO_FILE,
    open(name, size) {
      ruleset.tables.delete(name);
      const table = ruleset.table(name);
      table.rows.reserve(Math.ceil(size * ROW_BYTES_A_BYTE));
      return new RulesetSink(table);
    },
  });
  parser.run();
  return ruleset;
}

/**
 * The edits that `iptables-restore --noflush` would make, in order. Throws a RulesetError at the first fault that shows
 * without the rules themselves; those of edits that cannot be carried out show when the batch is applied.
 */
export function parseBatch(input: string | Uint8Array, options: ParseBatchOptions): Batch {
  const tables: BatchSink[] = [];
  const parser = new FileParser(input, {
    family: options.family,
    file: options.file ?? NO_FILE,
    open(name) {
      const sink = new BatchSink(name, options.family, options.scope);
      tables.push(sink);
      return sink;
    },
  });
  parser.run();
  return { family: options.family, tables };
}
