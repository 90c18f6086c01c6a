/**
 * The edits between two states of some tables: what an incremental writer does when it is told the whole. Chain by chain,
 * the rules that are the same at both ends stay; those between are taken out and put in.
 */
import { ROW_KIND, ROW_PROTOCOL, ROW_SOURCE } from "../blob/layout.js";
import type { Batch, Edit, TableBatch } from "../ruleset/batch.js";
import { RowStore } from "../ruleset/row-store.js";
import { type Chain, Ruleset, type Table } from "../ruleset/ruleset.js";

/** Edits that lead from `before` to `after` for every table of `after`. */
export function differenceBatch(before: Ruleset, after: Ruleset): Batch {
  const tables: TableBatch[] = [];
  for (const wanted of after.tables.values())
    tables.push(
      tableDifference(before.tables.get(wanted.name) ?? new Ruleset(after.family).table(wanted.name), wanted),
    );
  return { family: after.family, tables };
}

function tableDifference(old: Table, wanted: Table): TableBatch {
  const rows = new RowStore(wanted.rows.family);
  const chainNames: string[] = [];
  for (const chain of wanted.chainsById) chainNames.push(chain?.name ?? "");
  const edits: Edit[] = [];
  const removed = [...old.chains.values()].filter((chain) => !wanted.chains.has(chain.name));
  for (const chain of wanted.chains.values())
    if (!old.chains.has(chain.name)) edits.push({ line: 0, chain: chain.name, op: "new-chain" });
  const adopt = (row: number) => rows.copy(wanted.rows, row, (chain) => chain);
  // A scratch store in which rows of both tables can be compared as bytes.
  const common = new RowStore(wanted.rows.family);
  const numbers = new Map<string, number>();
  const number = (name: string) => {
    if (!numbers.has(name)) numbers.set(name, numbers.size);
    return numbers.get(name) as number;
  };
  const key = (table: Table, row: number) => {
    const copy = common.row(common.copy(table.rows, row, (chain) => number(table.chainsById[chain]?.name ?? "")));
    return contentKey(copy);
  };
  for (const chain of wanted.chains.values()) {
    const from = old.chains.get(chain.name);
    if (chain.hook >= 0 && from && from.policy !== chain.policy)
      edits.push({ line: 0, chain: chain.name, op: "policy", policy: chain.policy });
    diffChain(
      chain,
      (from?.rules ?? []).map((row) => key(old, row)),
      chain.rules.map((row) => key(wanted, row)),
      edits,
      adopt,
    );
  }
  for (const chain of removed) edits.push({ line: 0, chain: chain.name, op: "flush" });
  for (const chain of removed) edits.push({ line: 0, chain: chain.name, op: "delete-chain" });
  return { table: wanted.name, rows, chainNames, edits };
}

function diffChain(chain: Chain, old: string[], wanted: string[], edits: Edit[], adopt: (row: number) => number): void {
  let first = 0;
  while (first < old.length && first < wanted.length && old[first] === wanted[first]) first++;
  let oldEnd = old.length;
  let end = wanted.length;
  while (oldEnd > first && end > first && old[oldEnd - 1] === wanted[end - 1]) {
    oldEnd--;
    end--;
  }
  const name = chain.name;
  // Greedy in order: an old rule that occurs further on in the new list stays.
  let position = first + 1;
  let next = first;
  for (let i = first; i < oldEnd; i++) {
    const at = wanted.indexOf(old[i] as string, next);
    if (at < 0 || at >= end) {
      edits.push({ line: 0, chain: name, op: "delete-at", position });
      continue;
    }
    for (; next < at; next++, position++)
      edits.push({ line: 0, chain: name, op: "insert", position, row: adopt(chain.rules[next] as number) });
    next++;
    position++;
  }
  for (; next < end; next++, position++)
    edits.push({ line: 0, chain: name, op: "insert", position, row: adopt(chain.rules[next] as number) });
}

/** What a rule says, as a string of its bytes. */
function contentKey(row: Uint8Array): string {
  return `${Buffer.from(row.subarray(ROW_PROTOCOL, ROW_KIND)).toString("latin1")}${Buffer.from(row.subarray(ROW_SOURCE)).toString("latin1")}`;
}
