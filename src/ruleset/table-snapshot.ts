/** A table's chains as they are, to go back to when an edit of them fails. Rows stay: nothing names those added since. */
import type { Chain, Table } from "./ruleset.js";

export type TableSnapshot = readonly { readonly chain: Chain; readonly copy: Chain }[];

export function snapshotOf(table: Table): TableSnapshot {
  return [...table.chains.values()].map((chain) => ({
    chain,
    copy: { ...chain, rules: chain.rules.slice(), policyCounters: chain.policyCounters.slice() },
  }));
}

export function restoreTable(table: Table, snapshot: TableSnapshot): void {
  table.chains.clear();
  table.chainsById.fill(undefined);
  for (const { chain, copy } of snapshot) {
    Object.assign(chain, copy);
    table.chains.set(chain.name, chain);
    table.chainsById[chain.id] = chain;
  }
}
