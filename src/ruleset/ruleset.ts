/**
 * A ruleset as a user holds it: tables of chains of rows. This is what parsing gives, printing takes, edits change and
 * compiling reads. It knows nothing of the engine.
 */
import { TABLE_FILTER, TABLE_MANGLE, TABLE_NAT, TABLE_RAW, TABLE_SECURITY } from "../blob/layout.js";
import { type Family, RowStore } from "./row-store.js";

/** Tables in the order of their numbers in blob/layout.ts. */
export const TABLE_NAMES = ["raw", "mangle", "nat", "filter", "security"] as const;
export type TableName = (typeof TABLE_NAMES)[number];

export const TABLE_NUMBERS: Readonly<Record<TableName, number>> = {
  raw: TABLE_RAW,
  mangle: TABLE_MANGLE,
  nat: TABLE_NAT,
  filter: TABLE_FILTER,
  security: TABLE_SECURITY,
};

/** Hooks in the order of their numbers. */
export const HOOK_NAMES = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"] as const;
export type HookName = (typeof HOOK_NAMES)[number];

/** The built-in chains of each table, in the kernel's order. */
export const BUILTIN_CHAINS: Readonly<Record<TableName, readonly HookName[]>> = {
  raw: ["PREROUTING", "OUTPUT"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  security: ["INPUT", "FORWARD", "OUTPUT"],
};

export type Policy = "ACCEPT" | "DROP";

export interface Chain {
  /** Number in its table, never reused while the table lives; what a jump's row holds. */
  readonly id: number;
  name: string;
  /** Hook number of a built-in chain, -1 of a user's. */
  readonly hook: number;
  policy: Policy;
  /** Counters of the policy: packets low, high, bytes low, high. */
  policyCounters: Uint32Array;
  /** The live counter of the policy where this table was read back from an engine, else 0. */
  policyCounter: number;
  /** Ordinals of its rules in the table's store, in order. */
  rules: number[];
}

/** What every chain of the user's has: it has no policy to count for. */
const NO_COUNTERS = new Uint32Array(4);

export class Table {
  readonly name: TableName;
  readonly rows: RowStore;
  /** In print order: built-in ones first, then the user's, sorted by libiptc's order only where Linux does so. */
  readonly chains = new Map<string, Chain>();
  readonly chainsById: (Chain | undefined)[] = [];

  constructor(name: TableName, family: Family) {
    this.name = name;
    this.rows = new RowStore(family);
  }

  addChain(name: string, hook = -1): Chain {
    const chain: Chain = {
      id: this.chainsById.length,
      name,
      hook,
      policy: "ACCEPT",
      policyCounters: hook < 0 ? NO_COUNTERS : new Uint32Array(4),
      policyCounter: 0,
      rules: [],
    };
    this.chains.set(name, chain);
    this.chainsById.push(chain);
    return chain;
  }

  removeChain(chain: Chain): void {
    this.chains.delete(chain.name);
    this.chainsById[chain.id] = undefined;
  }
}

export class Ruleset {
  readonly family: Family;
  /** In the order of the file. */
  readonly tables = new Map<TableName, Table>();

  constructor(family: Family) {
    this.family = family;
  }

  /** The table, made with its built-in chains when it is not there yet. */
  table(name: TableName): Table {
    let table = this.tables.get(name);
    if (!table) {
      table = new Table(name, this.family);
      for (const hook of BUILTIN_CHAINS[name]) table.addChain(hook, HOOK_NAMES.indexOf(hook));
      this.tables.set(name, table);
    }
    return table;
  }
}
