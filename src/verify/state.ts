/** A ruleset as text to compare, counters included: whole tables, or some of their chains. */
import { ByteWriter } from "../extensions/byte-writer.js";
import { printTable } from "../ruleset/print.js";
import { writeRule } from "../ruleset/print-rule.js";
import { type Ruleset, TABLE_NAMES, type Table, type TableName } from "../ruleset/ruleset.js";

/** Names of chains by table. */
export type ChainNames = ReadonlyMap<TableName, ReadonlySet<string>>;

/** All tables, in one order. */
export function wholeText(ruleset: Ruleset): string {
  return TABLE_NAMES.map((name) => {
    const table = ruleset.tables.get(name);
    return table ? printTable(table, { counters: true }) : "";
  }).join("");
}

/** The chains of these names, those that are not there included. */
export function chainsText(table: Table | undefined, name: TableName, chains: ReadonlySet<string>): string {
  const out = new ByteWriter();
  out.text(`*${name}\n`);
  for (const chainName of [...chains].sort()) {
    const chain = table?.chains.get(chainName);
    out.unicode(`:${chainName} ${chain ? `${chain.hook < 0 ? "-" : chain.policy} ${chain.policyCounters}` : "none"}\n`);
    for (const ordinal of chain?.rules ?? []) {
      writeRule(out, table as Table, chainName, ordinal, true);
      out.text("\n");
    }
  }
  return out.toString();
}

/** The same of all tables that are named. */
export function modelChains(model: Ruleset, names: ChainNames): string {
  return [...names].map(([table, chains]) => chainsText(model.tables.get(table), table, chains)).join("");
}

/** Counters of `from` into `to`, which has the same chains and rules. */
export function copyCounters(from: Ruleset, to: Ruleset): void {
  for (const [name, table] of to.tables) {
    const source = from.tables.get(name);
    if (!source) continue;
    for (const chain of table.chains.values()) {
      const other = source.chains.get(chain.name);
      if (!other) continue;
      if (chain.hook >= 0) chain.policyCounters.set(other.policyCounters);
      for (const [at, ordinal] of chain.rules.entries()) {
        const there = 4 * (other.rules[at] as number);
        table.rows.counters.set(source.rows.counters.subarray(there, there + 4), 4 * ordinal);
      }
    }
  }
}
