/**
 * A batch: what one atomic update asks for, table by table, as edits in the order they were given. It is what
 * `iptables-restore --noflush` reads, and every update strategy takes the same one.
 */
import type { Policy, TableName } from "./ruleset.js";
import type { Family, RowStore } from "./row-store.js";

/** `row` is an ordinal in the batch's store of the table, `position` counts from 1, `line` is 1-based in the input. */
export type Edit = { readonly line: number; readonly chain: string } & (
  | { readonly op: "append"; readonly row: number }
  | { readonly op: "insert"; readonly row: number; readonly position: number }
  | { readonly op: "replace"; readonly row: number; readonly position: number }
  | { readonly op: "delete"; readonly row: number }
  | { readonly op: "delete-at"; readonly position: number }
  | { readonly op: "check"; readonly row: number }
  | { readonly op: "new-chain" }
  /** `:CHAIN - [0:0]`: make it, or flush it when it is there. */
  | { readonly op: "declare-chain" }
  | { readonly op: "flush" }
  | { readonly op: "delete-chain" }
  | { readonly op: "rename-chain"; readonly to: string }
  | { readonly op: "policy"; readonly policy: Policy; readonly counters?: Uint32Array }
  | { readonly op: "zero" }
);

export interface TableBatch {
  readonly table: TableName;
  readonly rows: RowStore;
  /** A jump in `rows` holds an index into this list. */
  readonly chainNames: string[];
  readonly edits: Edit[];
}

export interface Batch {
  readonly family: Family;
  readonly tables: TableBatch[];
}

/** Tells the parser whether a name after -j is a chain: asked for names that the batch itself does not make. */
export interface ChainScope {
  hasChain(table: TableName, chain: string): boolean;
  /** Names of the chains of a table, built-in ones included. Without it a batch cannot say "all chains" (-F, -X, -Z). */
  chains?(table: TableName): Iterable<string>;
}
