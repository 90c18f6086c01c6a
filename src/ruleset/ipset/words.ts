/** Words of a line of ipset's: white space parts them, double quotes keep it in. */
import { Fault } from "../../extensions/fault.js";

export interface Word {
  readonly text: string;
  /** Characters in front of it in the line. */
  readonly start: number;
  readonly end: number;
}

/** @throws Fault with places in the line. */
export function splitWords(line: string): Word[] {
  const words: Word[] = [];
  for (let at = 0; at < line.length; ) {
    if (/\s/.test(line[at] as string)) {
      at++;
      continue;
    }
    const start = at;
    if (line[at] === '"') {
      const close = line.indexOf('"', at + 1);
      if (close < 0) throw new Fault("unterminated-quote", line.length, line.length, 'a closing "');
      words.push({ text: line.slice(at + 1, close), start: at + 1, end: close });
      at = close + 1;
      continue;
    }
    while (at < line.length && !/\s/.test(line[at] as string)) at++;
    words.push({ text: line.slice(start, at), start, end: at });
  }
  return words;
}

/** Reads words one after another. */
export class WordReader {
  private at = 0;

  constructor(
    private readonly words: readonly Word[],
    private readonly lineLength: number,
  ) {}

  get done(): boolean {
    return this.at === this.words.length;
  }

  /** The next word, which must be there. */
  next(what: string): Word {
    const word = this.words[this.at];
    if (!word) throw new Fault("missing-argument", this.lineLength, this.lineLength, what);
    this.at++;
    return word;
  }

  /** A decimal, octal or 0x number. */
  number(minimum: number, maximum: number): number {
    const word = this.next(`a number from ${minimum} to ${maximum}`);
    const value = Number(numberOf(word.text));
    if (!(value >= minimum && value <= maximum))
      throw new Fault("bad-number", word.start, word.end, `a number from ${minimum} to ${maximum}`);
    return value;
  }

  wide(): bigint {
    const word = this.next("a number");
    const value = numberOf(word.text);
    if (value === undefined || value > 0xffff_ffff_ffff_ffffn)
      throw new Fault("bad-number", word.start, word.end, "a number of at most 64 bits");
    return value;
  }

  refuseMore(): void {
    const word = this.words[this.at];
    if (word) throw new Fault("bad-argument", word.start, word.end, "nothing more in the line");
  }
}

/** As C's strtoull with base 0 reads it, undefined where it is no number as a whole. */
export function numberOf(text: string): bigint | undefined {
  if (/^0[xX][0-9a-fA-F]{1,16}$/.test(text)) return BigInt(text);
  if (/^0[0-7]{1,22}$/.test(text)) return BigInt(`0o${text.slice(1)}`);
  return /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
}
