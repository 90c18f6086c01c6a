/** Rulesets into the text that iptables-save prints. */
import { ByteWriter } from "../extensions/byte-writer.js";
import { chainsInPrintOrder } from "./arrangement.js";
import { writeRule } from "./print-rule.js";
import type { Chain, Ruleset, Table } from "./ruleset.js";

export interface PrintOptions {
  /** `[packets:bytes]` in front of every rule, as iptables-save -c. */
  readonly counters?: boolean;
}

/** What iptables-save prints, without its comment lines. Tables come in the ruleset's order. */
export function printRuleset(ruleset: Ruleset, options: PrintOptions = {}): string {
  return writeRuleset(ruleset, options).toString();
}

/** The same as bytes, exact even where a comment is no UTF-8. */
export function printRulesetBytes(ruleset: Ruleset, options: PrintOptions = {}): Uint8Array<ArrayBuffer> {
  return writeRuleset(ruleset, options).take();
}

/** One table, from `*table` to COMMIT. */
export function printTable(table: Table, options: PrintOptions = {}): string {
  const out = new ByteWriter();
  writeTable(out, table, options.counters ?? false);
  return out.toString();
}

/** `-A CHAIN ...` of the rule with this ordinal in the table's store, without a newline. */
export function printRule(table: Table, chain: Chain, ordinal: number): string {
  const out = new ByteWriter();
  writeRule(out, table, chain.name, ordinal);
  return out.toString();
}

function writeRuleset(ruleset: Ruleset, options: PrintOptions): ByteWriter {
  const out = new ByteWriter();
  for (const table of ruleset.tables.values()) writeTable(out, table, options.counters ?? false);
  return out;
}

function writeTable(out: ByteWriter, table: Table, counters: boolean): void {
  const chains = chainsInPrintOrder(table);
  out.byte(42);
  out.text(table.name);
  out.byte(10);
  for (const chain of chains) {
    out.byte(58);
    out.unicode(chain.name);
    if (chain.hook < 0) out.text(" - [0:0]\n");
    else {
      out.text(` ${chain.policy} `);
      writeCounters(out, chain.policyCounters, 0);
      out.byte(10);
    }
  }
  for (const chain of chains)
    for (const ordinal of chain.rules) {
      if (counters) {
        writeCounters(out, table.rows.counters, 4 * ordinal);
        out.byte(32);
      }
      writeRule(out, table, chain.name, ordinal);
      out.byte(10);
    }
  out.text("COMMIT\n");
}

function writeCounters(out: ByteWriter, counters: Uint32Array, at: number): void {
  out.byte(91);
  out.wide(counters[at] as number, counters[at + 1] as number);
  out.byte(58);
  out.wide(counters[at + 2] as number, counters[at + 3] as number);
  out.byte(93);
}
