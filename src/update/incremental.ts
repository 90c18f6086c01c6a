/**
 * incremental: only what the batch names is written, in place, and appears with the next generation.
 *
 * Problem. A service is 11 rules of 110,000; replacing the table to add it writes 110,000.
 * Idea. Rules carry the generations between which they are in force. New rows are written beside the old ones, removed ones
 *   are marked, and one store publishes all of it (nf_tables' generation mask, with numbers in place of bits).
 * Example. Generation 7 is in force. `-A SVC ...`, `-D OLD 1` writes a row born 8 and marks one died 8; a packet that took
 *   generation 7 skips the first and still sees the second; then generation 8 is stored.
 * Cost. One call to read a table's lines and one to carry its edits out, whatever their number. Bytes, chunks and index entries of the rules named;
 *   finding a rule by its text looks at rules of the same key only where the chain is indexed, as all long ones are, else at one
 *   column of its chain. Dead rows wait for a later update to be freed.
 * References. nf_tables_api.c (nft_set_is_active and friends), Open vSwitch's lib/versions.h.
 */
import * as L from "../blob/layout.js";
import * as M from "../blob/memory.js";
import { JUMP_CHAIN } from "../blob/payloads.js";
import * as R from "../blob/reading.js";
import type { Engine } from "../engine/engine.js";
import { EngineError } from "../engine/engine-error.js";
import { noSuchRule, refusal } from "../ruleset/apply.js";
import type { Batch, Edit, TableBatch } from "../ruleset/batch.js";
import { ReadingMemory } from "../ruleset/reading/reading-memory.js";
import { type Family, familyNumber } from "../ruleset/row-store.js";
import type { ErrorCode } from "../ruleset/ruleset-error.js";
import { PARSE, PLAN } from "./phases.js";
import { refusedRule, refusedWay } from "./refusal.js";
import { carryOutStaged, stageName } from "./staging.js";
import type { Transaction } from "./transaction.js";
import { zeroCounters } from "./zero.js";

/** What a fault says about the edit's chain, or for a renaming about the new name. */
const REFUSALS: Readonly<Record<number, ErrorCode>> = {
  [M.FAULT_CHAIN_MISSING]: "unknown-chain",
  [M.FAULT_CHAIN_EXISTS]: "chain-exists",
  [M.FAULT_CHAIN_REFERENCED]: "chain-in-use",
  [M.FAULT_CHAIN_NOT_EMPTY]: "chain-not-empty",
  [M.FAULT_CHAIN_BUILTIN]: "built-in-chain",
  [M.FAULT_POLICY]: "bad-policy",
};

export function applyIncrementally(transaction: Transaction, batch: Batch, file: string): void {
  const { engine } = transaction;
  for (const part of batch.tables) {
    let table = transaction.address(batch.family, part.table);
    if (table === 0) table = transaction.create(batch.family, part.table);
    zeroCounters(transaction, batch.family, part);
    const fault = carryOutStaged(engine, table, part) || engine.kernel.editVerify(table);
    if (fault !== M.FAULT_NONE) throw refused(engine, table, part, fault, file);
  }
}

/** A batch that was read as it stands cannot be carried out so: the parser has to read it, in an update of its own. */
export class NotAsItStands extends Error {
  override readonly name = "NotAsItStands";
}

/**
 * Carries out text whose lines all have known shapes, without the parser (see assembly/piece.ts). False when it has to be parsed,
 * and nothing has been done; NotAsItStands when that shows later. Errors of the batch's are left to the parser's way.
 */
export function applyAsItStands(transaction: Transaction, text: string | Uint8Array, family: Family): boolean {
  const { engine, clock } = transaction;
  const { kernel } = engine;
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  let edited = false;
  for (let from = 0, to = 0; from < bytes.length; from = to) {
    to = pieceEnd(bytes, from);
    if (to === from) return unread(edited);
    engine.bytes().set(to - from === bytes.length ? bytes : bytes.subarray(from, to), R.READING_TEXT);
    let read = from === 0 ? kernel.pieceFirst(familyNumber(family), to) : kernel.pieceNext(to - from);
    while (read !== R.PIECE_DONE) {
      if (read === R.PIECE_UNKNOWN) {
        if (!ReadingMemory.teach(engine.bytes(), engine.words())) return unread(edited);
        read = kernel.pieceRead();
        continue;
      }
      clock.end(PARSE);
      edited = true;
      if (kernel.pieceEdit() !== M.FAULT_NONE) throw new NotAsItStands();
      clock.end(PLAN);
      if (read === R.PIECE_LAST) break;
      read = kernel.pieceRead();
    }
  }
  return bytes.length === 0 || engine.words()[R.READING_TABLE >> 2] === 0 || unread(edited);
}

/** Where the piece of a batch that begins at `from` ends, behind a line or with the text; `from` where a line is too long. */
function pieceEnd(bytes: Uint8Array, from: number): number {
  const most = from + R.PIECE_TEXT_BYTES;
  if (most >= bytes.length) return bytes.length;
  return Math.max(from, bytes.lastIndexOf(NEWLINE, most - 1) + 1);
}

function unread(edited: boolean): false {
  if (edited) throw new NotAsItStands();
  return false;
}

const NEWLINE = 10;

/** The error for the edit that the engine could not do, in the words of the ruleset. */
function refused(engine: Engine, table: number, part: TableBatch, fault: number, file: string): Error {
  const edit = part.edits[engine.kernel.failedEdit.value as number];
  if (!edit) return refusedWay(engine, fault, file);
  if (fault === M.FAULT_POSITION) return noSuchRule(file, edit, lastPosition(engine, table, edit));
  if (fault === M.FAULT_RULE_MISSING)
    return refusal(file, edit, "no-such-rule", edit.chain, "a rule that is in the chain");
  const code = REFUSALS[fault];
  if (code)
    return refusal(
      file,
      edit,
      code,
      edit.op === "rename-chain" && fault !== M.FAULT_CHAIN_MISSING ? edit.to : edit.chain,
    );
  if (!("row" in edit)) return new EngineError(fault);
  if (fault === M.FAULT_CALLEE_MISSING) return refusal(file, edit, "unknown-chain", calleeOf(part, edit.row));
  return refusedRule(engine, fault, part, edit.row, edit, file);
}

function lastPosition(engine: Engine, table: number, edit: Edit): number {
  const head = engine.kernel.chainFind(table, stageName(engine, edit.chain)) >>> 0;
  return engine.data().getUint32(head + L.CHAIN_LIVE_ROWS, true) + (edit.op === "insert" ? 1 : 0);
}

function calleeOf({ rows, chainNames }: TableBatch, row: number): string {
  const at = rows.offsets[row] as number;
  const target = at + rows.view.getUint16(at + L.ROW_TARGET, true);
  return chainNames[rows.view.getUint32(target + JUMP_CHAIN, true)] ?? "";
}
