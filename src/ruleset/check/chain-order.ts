/** An order of a table's chains in which every chain comes behind those that jump to it. */
import { jumpsOf } from "../references.js";
import type { Chain, Table } from "../ruleset.js";

export interface ChainOrder {
  readonly order: readonly Chain[];
  /** Chains that a hook leads to and that lead back to themselves, or are behind such: they have no place in an order. */
  readonly looping: ReadonlySet<Chain>;
}

export function callersFirst(table: Table): ChainOrder {
  const callees = new Map<Chain, Chain[]>();
  const callers = new Map<Chain, number>();
  for (const chain of table.chains.values()) {
    const found = [...new Set(jumpsOf(table, chain))].flatMap((id) => table.chainsById[id] ?? []);
    callees.set(chain, found);
    for (const callee of found) callers.set(callee, (callers.get(callee) ?? 0) + 1);
  }
  const order = [...table.chains.values()].filter((chain) => !callers.has(chain));
  for (const chain of order)
    for (const callee of callees.get(chain) ?? []) {
      const left = (callers.get(callee) as number) - 1;
      callers.set(callee, left);
      if (left === 0) order.push(callee);
    }
  if (order.length === table.chains.size) return { order, looping: new Set() };
  const ordered = new Set(order);
  const rest = [...table.chains.values()].filter((chain) => !ordered.has(chain));
  const reached = reachedFromHooks(table, callees);
  return { order: [...order, ...rest], looping: new Set(rest.filter((chain) => reached.has(chain))) };
}

function reachedFromHooks(table: Table, callees: ReadonlyMap<Chain, readonly Chain[]>): Set<Chain> {
  const reached = new Set([...table.chains.values()].filter(({ hook }) => hook >= 0));
  for (const chain of reached) for (const callee of callees.get(chain) ?? []) reached.add(callee);
  return reached;
}
