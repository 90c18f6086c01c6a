/**
 * An option's argument as its parser sees it: a run of bytes with the values that iptables reads from such runs. One
 * object serves a whole parse, so nothing of it may be kept.
 */
import type { ErrorCode } from "./error-code.js";
import type { Extension } from "./extension.js";
import { Fault } from "./fault.js";
import { nearest } from "./nearest.js";
import { prefixLength, readAddress, writePrefixMask } from "./values/address.js";
import { numberEnd, readNumber, wholeNumber, decimalNumber } from "./values/number.js";
import { servicePort } from "./values/services.js";

/** A keyword and the bits it stands for. */
export type Keyword = readonly [name: string, bits: number];

/** Records of the rule that is being read. */
export interface RuleRecords {
  /** Where the records of a match's type lie, in the memory that all of them share. */
  recordsOf(type: number): readonly number[];
}

export class Argument {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  /** The second argument of an option that takes two. */
  secondStart = 0;
  secondEnd = 0;
  /** A `!` stood in front of the option. */
  inverted = false;
  /** Bytes of an address: 4 or 16. */
  width: 4 | 16 = 4;
  /** Protocol that `-p` gave so far, 0 for none, and whether it was inverted. */
  protocol = 0;
  protocolInverted = false;
  /** What the reader of a value and its mask found. */
  value = 0;
  mask = 0;
  /** The extension whose option or end this is, and the options it has met, bit n for its nth. */
  extension: Extension | undefined;
  seen = 0;
  /** The table that the rule is for. */
  table = "";
  /** The other records of the rule. */
  rule: RuleRecords = NO_RULE;
  /** The text of the table that is being filled. */
  texts: { intern(text: Uint8Array, start: number, end: number): number } = NO_TEXTS;

  /** Gives up, pointing at the argument. `expected` ends the sentence "expected ...". */
  fail(code: ErrorCode, expected = "", start = this.start, end = this.end): never {
    throw new Fault(code, start, end, expected);
  }

  /** Whether the line gave this option of the extension. */
  has(option: string): boolean {
    const index = this.extension?.options.findIndex((one) => one.name === option) ?? -1;
    return index >= 0 && ((this.seen >>> index) & 1) === 1;
  }

  /** Turns to the second argument. */
  second(): this {
    this.start = this.secondStart;
    this.end = this.secondEnd;
    return this;
  }

  text(start = this.start, end = this.end): string {
    return decoder.decode(this.bytes.subarray(start, end));
  }

  equals(text: string): boolean {
    return sameText(this.bytes, this.start, this.end, text);
  }

  indexOf(byte: number, from = this.start): number {
    for (let i = from; i < this.end; i++) if (this.bytes[i] === byte) return i;
    return -1;
  }

  unsigned(minimum: number, maximum: number, start = this.start, end = this.end): number {
    const value = wholeNumber(this.bytes, start, end, minimum, maximum);
    if (value < 0) this.fail("bad-number", `a number from ${minimum} to ${maximum}`, start, end);
    return value;
  }

  /** A number of 64 bits. */
  wide(start = this.start, end = this.end): bigint {
    const text = this.text(start, end);
    if (!/^(0x[0-9a-f]{1,16}|0[0-7]{0,22}|[1-9]\d{0,19})$/i.test(text))
      this.fail("bad-number", "a number of 64 bits", start, end);
    const value = BigInt(/^0\d/.test(text) ? `0o${text.slice(1)}` : text);
    if (value > 0xffffffffffffffffn) this.fail("bad-number", "a number of 64 bits", start, end);
    return value;
  }

  /** `n`, `n:m`, `:m` or `n:` into `value` and `mask` (the upper end). */
  range(maximum: number): void {
    const colon = this.indexOf(COLON);
    if (colon < 0) {
      this.value = this.mask = this.start === this.end ? 0 : this.unsigned(0, maximum);
      return;
    }
    this.value = colon === this.start ? 0 : this.unsigned(0, maximum, this.start, colon);
    this.mask = colon + 1 === this.end ? maximum : this.unsigned(0, maximum, colon + 1, this.end);
  }

  /** A port by number or by service name of `protocol` (any of them when not given). */
  port(protocol?: "tcp" | "udp" | "sctp", start = this.start, end = this.end): number {
    return this.portOr(wholeNumber(this.bytes, start, end, 0, 65535), protocol, start, end);
  }

  /** The same of an option that leaves it to getaddrinfo: its numbers are decimal. */
  resolvedPort(start = this.start, end = this.end): number {
    return this.portOr(decimalNumber(this.bytes, start, end, 0, 65535), undefined, start, end);
  }

  private portOr(value: number, protocol: "tcp" | "udp" | "sctp" | undefined, start: number, end: number): number {
    if (value >= 0) return value;
    const named = end - start < 64 ? servicePort(this.text(start, end), protocol) : -1;
    if (named < 0) this.fail("bad-port", "a number from 0 to 65535 or the name of a service", start, end);
    return named;
  }

  /** `value[/mask]`, 32 bits each, into `value` and `mask`. */
  maskedMark(): void {
    const expected = "a mark of 32 bits, alone or as value/mask";
    const value = readNumber(this.bytes, this.start, this.end);
    if (value < 0 || value > 0xffffffff) this.fail("bad-number", expected);
    this.value = value;
    this.mask = 0xffffffff;
    if (numberEnd === this.end) return;
    if (this.bytes[numberEnd] !== SLASH) this.fail("bad-number", expected);
    const mask = wholeNumber(this.bytes, numberEnd + 1, this.end, 0, 0xffffffff);
    if (mask < 0) this.fail("bad-number", expected);
    this.mask = mask;
  }

  /** An address into 16 bytes at `out[at]`, which are zero behind an IPv4 one. */
  address(out: Uint8Array, at: number, start = this.start, end = this.end): void {
    if (!readAddress(this.bytes, start, end, this.width, out, at))
      this.fail("bad-address", this.addressKind(), start, end);
  }

  /** `address[/length or mask]` into 16 bytes of address and 16 of mask. The address is kept as given. */
  addressAndMask(out: Uint8Array, at: number, maskAt: number): void {
    const slash = this.indexOf(SLASH);
    this.address(out, at, this.start, slash < 0 ? this.end : slash);
    const full = 8 * this.width;
    const length = slash < 0 ? full : wholeNumber(this.bytes, slash + 1, this.end, 0, full);
    if (length >= 0) writePrefixMask(length, this.width, out, maskAt);
    else if (
      !readAddress(this.bytes, slash + 1, this.end, this.width, out, maskAt) ||
      prefixLength(out, maskAt, this.width) < 0
    )
      this.fail("bad-mask", `a prefix length from 0 to ${full}`, slash + 1);
  }

  /** A prefix length, or a mask without gaps. */
  prefix(): number {
    const full = 8 * this.width;
    let length = wholeNumber(this.bytes, this.start, this.end, 0, full);
    if (length < 0 && readAddress(this.bytes, this.start, this.end, this.width, SCRATCH, 0))
      length = prefixLength(SCRATCH, 0, this.width);
    if (length < 0) this.fail("bad-mask", `a prefix length from 0 to ${full}`);
    return length;
  }

  addressKind(): string {
    return this.width === 4 ? "an IPv4 address" : "an IPv6 address";
  }

  /** Six pairs of hexadecimal digits with colons. */
  macAddress(out: Uint8Array, at: number): void {
    const text = this.end - this.start <= 17 ? this.text() : "";
    const parts = text.split(":");
    if (parts.length !== 6 || !parts.every((part) => /^[0-9a-fA-F]{1,2}$/.test(part)))
      this.fail("bad-mac-address", "six hexadecimal bytes with colons between them");
    for (let i = 0; i < 6; i++) out[at + i] = Number.parseInt(parts[i] as string, 16);
  }

  /** The argument as zero-padded text in a field of `size` bytes, one of them zero. */
  name(out: Uint8Array, at: number, size: number, kind: string): void {
    if (this.end - this.start >= size) this.fail("bad-name", `${kind} of at most ${size - 1} bytes`);
    out.fill(0, at, at + size);
    for (let i = this.start; i < this.end; i++) out[at + i - this.start] = this.bytes[i] as number;
  }

  /** The index of the word among `words`, whole and in this case. */
  oneOf(words: readonly string[]): number {
    const index = words.findIndex((word) => this.equals(word));
    if (index < 0) {
      const suggestion = nearest(this.text(), words);
      throw new Fault("bad-value", this.start, this.end, `one of ${words.join(", ")}`, suggestion);
    }
    return index;
  }

  /** Bits of the words in a comma list. As iptables does, any case and any beginning of a word will do. */
  keywords(keywords: readonly Keyword[]): number {
    let bits = 0;
    for (let from = this.start; ; ) {
      const comma = this.indexOf(COMMA, from);
      const to = comma < 0 ? this.end : comma;
      bits |= this.keyword(keywords, from, to);
      if (comma < 0) return bits;
      from = comma + 1;
    }
  }

  /** Bits of one word. */
  keyword(keywords: readonly Keyword[], start = this.start, end = this.end): number {
    if (end > start)
      for (let i = 0; i < keywords.length; i++) {
        const entry = keywords[i] as Keyword;
        if (isBeginning(this.bytes, start, end, entry[0])) return entry[1];
      }
    const names = keywords.map(([name]) => name);
    throw new Fault("bad-value", start, end, `one of ${names.join(", ")}`, nearest(this.text(start, end), names));
  }
}

const NO_RULE: RuleRecords = { recordsOf: () => [] };

const NO_TEXTS = {
  intern(): number {
    throw new Error("no table is open");
  },
};

export const COLON = 58;
export const COMMA = 44;
export const SLASH = 47;
export const DASH = 45;

const SCRATCH = new Uint8Array(16);
const decoder = new TextDecoder();

export function sameText(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Whether the bytes are how `word` begins, in any case of ASCII letters. */
function isBeginning(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start > word.length) return false;
  for (let i = start; i < end; i++) if (lower(bytes[i] as number) !== lower(word.charCodeAt(i - start))) return false;
  return true;
}

function lower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}
