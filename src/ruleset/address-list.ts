/** What `-s` or `-d` gives: one address with its mask, or several with commas between them. */
import { DASH, SLASH } from "../extensions/argument.js";
import { Fault } from "../extensions/fault.js";
import { readIPv4, readIPv6, readLooseIPv4, writePrefixMask } from "../extensions/values/address.js";
import { wholeNumber } from "../extensions/values/number.js";

const COMMA = 44;

export class AddressList {
  count = 0;
  /** Eight words an entry: the address, cut by its mask, in the first four, the mask in the others. */
  words = new Uint32Array(8);
  private bytes = new Uint8Array(this.words.buffer);

  constructor(private readonly width: 4 | 16) {}

  /** The one entry that stands for every address. */
  setAny(): void {
    this.count = 1;
    for (let i = 0; i < 8; i++) this.words[i] = 0;
  }

  read(source: Uint8Array, start: number, end: number): void {
    this.count = 0;
    for (let from = start; ; ) {
      let to = from;
      let slash = -1;
      for (; to < end; to++) {
        const byte = source[to];
        if (byte === COMMA) break;
        if (byte === SLASH) slash = to;
      }
      while (from < to && source[from] === 32) from++;
      this.add(source, from, slash < 0 ? to : slash, to);
      if (to === end) return;
      from = to + 1;
    }
  }

  /** An address from `start` to `slash`, and behind the slash its mask to `end`. */
  private add(source: Uint8Array, start: number, slash: number, end: number): void {
    if (32 * this.count === this.bytes.length) this.grow();
    const { bytes, width } = this;
    const at = 32 * this.count++;
    bytes.fill(0, at, at + 32);
    const length = slash === end ? 8 * width : this.readMask(source, slash + 1, end, at + 16);
    if (length >= 0) writePrefixMask(length, width, bytes, at + 16);
    // A mask of nothing makes the address one of nothing, whatever is written there.
    if (length === 0) return;
    if (width === 4) {
      if (!readIPv4(source, start, slash, bytes, at) && !readLooseIPv4(source, start, slash, bytes, at, false))
        this.fail(source, start, slash);
    } else if (!readIPv6(source, start, slash, bytes, at)) this.fail(source, start, slash);
    for (let i = 0; i < width; i++) bytes[at + i] = (bytes[at + i] as number) & (bytes[at + 16 + i] as number);
  }

  /** A prefix length, which is returned, or a whole mask, which is written; then -1 is returned, 0 for one of zeros. */
  private readMask(source: Uint8Array, start: number, end: number, at: number): number {
    const { bytes, width } = this;
    const length = wholeNumber(source, start, end, 0, 8 * width);
    if (length >= 0) return length;
    const isMask =
      width === 4 ? readLooseIPv4(source, start, end, bytes, at, true) : readIPv6(source, start, end, bytes, at);
    if (!isMask) throw new Fault("bad-mask", start, end, `a prefix length from 0 to ${8 * width} or a mask`);
    for (let i = 0; i < width; i++) if (bytes[at + i] !== 0) return -1;
    return 0;
  }

  private fail(source: Uint8Array, start: number, end: number): never {
    let expected = this.width === 4 ? "an IPv4 address" : "an IPv6 address";
    if (end - start === 1 && source[start] === 33) expected += "; a ! goes in front of the option";
    else if (source[start] === DASH) expected += " behind the option";
    else if (isName(source, start, end)) expected += "; names of hosts are not looked up";
    throw new Fault("bad-address", start, end, expected);
  }

  private grow(): void {
    const larger = new Uint32Array(2 * this.words.length);
    larger.set(this.words);
    this.words = larger;
    this.bytes = new Uint8Array(larger.buffer);
  }
}

/** Whether there is a letter that no address has. */
function isName(source: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const letter = (source[i] as number) | 32;
    if (letter > 102 && letter <= 122 && letter !== 120) return true;
  }
  return false;
}
