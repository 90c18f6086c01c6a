/**
 * Random batches for `iptables-restore --noflush`, made of what the ruleset itself holds: rules of a chain come again, with
 * other addresses and ports; chains are made, filled, called, restated, renamed and taken away. A rule stays in its own
 * chain or goes to one that only this chain calls, so that it may stand where it stands. Now and then a batch holds an
 * edit that cannot be done, and must be refused as a whole.
 */
import { printRule } from "../ruleset/print.js";
import { jumpOf } from "../ruleset/references.js";
import { BUILTIN_CHAINS, type Chain, type Ruleset, type Table, type TableName } from "../ruleset/ruleset.js";
import type { Random } from "../workload/random.js";
import { changedRule } from "./changed-rule.js";

/** Share of batches with an edit that cannot be done. */
const MISTAKES = 1 / 16;
/** The longest chain that is emptied or stated anew, and the most callers of one that is taken away. */
const LONGEST_RESTATED = 200;
const MOST_CALLERS = 4;
/** Tries to find a chain that fits an edit. */
const TRIES = 20;

/** `edits` lines in one table, or now and then, unless it must be `single`, spread over all that there are. */
export function randomBatch(random: Random, ruleset: Ruleset, edits: number, single = false): string {
  const tables = tableNames(ruleset);
  const chosen = !single && tables.length > 1 && random.chance(1 / 8) ? tables : [random.pick(tables)];
  const wrong = random.chance(MISTAKES) ? random.pick(chosen) : undefined;
  const share = Math.max(1, Math.floor(edits / chosen.length));
  return chosen
    .map((name) => {
      const lines = new Draft(random, ruleset.table(name)).lines(share);
      if (name === wrong) lines.splice(random.below(lines.length + 1), 0, mistake(random, ruleset.table(name)));
      return `*${name}\n${lines.map((line) => `${line}\n`).join("")}COMMIT\n`;
    })
    .join("");
}

/** Those that hold rules, else all. */
function tableNames(ruleset: Ruleset): TableName[] {
  const names = [...ruleset.tables.keys()];
  const full = names.filter((name) => [...ruleset.table(name).chains.values()].some(({ rules }) => rules.length > 0));
  return full.length > 0 ? full : names.length > 0 ? names : ["filter"];
}

/** A table, and what the lines drafted so far leave of it. */
class Draft {
  /** Rules of chains that lines have named. */
  private readonly lengths = new Map<string, number>();
  private readonly gone = new Set<string>();
  private readonly chains: readonly Chain[];

  constructor(
    private readonly random: Random,
    private readonly table: Table,
  ) {
    this.chains = [...table.chains.values()];
  }

  lines(edits: number): string[] {
    const lines: string[] = [];
    while (lines.length < edits) lines.push(...this.edit(edits - lines.length));
    return lines;
  }

  private edit(room: number): string[] {
    const chance = this.random.below(100);
    if (chance < 26) return this.append();
    if (chance < 46) return this.insert();
    if (chance < 58) return this.replace();
    if (chance < 72) return this.deleteAt();
    if (chance < 80) return this.deleteRule();
    if (chance < 86) return this.branch(room);
    if (chance < 91) return this.restate(room);
    if (chance < 94) return this.takeAway(room);
    if (chance < 96) return this.rename();
    return chance < 98 ? this.policy() : this.zero();
  }

  private append(): string[] {
    const chain = this.anyChain();
    this.lengths.set(chain.name, this.length(chain) + 1);
    const counters = this.random.chance(1 / 10) ? `[${this.random.below(9)}:${this.random.below(999)}] ` : "";
    return [`${counters}-A ${chain.name}${this.rule(chain)}`];
  }

  private insert(): string[] {
    const chain = this.anyChain();
    const position = this.random.between(1, this.length(chain) + 1);
    this.lengths.set(chain.name, this.length(chain) + 1);
    return [`-I ${chain.name} ${position}${this.rule(chain)}`];
  }

  private replace(): string[] {
    const chain = this.chainWith((one) => this.length(one) > 0);
    if (!chain) return this.append();
    return [`-R ${chain.name} ${this.random.between(1, this.length(chain))}${this.rule(chain)}`];
  }

  private deleteAt(): string[] {
    const chain = this.chainWith((one) => this.length(one) > 0);
    if (!chain) return this.append();
    const position = this.random.between(1, this.length(chain));
    this.lengths.set(chain.name, this.length(chain) - 1);
    return [`-D ${chain.name} ${position}`];
  }

  /** By what it says, of a chain that no line has named yet. */
  private deleteRule(): string[] {
    const chain = this.chainWith((one) => one.rules.length > 0 && !this.lengths.has(one.name));
    if (!chain) return this.deleteAt();
    const text = printRule(this.table, chain, this.random.pick(chain.rules));
    if (this.namesGone(text)) return this.append();
    this.lengths.set(chain.name, chain.rules.length - 1);
    return [text.replace("-A ", "-D ")];
  }

  /** A new chain with some of another's rules, called from there. */
  private branch(room: number): string[] {
    const caller = this.anyChain();
    const name = this.freeName();
    if (!name || room < 3) return this.append();
    const rules = Array.from({ length: this.random.between(1, Math.min(6, room - 2)) }, () => this.rule(caller));
    const position = this.random.between(1, this.length(caller) + 1);
    this.lengths.set(name, rules.length);
    this.lengths.set(caller.name, this.length(caller) + 1);
    const jump = this.random.chance(1 / 4) ? "-g" : "-j";
    return [
      this.random.chance(1 / 2) ? `-N ${name}` : `:${name} - [0:0]`,
      ...rules.map((rule) => `-A ${name}${rule}`),
      `-I ${caller.name} ${position} ${jump} ${name}`,
    ];
  }

  /** A chain emptied and written again in another order, as kube-proxy does it, with a rule less where it has several. */
  private restate(room: number): string[] {
    const most = Math.min(LONGEST_RESTATED, Math.max(room, 8));
    const chain = this.chainWith(
      ({ name, rules }) => rules.length > 0 && rules.length < most && !this.lengths.has(name),
    );
    if (!chain) return this.append();
    const rules = chain.rules.map((ordinal) => printRule(this.table, chain, ordinal));
    if (rules.some((rule) => this.namesGone(rule))) return this.append();
    const from = this.random.below(rules.length);
    const [moved = ""] = rules.splice(from, 1);
    if (rules.length === 0 || this.random.chance(2 / 3)) rules.splice(this.random.below(rules.length + 1), 0, moved);
    this.lengths.set(chain.name, rules.length);
    return [chain.hook < 0 && this.random.chance(2 / 3) ? `:${chain.name} - [0:0]` : `-F ${chain.name}`, ...rules];
  }

  /** A chain and the rules that lead to it. */
  private takeAway(room: number): string[] {
    const chain = this.chainWith(
      ({ name, hook, rules }) => hook < 0 && rules.length < LONGEST_RESTATED && !this.lengths.has(name),
    );
    if (!chain || room < 3) return this.deleteAt();
    const calls = this.callsOf(chain);
    if (!calls || calls.some(({ caller }) => this.lengths.has(caller.name))) return this.deleteAt();
    const lines = calls.reverse().map(({ caller, position }) => {
      this.lengths.set(caller.name, this.length(caller) - 1);
      return `-D ${caller.name} ${position}`;
    });
    this.gone.add(chain.name);
    return [...lines, `-F ${chain.name}`, `-X ${chain.name}`];
  }

  private rename(): string[] {
    const chain = this.chainWith(({ name, hook }) => hook < 0 && !this.lengths.has(name));
    const name = this.freeName();
    if (!chain || !name) return this.append();
    this.gone.add(chain.name);
    this.lengths.set(name, chain.rules.length);
    return [`-E ${chain.name} ${name}`];
  }

  private policy(): string[] {
    const { random, table } = this;
    const chain = random.pick(BUILTIN_CHAINS[table.name]);
    return [`-P ${chain} ${table.name === "filter" && random.chance(1 / 4) ? "DROP" : "ACCEPT"}`];
  }

  private zero(): string[] {
    return [`-Z ${this.anyChain().name}`];
  }

  /** What follows the chain's name: a rule of its own, mostly changed. */
  private rule(chain: Chain): string {
    const { random, table } = this;
    for (let tries = 0; tries < TRIES && chain.rules.length > 0; tries++) {
      const text = printRule(table, chain, random.pick(chain.rules)).slice(`-A ${chain.name}`.length);
      if (!this.namesGone(text)) return random.chance(1 / 5) ? text : changedRule(random, text);
    }
    const source = table.rows.family === "ipv4" ? "192.0.2.1/32" : "2001:db8::1/128";
    return changedRule(random, ` -s ${source} -p tcp -m tcp --dport 80 -j RETURN`);
  }

  /** Undefined where there are too many. */
  private callsOf(callee: Chain): { caller: Chain; position: number }[] | undefined {
    const calls: { caller: Chain; position: number }[] = [];
    for (const caller of this.chains) {
      for (const [at, ordinal] of caller.rules.entries())
        if (jumpOf(this.table, ordinal) === callee.id) calls.push({ caller, position: at + 1 });
      if (calls.length > MOST_CALLERS) return undefined;
    }
    return calls;
  }

  private namesGone(rule: string): boolean {
    if (this.gone.size === 0) return false;
    const callee = / -[jg] (\S+)/.exec(rule)?.[1];
    return callee !== undefined && this.gone.has(callee);
  }

  private length(chain: Chain): number {
    return this.lengths.get(chain.name) ?? chain.rules.length;
  }

  private freeName(): string | undefined {
    const name = `verify-${this.random.below(10_000)}`;
    return this.table.chains.has(name) || this.lengths.has(name) || this.gone.has(name) ? undefined : name;
  }

  /** Long chains as often as short ones, and then again by their number of rules. */
  private anyChain(): Chain {
    return this.chainWith(() => true) ?? (this.table.chains.get(BUILTIN_CHAINS[this.table.name][0] as string) as Chain);
  }

  private chainWith(fits: (chain: Chain) => boolean): Chain | undefined {
    for (let tries = 0; tries < TRIES; tries++) {
      const chain = this.random.pick(this.chains);
      if (!this.gone.has(chain.name) && fits(chain)) return chain;
    }
    return this.chains.find((chain) => !this.gone.has(chain.name) && chain.rules.length > 0 && fits(chain));
  }
}

/** A line that no ruleset allows. */
function mistake(random: Random, table: Table): string {
  const chain = random.pick([...table.chains.values()]);
  const builtIn = random.pick(BUILTIN_CHAINS[table.name]);
  return random.pick([
    `-A ${chain.name} -j no-such-chain`,
    `-A no-such-chain -j ACCEPT`,
    `-D ${chain.name} ${chain.rules.length + 1000}`,
    `-I ${chain.name} ${chain.rules.length + 1000} -j ACCEPT`,
    `-N ${chain.name}`,
    `-X ${builtIn}`,
    `-F no-such-chain`,
    `-E ${builtIn} other`,
    `-A ${chain.name} -j ${builtIn}`,
  ]);
}
