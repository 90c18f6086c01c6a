/** Text being printed, as bytes in one growing buffer: printing makes no strings until the end. */
export class ByteWriter {
  bytes = new Uint8Array(1 << 12);
  length = 0;

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = value;
  }

  /** ASCII text. */
  text(text: string): void {
    if (this.length + text.length > this.bytes.length) this.grow(text.length);
    let at = this.length;
    for (let i = 0; i < text.length; i++) this.bytes[at++] = text.charCodeAt(i);
    this.length = at;
  }

  /** Any text, as UTF-8. */
  unicode(text: string): void {
    if (this.length + 3 * text.length > this.bytes.length) this.grow(3 * text.length);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) {
        this.length += encoder.encodeInto(text, bytes.subarray(this.length)).written;
        return;
      }
      bytes[at++] = code;
    }
    this.length = at;
  }

  copy(source: Uint8Array, start = 0, end = source.length): void {
    if (this.length + end - start > this.bytes.length) this.grow(end - start);
    let at = this.length;
    for (let i = start; i < end; i++) this.bytes[at++] = source[i] as number;
    this.length = at;
  }

  /** A non-negative integer below 2^53, in decimal. */
  number(value: number): void {
    if (value < 10) this.byte(48 + value);
    else if (value < 2 ** 31) {
      if (this.length + 10 > this.bytes.length) this.grow(10);
      let digits = 2;
      for (let power = 100; digits < 10 && value >= power; power *= 10) digits++;
      let rest = value;
      for (let at = this.length + digits; rest > 0; rest = (rest / 10) | 0) this.bytes[--at] = 48 + (rest % 10);
      this.length += digits;
    } else this.text(String(value));
  }

  /** An unsigned 64-bit integer given as two words. */
  wide(low: number, high: number): void {
    if (high === 0) this.number(low);
    else this.text(String((BigInt(high) << 32n) | BigInt(low)));
  }

  /** An unsigned 32-bit integer in lower-case hexadecimal of at least `digits`, without a prefix. */
  hexadecimal(value: number, digits = 1): void {
    this.text(value.toString(16).padStart(digits, "0"));
  }

  /** Six bytes in lower-case hexadecimal with colons. */
  macAddress(source: Uint8Array, at: number): void {
    for (let i = 0; i < 6; i++) {
      const byte = source[at + i] as number;
      if (i > 0) this.byte(58);
      this.byte(DIGITS.charCodeAt(byte >> 4));
      this.byte(DIGITS.charCodeAt(byte & 15));
    }
  }

  /** Zero-padded text of at most `size` bytes. */
  padded(source: Uint8Array, at: number, size: number): void {
    let end = at;
    while (end < at + size && source[end] !== 0) end++;
    this.copy(source, at, end);
  }

  /** A string as iptables-save prints one: bare where it is plain, else in quotes with `"`, `\` and `'` escaped. */
  quoted(source: Uint8Array, start: number, end: number): void {
    let plain = end > start;
    for (let i = start; i < end && plain; i++) plain = isPlain(source[i] as number);
    if (plain) {
      this.copy(source, start, end);
      return;
    }
    this.byte(34);
    for (let i = start; i < end; i++) {
      const byte = source[i] as number;
      if (byte === 34 || byte === 92 || byte === 39) this.byte(92);
      this.byte(byte);
    }
    this.byte(34);
  }

  /** An option, spaces and dashes included, and its number. */
  option(name: string, value: number): void {
    this.text(name);
    this.number(value);
  }

  /** An option and its quoted text, nothing when the zero-padded text is empty. */
  optionalText(name: string, source: Uint8Array, at: number, size: number): void {
    let end = at;
    while (end < at + size && source[end] !== 0) end++;
    if (end === at) return;
    this.text(name);
    this.quoted(source, at, end);
  }

  /** A copy of what was written. */
  take(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }

  /** What was written, as a string; bytes that are no UTF-8 become U+FFFD. */
  toString(): string {
    return decoder.decode(this.bytes.subarray(0, this.length));
  }

  private grow(size: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + size));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}

const DIGITS = "0123456789abcdef";
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Letters, digits, underscore and dash need no quotes. */
function isPlain(byte: number): boolean {
  const letter = byte | 32;
  return (letter >= 97 && letter <= 122) || (byte >= 48 && byte <= 57) || byte === 95 || byte === 45;
}
