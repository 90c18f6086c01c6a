/** A table's chains and rules as numbers: what passes over the whole of a table walk, however the table keeps them. */
import type { Chain, ChainColumns, Table } from "./ruleset.js";

export interface Arrangement {
  /** Numbers of the chains in the order in which they print: built-in ones by hook, then the user's by their names' bytes. */
  readonly order: Uint32Array;
  /** Chain n has rules `starts[n]` to `starts[n + 1]`, each an ordinal in the table's store. */
  readonly starts: Uint32Array;
  readonly rules: Uint32Array;
}

export function arrange(table: Table): Arrangement {
  const { columns } = table;
  return columns ? arrangeColumns(table, columns) : arrangeChains(table);
}

/** The chains in the order in which they print. */
export function chainsInPrintOrder(table: Table): Chain[] {
  const chains = [...table.chains.values()];
  const builtIn = chains.filter((chain) => chain.hook >= 0).sort((a, b) => a.hook - b.hook);
  const users = chains.filter((chain) => chain.hook < 0);
  const plain = !users.some(({ name }) => SURROGATE.test(name));
  users.sort(
    plain ? (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) : (a, b) => compareBytes(a.name, b.name),
  );
  return [...builtIn, ...users];
}

function arrangeColumns(table: Table, columns: ChainColumns): Arrangement {
  const { count, owners, names, sorted } = columns;
  const rows = table.rows.count;
  const builtIn = table.builtIn.length;
  const order = new Uint32Array(count);
  // Built-in chains are numbered in the order of their hooks.
  for (let id = 0; id < count; id++) order[id] = id;
  if (!sorted) sortByName(order.subarray(builtIn), table, names);
  const starts = new Uint32Array(count + 1);
  for (let row = 0; row < rows; row++) {
    const after = (owners[row] as number) + 1;
    starts[after] = (starts[after] as number) + 1;
  }
  for (let id = 0; id < count; id++) starts[id + 1] = (starts[id + 1] as number) + (starts[id] as number);
  const next = starts.slice();
  const rules = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    const owner = owners[row] as number;
    const place = next[owner] as number;
    rules[place] = row;
    next[owner] = place + 1;
  }
  return { order, starts, rules };
}

function arrangeChains(table: Table): Arrangement {
  const { chainsById } = table;
  const starts = new Uint32Array(chainsById.length + 1);
  for (let id = 0; id < chainsById.length; id++)
    starts[id + 1] = (starts[id] as number) + (chainsById[id]?.rules.length ?? 0);
  const rules = new Uint32Array(starts[chainsById.length] as number);
  let place = 0;
  for (const chain of chainsById) for (const rule of chain?.rules ?? NO_RULES) rules[place++] = rule;
  return { order: Uint32Array.from(chainsInPrintOrder(table), ({ id }) => id), starts, rules };
}

function sortByName(ids: Uint32Array, table: Table, names: Uint32Array): void {
  const { text } = table.rows;
  // A character a byte, so that comparing text compares bytes.
  const keys = new Map<number, string>();
  for (const id of ids) keys.set(id, Buffer.from(text.bytesAt(names[id] as number)).toString("latin1"));
  ids.set(
    [...ids].sort((a, b) => {
      const first = keys.get(a) as string;
      const second = keys.get(b) as string;
      return first < second ? -1 : first > second ? 1 : 0;
    }),
  );
}

/** Order of UTF-8 bytes, which is that of code points: it differs from that of UTF-16 where surrogates occur. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const NO_RULES: readonly number[] = [];
const SURROGATE = /[\ud800-\udfff]/;
