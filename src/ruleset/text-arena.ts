/** Interned byte strings, stored as a blob's text section is: u16 length, bytes, zero-padded to 8. */
export class TextArena {
  bytes: Uint8Array = NONE;
  end = 0;
  /** Open addressing on the text's hash, two words a slot: offset + 1, 0 empty; the hash. Made when it is needed. */
  private slots: Uint32Array = new Uint32Array(0);
  private used = 0;
  /** Bytes of text that are in the slots. */
  private indexed = 0;

  /** The offset of `text`, added when it is new. At most 65,535 bytes. */
  intern(text: Uint8Array, start = 0, end = text.length): number {
    if (this.slots.length === 0 || this.indexed < this.end) this.index();
    const hash = hashOf(text, start, end);
    const mask = this.slots.length - 2;
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const found = this.slots[slot] as number;
      if (found === 0) {
        const offset = this.append(text, start, end);
        this.indexed = this.end;
        this.enter(slot, offset, hash);
        return offset;
      }
      if (this.slots[slot + 1] === hash && this.equals(found - 1, text, start, end)) return found - 1;
    }
  }

  /** The text at `offset`, without a copy. */
  bytesAt(offset: number): Uint8Array {
    const length = (this.bytes[offset] as number) | ((this.bytes[offset + 1] as number) << 8);
    return this.bytes.subarray(offset + 2, offset + 2 + length);
  }

  /** Enters the texts that were put here by copying them. */
  private index(): void {
    if (this.slots.length === 0) this.slots = new Uint32Array(512);
    while (this.indexed < this.end) {
      const offset = this.indexed;
      const length = (this.bytes[offset] as number) | ((this.bytes[offset + 1] as number) << 8);
      const hash = hashOf(this.bytes, offset + 2, offset + 2 + length);
      const mask = this.slots.length - 2;
      let slot = (hash << 1) & mask;
      while (this.slots[slot] !== 0) slot = (slot + 2) & mask;
      this.enter(slot, offset, hash);
      this.indexed += (2 + length + 7) & ~7;
    }
  }

  private enter(slot: number, offset: number, hash: number): void {
    this.slots[slot] = offset + 1;
    this.slots[slot + 1] = hash;
    if (++this.used * 4 > this.slots.length) this.rehash();
  }

  /** The text at `offset` as UTF-8. */
  stringAt(offset: number): string {
    const text = this.bytesAt(offset);
    for (let i = 0; i < text.length; i++) if ((text[i] as number) > 127) return decoder.decode(text);
    return String.fromCharCode.apply(null, text as unknown as number[]);
  }

  private append(text: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const size = (2 + length + 7) & ~7;
    if (this.end + size > this.bytes.length) {
      const larger = new Uint8Array(Math.max(1 << 10, this.bytes.length * 2, this.end + size));
      larger.set(this.bytes.subarray(0, this.end));
      this.bytes = larger;
    }
    const offset = this.end;
    this.bytes[offset] = length & 255;
    this.bytes[offset + 1] = length >>> 8;
    for (let i = 0; i < length; i++) this.bytes[offset + 2 + i] = text[start + i] as number;
    this.end += size;
    return offset;
  }

  private equals(offset: number, text: Uint8Array, start: number, end: number): boolean {
    const length = (this.bytes[offset] as number) | ((this.bytes[offset + 1] as number) << 8);
    if (length !== end - start) return false;
    for (let i = 0; i < length; i++) if (this.bytes[offset + 2 + i] !== text[start + i]) return false;
    return true;
  }

  private rehash(): void {
    const old = this.slots;
    this.slots = new Uint32Array(old.length * 2);
    const mask = this.slots.length - 2;
    for (let from = 0; from < old.length; from += 2) {
      if (old[from] === 0) continue;
      const hash = old[from + 1] as number;
      let slot = (hash << 1) & mask;
      while (this.slots[slot] !== 0) slot = (slot + 2) & mask;
      this.slots[slot] = old[from] as number;
      this.slots[slot + 1] = hash;
    }
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const NONE = new Uint8Array(0);

/** Four bytes at a time: texts are long and differ anywhere. */
function hashOf(text: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  let i = start;
  for (const last = end - 4; i <= last; i += 4) {
    const word =
      (text[i] as number) |
      ((text[i + 1] as number) << 8) |
      ((text[i + 2] as number) << 16) |
      ((text[i + 3] as number) << 24);
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ (text[i] as number), 0x01000193);
  return (hash ^ (hash >>> 13)) >>> 0;
}
