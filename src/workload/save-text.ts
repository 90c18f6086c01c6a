/**
 * One table as iptables-save prints it, made once and reprinted with a few chains changed: the text is one string with
 * the place of every chain, so a reprint costs a copy of it, not work for every rule.
 *
 * iptables-legacy keeps a user's chains sorted by name; so does this.
 */
import { BUILTIN_CHAINS, type HookName, type Policy, type TableName } from "../ruleset/ruleset.js";

/** Chains by name, each with its lines "-A CHAIN ...", without line ends. Built-in chains may be left out. */
export type ChainLines = ReadonlyMap<string, readonly string[]>;

/** By chain: its lines, each with its line end, or undefined where the chain is to go. */
export type ChangedChains = ReadonlyMap<string, string | undefined>;

export class SaveText {
  /** Lines "-A", in all. */
  readonly rules: number;
  private readonly names: string[];
  /** Where the declaration and the rules of chain n begin, and behind the last one's end. */
  private readonly declarations: Uint32Array;
  private readonly bodies: Uint32Array;
  /** Rules of chain n. */
  private readonly counts: Uint32Array;
  private readonly text: string;

  constructor(
    readonly table: TableName,
    chains: ChainLines,
    policies: Partial<Record<HookName, Policy>> = {},
  ) {
    const builtIn: readonly string[] = BUILTIN_CHAINS[table];
    this.names = [...builtIn, ...[...chains.keys()].filter((name) => !builtIn.includes(name)).sort()];
    this.declarations = new Uint32Array(this.names.length + 1);
    this.bodies = new Uint32Array(this.names.length + 1);
    this.counts = new Uint32Array(this.names.length);
    const parts = [`*${table}\n`];
    let length = table.length + 2;
    const add = (part: string): void => {
      parts.push(part);
      length += part.length;
    };
    this.names.forEach((name, index) => {
      this.declarations[index] = length;
      add(index < builtIn.length ? `:${name} ${policies[name as HookName] ?? "ACCEPT"} [0:0]\n` : declaration(name));
    });
    this.declarations[this.names.length] = length;
    let rules = 0;
    this.names.forEach((name, index) => {
      this.bodies[index] = length;
      const lines = chains.get(name) ?? [];
      rules += lines.length;
      this.counts[index] = lines.length;
      for (const line of lines) {
        add(line);
        add("\n");
      }
    });
    this.bodies[this.names.length] = length;
    parts.push("COMMIT\n");
    this.rules = rules;
    this.text = parts.join("");
  }

  /** The lines of a chain, each with its line end. Undefined when there is no such chain. */
  chain(name: string): string | undefined {
    const { index, found } = this.place(name);
    return found ? this.text.slice(this.bodies[index], this.bodies[index + 1]) : undefined;
  }

  /** How many rules a chain has; nought when there is no such chain. */
  count(name: string): number {
    const { index, found } = this.place(name);
    return found ? (this.counts[index] as number) : 0;
  }

  isBuiltIn(name: string): boolean {
    return (BUILTIN_CHAINS[this.table] as readonly string[]).includes(name);
  }

  /** The table's text, from its "*" to its COMMIT, with some chains changed, and some user chains put in or left out. */
  print(changed: ChangedChains = new Map()): string {
    if (changed.size === 0) return this.text;
    const places = [...changed].map(([name, lines]) => ({ name, lines, ...this.place(name) }));
    places.sort((a, b) => a.index - b.index || (a.name < b.name ? -1 : 1));
    const parts: string[] = [];
    let done = 0;
    const copyTo = (end: number, from: number): void => {
      parts.push(this.text.slice(done, end));
      done = from;
    };
    for (const { name, lines, index, found } of places) {
      const at = this.declarations[index] as number;
      copyTo(at, found ? (this.declarations[index + 1] as number) : at);
      if (lines !== undefined)
        parts.push(found ? this.text.slice(at, this.declarations[index + 1]) : declaration(name));
    }
    for (const { lines, index, found } of places) {
      const at = this.bodies[index] as number;
      copyTo(at, found ? (this.bodies[index + 1] as number) : at);
      if (lines !== undefined) parts.push(lines);
    }
    parts.push(this.text.slice(done));
    return parts.join("");
  }

  /** Where a chain is, or would be. */
  private place(name: string): { index: number; found: boolean } {
    const builtIn: readonly string[] = BUILTIN_CHAINS[this.table];
    const fixed = builtIn.indexOf(name);
    if (fixed >= 0) return { index: fixed, found: true };
    let low = builtIn.length;
    let high = this.names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.names[middle] as string) < name) low = middle + 1;
      else high = middle;
    }
    return { index: low, found: this.names[low] === name };
  }
}

/** A line that makes a chain, or empties it when it is there. */
export function declaration(chain: string): string {
  return `:${chain} - [0:0]\n`;
}

/** Lines for `iptables-restore --noflush`, as one table's part. Empty when there are none. */
export function batchOf(table: TableName, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `*${table}\n${lines.join("\n")}\nCOMMIT\n`;
}
