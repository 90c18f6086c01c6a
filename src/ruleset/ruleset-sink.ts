/** Carries out what a file says on a table of a ruleset, as iptables-restore does on the kernel's. */
import { RECORD_TYPE, ROW_TARGET } from "../blob/layout.js";
import { JUMP_CHAIN, TARGET_JUMP } from "../blob/payloads.js";
import { Fault } from "../extensions/fault.js";
import { checkHooks } from "./check-hooks.js";
import { ABSENT, NameIndex } from "./name-index.js";
import { sameContent } from "./row-store.js";
import type { Chain, Policy, Table } from "./ruleset.js";
import { decodeName, type TableSink } from "./table-sink.js";

export class RulesetSink implements TableSink {
  line = 0;
  private readonly names = new NameIndex();

  constructor(private readonly target: Table) {
    for (const chain of target.chains.values()) this.names.addText(chain.name, chain.id);
  }

  get table() {
    return this.target.name;
  }

  get rows() {
    return this.target.rows;
  }

  chain(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const name = this.names.find(bytes, view, start, end);
    return name < 0 ? ABSENT : this.names.value(name);
  }

  hook(chain: number): number {
    return this.at(chain).hook;
  }

  knownChains(): string[] {
    return [...this.target.chains.keys()];
  }

  declare(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    this.newChain(bytes, view, start, end);
  }

  newChain(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const name = this.names.add(bytes, view, start, end);
    if (this.names.value(name) !== ABSENT) throw new Fault("chain-exists", start, end, "a new name");
    const text = decodeName(bytes, start, end);
    if (text === undefined) throw new Fault("not-utf-8", start, end, "a name in UTF-8");
    this.names.setValue(name, this.target.addChain(text).id);
  }

  setPolicy(chain: number, policy: Policy, counters: Uint32Array | undefined): void {
    const found = this.at(chain);
    found.policy = policy;
    if (counters) found.policyCounters.set(counters);
    else found.policyCounters.fill(0);
  }

  append(chain: number, row: number): void {
    this.at(chain).rules.push(row);
  }

  insert(chain: number, position: number, row: number): void {
    const { rules } = this.at(chain);
    if (position > rules.length + 1) throw noSuchRule(rules.length + 1);
    rules.splice(position - 1, 0, row);
  }

  replace(chain: number, position: number, row: number): void {
    const { rules } = this.at(chain);
    if (position > rules.length) throw noSuchRule(rules.length);
    rules[position - 1] = row;
  }

  delete(chain: number, row: number): void {
    this.at(chain).rules.splice(this.find(chain, row), 1);
  }

  deleteAt(chain: number, position: number): void {
    const { rules } = this.at(chain);
    if (position > rules.length) throw noSuchRule(rules.length);
    rules.splice(position - 1, 1);
  }

  check(chain: number, row: number): void {
    this.find(chain, row);
  }

  rename(chain: number, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const found = this.userChain(chain);
    const name = this.names.add(bytes, view, start, end);
    if (this.names.value(name) !== ABSENT) throw new Fault("chain-exists", start, end, "a new name");
    const text = decodeName(bytes, start, end);
    if (text === undefined) throw new Fault("not-utf-8", start, end, "a name in UTF-8");
    this.forget(found);
    this.target.chains.delete(found.name);
    found.name = text;
    this.target.chains.set(text, found);
    this.names.setValue(name, chain);
  }

  flush(chain: number): void {
    if (chain >= 0) this.at(chain).rules = [];
    else for (const one of this.target.chains.values()) one.rules = [];
  }

  deleteChain(chain: number): void {
    const used = this.jumpedTo();
    const unwanted =
      chain < 0 ? [...this.target.chains.values()].filter((one) => one.hook < 0) : [this.userChain(chain)];
    for (const one of unwanted) {
      if (one.rules.length > 0)
        throw new Fault("chain-not-empty", -1, -1, `a chain without rules; ${one.name} has ${one.rules.length}`);
      if (used.has(one.id)) throw new Fault("chain-in-use", -1, -1, `a chain that no rule jumps to, as to ${one.name}`);
      this.forget(one);
      this.target.removeChain(one);
    }
  }

  zero(chain: number, position: number): void {
    const chains = chain < 0 ? [...this.target.chains.values()] : [this.at(chain)];
    for (const one of chains) {
      if (position > one.rules.length) throw noSuchRule(one.rules.length);
      const rules = position > 0 ? one.rules.slice(position - 1, position) : one.rules;
      for (const row of rules) this.rows.counters.fill(0, 4 * row, 4 * row + 4);
      if (position === 0 && one.hook >= 0) one.policyCounters.fill(0);
    }
  }

  commit(): void {
    checkHooks(this.target);
  }

  private at(chain: number): Chain {
    return this.target.chainsById[chain] as Chain;
  }

  private userChain(chain: number): Chain {
    const found = this.at(chain);
    if (found.hook >= 0) throw new Fault("built-in-chain", -1, -1, "a chain of the user's");
    return found;
  }

  private forget(chain: Chain): void {
    this.names.addText(chain.name, ABSENT);
  }

  /** The place of the first rule that says the same. */
  private find(chain: number, row: number): number {
    const wanted = this.rows.row(row);
    const place = this.at(chain).rules.findIndex((rule) => sameContent(this.rows.row(rule), wanted));
    if (place < 0) throw new Fault("no-such-rule", -1, -1, "a rule that is in the chain");
    return place;
  }

  private jumpedTo(): Set<number> {
    const found = new Set<number>();
    const { view, offsets } = this.rows;
    for (const chain of this.target.chains.values())
      for (const row of chain.rules) {
        const at = offsets[row] as number;
        const record = at + view.getUint16(at + ROW_TARGET, true);
        if (view.getUint16(record + RECORD_TYPE, true) === TARGET_JUMP)
          found.add(view.getUint32(record + JUMP_CHAIN, true));
      }
    return found;
  }
}

function noSuchRule(last: number): Fault {
  return new Fault("no-such-rule", -1, -1, last === 0 ? "a chain that has rules" : `a number from 1 to ${last}`);
}
