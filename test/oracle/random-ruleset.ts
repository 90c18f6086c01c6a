/**
 * Random rulesets as text that iptables-restore takes: user chains called from several places, jumps to later chains
 * only, chains long enough to be indexed, and for every rule a way to aim a packet at it.
 */
import type { Family } from "../../src/ruleset/row-store.js";
import { BUILTIN_CHAINS, HOOK_NAMES, TABLE_NAMES, type TableName } from "../../src/ruleset/ruleset.js";
import type { Random } from "./random.js";
import type { Place } from "./random-condition.js";
import { type RandomRule, randomRule, similarRule } from "./random-rule.js";

export interface RandomChain {
  readonly table: TableName;
  readonly name: string;
  readonly builtIn: boolean;
  /** Hooks that reach it; a user chain's grow while its callers are made. */
  readonly hooks: Set<number>;
  readonly rules: RandomRule[];
  readonly callers: { chain: RandomChain; rule: RandomRule }[];
}

export interface RandomRuleset {
  readonly family: Family;
  readonly text: string;
  readonly chains: readonly RandomChain[];
}

export interface RulesetOptions {
  readonly family?: Family;
  readonly tables?: readonly TableName[];
  /** Greatest number of rules of a chain. */
  readonly longest?: number;
  /** User chains hold only what Linux accepts under every hook of the table, so that any jump may be added later. */
  readonly anyHook?: boolean;
  /** No limit, statistic or recent: what a packet meets does not hang on those before it. */
  readonly forgetful?: boolean;
  /** Rules that must not be. */
  readonly without?: RegExp;
}

export function randomRuleset(random: Random, options: RulesetOptions = {}): RandomRuleset {
  const family = options.family ?? (random.chance(0.7) ? "ipv4" : "ipv6");
  const tables = options.tables ?? (random.chance(0.5) ? [random.pick(TABLE_NAMES)] : random.some(TABLE_NAMES));
  const chains: RandomChain[] = [];
  const lines: string[] = [];
  for (const table of tables) {
    const own = randomTable(random, family, table, options);
    chains.push(...own);
    lines.push(`*${table}`);
    for (const chain of own) lines.push(`:${chain.name} ${chain.builtIn ? randomPolicy(random, table) : "-"} [0:0]`);
    for (const chain of own) for (const rule of chain.rules) lines.push(rule.text);
    lines.push("COMMIT");
  }
  return { family, text: `${lines.join("\n")}\n`, chains };
}

/** Names that a sloppy reader might take for something else. */
export const USER_CHAINS = [
  "A",
  "b-1",
  "KUBE-SVC-X",
  "log_drop",
  "ACCEPTED",
  "very-long-chain-name-of-28-c",
  "zz",
  "1",
];

function randomTable(random: Random, family: Family, table: TableName, options: RulesetOptions): RandomChain[] {
  const longest = options.longest ?? 300;
  const chains: RandomChain[] = BUILTIN_CHAINS[table].map((name) => ({
    table,
    name,
    builtIn: true,
    hooks: new Set([HOOK_NAMES.indexOf(name)]),
    rules: [],
    callers: [],
  }));
  for (const name of USER_CHAINS.slice(0, random.below(USER_CHAINS.length + 1)))
    chains.push({ table, name, builtIn: false, hooks: new Set(), rules: [], callers: [] });
  const heavy = random.below(chains.length);
  chains.forEach((chain, index) => {
    const long = index === heavy && random.chance(0.6);
    const length = long ? random.between(Math.min(16, longest), longest) : random.below(Math.min(12, longest) + 1);
    const below = chains.slice(index + 1).filter((one) => !one.builtIn);
    fillChain(random, placeOf(family, chain, options), chain, below, length, options.without);
  });
  return chains;
}

/** Terminal rules are thinned out in long chains, or no packet would come to their end. */
function fillChain(
  random: Random,
  place: Place,
  chain: RandomChain,
  below: readonly RandomChain[],
  length: number,
  without: RegExp | undefined,
): void {
  const shapes = [random.between(1, 15), random.between(1, 7), 5];
  const similarity = random.pick([0, 0.5, 0.95]);
  for (let i = 0; i < length; i++) {
    const callee = below.length > 0 && random.chance(length > 16 ? 0.05 : 0.3) ? random.pick(below) : undefined;
    const jump = callee ? `${random.chance(0.2) ? "-g" : "-j"} ${callee.name}` : undefined;
    const rule = random.chance(similarity)
      ? similarRule(random, place, random.pick(shapes), jump)
      : randomRule(random, place, jump);
    if (without?.test(rule.text)) continue;
    chain.rules.push(rule);
    if (!callee) continue;
    callee.callers.push({ chain, rule });
    for (const hook of chain.hooks) callee.hooks.add(hook);
  }
}

function placeOf(family: Family, chain: RandomChain, options: RulesetOptions): Place {
  const { table, name, builtIn } = chain;
  const hooks = options.anyHook && !builtIn ? hooksOf(table) : chain.hooks;
  return { family, table, chain: name, builtIn, hooks, forgetful: options.forgetful ?? false };
}

export function hooksOf(table: TableName): Set<number> {
  return new Set(BUILTIN_CHAINS[table].map((name) => HOOK_NAMES.indexOf(name)));
}

function randomPolicy(random: Random, table: TableName): string {
  return table !== "nat" && random.chance(0.3) ? "DROP" : "ACCEPT";
}
