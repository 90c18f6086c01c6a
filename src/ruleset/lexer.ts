/**
 * Lines and arguments of iptables-save text, as iptables-restore cuts them.
 *
 * An argument ends at white space. In double quotes white space belongs to it and a backslash takes the next byte as it
 * is; a closing quote ends the argument. Tokens are offsets into one buffer: an argument that had to be put together
 * (a quote in its middle, a backslash) is written behind the text, so that all readers see plain runs of bytes.
 */
import { Fault } from "../extensions/fault.js";

/** iptables-restore reads lines into 10,240 bytes, arguments into 1,024, and keeps 254 of them, of which 3 are its own. */
const LINE_LIMIT = 10_239;
const ARGUMENT_LIMIT = 1_023;
const ARGUMENT_COUNT_LIMIT = 251;
/** A shell's command line may be longer. */
const NO_LIMIT = 1 << 21;

const NEWLINE = 10;
const QUOTE = 34;
const BACKSLASH = 92;

/** One line's arguments, for the thread: parsing never nests. */
const STARTS = new Int32Array(ARGUMENT_COUNT_LIMIT + 1);
const ENDS = new Int32Array(ARGUMENT_COUNT_LIMIT + 1);
const ORIGINS = new Int32Array(ARGUMENT_COUNT_LIMIT + 1);

/** Where text lies: a newline behind it, and behind that room to put arguments together. */
export interface TextMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** First byte of the text, and the one behind its last. */
  readonly textStart: number;
  readonly textEnd: number;
}

export class Lexer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the text begins and ends; the memory goes on behind it. */
  readonly start: number;
  readonly end: number;
  /** 1-based, of the line that was begun last. */
  line = 0;
  lineStart = 0;
  /** First byte of the next line. */
  next = 0;
  /**
   * First line with a quote that does not end on it, or 0. iptables-restore takes the rest of such a line, newline and
   * all, for the argument, so it is an error only of a file that has no other.
   */
  openQuote = 0;
  /** Arguments of the line: their bytes, and where in the text each began. */
  count = 0;
  readonly starts = STARTS;
  readonly ends = ENDS;
  readonly origins = ORIGINS;
  private readonly lineLimit: number;
  private readonly argumentLimit: number;

  /** `limited` keeps to the lengths that iptables-restore can read. */
  constructor(memory: TextMemory, limited = true) {
    this.bytes = memory.bytes;
    this.view = memory.view;
    this.start = this.next = memory.textStart;
    this.end = memory.textEnd;
    this.lineLimit = limited ? LINE_LIMIT : NO_LIMIT;
    this.argumentLimit = limited ? ARGUMENT_LIMIT : NO_LIMIT;
  }

  /** A lexer of one line of any length. */
  static ofLine(line: string): Lexer {
    const text = new TextEncoder().encode(line);
    const bytes = new Uint8Array(2 * text.length + 1);
    bytes.set(text);
    bytes[text.length] = NEWLINE;
    return new Lexer({ bytes, view: new DataView(bytes.buffer), textStart: 0, textEnd: text.length }, false);
  }

  /** Goes to the next line; false at the end. */
  nextLine(): boolean {
    if (this.next >= this.end) return false;
    this.line++;
    this.lineStart = this.next;
    return true;
  }

  /** Leaves the line unread. */
  skipLine(): void {
    this.next = this.lineEnd() + 1;
  }

  /** Offset of the newline that ends this line. */
  lineEnd(): number {
    return this.bytes.indexOf(NEWLINE, this.lineStart);
  }

  /** Goes back to line `line`. */
  rewind(line: number): void {
    this.line = 0;
    this.next = this.start;
    while (this.line < line && this.nextLine()) this.skipLine();
  }

  /** Whether this line is exactly `text`, newline included. */
  isLine(text: string): boolean {
    if (this.lineStart + text.length >= this.end) return false;
    for (let i = 0; i < text.length; i++) if (this.bytes[this.lineStart + i] !== text.charCodeAt(i)) return false;
    return this.bytes[this.lineStart + text.length] === NEWLINE;
  }

  /** Cuts the rest of the line, from byte `from`, into arguments. */
  split(from: number): void {
    const { bytes, starts, ends } = this;
    let count = 0;
    let i = from;
    this.count = 0;
    for (;;) {
      let byte = bytes[i] as number;
      if (byte === 32 || byte === 9) {
        i++;
        continue;
      }
      if (byte === NEWLINE) break;
      const start = i;
      while (byte > QUOTE || byte === 33) byte = bytes[++i] as number;
      if (byte === 32 || byte === NEWLINE || byte === 9) {
        starts[count] = start;
        ends[count] = i;
      } else {
        this.count = count;
        i = this.splitOdd(start, i);
      }
      this.origins[count] = start;
      if ((ends[count] as number) - (starts[count] as number) > this.argumentLimit)
        throw new Fault("argument-too-long", start, i, `at most ${this.argumentLimit} bytes`);
      if (count++ === ARGUMENT_COUNT_LIMIT)
        throw new Fault("too-many-arguments", start, i, `at most ${ARGUMENT_COUNT_LIMIT} in a line`);
    }
    this.count = count;
    this.next = i + 1;
    if (i - this.lineStart >= this.lineLimit)
      throw new Fault(
        "line-too-long",
        this.lineStart + this.lineLimit - 1,
        i,
        `at most ${this.lineLimit - 1} bytes in a line`,
      );
  }

  /** The argument that begins at `start` and whose plain part ends at `at`. Returns where it ends. */
  private splitOdd(start: number, at: number): number {
    const { bytes } = this;
    let i = at;
    // The common one: quoted as a whole, nothing escaped.
    if (i === start && bytes[i] === QUOTE) {
      let byte = bytes[++i] as number;
      while (byte !== QUOTE && byte !== BACKSLASH && byte !== NEWLINE && byte !== 0) byte = bytes[++i] as number;
      if (byte === QUOTE) {
        this.starts[this.count] = start + 1;
        this.ends[this.count] = i;
        return i + 1;
      }
      i = at;
    }
    let out = this.end + 1;
    for (let n = 0; n < this.count; n++) if ((this.ends[n] as number) > out) out = this.ends[n] as number;
    this.starts[this.count] = out;
    for (let from = start; from < i; from++) bytes[out++] = bytes[from] as number;
    let quoted = false;
    for (; ; i++) {
      const byte = bytes[i] as number;
      if (byte === 0) throw new Fault("not-text", i, i + 1, "text without zero bytes");
      if (byte === NEWLINE) {
        if (quoted) this.openQuote ||= this.line;
        break;
      }
      if (byte === QUOTE) {
        if (quoted) {
          i++;
          break;
        }
        quoted = true;
      } else if (quoted && byte === BACKSLASH && bytes[i + 1] !== NEWLINE) bytes[out++] = bytes[++i] as number;
      else if (!quoted && (byte === 32 || byte === 9)) break;
      else bytes[out++] = byte;
    }
    this.ends[this.count] = out;
    return i;
  }
}
