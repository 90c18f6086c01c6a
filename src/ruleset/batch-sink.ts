/** Collects what a file says as the edits of one table, for a ruleset that is known only by its chains' names. */
import { Fault } from "../extensions/fault.js";
import type { ChainScope, Edit, TableBatch } from "./batch.js";
import { ROW_LINE } from "../blob/layout.js";
import { ABSENT, type ChainNames, UNKNOWN } from "./chain-names.js";
import type { RowStore } from "./row-store.js";
import { BUILTIN_CHAINS, HOOK_NAMES, type HookName, type Policy, type TableName } from "./ruleset.js";
import { decodeName, type TableSink } from "./table-sink.js";

/** What a batch's rows and names are put into. */
export interface BatchMemory {
  readonly rows: RowStore;
  readonly chains: ChainNames;
  /** The chain of each row that was read by its shape, past this sink. */
  readonly owners?: Uint32Array;
}

export class BatchSink implements TableSink, TableBatch {
  readonly rows: RowStore;
  /** A chain's number is its index here. */
  readonly chainNames: string[] = [];
  readonly edits: Edit[] = [];
  line = 0;
  /** Rows whose edits are made. */
  private absorbed = 0;
  private readonly builtIn: readonly HookName[];

  /** The table's built-in chains have their names in `memory` already, under their numbers in BUILTIN_CHAINS. */
  constructor(
    readonly table: TableName,
    private readonly scope: ChainScope,
    private readonly memory: BatchMemory,
  ) {
    this.rows = memory.rows;
    this.builtIn = BUILTIN_CHAINS[table];
    this.chainNames.push(...this.builtIn);
  }

  chain(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const { chains } = this.memory;
    const known = chains.find(bytes, view, start, end);
    if (known !== UNKNOWN) return known;
    const text = decodeName(bytes, start, end);
    const exists = text !== undefined && this.scope.hasChain(this.table, text);
    const number = exists ? this.chainNames.push(text) - 1 : ABSENT;
    // Once asked for, a name that is no chain stays known as ABSENT.
    chains.set(bytes, view, start, end, number);
    return number;
  }

  hook(chain: number): number {
    const name = this.builtIn[chain];
    return name === undefined ? -1 : HOOK_NAMES.indexOf(name);
  }

  /** Makes the edits of the first `count` rows, where they were read past this sink. */
  absorb(count = this.rows.count): void {
    const { rows, chainNames, edits } = this;
    const { owners } = this.memory;
    for (; owners && this.absorbed < count; this.absorbed++) {
      const row = this.absorbed;
      const line = rows.view.getUint32((rows.offsets[row] as number) + ROW_LINE, true);
      edits.push({ line, chain: chainNames[owners[row] as number] as string, op: "append", row });
    }
  }

  knownChains(): string[] {
    const names = new Set(this.scope.chains?.(this.table) ?? []);
    for (const name of this.chainNames) names.add(name);
    return [...names].filter((name) => this.memory.chains.findText(name) !== ABSENT);
  }

  declare(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    let chain = this.chain(bytes, view, start, end);
    if (chain < 0) chain = this.add(bytes, view, start, end);
    this.edits.push({ line: this.line, chain: this.name(chain), op: "declare-chain" });
  }

  newChain(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const chain = this.make(bytes, view, start, end);
    this.edits.push({ line: this.line, chain: this.name(chain), op: "new-chain" });
  }

  setPolicy(chain: number, policy: Policy, counters: Uint32Array | undefined): void {
    const edit = { line: this.line, chain: this.name(chain), op: "policy", policy } as const;
    this.edits.push(counters ? { ...edit, counters: counters.slice() } : edit);
  }

  append(chain: number, row: number): void {
    this.absorbed = row + 1;
    this.edits.push({ line: this.line, chain: this.name(chain), op: "append", row });
  }

  insert(chain: number, position: number, row: number): void {
    this.absorbed = row + 1;
    this.edits.push({ line: this.line, chain: this.name(chain), op: "insert", row, position });
  }

  replace(chain: number, position: number, row: number): void {
    this.absorbed = row + 1;
    this.edits.push({ line: this.line, chain: this.name(chain), op: "replace", row, position });
  }

  delete(chain: number, row: number): void {
    this.absorbed = row + 1;
    this.edits.push({ line: this.line, chain: this.name(chain), op: "delete", row });
  }

  deleteAt(chain: number, position: number): void {
    this.edits.push({ line: this.line, chain: this.name(chain), op: "delete-at", position });
  }

  check(chain: number, row: number): void {
    this.absorbed = row + 1;
    this.edits.push({ line: this.line, chain: this.name(chain), op: "check", row });
  }

  rename(chain: number, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const name = this.name(this.userChain(chain));
    const renamed = this.make(bytes, view, start, end);
    this.memory.chains.setText(name, ABSENT);
    this.edits.push({ line: this.line, chain: name, op: "rename-chain", to: this.name(renamed) });
  }

  flush(chain: number): void {
    for (const name of this.named(chain)) this.edits.push({ line: this.line, chain: name, op: "flush" });
  }

  deleteChain(chain: number): void {
    const builtIn: readonly string[] = BUILTIN_CHAINS[this.table];
    const names =
      chain < 0 ? this.named(chain).filter((name) => !builtIn.includes(name)) : [this.name(this.userChain(chain))];
    for (const name of names) {
      this.memory.chains.setText(name, ABSENT);
      this.edits.push({ line: this.line, chain: name, op: "delete-chain" });
    }
  }

  zero(chain: number, position: number): void {
    if (position > 0) throw new Fault("unsupported-command", -1, -1, "-Z of a whole chain in a batch");
    for (const name of this.named(chain)) this.edits.push({ line: this.line, chain: name, op: "zero" });
  }

  commit(): void {}

  private name(chain: number): string {
    return this.chainNames[chain] as string;
  }

  /** A chain that was not there. */
  private make(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    if (this.chain(bytes, view, start, end) >= 0) throw new Fault("chain-exists", start, end, "a new name");
    return this.add(bytes, view, start, end);
  }

  private add(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const text = decodeName(bytes, start, end);
    if (text === undefined) throw new Fault("not-utf-8", start, end, "a name in UTF-8");
    const number = this.chainNames.push(text) - 1;
    this.memory.chains.set(bytes, view, start, end, number);
    return number;
  }

  private userChain(chain: number): number {
    if (this.hook(chain) >= 0) throw new Fault("built-in-chain", -1, -1, "a chain of the user's");
    return chain;
  }

  /** The chain's name, or those of all chains where it is -1. */
  private named(chain: number): string[] {
    if (chain >= 0) return [this.name(chain)];
    if (!this.scope.chains) throw new Fault("chain-list-unknown", -1, -1, "the name of a chain");
    return this.knownChains();
  }
}
