/** Reading what `ip` prints, word by word; and what it says when a word is not one it prints. */
import ipaddr from "ipaddr.js";
import type { Family } from "../../ruleset/row-store.js";
import { addressFamily } from "../address.js";

export class RoutingTextError extends Error {
  override readonly name = "RoutingTextError";
  readonly code = "routing-text";

  constructor(
    readonly file: string,
    /** From 1. */
    readonly line: number,
    readonly column: number,
    readonly expected: string,
    readonly found: string,
    source: string,
  ) {
    const what = found === "" ? "the end of the line" : `"${found}"`;
    super(`${file}:${line}:${column}: expected ${expected}, found ${what}\n  ${source}\n  ${" ".repeat(column - 1)}^`);
  }
}

export interface Prefix {
  readonly address: string;
  readonly prefix: number;
}

/** One line, taken word by word. */
export class Words {
  private readonly words: { text: string; column: number }[];
  private next = 0;

  constructor(
    private readonly file: string,
    readonly line: number,
    private readonly source: string,
  ) {
    this.words = [...source.matchAll(/\S+/g)].map((found) => ({ text: found[0], column: found.index + 1 }));
  }

  /** The next word without taking it, "" at the end. */
  get peek(): string {
    return this.words[this.next]?.text ?? "";
  }

  take(): string {
    const { peek } = this;
    this.next++;
    return peek;
  }

  /** Takes the next word when it is `word`. */
  skip(word: string): boolean {
    if (this.peek !== word) return false;
    this.next++;
    return true;
  }

  /** The word taken last is not what was expected. */
  fail(expected: string): never {
    const word = this.words[this.next - 1];
    throw new RoutingTextError(
      this.file,
      this.line,
      word?.column ?? this.source.trimEnd().length + 1,
      expected,
      word?.text ?? "",
      this.source,
    );
  }

  /** The line ends where more was expected. */
  missing(expected: string): never {
    this.next = this.words.length + 1;
    return this.fail(expected);
  }

  value(expected: string): string {
    const word = this.take();
    return word === "" ? this.fail(expected) : word;
  }

  address(): string {
    const word = this.value("an address");
    return addressFamily(word) ? word : this.fail("an address");
  }

  /** "10.0.0.0/8", or an address alone. */
  prefix(): Prefix {
    const word = this.value("an address with its length");
    const [, address = "", length] = /^([^/]+)(?:\/(\d+))?$/.exec(word) ?? [];
    const family = addressFamily(address);
    const most = family === "ipv4" ? 32 : 128;
    if (!family || Number(length ?? most) > most) return this.fail("an address with its length");
    return { address, prefix: Number(length ?? most) };
  }

  /** Decimal, or hexadecimal behind 0x. */
  number(most: number): number {
    const word = this.value(`a number up to ${most}`);
    const value = /^(\d+|0x[0-9a-f]+)$/i.test(word) ? Number(word) : Number.NaN;
    return value <= most ? value : this.fail(`a number up to ${most}`);
  }

  /** "5" or "5-9". */
  range(most: number): [number, number] {
    const word = this.value("a number, or two with a dash");
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(word) ?? [];
    const range: [number, number] = [Number(first), Number(last ?? first)];
    return range[0] <= range[1] && range[1] <= most ? range : this.fail(`a number up to ${most}, or two with a dash`);
  }
}

/** Lines that say something, each with those behind it that begin with a space. */
export function blocksOf(text: string, file: string): Words[][] {
  const blocks: Words[][] = [];
  for (const [i, source] of text.split(/\r?\n/).entries()) {
    if (source.trim() === "") continue;
    const words = new Words(file, i + 1, source);
    const last = blocks.at(-1);
    if (last && /^\s/.test(source)) last.push(words);
    else blocks.push([words]);
  }
  return blocks;
}

/** The family of the first address in `text`; IPv4 where there is none, as `ip` has it. */
export function familyOf(text: string): Family {
  for (const [word] of text.matchAll(/[^\s/]+/g)) {
    const family = word.includes(":") && word.endsWith(":") ? undefined : addressFamily(word);
    if (family && ipaddr.isValid(word)) return family;
  }
  return "ipv4";
}
