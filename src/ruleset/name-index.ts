/**
 * Numbers for names that are met as bytes: words of the language. A name keeps its number once it
 * has one; its value says what it stands for at the moment.
 *
 * Open addressing on the hash of the bytes, half empty at most. Names lie one behind the other in one buffer. Lines
 * about one chain follow each other, so the name that was found last is tried first, from its end: names often begin
 * alike.
 */
import { hashBytes } from "./byte-hash.js";
import { ABSENT } from "./chain-names.js";

/** A name's record: four words in one cache line. */
const HASH = 0;
const START = 1;
const END = 2;
const VALUE = 3;
const RECORD_WORDS = 4;

export class NameIndex {
  count = 0;
  private records = new Int32Array(64 * RECORD_WORDS);
  private bytes = new Uint8Array(1 << 10);
  private end = 0;
  /** Number + 1, 0 empty. */
  private slots = new Int32Array(128);
  private last = -1;

  /** What a name stands for, ABSENT for nothing. */
  value(number: number): number {
    return this.records[number * RECORD_WORDS + VALUE] as number;
  }

  setValue(number: number, value: number): void {
    this.records[number * RECORD_WORDS + VALUE] = value;
  }

  /** The number of the name, or -1 when it has none. */
  find(source: Uint8Array, view: DataView, start: number, end: number): number {
    if (this.last >= 0 && this.isName(this.last, source, start, end)) return this.last;
    return this.findHashed(source, start, end, hashBytes(view, start, end));
  }

  /** The number of the name, a new one with value ABSENT when it had none. */
  add(source: Uint8Array, view: DataView, start: number, end: number): number {
    const hash = hashBytes(view, start, end);
    const known = this.findHashed(source, start, end, hash);
    if (known >= 0) return known;
    if (2 * this.count === this.slots.length) this.grow();
    const number = this.count++;
    const record = number * RECORD_WORDS;
    this.reserve(end - start);
    this.records[record + HASH] = hash;
    this.records[record + START] = this.end;
    for (let i = start; i < end; i++) this.bytes[this.end++] = source[i] as number;
    this.records[record + END] = this.end;
    this.records[record + VALUE] = ABSENT;
    this.insert(number, hash);
    return number;
  }

  /** Adds a name given as text. */
  addText(text: string, value: number): number {
    const bytes = encoder.encode(text);
    const number = this.add(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
    this.setValue(number, value);
    return number;
  }

  /** The number of a name given as text, or -1. */
  findText(text: string): number {
    const bytes = encoder.encode(text);
    return this.find(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
  }

  private findHashed(source: Uint8Array, start: number, end: number, hash: number): number {
    const { slots, records } = this;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = (slots[slot] as number) - 1;
      if (number < 0) return -1;
      if (records[number * RECORD_WORDS + HASH] === hash && this.isName(number, source, start, end)) {
        this.last = number;
        return number;
      }
    }
  }

  private insert(number: number, hash: number): void {
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = number + 1;
  }

  private isName(number: number, source: Uint8Array, start: number, end: number): boolean {
    const { bytes } = this;
    const from = this.records[number * RECORD_WORDS + START] as number;
    const length = (this.records[number * RECORD_WORDS + END] as number) - from;
    if (length !== end - start) return false;
    for (let i = length - 1; i >= 0; i--) if (bytes[from + i] !== source[start + i]) return false;
    return true;
  }

  private reserve(size: number): void {
    if (this.end + size <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.end + size));
    larger.set(this.bytes);
    this.bytes = larger;
  }

  private grow(): void {
    const records = new Int32Array(2 * this.records.length);
    records.set(this.records);
    this.records = records;
    this.slots = new Int32Array(2 * this.slots.length);
    for (let number = 0; number < this.count; number++)
      this.insert(number, records[number * RECORD_WORDS + HASH] as number);
  }
}

const encoder = new TextEncoder();
