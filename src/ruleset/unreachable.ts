import type { Chain, Table } from "./ruleset.js";
import { jumpsOf } from "./references.js";

/** Chains that no hook leads to, though they have rules. Programs keep empty ones, to see whether someone flushed all. */
export function unreachableChains(table: Table): Chain[] {
  const reached = new Set<Chain>();
  const waiting = [...table.chains.values()].filter(({ hook }) => hook >= 0);
  for (let chain = waiting.pop(); chain; chain = waiting.pop()) {
    if (reached.has(chain)) continue;
    reached.add(chain);
    for (const callee of jumpsOf(table, chain)) {
      const next = table.chainsById[callee];
      if (next) waiting.push(next);
    }
  }
  return [...table.chains.values()].filter((chain) => !reached.has(chain) && chain.rules.length > 0);
}
