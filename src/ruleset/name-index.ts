/**
 * Numbers for names that are met as bytes: chains of a table, words of the language. A name keeps its number once it
 * has one; `value` says what the number stands for at the moment.
 *
 * Open addressing on the hash of the bytes, half empty at most. Names lie one behind the other in one buffer.
 */
import { hashBytes } from "./byte-hash.js";

export class NameIndex {
  count = 0;
  /** What name n stands for, ABSENT for nothing. */
  values = new Int32Array(64);
  private bytes = new Uint8Array(1 << 10);
  /** Name n is bytes `ends[n - 1]` to `ends[n]`. */
  private ends = new Int32Array(64);
  private hashes = new Int32Array(64);
  /** Number + 1, 0 empty. */
  private slots = new Int32Array(128);

  /** The number of the name, or -1 when it has none. */
  find(source: Uint8Array, view: DataView, start: number, end: number): number {
    const hash = hashBytes(view, start, end);
    const mask = this.slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = (this.slots[slot] as number) - 1;
      if (number < 0) return -1;
      if (this.hashes[number] === hash && this.isName(number, source, start, end)) return number;
    }
  }

  /** The number of the name, a new one with value ABSENT when it had none. */
  add(source: Uint8Array, view: DataView, start: number, end: number): number {
    const known = this.find(source, view, start, end);
    if (known >= 0) return known;
    if (2 * this.count === this.slots.length) this.grow();
    const number = this.count++;
    const from = number === 0 ? 0 : (this.ends[number - 1] as number);
    this.reserve(from + end - start);
    for (let i = start; i < end; i++) this.bytes[from + i - start] = source[i] as number;
    this.ends[number] = from + end - start;
    this.values[number] = ABSENT;
    this.insert(number, hashBytes(view, start, end));
    return number;
  }

  /** Adds a name given as text. */
  addText(text: string, value: number): number {
    const bytes = encoder.encode(text);
    const number = this.add(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
    this.values[number] = value;
    return number;
  }

  /** The number of a name given as text, or -1. */
  findText(text: string): number {
    const bytes = encoder.encode(text);
    return this.find(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
  }

  private insert(number: number, hash: number): void {
    this.hashes[number] = hash;
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = number + 1;
  }

  private isName(number: number, source: Uint8Array, start: number, end: number): boolean {
    const from = number === 0 ? 0 : (this.ends[number - 1] as number);
    if ((this.ends[number] as number) - from !== end - start) return false;
    for (let i = start; i < end; i++) if (this.bytes[from + i - start] !== source[i]) return false;
    return true;
  }

  private reserve(length: number): void {
    if (length <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, length));
    larger.set(this.bytes);
    this.bytes = larger;
  }

  private grow(): void {
    this.values = doubled(this.values);
    this.ends = doubled(this.ends);
    this.hashes = doubled(this.hashes);
    this.slots = new Int32Array(2 * this.slots.length);
    for (let number = 0; number < this.count; number++) this.insert(number, this.hashes[number] as number);
  }
}

/** Value of a name that stands for nothing: a chain that was never made or is deleted. */
export const ABSENT = -1;

const encoder = new TextEncoder();

function doubled(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}
