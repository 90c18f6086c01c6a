/**
 * One table while its text is read: rows, texts and chains in the reading memory, where both the parser and the lines
 * that shapes know put them. Afterwards the rows are copied out, or used where they are until the memory is given back.
 */
import { BLOB_HEADER_SIZE } from "../../blob/layout.js";
import { VERDICT_SIZE } from "../../blob/payloads.js";
import * as R from "../../blob/reading.js";
import type { ChainNames } from "../chain-names.js";
import { type Family, RowStore, rowHeadSize } from "../row-store.js";
import type { ChainColumns, TableName } from "../ruleset.js";
import { TextArena } from "../text-arena.js";
import { openTable } from "./open-table.js";
import type { ReadingMemory, Resident, TableViews } from "./reading-memory.js";
import { CHAINS, OFFSETS, ROWS, TEXTS } from "./regions.js";

export class TableReading implements ChainNames, ChainColumns, Resident {
  readonly rows: LentRows;
  /** What its names stand for. */
  readonly chains: ChainNames = this;
  sorted = true;
  placed = false;
  count = 0;
  /** Text reference by chain, and chain by row. */
  names: Uint32Array = NONE;
  owners: Uint32Array = NONE;
  /** Bytes of other tables in front of this one's, in the region of chains, of rows' numbers, of texts and of rows. */
  private readonly chainsFrom: number;
  private readonly columnsFrom: number;
  private readonly textsFrom: number;
  private readonly rowsFrom: number;

  /** Opens a table behind those that lie in `memory`. `names`: R.NAMES_*. */
  constructor(
    readonly memory: ReadingMemory,
    family: Family,
    table: TableName,
    names: number,
  ) {
    const advance = (address: number, bytes: number): void =>
      memory.setControl(address, memory.control(address) + bytes);
    advance(R.READING_CHAINS, 4 * memory.control(R.READING_CHAIN_COUNT));
    advance(R.READING_OFFSETS, 4 * memory.control(R.READING_ROW_COUNT));
    advance(R.READING_OWNERS, 4 * memory.control(R.READING_ROW_COUNT));
    advance(R.READING_TEXTS, memory.control(R.READING_TEXTS_END));
    advance(R.READING_ROWS, memory.control(R.READING_ROWS_END));
    const from = (address: number, region: number): number =>
      memory.control(address) - (memory.starts[region] as number);
    this.chainsFrom = from(R.READING_CHAINS, CHAINS);
    this.columnsFrom = from(R.READING_OFFSETS, OFFSETS);
    this.textsFrom = from(R.READING_TEXTS, TEXTS);
    this.rowsFrom = from(R.READING_ROWS, ROWS);
    openTable(memory, family, table, names);
    this.rows = new LentRows(family, this);
    this.relocate();
    this.refresh();
    memory.admit(this);
  }

  find(_bytes: Uint8Array, _view: DataView, start: number, end: number): number {
    const slot = this.memory.kernel.textFind(start, end) >>> 0;
    return (slot === 0 ? R.NAME_UNKNOWN : this.memory.control(slot + R.TEXT_VALUE)) - R.NAME_FIRST_CHAIN;
  }

  set(_bytes: Uint8Array, _view: DataView, start: number, end: number, value: number): void {
    const { memory } = this;
    const slot = this.slotOf(start, end);
    const before = memory.control(slot + R.TEXT_VALUE) - R.NAME_FIRST_CHAIN;
    memory.setControl(slot + R.TEXT_VALUE, value + R.NAME_FIRST_CHAIN);
    if (value >= 0) this.setName(value, memory.control(slot + R.TEXT_REFERENCE) - 1);
    // A chain without a name has that of no argument.
    if (before >= 0 && before !== value) this.setName(before, this.intern(start, start));
  }

  findText(text: string): number {
    return this.find(this.memory.bytes, this.memory.view, R.READING_VALUES, this.memory.stage(text));
  }

  setText(text: string, value: number): void {
    this.set(this.memory.bytes, this.memory.view, R.READING_VALUES, this.memory.stage(text), value);
  }

  /** The reference of a text of the memory. */
  intern(start: number, end: number): number {
    return this.memory.control(this.slotOf(start, end) + R.TEXT_REFERENCE) - 1;
  }

  /** A new chain of this name; its number. */
  addChain(start: number, end: number): number {
    const { memory } = this;
    const number = memory.control(R.READING_CHAIN_COUNT);
    // Made by the parser, so nobody compared the names.
    if (number > memory.control(R.READING_BUILTINS)) memory.setControl(R.READING_SORTED, 0);
    this.set(memory.bytes, memory.view, start, end, number);
    return number;
  }

  /** Reads lines from the one at `at`, of number `line`; why it stopped (see R.STOPPED_*). */
  readLines(at: number, line: number): number {
    const { memory, rows } = this;
    const { words } = memory;
    words[R.READING_AT >> 2] = at;
    words[R.READING_LINE >> 2] = line - 1;
    words[R.READING_ROW_COUNT >> 2] = rows.count;
    words[R.READING_ROWS_END >> 2] = rows.end;
    const reason = memory.kernel.readLines();
    memory.linesRead += (words[R.READING_LINE >> 2] as number) - line + 1;
    this.refresh();
    return reason;
  }

  /** Takes over what was counted in the control block. */
  refresh(): void {
    const { words } = this.memory;
    this.rows.count = words[R.READING_ROW_COUNT >> 2] as number;
    this.rows.end = words[R.READING_ROWS_END >> 2] as number;
    this.count = words[R.READING_CHAIN_COUNT >> 2] as number;
    this.rows.text.end = words[R.READING_TEXTS_END >> 2] as number;
    this.sorted = words[R.READING_SORTED >> 2] === 1;
  }

  /** Lets rows be laid out as in a blob, behind room for its header, while they come in the order of their chains. */
  place(): void {
    const { memory, rows } = this;
    memory.setControl(R.READING_PLACING, 1);
    memory.setControl(R.READING_PLACED, 0);
    memory.setControl(R.READING_POLICY_SIZE, rowHeadSize(rows.family) + VERDICT_SIZE);
    memory.setControl(R.READING_ROWS_END, BLOB_HEADER_SIZE);
    this.refresh();
  }

  /** The newest row, which the parser has written, is the next of `chain`. */
  append(chain: number, row: number): void {
    this.owners[row] = chain;
    const { memory, rows } = this;
    if (memory.control(R.READING_PLACING) === 0 || chain + 1 === memory.control(R.READING_PLACED)) return;
    const bytes = rows.row(row).slice();
    memory.setControl(R.READING_ROW_COUNT, row);
    memory.setControl(R.READING_ROWS_END, rows.offsets[row] as number);
    while (!memory.kernel.placeChain(chain, bytes.length)) memory.grow(R.STOPPED_ROWS);
    rows.offsets[row] = rows.end = memory.control(R.READING_ROWS_END);
    rows.bytes.set(bytes, rows.end);
    rows.end += bytes.length;
  }

  /** The table's text has ended. */
  finish(): void {
    const { memory } = this;
    this.save(0);
    while (!memory.kernel.placeRest()) memory.grow(R.STOPPED_ROWS);
    this.refresh();
    this.placed = memory.control(R.READING_PLACING) === 1;
  }

  relocate(): void {
    const { memory } = this;
    const views = memory.views(this.chainsFrom, this.columnsFrom, this.textsFrom, this.rowsFrom);
    this.names = views.names;
    this.owners = views.owners;
    this.rows.text.bytes = views.texts;
    this.rows.lend(views);
  }

  /** Chains and their rules, copied out of the memory. */
  copy(): ChainColumns {
    return {
      count: this.count,
      sorted: this.sorted,
      placed: this.placed,
      names: new Uint32Array(this.names.subarray(0, this.count)),
      owners: new Uint32Array(this.owners.subarray(0, this.rows.count)),
    };
  }

  /** Lets the control block know of the rows that the parser wrote, and of `bytes` of one that it is writing. */
  save(bytes: number): void {
    this.memory.setControl(R.READING_ROW_COUNT, this.rows.count);
    this.memory.setControl(R.READING_ROWS_END, this.rows.end + bytes);
  }

  private setName(chain: number, reference: number): void {
    const { memory } = this;
    if (chain >= memory.control(R.READING_CHAINS_MOST)) memory.grow(R.STOPPED_CHAINS);
    this.names[chain] = reference;
    if (chain < memory.control(R.READING_CHAIN_COUNT)) return;
    memory.setControl(R.READING_CHAIN_COUNT, chain + 1);
    this.count = chain + 1;
  }

  private slotOf(start: number, end: number): number {
    const { memory } = this;
    for (;;) {
      const slot = memory.kernel.textIntern(start, end) >>> 0;
      if (slot !== 0) {
        this.rows.text.end = memory.control(R.READING_TEXTS_END);
        return slot;
      }
      memory.grow(memory.kernel.textRefusal.value as number);
    }
  }
}

/** Rows of a table that is being read. They can be read and appended to; `own` makes them independent. */
export class LentRows extends RowStore {
  constructor(
    family: Family,
    private lender: TableReading | undefined,
  ) {
    super(family, 0, new LentTexts(lender));
  }

  /** Lets the rows lie in memory that is the reading's. */
  lend({ rows, rowWords, rowView, offsets }: TableViews): void {
    this.bytes = rows;
    this.words = rowWords;
    this.view = rowView;
    this.offsets = offsets;
  }

  /** Copies everything out of the reading memory. */
  own(): void {
    if (!this.lender) return;
    this.lender = undefined;
    (this.text as LentTexts).own();
    this.bytes = new Uint8Array(this.bytes.subarray(0, this.end));
    const { buffer } = this.bytes;
    this.words = new Uint32Array(buffer, 0, buffer.byteLength >>> 2);
    this.view = new DataView(buffer);
    this.offsets = new Uint32Array(this.offsets.subarray(0, this.count));
    const counters = new Uint32Array(4 * this.count);
    counters.set(this.counters.subarray(0, counters.length));
    this.counters = counters;
  }

  override reserve(size: number): number {
    const at = super.reserve(size);
    // Other texts were read here before.
    if (this.lender) this.bytes.fill(0, at, at + size);
    return at;
  }

  override setCounters(ordinal: number, from: Uint32Array, at = 0): void {
    if (4 * ordinal + 4 > this.counters.length) {
      if (!(from[at] || from[at + 1] || from[at + 2] || from[at + 3])) return;
      const larger = new Uint32Array(Math.max(8 * ordinal, 256));
      larger.set(this.counters);
      this.counters = larger;
    }
    super.setCounters(ordinal, from, at);
  }

  protected override growColumns(size: number): void {
    if (!this.lender) super.growColumns(size);
    else {
      this.lender.save(size);
      this.lender.memory.grow(R.STOPPED_COLUMNS);
    }
  }

  protected override grow(needed: number): void {
    if (!this.lender) super.grow(needed);
    else {
      this.lender.save(0);
      this.lender.memory.enlarge(ROWS, (this.lender.memory.sizes[ROWS] as number) + needed);
    }
  }
}

class LentTexts extends TextArena {
  constructor(private lender: TableReading | undefined) {
    super();
  }

  own(): void {
    this.lender = undefined;
    this.bytes = new Uint8Array(this.bytes.subarray(0, this.end));
  }

  override intern(text: Uint8Array, start = 0, end = text.length): number {
    const { lender } = this;
    if (!lender) return super.intern(text, start, end);
    // Bytes from elsewhere are put where the reading memory has room for them.
    return text.buffer === lender.memory.bytes.buffer
      ? lender.intern(text.byteOffset + start, text.byteOffset + end)
      : lender.intern(R.READING_VALUES, lender.memory.stageBytes(text.subarray(start, end)));
  }
}

const NONE = new Uint32Array(0);
