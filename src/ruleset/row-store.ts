/**
 * The user side's rules: portable rows (see blob/layout.ts) one after another in one growing buffer, named by ordinal.
 *
 * A rule has one representation everywhere, its row, so parsing writes it, printing reads it, comparing two rules
 * compares bytes, and compiling copies runs of them. Two fields mean something else than in a blob: a jump holds the
 * chain's number in its table, and a comment's text reference counts from this store's own text arena.
 */
import {
  RECORD_BYTES,
  RECORD_TYPE,
  ROW_FLAG_INPUT,
  ROW_FLAG_OUTPUT,
  ROW_FLAGS,
  ROW_INVERT,
  ROW_IPV4_SIZE,
  ROW_IPV6_SIZE,
  ROW_PROTOCOL,
  ROW_SOURCE,
  ROW_TARGET,
  FAMILY_IPV4,
  FAMILY_IPV6,
  INTERFACE_SIZE,
} from "../blob/layout.js";
import { COMMENT_TEXT, JUMP_CHAIN, MATCH_COMMENT, TARGET_JUMP } from "../blob/payloads.js";
import { TextArena } from "./text-arena.js";

export type Family = "ipv4" | "ipv6";

/** The bytes in front of the optional interfaces: addresses of the family's width included. */
export function rowHeadSize(family: Family): number {
  return family === "ipv4" ? ROW_IPV4_SIZE : ROW_IPV6_SIZE;
}

export class RowStore {
  readonly family: Family;
  readonly text: TextArena;
  /** Rows appended so far; ordinals run from 0. */
  count = 0;
  bytes: Uint8Array;
  words: Uint32Array;
  view: DataView;
  /** Byte offset of row n, a multiple of 8. */
  offsets: Uint32Array = NONE;
  /** Four words a row: packets low, high; bytes low, high. */
  counters: Uint32Array = NONE;
  /** First free byte. */
  end = 0;

  constructor(family: Family, capacity = 1 << 14, text = new TextArena()) {
    this.family = family;
    this.text = text;
    const buffer = capacity === 0 ? EMPTY.buffer : new ArrayBuffer(capacity);
    this.bytes = capacity === 0 ? EMPTY : new Uint8Array(buffer);
    this.words = capacity === 0 ? NONE : new Uint32Array(buffer);
    this.view = capacity === 0 ? NO_VIEW : new DataView(buffer);
  }

  /** Makes room for `size` more bytes behind `end` and returns their offset. The bytes are zero. */
  reserve(size: number): number {
    if (this.end + size > this.bytes.length) this.grow(this.end + size);
    return this.end;
  }

  /** Closes the row that was written at `end`: its ROW_NEXT bytes become row `count`. Returns its ordinal. */
  commit(size: number): number {
    const ordinal = this.count++;
    if (ordinal === this.offsets.length) this.growColumns(size);
    this.offsets[ordinal] = this.end;
    this.end += size;
    return ordinal;
  }

  /** Bytes of row `ordinal`. */
  size(ordinal: number): number {
    const at = this.offsets[ordinal] as number;
    return this.view.getUint16(at, true);
  }

  /** A copy-free view of row `ordinal`. */
  row(ordinal: number): Uint8Array {
    const at = this.offsets[ordinal] as number;
    return this.bytes.subarray(at, at + this.view.getUint16(at, true));
  }

  /** Copies a row of another store; `chainOf` gives the new number of a chain that the row jumps to. */
  copy(from: RowStore, ordinal: number, chainOf: (chain: number) => number): number {
    const source = from.row(ordinal);
    const at = this.reserve(source.length);
    this.bytes.set(source, at);
    const target = at + this.view.getUint16(at + ROW_TARGET, true);
    if (this.view.getUint16(target + RECORD_TYPE, true) === TARGET_JUMP)
      this.view.setUint32(target + JUMP_CHAIN, chainOf(this.view.getUint32(target + JUMP_CHAIN, true)), true);
    if (from !== this)
      for (
        let match = at + this.matchesOffset(at);
        match < target;
        match += this.view.getUint16(match + RECORD_BYTES, true)
      )
        if (this.view.getUint16(match + RECORD_TYPE, true) === MATCH_COMMENT) {
          const text = from.text.bytesAt(this.view.getUint32(match + COMMENT_TEXT, true));
          this.view.setUint32(match + COMMENT_TEXT, this.text.intern(text), true);
        }
    const copied = this.commit(source.length);
    this.setCounters(copied, from.counters, ordinal * 4);
    return copied;
  }

  /** Where the first match record of the row at byte `at` starts, from the row's start. */
  matchesOffset(at: number): number {
    const flags = this.bytes[at + ROW_FLAGS] as number;
    let offset = rowHeadSize(this.family);
    if (flags & ROW_FLAG_INPUT) offset += 2 * INTERFACE_SIZE;
    if (flags & ROW_FLAG_OUTPUT) offset += 2 * INTERFACE_SIZE;
    return offset;
  }

  /** Sets what a row has counted: four words of `from`, from word `at` on. */
  setCounters(ordinal: number, from: Uint32Array, at = 0): void {
    for (let i = 0; i < 4; i++) this.counters[4 * ordinal + i] = from[at + i] as number;
  }

  /** Makes room for the numbers of more rows; the newest row's `size` bytes lie at `end` already. */
  protected growColumns(_size: number): void {
    this.offsets = enlarge(this.offsets, 64);
    this.counters = enlarge(this.counters, 256);
  }

  protected grow(needed: number): void {
    const buffer = new ArrayBuffer(Math.max(needed, this.bytes.length * 2));
    const bytes = new Uint8Array(buffer);
    bytes.set(this.bytes.subarray(0, this.end));
    this.bytes = bytes;
    this.words = new Uint32Array(buffer, 0, buffer.byteLength >>> 2);
    this.view = new DataView(buffer);
  }
}

/** The bytes of a row that say what the rule is, apart from where it stands and what it has counted. */
export function sameContent(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = ROW_PROTOCOL; i <= ROW_INVERT; i++) if (a[i] !== b[i]) return false;
  for (let i = ROW_SOURCE; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const NONE = new Uint32Array(0);
const EMPTY = new Uint8Array(0);
const NO_VIEW = new DataView(EMPTY.buffer);

/** A copy twice as long, `least` at least. */
export function enlarge(words: Uint32Array, least: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(least, words.length * 2));
  larger.set(words);
  return larger;
}

export const familyNumber = (family: Family): number => (family === "ipv4" ? FAMILY_IPV4 : FAMILY_IPV6);
