/** Interned byte strings, stored as a blob's text section is: u16 length, bytes, zero-padded to 8. */
export class TextArena {
  bytes = new Uint8Array(1 << 10);
  end = 0;
  /** Open addressing on the text's hash: offset + 1, 0 empty. */
  private slots = new Uint32Array(256);
  private used = 0;

  /** The offset of `text`, added when it is new. At most 65,535 bytes. */
  intern(text: Uint8Array, start = 0, end = text.length): number {
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (text[i] as number), 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = this.slots[slot] as number;
      if (found === 0) {
        const offset = this.append(text, start, end);
        this.slots[slot] = offset + 1;
        if (++this.used * 2 > this.slots.length) this.rehash();
        return offset;
      }
      if (this.equals(found - 1, text, start, end)) return found - 1;
    }
  }

  /** The text at `offset`, without a copy. */
  bytesAt(offset: number): Uint8Array {
    const length = (this.bytes[offset] as number) | ((this.bytes[offset + 1] as number) << 8);
    return this.bytes.subarray(offset + 2, offset + 2 + length);
  }

  private append(text: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const size = (2 + length + 7) & ~7;
    if (this.end + size > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.end + size));
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
    const mask = this.slots.length - 1;
    for (const entry of old) {
      if (entry === 0) continue;
      let hash = 0x811c9dc5;
      for (const byte of this.bytesAt(entry - 1)) hash = Math.imul(hash ^ byte, 0x01000193);
      hash ^= hash >>> 15;
      let slot = hash & mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = entry;
    }
  }
}
