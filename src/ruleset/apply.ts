/**
 * A batch carried out on a ruleset, edit by edit, as `iptables-restore --noflush` leaves it. An edit that cannot be done
 * throws a RulesetError with its line, and the ruleset stays as it was.
 */
import type { Batch, Edit, TableBatch } from "./batch.js";
import { sameContent } from "./row-store.js";
import type { Chain, Ruleset, Table } from "./ruleset.js";
import { type ErrorCode, RulesetError } from "./ruleset-error.js";
import { jumpedTo } from "./references.js";
import { restoreTable, snapshotOf } from "./table-snapshot.js";

/** `file` names the batch in error messages. */
export function applyBatch(ruleset: Ruleset, batch: Batch, file = "batch"): void {
  const before = batch.tables.map(({ table }) => {
    const there = ruleset.tables.get(table);
    return { name: table, there, chains: there && snapshotOf(there) };
  });
  try {
    for (const part of batch.tables) {
      const table = ruleset.table(part.table);
      for (const name of zeroedChains(part)) zeroChain(table, name);
      for (const edit of part.edits) applyEdit(table, part, edit, file);
    }
  } catch (error) {
    for (const { name, there, chains } of before)
      if (there && chains) restoreTable(there, chains);
      else ruleset.tables.delete(name);
    throw error;
  }
}

/** One edit on one table, without undoing: the table may be left half changed when it throws. */
export function applyEdit(table: Table, part: TableBatch, edit: Edit, file: string): void {
  if (edit.op === "new-chain" || edit.op === "declare-chain") {
    const there = table.chains.get(edit.chain);
    if (!there) table.addChain(edit.chain);
    else if (edit.op === "declare-chain") there.rules = [];
    else throw refusal(file, edit, "chain-exists", edit.chain);
    return;
  }
  const chain = table.chains.get(edit.chain);
  if (!chain) throw refusal(file, edit, "unknown-chain", edit.chain);
  const { rules } = chain;
  const adopt = (row: number) =>
    table.rows.copy(part.rows, row, (number) => {
      const name = part.chainNames[number] as string;
      const callee = table.chains.get(name);
      if (!callee) throw refusal(file, edit, "unknown-chain", name);
      return callee.id;
    });
  switch (edit.op) {
    case "append":
      rules.push(adopt(edit.row));
      break;
    case "insert":
      if (edit.position > rules.length + 1) throw noSuchRule(file, edit, rules.length + 1);
      rules.splice(edit.position - 1, 0, adopt(edit.row));
      break;
    case "replace":
      if (edit.position > rules.length) throw noSuchRule(file, edit, rules.length);
      rules[edit.position - 1] = adopt(edit.row);
      break;
    case "delete":
      rules.splice(findRule(table, chain, adopt(edit.row), file, edit), 1);
      break;
    case "delete-at":
      if (edit.position > rules.length) throw noSuchRule(file, edit, rules.length);
      rules.splice(edit.position - 1, 1);
      break;
    case "check":
      findRule(table, chain, adopt(edit.row), file, edit);
      break;
    case "flush":
      chain.rules = [];
      break;
    case "delete-chain":
      if (chain.hook >= 0) throw refusal(file, edit, "built-in-chain", chain.name);
      if (jumpedTo(table).has(chain.id)) throw refusal(file, edit, "chain-in-use", chain.name);
      if (rules.length > 0) throw refusal(file, edit, "chain-not-empty", chain.name);
      table.removeChain(chain);
      break;
    case "rename-chain":
      if (chain.hook >= 0) throw refusal(file, edit, "built-in-chain", chain.name);
      if (table.chains.has(edit.to)) throw refusal(file, edit, "chain-exists", edit.to);
      table.chains.delete(chain.name);
      chain.name = edit.to;
      table.chains.set(edit.to, chain);
      break;
    case "policy":
      if (chain.hook < 0) throw refusal(file, edit, "bad-policy", chain.name);
      chain.policy = edit.policy;
      chain.policyCounter = 0;
      chain.policyCounters = edit.counters?.slice() ?? new Uint32Array(4);
      break;
    case "zero":
    // Done before all other edits: see zeroedChains.
  }
}

/**
 * The chains that a batch sets to zero, by the names they have before it. Zeroing reaches what was counted before the batch,
 * not the counters that the batch itself brings, wherever in it -Z stands (libiptc's counter maps).
 */
export function zeroedChains(part: TableBatch): string[] {
  const before = new Map<string, string | undefined>();
  const zeroed: string[] = [];
  for (const edit of part.edits) {
    const name = before.has(edit.chain) ? before.get(edit.chain) : edit.chain;
    if (edit.op === "zero" && name !== undefined) zeroed.push(name);
    else if (edit.op === "new-chain" || edit.op === "delete-chain") before.set(edit.chain, undefined);
    else if (edit.op === "rename-chain") {
      before.set(edit.to, name);
      before.set(edit.chain, undefined);
    }
  }
  return zeroed;
}

function zeroChain(table: Table, name: string): void {
  const chain = table.chains.get(name);
  if (!chain) return;
  for (const row of chain.rules) table.rows.counters.fill(0, 4 * row, 4 * row + 4);
  chain.policyCounters.fill(0);
}

/** An edit that cannot be carried out. */
export function refusal(file: string, edit: Edit, code: ErrorCode, found: string, expected?: string): RulesetError {
  return new RulesetError({
    code,
    file,
    line: edit.line,
    column: 0,
    found,
    ...(expected === undefined ? {} : { expected }),
  });
}

export function noSuchRule(file: string, edit: Edit, last: number): RulesetError {
  const wanted = "position" in edit ? `${edit.chain} ${edit.position}` : edit.chain;
  return refusal(
    file,
    edit,
    "no-such-rule",
    wanted,
    last === 0 ? "a chain that has rules" : `a number from 1 to ${last}`,
  );
}

function findRule(table: Table, chain: Chain, row: number, file: string, edit: Edit): number {
  const wanted = table.rows.row(row);
  const place = chain.rules.findIndex((rule) => sameContent(table.rows.row(rule), wanted));
  if (place < 0) throw refusal(file, edit, "no-such-rule", chain.name, "a rule that is in the chain");
  return place;
}
