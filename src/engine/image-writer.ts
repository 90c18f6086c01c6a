/** Bytes of an image that grows while it is written, and that will lie at a known address. */
import ipaddr from "ipaddr.js";

export class ImageWriter {
  private readonly base: number;
  private data = new Uint8Array(4096);
  private view = new DataView(this.data.buffer);
  end = 0;

  constructor(base: number, header: number) {
    this.base = base;
    this.reserve(header);
  }

  /** Zeroed room for `bytes`, aligned to 8; its offset. */
  reserve(bytes: number): number {
    const at = this.end;
    this.end = (at + bytes + 7) & ~7;
    if (this.end > this.data.length) {
      const larger = new Uint8Array(Math.max(this.end, 2 * this.data.length));
      larger.set(this.data);
      this.data = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }

  /** Where offset `at` will lie. */
  address(at: number): number {
    return this.base + at;
  }

  u8(at: number, value: number): void {
    this.data[at] = value;
  }

  u16(at: number, value: number): void {
    this.view.setUint16(at, value, true);
  }

  u32(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }

  copy(at: number, bytes: ArrayLike<number>): void {
    this.data.set(bytes, at);
  }

  /** A name of an interface, 16 bytes with a zero at the end. */
  name(at: number, name: string): void {
    const bytes = new TextEncoder().encode(name);
    if (bytes.length > 15) throw new RangeError(`an interface of at most 15 bytes, not ${JSON.stringify(name)}`);
    this.data.set(bytes, at);
  }

  /** The address, and 16 bytes behind it the mask of the first `length` bits. */
  prefix(at: number, address: string, length: number): void {
    const bytes = ipaddr.parse(address).toByteArray();
    for (const [i, byte] of bytes.entries()) {
      const bits = Math.min(8, Math.max(0, length - 8 * i));
      const mask = (0xff00 >> bits) & 255;
      this.data[at + i] = byte & mask;
      this.data[at + 16 + i] = mask;
    }
  }

  bytes(): Uint8Array {
    return this.data.subarray(0, this.end);
  }
}
