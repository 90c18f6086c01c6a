/** Random batches for `iptables-restore --noflush`: every kind of edit, most of them possible, some not. */
import { printRule } from "../../src/ruleset/print.js";
import {
  BUILTIN_CHAINS,
  HOOK_NAMES,
  type HookName,
  type Ruleset,
  type Table,
  type TableName,
} from "../../src/ruleset/ruleset.js";
import type { Random } from "./random.js";
import type { Place } from "./random-condition.js";
import { randomRule, similarRule } from "./random-rule.js";
import { hooksOf, USER_CHAINS } from "./random-ruleset.js";

export interface BatchOptions {
  readonly tables: readonly TableName[];
  /** How many edits a table at most. */
  readonly edits: number;
  /** Probability that an edit is one that cannot be done. */
  readonly mistakes: number;
}

export function randomBatch(random: Random, ruleset: Ruleset, options: BatchOptions): string {
  const lines: string[] = [];
  for (const name of options.tables) {
    const draft = new Draft(random, ruleset.table(name));
    lines.push(`*${name}`);
    if (random.chance(0.05)) lines.push(...draft.burst());
    for (let i = random.between(1, options.edits); i > 0; i--)
      lines.push(random.chance(options.mistakes) ? draft.mistake() : draft.edit());
    lines.push("COMMIT");
  }
  return `${lines.join("\n")}\n`;
}

/** A table as the lines drafted so far leave it: chain names and rule counts, so that later lines mostly fit. */
class Draft {
  private readonly lengths = new Map<string, number>();

  constructor(
    private readonly random: Random,
    private readonly table: Table,
  ) {
    for (const chain of table.chains.values()) this.lengths.set(chain.name, chain.rules.length);
  }

  edit(): string {
    return this.random.weighted<() => string>([
      [6, () => this.append()],
      [4, () => this.insert()],
      [3, () => this.replace()],
      [4, () => this.deleteRule()],
      [4, () => this.deleteAt()],
      [2, () => this.newChain()],
      [2, () => this.declare()],
      [1, () => this.flush()],
      [2, () => this.born()],
      [2, () => this.gone()],
      [2, () => this.deleteChain()],
      [1, () => this.rename()],
      [1, () => this.policy()],
      [1, () => this.zero()],
    ])();
  }

  /** Many rules one after another in front of the same one: no room between neighbours lasts that long. */
  burst(): string[] {
    const { random } = this;
    const chain = this.anyChain();
    const position = random.between(1, this.length(chain) + 1);
    const count = random.between(30, 80);
    this.lengths.set(chain, this.length(chain) + count);
    return Array.from({ length: count }, () => this.rule(chain).replace(`-A ${chain}`, `-I ${chain} ${position}`));
  }

  mistake(): string {
    const { random } = this;
    const chain = this.anyChain();
    const length = this.length(chain);
    return random.pick([
      `-A ${chain} -m nosuch -j ACCEPT`,
      `-A ${chain} -j NOSUCH`,
      `-A NOSUCH -j ACCEPT`,
      `-D ${chain} -s 9.9.9.9 -j DROP`,
      `-D ${chain} ${length + 1}`,
      `-I ${chain} ${length + 2} -j ACCEPT`,
      `-R ${chain} ${length + 1} -j ACCEPT`,
      `-N ${chain}`,
      `-X NOSUCH`,
      `-X ${this.builtIn()}`,
      `-F NOSUCH`,
      `-P NOSUCH ACCEPT`,
      `-E ${this.builtIn()} z`,
      `-E NOSUCH z`,
      `-A ${chain} -j ${chain}`,
      `-A ${chain} -j ${this.builtIn()}`,
    ]);
  }

  private append(): string {
    const chain = this.anyChain();
    this.lengths.set(chain, this.length(chain) + 1);
    return this.rule(chain);
  }

  private insert(): string {
    const chain = this.anyChain();
    const position = this.random.between(1, this.length(chain) + 1);
    this.lengths.set(chain, this.length(chain) + 1);
    return this.rule(chain).replace(
      `-A ${chain}`,
      position === 1 && this.random.chance(0.5) ? `-I ${chain}` : `-I ${chain} ${position}`,
    );
  }

  private replace(): string {
    const chain = this.nonEmptyChain();
    if (!chain) return this.append();
    return this.rule(chain).replace(`-A ${chain}`, `-R ${chain} ${this.random.between(1, this.length(chain))}`);
  }

  /** By what the rule says; an edit drafted before may have taken it away, and then the batch must fail. */
  private deleteRule(): string {
    const chains = [...this.table.chains.values()].filter(
      (chain) => chain.rules.length > 0 && this.length(chain.name) > 0,
    );
    if (chains.length === 0) return this.append();
    const chain = this.random.pick(chains);
    this.lengths.set(chain.name, this.length(chain.name) - 1);
    return printRule(this.table, chain, this.random.pick(chain.rules)).replace(/^-A /, "-D ");
  }

  private deleteAt(): string {
    const chain = this.nonEmptyChain();
    if (!chain) return this.append();
    const position = this.random.between(1, this.length(chain));
    this.lengths.set(chain, this.length(chain) - 1);
    return `-D ${chain} ${position}`;
  }

  private newChain(): string {
    const name = this.random.pick(USER_CHAINS);
    if (this.lengths.has(name)) return this.declare();
    this.lengths.set(name, 0);
    return `-N ${name}`;
  }

  private declare(): string {
    const name = this.random.pick(USER_CHAINS);
    this.lengths.set(name, 0);
    return `:${name} - [0:0]`;
  }

  private flush(): string {
    const chain = this.anyChain();
    this.lengths.set(chain, 0);
    return `-F ${chain}`;
  }

  /** Chains declared in front of their rules, as those of a service are, and sometimes something else in between. */
  private born(): string {
    const { random } = this;
    const free = USER_CHAINS.filter((name) => !this.lengths.has(name));
    const names = random.chance(0.8) && free.length > 0 ? random.some(free) : [random.pick(USER_CHAINS)];
    const lines = names.map((name) =>
      random.chance(0.7) || this.lengths.has(name) ? `:${name} - [0:0]` : `-N ${name}`,
    );
    for (const name of names) this.lengths.set(name, 0);
    for (const name of names) {
      const rules = random.pick([0, 1, 2, 3, 8, 9]);
      for (let rule = 0; rule < rules; rule++) {
        if (random.chance(0.05)) lines.push(this.edit());
        if (!this.lengths.has(name)) break;
        const counters = random.chance(0.2) ? `[${random.below(5)}:${random.below(500)}] ` : "";
        lines.push(counters + this.rule(name));
        this.lengths.set(name, this.length(name) + 1);
      }
    }
    const from = this.anyChain();
    if (random.chance(0.7)) {
      lines.push(`-A ${from} -j ${names[0]}`);
      this.lengths.set(from, this.length(from) + 1);
    }
    return lines.join("\n");
  }

  /** A chain, and all that jumps to it. */
  private gone(): string {
    const { random } = this;
    const users = this.userChains();
    if (users.length === 0) return this.newChain();
    const name = random.pick(users);
    const jump = new RegExp(`-[jg] ${name}( |$)`);
    const callers = [...this.table.chains.values()].filter(
      (chain) =>
        this.lengths.has(chain.name) && chain.rules.some((rule) => jump.test(printRule(this.table, chain, rule))),
    );
    const lines = callers.map((chain) => `-F ${chain.name}`);
    for (const chain of callers) this.lengths.set(chain.name, 0);
    lines.push(random.chance(0.5) ? `-F ${name}` : `:${name} - [0:0]`);
    this.lengths.set(name, 0);
    if (random.chance(0.2)) lines.push(this.edit());
    if (this.lengths.delete(name)) lines.push(`-X ${name}`);
    return lines.join("\n");
  }

  /** Often one that is still in use. */
  private deleteChain(): string {
    const users = this.userChains();
    if (users.length === 0) return this.newChain();
    const name = this.random.pick(users);
    this.lengths.delete(name);
    return this.random.chance(0.7) ? `-F ${name}\n-X ${name}` : `-X ${name}`;
  }

  private rename(): string {
    const users = this.userChains();
    const free = USER_CHAINS.filter((name) => !this.lengths.has(name));
    if (users.length === 0 || free.length === 0) return this.append();
    const from = this.random.pick(users);
    const to = this.random.pick(free);
    this.lengths.set(to, this.length(from));
    this.lengths.delete(from);
    return `-E ${from} ${to}`;
  }

  private policy(): string {
    const policy = this.table.name === "nat" ? "ACCEPT" : this.random.pick(["ACCEPT", "DROP"]);
    const counters = `[${this.random.below(3)}:${this.random.below(300)}]`;
    return this.random.chance(0.5) ? `-P ${this.builtIn()} ${policy}` : `:${this.builtIn()} ${policy} ${counters}`;
  }

  private zero(): string {
    return this.random.chance(0.5) ? `-Z ${this.anyChain()}` : "-Z";
  }

  private rule(chain: string): string {
    const { random, table } = this;
    const hook = HOOK_NAMES.indexOf(chain as HookName);
    const builtIn = hook >= 0;
    const hooks = builtIn ? new Set([hook]) : hooksOf(table.name);
    const place: Place = { family: table.rows.family, table: table.name, chain, builtIn, hooks, forgetful: true };
    // Mostly along the alphabet of names, so that loops are rare but do come.
    const callees = this.userChains().filter((name) => USER_CHAINS.indexOf(name) > USER_CHAINS.indexOf(chain));
    const pool = random.chance(0.05) ? this.userChains() : callees;
    const jump =
      pool.length > 0 && random.chance(0.3) ? `${random.pick(["-j", "-j", "-g"])} ${random.pick(pool)}` : undefined;
    return (
      random.chance(0.5) ? similarRule(random, place, random.between(1, 7), jump) : randomRule(random, place, jump)
    ).text;
  }

  private length(chain: string): number {
    return this.lengths.get(chain) ?? 0;
  }

  private anyChain(): string {
    return this.random.pick([...this.lengths.keys()]);
  }

  private nonEmptyChain(): string | undefined {
    const chains = [...this.lengths].filter(([, length]) => length > 0);
    return chains.length > 0 ? this.random.pick(chains)[0] : undefined;
  }

  private userChains(): string[] {
    return [...this.lengths.keys()].filter((name) => !BUILTIN_CHAINS[this.table.name].includes(name as never));
  }

  private builtIn(): string {
    return this.random.pick(BUILTIN_CHAINS[this.table.name]);
  }
}
