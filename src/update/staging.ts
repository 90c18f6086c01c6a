/**
 * The writer's staging area: where a batch is laid out the way the engine takes it (blob/staged-batch.ts), and names
 * are put for looking up. A batch that is too large for it gets memory of its own for as long as it takes.
 *
 * +--------+-------+----------+----------+--------------+---------------+------+
 * | header | names | commands | counters | rows         | policies      | text |  names' texts
 * +--------+-------+----------+----------+--------------+---------------+------+
 */
import * as M from "../blob/memory.js";
import * as S from "../blob/staged-batch.js";
import { writePolicyRow } from "../blob/compile.js";
import type { Engine } from "../engine/engine.js";
import { EngineError } from "../engine/engine-error.js";
import type { Edit, TableBatch } from "../ruleset/batch.js";
import { rowHeadSize } from "../ruleset/row-store.js";

const COUNTERS_SIZE = 16;
/** Room for a policy row of either family. */
const POLICY_SIZE = 128;
/** UTF-8 takes up to three bytes for a unit of a string. */
const textSize = (name: string): number => (2 + 3 * name.length + 7) & ~7;

const KINDS: Readonly<Record<Edit["op"], number>> = {
  append: S.EDIT_APPEND,
  insert: S.EDIT_INSERT,
  replace: S.EDIT_REPLACE,
  delete: S.EDIT_DELETE,
  "delete-at": S.EDIT_DELETE_AT,
  check: S.EDIT_CHECK,
  "new-chain": S.EDIT_NEW_CHAIN,
  "declare-chain": S.EDIT_DECLARE_CHAIN,
  flush: S.EDIT_FLUSH,
  "delete-chain": S.EDIT_DELETE_CHAIN,
  "rename-chain": S.EDIT_RENAME_CHAIN,
  policy: S.EDIT_POLICY,
  zero: S.EDIT_ZERO,
};

const encoder = new TextEncoder();

/** Puts a name into the staging area; its address. */
export function stageName(engine: Engine, name: string): number {
  const at = scratch(engine, M.CONTROL_SCRATCH);
  writeText(engine.bytes(), at, name);
  return at;
}

/** Carries out a batch on the table at an address; the fault. */
export function carryOutStaged(engine: Engine, table: number, part: TableBatch): number {
  const names = new BatchNames(part);
  const policies = part.edits.reduce((count, { op }) => count + (op === "policy" ? 1 : 0), 0);
  const { rows } = part;
  const fixed = S.BATCH_SIZE + names.list.length * S.NAME_SIZE + part.edits.length * S.COMMAND_SIZE;
  const counters = (rows.count + policies) * COUNTERS_SIZE;
  const size = fixed + counters + rows.end + policies * POLICY_SIZE + rows.text.end + names.textSize + 16;
  const at = takeStaging(engine, size);
  layOut(engine, part, names, at);
  const fault = engine.kernel.editBatch(table, at);
  giveStaging(engine, at, size);
  return fault;
}

/** `size` bytes, until they are given back: the staging area, or memory of their own. */
function takeStaging(engine: Engine, size: number): number {
  const own = size > scratch(engine, M.CONTROL_SCRATCH_BYTES);
  const at = own ? engine.kernel.updateAllocate(size) >>> 0 : scratch(engine, M.CONTROL_SCRATCH);
  if (at === 0) throw new EngineError(M.FAULT_MEMORY);
  return at;
}

function giveStaging(engine: Engine, at: number, size: number): void {
  if (at !== scratch(engine, M.CONTROL_SCRATCH)) engine.kernel.updateFree(at, size);
}

/** The names of a batch, numbered: those of its rows' jumps first, then what else its edits name. */
class BatchNames {
  readonly list: string[];
  /** Bytes of their texts. */
  textSize = 0;
  private readonly numbers = new Map<string, number>();

  constructor(part: TableBatch) {
    this.list = part.chainNames.slice();
    for (let number = 0; number < this.list.length; number++) {
      const name = this.list[number] as string;
      this.textSize += textSize(name);
      if (!this.numbers.has(name)) this.numbers.set(name, number);
    }
    for (const edit of part.edits) {
      this.add(edit.chain);
      if (edit.op === "rename-chain") this.add(edit.to);
    }
  }

  /** The first number of a name. */
  number(name: string): number {
    return this.numbers.get(name) as number;
  }

  private add(name: string): void {
    if (this.numbers.has(name)) return;
    this.numbers.set(name, this.list.push(name) - 1);
    this.textSize += textSize(name);
  }
}

function layOut(engine: Engine, part: TableBatch, names: BatchNames, at: number): void {
  const { edits, rows } = part;
  const bytes = engine.bytes();
  const words = engine.words();
  const namesAt = at + S.BATCH_SIZE;
  const commandsAt = namesAt + names.list.length * S.NAME_SIZE;
  const countersAt = (commandsAt + edits.length * S.COMMAND_SIZE + 7) & ~7;
  let free = countersAt + rows.count * COUNTERS_SIZE;
  // Counters of rows that are being read end behind the last that is not zero.
  words.fill(0, countersAt >>> 2, free >>> 2);
  words.set(rows.counters.subarray(0, 4 * rows.count), countersAt >>> 2);
  const rowsAt = free;
  bytes.set(rows.bytes.subarray(0, rows.end), rowsAt);
  free += rows.end;
  let command = commandsAt >>> 2;
  for (const edit of edits) {
    words[command] = KINDS[edit.op];
    words[command + (S.COMMAND_CHAIN >> 2)] = names.number(edit.chain);
    if ("row" in edit) {
      words[command + (S.COMMAND_ROW >> 2)] = rows.offsets[edit.row] as number;
      words[command + (S.COMMAND_COUNTERS >> 2)] = countersAt + COUNTERS_SIZE * edit.row;
    }
    if ("position" in edit) words[command + (S.COMMAND_POSITION >> 2)] = edit.position;
    else if (edit.op === "rename-chain") words[command + (S.COMMAND_POSITION >> 2)] = names.number(edit.to);
    else if (edit.op === "policy") {
      words[command + (S.COMMAND_ROW >> 2)] = free - rowsAt;
      words[command + (S.COMMAND_COUNTERS >> 2)] = edit.counters ? free + POLICY_SIZE : 0;
      bytes.fill(0, free, free + POLICY_SIZE);
      writePolicyRow(engine.data(), free, rowHeadSize(rows.family), { policy: edit.policy, policyCounter: 0 });
      if (edit.counters) words.set(edit.counters, (free + POLICY_SIZE) >>> 2);
      free += POLICY_SIZE + COUNTERS_SIZE;
    }
    command += S.COMMAND_SIZE >> 2;
  }
  const textAt = free;
  bytes.set(rows.text.bytes.subarray(0, rows.text.end), textAt);
  free += rows.text.end;
  let entry = namesAt >>> 2;
  for (const name of names.list) {
    words.fill(0, entry, entry + (S.NAME_SIZE >> 2));
    words[entry] = free;
    words[entry + (S.NAME_FIRST >> 2)] = namesAt + names.number(name) * S.NAME_SIZE;
    entry += S.NAME_SIZE >> 2;
    free += writeText(bytes, free, name);
  }
  words[(at + S.BATCH_NAMES) >> 2] = namesAt;
  words[(at + S.BATCH_WANTED) >> 2] = namesAt;
  words[(at + S.BATCH_NAMES_END) >> 2] = namesAt + names.list.length * S.NAME_SIZE;
  words[(at + S.BATCH_ROWS) >> 2] = rowsAt;
  words[(at + S.BATCH_TEXT) >> 2] = textAt;
  words[(at + S.BATCH_COMMANDS) >> 2] = commandsAt;
  words[(at + S.BATCH_COMMAND_COUNT) >> 2] = edits.length;
}

/** Writes u16 length and bytes; how many bytes that takes. */
function writeText(bytes: Uint8Array, at: number, text: string): number {
  let { length } = text;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) {
      const encoded = encoder.encode(text);
      bytes.set(encoded, at + 2);
      length = encoded.length;
      break;
    }
    bytes[at + 2 + i] = code;
  }
  bytes[at] = length & 255;
  bytes[at + 1] = length >>> 8;
  return (2 + length + 7) & ~7;
}

function scratch(engine: Engine, field: number): number {
  return engine.words()[(M.CONTROL_ADDRESS + field) >> 2] as number;
}
