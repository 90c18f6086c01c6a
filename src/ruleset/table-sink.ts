/**
 * Where a parser's findings about one table go: into a table of a ruleset, or into a batch of edits. Chains are named by
 * number. A method that cannot do what it is told throws a Fault, pointing at (-1, -1): the parser knows the place.
 */
import type { Policy, TableName } from "./ruleset.js";
import type { RowStore } from "./row-store.js";

export interface TableSink {
  readonly table: TableName;
  /** Rules are written here first and named by ordinal. */
  readonly rows: RowStore;
  /** 1-based line that is being carried out. */
  line: number;

  /** The number of the chain that bytes `start` to `end` name, or -1 when there is no such chain. */
  chain(bytes: Uint8Array, view: DataView, start: number, end: number): number;
  /** Hook of a built-in chain, -1 of a user's. */
  hook(chain: number): number;
  /** Names of the chains that are known, to suggest one. */
  knownChains(): string[];

  /** `:CHAIN` of a user's chain. */
  declare(bytes: Uint8Array, view: DataView, start: number, end: number): void;
  /** `counters` are four words, packets and bytes, low first. */
  setPolicy(chain: number, policy: Policy, counters: Uint32Array | undefined): void;
  append(chain: number, row: number): void;
  insert(chain: number, position: number, row: number): void;
  replace(chain: number, position: number, row: number): void;
  delete(chain: number, row: number): void;
  deleteAt(chain: number, position: number): void;
  check(chain: number, row: number): void;
  newChain(bytes: Uint8Array, view: DataView, start: number, end: number): void;
  rename(chain: number, bytes: Uint8Array, view: DataView, start: number, end: number): void;
  /** Of all chains where `chain` is -1. */
  flush(chain: number): void;
  deleteChain(chain: number): void;
  /** Of the rule at `position` alone, of all where that is 0. */
  zero(chain: number, position: number): void;
  /** `COMMIT`. */
  commit(): void;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** By length: where the codes of a name are put, so that a name costs its string alone. */
const SPELT: number[][] = [];

/** A chain's name as text, undefined when it is no UTF-8. */
export function decodeName(bytes: Uint8Array, start: number, end: number): string | undefined {
  for (let i = start; i < end; i++)
    if ((bytes[i] as number) > 127) {
      try {
        return decoder.decode(bytes.subarray(start, end));
      } catch {
        return undefined;
      }
    }
  const length = end - start;
  SPELT[length] ??= Array.from<number>({ length }).fill(0);
  const codes = SPELT[length];
  for (let i = 0; i < length; i++) codes[i] = bytes[start + i] as number;
  return String.fromCharCode.apply(null, codes);
}
