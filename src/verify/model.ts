/** What the ruleset must be: batches carried out on rules as a user holds them, by nothing that the engine has part in. */
import { applyBatch } from "../ruleset/apply.js";
import { checkHooks, RowFault } from "../ruleset/check-hooks.js";
import { parseBatch } from "../ruleset/parse.js";
import type { Ruleset, TableName } from "../ruleset/ruleset.js";
import { RulesetError } from "../ruleset/ruleset-error.js";
import { restoreTable, snapshotOf } from "../ruleset/table-snapshot.js";
import type { ChainNames } from "./state.js";

/** Undefined when it is done, else the code of why not, and nothing has changed. */
export function changeModel(model: Ruleset, text: string): string | undefined {
  const before = [...model.tables].map(([name, table]) => ({ name, table, chains: snapshotOf(table) }));
  try {
    const batch = parseBatch(text, {
      family: model.family,
      scope: {
        hasChain: (table, chain) => model.tables.get(table)?.chains.has(chain) ?? false,
        chains: (table) => model.tables.get(table)?.chains.keys() ?? [],
      },
    });
    applyBatch(model, batch);
    for (const { table } of batch.tables) checkHooks(model.table(table));
    return undefined;
  } catch (error) {
    if (!(error instanceof RulesetError || error instanceof RowFault)) throw error;
    for (const name of model.tables.keys()) if (!before.some((one) => one.name === name)) model.tables.delete(name);
    for (const { table, chains } of before) restoreTable(table, chains);
    return error.code;
  }
}

/** Chains that a batch names as those it changes. */
export function namedChains(text: string): ChainNames {
  const names = new Map<TableName, Set<string>>();
  let chains = new Set<string>();
  for (const line of text.split("\n")) {
    if (line.startsWith("*")) {
      const table = line.slice(1) as TableName;
      chains = names.get(table) ?? new Set();
      names.set(table, chains);
    }
    const found = /^(?:\[\d+:\d+\] )?-[A-Z] (\S+)|^:(\S+)/.exec(line);
    const name = found?.[1] ?? found?.[2];
    if (name === undefined) continue;
    chains.add(name);
    const renamed = /^-E \S+ (\S+)/.exec(line)?.[1];
    if (renamed !== undefined) chains.add(renamed);
  }
  return names;
}
