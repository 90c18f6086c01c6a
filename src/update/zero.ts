/** -Z of a batch: what its chains have counted so far is set to zero before its other edits (see zeroedChains). */
import { zeroedChains } from "../ruleset/apply.js";
import type { TableBatch } from "../ruleset/batch.js";
import type { Family } from "../ruleset/row-store.js";
import { stageName } from "./staging.js";
import type { Transaction } from "./transaction.js";

export function zeroCounters(transaction: Transaction, family: Family, part: TableBatch): void {
  if (!part.edits.some(({ op }) => op === "zero")) return;
  const table = transaction.address(family, part.table);
  if (table === 0) return;
  const { engine } = transaction;
  for (const name of zeroedChains(part)) {
    const head = engine.kernel.chainFind(table, stageName(engine, name)) >>> 0;
    if (head !== 0) engine.kernel.editZero(head);
  }
}
