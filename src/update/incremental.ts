/**
 * incremental: only what the batch names is written, in place, and appears with the next generation.
 *
 * Problem. A service is 11 rules of 110,000; replacing the table to add it writes 110,000.
 * Idea. Rules carry the generations between which they are in force. New rows are written beside the old ones, removed ones
 *   are marked, and one store publishes all of it (nf_tables' generation mask, with numbers in place of bits).
 * Example. Generation 7 is in force. `-A SVC ...`, `-D OLD 1` writes a row born 8 and marks one died 8; a packet that took
 *   generation 7 skips the first and still sees the second; then generation 8 is stored.
 * Cost. Bytes, chunks and index entries of the rules named; finding a rule by its text looks at rules of the same key only
 *   where the chain is indexed, else at one column of its chain. Dead rows wait for a later update to be freed.
 * References. nf_tables_api.c (nft_set_is_active and friends), Open vSwitch's lib/versions.h.
 */
import * as L from "../blob/layout.js";
import * as M from "../blob/memory.js";
import { EngineError } from "../engine/engine-error.js";
import type { Kernel } from "../engine/kernel.js";
import { noSuchRule, refusal } from "../ruleset/apply.js";
import type { Batch, Edit, TableBatch } from "../ruleset/batch.js";
import type { ErrorCode } from "../ruleset/ruleset-error.js";
import { refusedRule, refusedWay } from "./refusal.js";
import { Staging } from "./staging.js";
import type { Transaction } from "./transaction.js";
import { zeroCounters } from "./zero.js";

const REFUSALS: Readonly<Record<number, ErrorCode>> = {
  [M.FAULT_CHAIN_EXISTS]: "chain-exists",
  [M.FAULT_CHAIN_REFERENCED]: "chain-in-use",
  [M.FAULT_CHAIN_NOT_EMPTY]: "chain-not-empty",
  [M.FAULT_CHAIN_BUILTIN]: "built-in-chain",
};

export function applyIncrementally(transaction: Transaction, batch: Batch, file: string): void {
  const staging = new Staging(transaction.engine);
  for (const part of batch.tables) {
    let table = transaction.address(batch.family, part.table);
    if (table === 0) table = transaction.create(batch.family, part.table);
    const editor = new TableEditor(transaction, staging, table, part, file);
    zeroCounters(transaction, batch.family, part);
    for (const edit of part.edits) editor.apply(edit);
    const fault = transaction.engine.kernel.verifyTable(table);
    if (fault !== M.FAULT_NONE) throw refusedWay(transaction.engine, fault, file);
  }
}

class TableEditor {
  private readonly kernel: Kernel;
  /** Heads that were looked up, until a chain's name changes hands. */
  private heads = new Map<string, number>();

  constructor(
    private readonly transaction: Transaction,
    private readonly staging: Staging,
    private readonly table: number,
    private readonly part: TableBatch,
    private readonly file: string,
  ) {
    this.kernel = transaction.engine.kernel;
  }

  apply(edit: Edit): void {
    const { kernel } = this;
    if (edit.op === "new-chain" || edit.op === "declare-chain") {
      const there = this.find(edit.chain);
      if (there === 0) this.check(edit, kernel.editNewChain(this.table, this.staging.name(edit.chain)), edit.chain);
      else if (edit.op === "declare-chain") this.check(edit, kernel.editFlush(there), edit.chain);
      else throw refusal(this.file, edit, "chain-exists", edit.chain);
      this.heads.delete(edit.chain);
      return;
    }
    const head = this.find(edit.chain);
    if (head === 0) throw refusal(this.file, edit, "unknown-chain", edit.chain);
    const rules = this.view().getUint32(head + L.CHAIN_LIVE_ROWS, true);
    switch (edit.op) {
      case "append":
        this.insert(edit, head, rules, edit.row);
        break;
      case "insert":
        if (edit.position > rules + 1) throw noSuchRule(this.file, edit, rules + 1);
        this.insert(edit, head, edit.position - 1, edit.row);
        break;
      case "replace":
        if (edit.position > rules) throw noSuchRule(this.file, edit, rules);
        this.insert(edit, head, edit.position - 1, edit.row);
        this.check(edit, kernel.editDeleteAt(head, edit.position), edit.chain);
        break;
      case "delete":
        if (!kernel.rowDelete(this.findRule(edit, head, edit.row))) throw new EngineError(M.FAULT_MEMORY);
        break;
      case "delete-at":
        if (edit.position > rules) throw noSuchRule(this.file, edit, rules);
        this.check(edit, kernel.editDeleteAt(head, edit.position - 1), edit.chain);
        break;
      case "check":
        this.findRule(edit, head, edit.row);
        break;
      case "flush":
        this.check(edit, kernel.editFlush(head), edit.chain);
        break;
      case "delete-chain":
        this.check(edit, kernel.editDeleteChain(head), edit.chain);
        this.heads.delete(edit.chain);
        break;
      case "rename-chain":
        this.check(edit, kernel.editRenameChain(head, this.staging.name(edit.to)), edit.to);
        this.heads.delete(edit.chain);
        this.heads.delete(edit.to);
        break;
      case "policy": {
        if (this.view().getUint8(head + L.CHAIN_HOOK) === L.CHAIN_USER)
          throw refusal(this.file, edit, "bad-policy", edit.chain);
        const staged = this.staging.policy(edit.policy, this.part.rows, head);
        if (!kernel.policyReplace(head, staged, 0)) throw new EngineError(M.FAULT_MEMORY);
        if (edit.counters) kernel.editSetCounter(head, rules, this.staging.counters(edit.counters));
        break;
      }
      case "zero":
      // Done before all other edits: see zeroedChains.
    }
  }

  private insert(edit: Edit, head: number, position: number, row: number): void {
    const staged = this.stage(edit, head, row);
    const fault = this.kernel.validateStaged(staged, this.view().getUint32(this.table + L.BLOB_ADDRESS_BYTES, true));
    if (fault !== M.FAULT_NONE) throw refusedRule(fault, this.part, row, edit, this.file);
    this.check(
      edit,
      this.kernel.editInsert(head, position, staged, this.staging.counters(this.part.rows.counters, 4 * row)),
      edit.chain,
    );
  }

  private findRule(edit: Edit, head: number, row: number): number {
    const found = this.kernel.rowFind(head, this.stage(edit, head, row)) >>> 0;
    if (found === 0) throw refusal(this.file, edit, "no-such-rule", edit.chain, "a rule that is in the chain");
    return found;
  }

  private stage(edit: Edit, head: number, row: number): number {
    return this.staging.rule(this.part.rows, row, this.table, head, (number) => {
      const name = this.part.chainNames[number] as string;
      const callee = this.find(name);
      if (callee === 0) throw refusal(this.file, edit, "unknown-chain", name);
      return callee;
    });
  }

  private find(name: string): number {
    let head = this.heads.get(name);
    if (head === undefined) {
      head = this.kernel.chainFind(this.table, this.staging.name(name)) >>> 0;
      if (head !== 0) this.heads.set(name, head);
    }
    return head;
  }

  private check(edit: Edit, fault: number, found: string): void {
    if (fault === M.FAULT_NONE) return;
    const code = REFUSALS[fault];
    throw code ? refusal(this.file, edit, code, found) : new EngineError(fault);
  }

  private view(): DataView {
    return this.transaction.engine.data();
  }
}
