/** Carries out commands on a table of a ruleset, as iptables does on the kernel's. */
import { Fault } from "../extensions/fault.js";
import { checkHooks } from "./check-hooks.js";
import { ABSENT } from "./chain-names.js";
import { sameContent } from "./row-store.js";
import { jumpedTo } from "./references.js";
import type { Chain, Policy, Table } from "./ruleset.js";
import { decodeName, type TableSink } from "./table-sink.js";

export class RulesetSink implements TableSink {
  line = 0;

  constructor(protected readonly target: Table) {}

  get table() {
    return this.target.name;
  }

  get rows() {
    return this.target.rows;
  }

  chain(bytes: Uint8Array, _view: DataView, start: number, end: number): number {
    return this.target.chains.get(decodeName(bytes, start, end) ?? "")?.id ?? ABSENT;
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
    this.target.addChain(this.newName(bytes, view, start, end));
  }

  setPolicy(chain: number, policy: Policy, counters: Uint32Array | undefined): void {
    setPolicy(this.at(chain), policy, counters);
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
    const text = this.newName(bytes, view, start, end);
    this.target.chains.delete(found.name);
    found.name = text;
    this.target.chains.set(text, found);
  }

  flush(chain: number): void {
    if (chain >= 0) this.at(chain).rules = [];
    else for (const one of this.target.chains.values()) one.rules = [];
  }

  deleteChain(chain: number): void {
    const used = jumpedTo(this.target);
    const unwanted =
      chain < 0 ? [...this.target.chains.values()].filter((one) => one.hook < 0) : [this.userChain(chain)];
    for (const one of unwanted) {
      if (one.rules.length > 0)
        throw new Fault("chain-not-empty", -1, -1, `a chain without rules; ${one.name} has ${one.rules.length}`);
      if (used.has(one.id)) throw new Fault("chain-in-use", -1, -1, `a chain that no rule jumps to, as to ${one.name}`);
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

  protected at(chain: number): Chain {
    return this.target.chainsById[chain] as Chain;
  }

  private userChain(chain: number): Chain {
    const found = this.at(chain);
    if (found.hook >= 0) throw new Fault("built-in-chain", -1, -1, "a chain of the user's");
    return found;
  }

  /** The name of a chain to be, which nothing has. */
  protected newName(bytes: Uint8Array, view: DataView, start: number, end: number): string {
    if (this.chain(bytes, view, start, end) !== ABSENT) throw new Fault("chain-exists", start, end, "a new name");
    const text = decodeName(bytes, start, end);
    if (text === undefined) throw new Fault("not-utf-8", start, end, "a name in UTF-8");
    return text;
  }

  /** The place of the first rule that says the same. */
  private find(chain: number, row: number): number {
    const wanted = this.rows.row(row);
    const place = this.at(chain).rules.findIndex((rule) => sameContent(this.rows.row(rule), wanted));
    if (place < 0) throw new Fault("no-such-rule", -1, -1, "a rule that is in the chain");
    return place;
  }
}

export function setPolicy(chain: Chain, policy: Policy, counters: Uint32Array | undefined): void {
  chain.policy = policy;
  if (counters) chain.policyCounters.set(counters);
  else chain.policyCounters.fill(0);
}

function noSuchRule(last: number): Fault {
  return new Fault("no-such-rule", -1, -1, last === 0 ? "a chain that has rules" : `a number from 1 to ${last}`);
}
