/** A ruleset as iptables-save prints it, table by table, reprinted with a few chains changed. */
import type { TableName } from "../ruleset/ruleset.js";
import type { ChangedChains, SaveText } from "./save-text.js";

/** Chains that differ, by table. */
export type Difference = ReadonlyMap<TableName, ChangedChains>;

export const NO_DIFFERENCE: Difference = new Map();

export class SaveDocument {
  readonly rules: number;

  /** Tables in the order in which they are printed. */
  constructor(readonly tables: readonly SaveText[]) {
    this.rules = tables.reduce((sum, table) => sum + table.rules, 0);
  }

  table(name: TableName): SaveText | undefined {
    return this.tables.find(({ table }) => table === name);
  }

  print(difference: Difference = NO_DIFFERENCE): string {
    return this.tables.map((table) => table.print(difference.get(table.table))).join("");
  }

  /** A chain's lines with the difference in force; empty when it is not there. */
  chain(table: TableName, name: string, difference: Difference): string {
    const changed = difference.get(table);
    if (changed?.has(name)) return changed.get(name) ?? "";
    return this.table(table)?.chain(name) ?? "";
  }
}
