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

/** A table's chains as reading text leaves them: numbers. Built-in chains come first. */
export interface ChainColumns {
  readonly count: number;
  /** Whether the user's chains stand in the order in which they print. */
  readonly sorted: boolean;
  /** Whether rows lie as in a blob of chains in this order: behind room for its header, a chain's behind its head, which is complete. */
  readonly placed: boolean;
  /** Text reference of a chain's name. */
  readonly names: Uint32Array;
  /** The chain of each row, in whose chain rows stand as in the store. */
  readonly owners: Uint32Array;
}

/** What every chain of the user's has: it has no policy to count for. */
const NO_COUNTERS = new Uint32Array(4);

export class Table {
  readonly name: TableName;
  readonly rows: RowStore;
  private readonly byName = new Map<string, Chain>();
  private readonly byId: (Chain | undefined)[] = [];
  private readonly builtInChains: Chain[] = [];
  /** Of a table that was read and not looked at yet: all its chains and rules; `byName` then holds the built-in ones. */
  private folded: ChainColumns | undefined;

  constructor(name: TableName, family: Family, rows = new RowStore(family)) {
    this.name = name;
    this.rows = rows;
  }

  /** Built-in ones first, then the user's, in the order in which they were made. */
  get chains(): Map<string, Chain> {
    this.unfold();
    return this.byName;
  }

  get chainsById(): (Chain | undefined)[] {
    this.unfold();
    return this.byId;
  }

  /** The built-in chains, by number. Ask for `chains` first where their rules matter. */
  get builtIn(): readonly Chain[] {
    return this.builtInChains;
  }

  /** Chains and rules as columns, until someone asks for a chain. */
  get columns(): ChainColumns | undefined {
    return this.folded;
  }

  /** Lets `columns` say what chains and rules there are, built-in chains aside. */
  fold(columns: ChainColumns): void {
    this.folded = columns;
  }

  /** Makes the chains that the columns tell of, with their rules among the first `rows` rows. */
  unfold(rows = this.rows.count): void {
    if (!this.folded) return;
    const { names, owners, count } = this.folded;
    this.folded = undefined;
    for (let id = this.byId.length; id < count; id++) this.addChain(this.rows.text.stringAt(names[id] as number));
    for (let row = 0; row < rows; row++) this.byId[owners[row] as number]?.rules.push(row);
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
    if (hook >= 0) this.builtInChains.push(chain);
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
    return this.tables.get(name) ?? this.newTable(name);
  }

  /** A table of its built-in chains in place of the one of this name. */
  newTable(name: TableName, rows?: RowStore): Table {
    const table = new Table(name, this.family, rows);
    for (const hook of BUILTIN_CHAINS[name]) table.addChain(hook, HOOK_NAMES.indexOf(hook));
    // What is replaced goes to the end.
    this.tables.delete(name);
    this.tables.set(name, table);
    return table;
  }
}
