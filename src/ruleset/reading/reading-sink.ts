/** Carries out what a file says on a table of a ruleset, as iptables-restore does on the kernel's. */
import { ABSENT } from "../chain-names.js";
import type { Chain, Policy, Table } from "../ruleset.js";
import { RulesetSink, setPolicy } from "../ruleset-sink.js";
import type { TableReading } from "./table-reading.js";

/**
 * As long as the file declares and appends, chains and rules are the columns of `reading` and nothing else; the first
 * command that asks for more unfolds the table, and rows that are read later are added to its chains by `absorb`.
 */
export class ReadingSink extends RulesetSink {
  private absorbed = 0;

  constructor(
    table: Table,
    readonly reading: TableReading,
    private readonly checked: boolean,
  ) {
    super(table);
    table.fold(reading);
    reading.place();
  }

  override chain(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const found = this.reading.find(bytes, view, start, end);
    return found < 0 ? ABSENT : found;
  }

  override hook(chain: number): number {
    return this.target.builtIn[chain]?.hook ?? -1;
  }

  override newChain(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    this.newName(bytes, view, start, end);
    this.reading.addChain(start, end);
    this.absorb();
  }

  override append(chain: number, row: number): void {
    this.reading.append(chain, row);
    this.absorb();
  }

  override setPolicy(chain: number, policy: Policy, counters: Uint32Array | undefined): void {
    setPolicy(this.target.builtIn[chain] as Chain, policy, counters);
  }

  override insert(chain: number, position: number, row: number): void {
    this.unfold(row);
    super.insert(chain, position, row);
    this.absorbed = row + 1;
  }

  override replace(chain: number, position: number, row: number): void {
    this.unfold(row);
    super.replace(chain, position, row);
    this.absorbed = row + 1;
  }

  override delete(chain: number, row: number): void {
    this.unfold(row);
    super.delete(chain, row);
    this.absorbed = row + 1;
  }

  override check(chain: number, row: number): void {
    this.unfold(row);
    super.check(chain, row);
    this.absorbed = row + 1;
  }

  override deleteAt(chain: number, position: number): void {
    this.unfold();
    super.deleteAt(chain, position);
  }

  override rename(chain: number, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    this.unfold();
    const { name } = this.at(chain);
    super.rename(chain, bytes, view, start, end);
    this.reading.setText(name, ABSENT);
    this.reading.set(bytes, view, start, end, chain);
  }

  override flush(chain: number): void {
    this.unfold();
    super.flush(chain);
  }

  override deleteChain(chain: number): void {
    this.unfold();
    const before = [...this.target.chains.keys()];
    super.deleteChain(chain);
    for (const name of before) if (!this.target.chains.has(name)) this.reading.setText(name, ABSENT);
  }

  override zero(chain: number, position: number): void {
    this.unfold();
    super.zero(chain, position);
  }

  override commit(): void {
    this.reading.finish();
    if (this.checked) super.commit();
  }

  /** Chains, and the first `count` rows, that were read past this sink join the table, where it is unfolded. */
  absorb(count = this.reading.rows.count): void {
    const { target, reading } = this;
    if (target.columns) return;
    for (let id = target.chainsById.length; id < reading.count; id++)
      target.addChain(reading.rows.text.stringAt(reading.names[id] as number));
    for (; this.absorbed < count; this.absorbed++)
      this.at(reading.owners[this.absorbed] as number).rules.push(this.absorbed);
  }

  /** Makes the chains, with their rules among the first `rows` rows. */
  private unfold(rows = this.reading.rows.count): void {
    if (!this.target.columns) return;
    this.target.unfold(rows);
    this.absorbed = rows;
  }
}
