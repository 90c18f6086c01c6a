/**
 * The rule of the line that is being parsed: the fixed part in fields, the records of its matches and its target in one
 * scratch buffer, in the order in which they were named. When the line is done its row is written, once for every pair
 * of source and destination.
 */
import {
  INTERFACE_SIZE,
  RECORD_BYTES,
  RECORD_ROW,
  RECORD_TYPE,
  ROW_FLAG_INPUT,
  ROW_FLAG_OUTPUT,
  ROW_FLAGS,
  ROW_FORBIDDEN,
  ROW_INVERT,
  ROW_KIND,
  ROW_LINE,
  ROW_NEXT,
  ROW_PROTOCOL,
  ROW_SOURCE,
  ROW_TARGET,
} from "../blob/layout.js";
import { JUMP_CHAIN, JUMP_SIZE, NONE_SIZE, TARGET_JUMP, TARGET_NONE } from "../blob/payloads.js";
import type { RuleRecords } from "../extensions/argument.js";
import { ALL_HOOKS, type RecordMemory } from "../extensions/extension.js";
import { Fault } from "../extensions/fault.js";
import { AddressList } from "./address-list.js";
import type { Loadable } from "./extension-index.js";
import { type Family, type RowStore, rowHeadSize } from "./row-store.js";

/** A row's length is 16 bits. */
const LONGEST_ROW = 65_528;
const NO_CHAIN = -1;

export class RowDraft implements RecordMemory, RuleRecords {
  readonly width: 4 | 16;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  private readonly words: Uint32Array;
  private readonly headSize: number;

  flags = 0;
  invert = 0;
  protocol = 0;
  readonly sources: AddressList;
  readonly destinations: AddressList;
  /** Input name and mask, output name and mask. */
  readonly interfaces = new Uint8Array(4 * INTERFACE_SIZE);
  /** Packets low, high, bytes low, high. */
  readonly counters = new Uint32Array(4);

  /** Extensions of the line: record at byte `offsets[n]`, options met, the token that named it, final bytes. */
  count = 0;
  readonly extensions: Loadable[] = [];
  readonly offsets = new Int32Array(256);
  readonly seen = new Int32Array(256);
  readonly tokens = new Int32Array(256);
  readonly sizes = new Int32Array(256);
  /** Which of them is the target, or -1; then `chain` is the chain that is jumped to, or -1. */
  target = -1;
  chain = NO_CHAIN;
  /** First free byte of the scratch. */
  private end = 0;

  constructor(family: Family) {
    this.width = family === "ipv4" ? 4 : 16;
    this.headSize = rowHeadSize(family);
    this.sources = new AddressList(this.width);
    this.destinations = new AddressList(this.width);
    const buffer = new ArrayBuffer(2 * LONGEST_ROW);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.words = new Uint32Array(buffer);
  }

  clear(): void {
    this.flags = 0;
    this.invert = 0;
    this.protocol = 0;
    this.sources.setAny();
    this.destinations.setAny();
    this.count = 0;
    this.target = -1;
    this.chain = NO_CHAIN;
    this.end = 0;
  }

  /** Begins the record of an extension; returns its number in the line. */
  load(extension: Loadable, token: number): number {
    const { template } = extension;
    const number = this.count++;
    const at = this.end;
    if (at + 4 * template.length > LONGEST_ROW) throw new Fault("rule-too-big", -1, -1, `at most ${LONGEST_ROW} bytes`);
    const word = at >>> 2;
    for (let i = 0; i < template.length; i++) this.words[word + i] = template[i] as number;
    this.end = at + 4 * template.length;
    this.extensions[number] = extension;
    this.offsets[number] = at;
    this.seen[number] = 0;
    this.tokens[number] = token;
    return number;
  }

  recordsOf(type: number): readonly number[] {
    const found: number[] = [];
    for (let n = 0; n < this.count; n++)
      if (n !== this.target && this.extensions[n]?.type === type) found.push(this.offsets[n] as number);
    return found;
  }

  /** Appends the rule to `rows`, from one of its sources to one of its destinations. Returns its ordinal. */
  write(rows: RowStore, source: number, destination: number, line: number): number {
    let size = this.headSize;
    if (this.flags & ROW_FLAG_INPUT) size += 2 * INTERFACE_SIZE;
    if (this.flags & ROW_FLAG_OUTPUT) size += 2 * INTERFACE_SIZE;
    for (let n = 0; n < this.count; n++) size += this.sizes[n] as number;
    if (this.target < 0) size += this.chain === NO_CHAIN ? NONE_SIZE : JUMP_SIZE;
    if (size > LONGEST_ROW) throw new Fault("rule-too-big", -1, -1, `at most ${LONGEST_ROW} bytes`);
    const at = rows.reserve(size);
    const { bytes, view, words } = rows;
    view.setUint16(at + ROW_NEXT, size, true);
    view.setUint32(at + ROW_LINE, line, true);
    bytes[at + ROW_PROTOCOL] = this.protocol;
    bytes[at + ROW_FLAGS] = this.flags;
    bytes[at + ROW_INVERT] = this.invert;
    bytes[at + ROW_KIND] = RECORD_ROW;
    bytes[at + ROW_FORBIDDEN] = this.forbidden();
    const addressWords = this.width >>> 2;
    let word = (at + ROW_SOURCE) >>> 2;
    word = copyAddress(this.sources, source, words, word, addressWords);
    copyAddress(this.destinations, destination, words, word, addressWords);
    let to = at + this.headSize;
    if (this.flags & ROW_FLAG_INPUT) to = this.copyInterface(0, bytes, to);
    if (this.flags & ROW_FLAG_OUTPUT) to = this.copyInterface(2 * INTERFACE_SIZE, bytes, to);
    for (let n = 0; n < this.count; n++) if (n !== this.target) to = this.copyRecord(n, words, to);
    view.setUint16(at + ROW_TARGET, to - at, true);
    if (this.target >= 0) this.copyRecord(this.target, words, to);
    else if (this.chain === NO_CHAIN) {
      view.setUint16(to + RECORD_BYTES, NONE_SIZE, true);
      view.setUint16(to + RECORD_TYPE, TARGET_NONE, true);
    } else {
      view.setUint16(to + RECORD_BYTES, JUMP_SIZE, true);
      view.setUint16(to + RECORD_TYPE, TARGET_JUMP, true);
      view.setUint32(to + JUMP_CHAIN, this.chain, true);
    }
    return rows.commit(size);
  }

  /** Offset of record `number` in the row that was written last; of -1, that of a jump. */
  placeOf(number: number): number {
    let at = this.headSize;
    if (this.flags & ROW_FLAG_INPUT) at += 2 * INTERFACE_SIZE;
    if (this.flags & ROW_FLAG_OUTPUT) at += 2 * INTERFACE_SIZE;
    const isLast = number === this.target;
    for (let n = 0; n < this.count && (isLast || n !== number); n++)
      if (n !== this.target) at += this.sizes[n] as number;
    return at;
  }

  /** No input interface lies in front of the output one. */
  get outputFirst(): boolean {
    return !(this.flags & ROW_FLAG_INPUT);
  }

  /** Bit n: an extension does not work in hook n. */
  private forbidden(): number {
    let allowed = ALL_HOOKS;
    for (let n = 0; n < this.count; n++) {
      const { hooks } = this.extensions[n] as Loadable;
      if (hooks !== undefined) allowed &= hooks(this, this.offsets[n] as number);
    }
    return ALL_HOOKS & ~allowed;
  }

  private copyInterface(from: number, bytes: Uint8Array, to: number): number {
    for (let i = 0; i < 2 * INTERFACE_SIZE; i++) bytes[to + i] = this.interfaces[from + i] as number;
    return to + 2 * INTERFACE_SIZE;
  }

  private copyRecord(number: number, words: Uint32Array, to: number): number {
    const size = this.sizes[number] as number;
    const from = (this.offsets[number] as number) >>> 2;
    const word = to >>> 2;
    for (let i = 0; i < size >>> 2; i++) words[word + i] = this.words[from + i] as number;
    // A record that finished shorter than its template says so.
    words[word] = ((words[word] as number) & 0xffff0000) | size;
    return to + size;
  }
}

/** Address, then mask. Returns the word behind them. */
function copyAddress(list: AddressList, entry: number, words: Uint32Array, to: number, count: number): number {
  for (let i = 0; i < count; i++) {
    words[to + i] = list.words[8 * entry + i] as number;
    words[to + count + i] = list.words[8 * entry + 4 + i] as number;
  }
  return to + 2 * count;
}
