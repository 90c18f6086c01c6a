/** A table as it is, to go back to when an edit fails. Rows stay: nothing names those added since. */
import type { Chain, Table } from "./ruleset.js";

export interface TableSnapshot {
  readonly chains: readonly { readonly chain: Chain; readonly copy: Chain }[];
  /** Of all rows, as -Z sets them to zero in place. */
  readonly counters: Uint32Array;
}

export function snapshotOf(table: Table): TableSnapshot {
  const chains = [...table.chains.values()].map((chain) => ({
    chain,
    copy: { ...chain, rules: chain.rules.slice(), policyCounters: chain.policyCounters.slice() },
  }));
  return { chains, counters: table.rows.counters.slice(0, 4 * table.rows.count) };
}

export function restoreTable(table: Table, { chains, counters }: TableSnapshot): void {
  table.chains.clear();
  table.chainsById.fill(undefined);
  for (const { chain, copy } of chains) {
    Object.assign(chain, copy);
    table.chains.set(chain.name, chain);
    table.chainsById[chain.id] = chain;
  }
  table.rows.counters.set(counters);
}
