/**
 * A workload from any ruleset: what iptables-save printed on some machine, or a file for iptables-restore. Of four
 * changes and their undoing, three take a rule out and put it back in its place, one empties a chain and fills it again;
 * rules and chains are chosen at random. Traffic is made to meet the rules.
 *
 * A change's probe is found by trying packets that meet the rule concerned. There is none where no packet tried ends
 * otherwise, as with a rule that only counts, logs or repeats another, nor where the engine refuses the ruleset.
 */
import type { Family } from "../ruleset/row-store.js";
import type { AccountingObject } from "../engine/accounting.js";
import type { TimeoutPolicy } from "../engine/timeout-policies.js";
import { withEmptySets } from "../ruleset/ipset/named-sets.js";
import { parseRuleset } from "../ruleset/parse.js";
import { chainsInPrintOrder } from "../ruleset/arrangement.js";
import { printRule } from "../ruleset/print.js";
import type { Chain, HookName, Policy, Ruleset, Table } from "../ruleset/ruleset.js";
import { RulesetError } from "../ruleset/ruleset-error.js";
import { guessLocalAddresses, InsideRules, type RulePlace } from "./inside-rules.js";
import { ProbeFinder, type ProbeMachine } from "./probe-finder.js";
import { Random } from "./random.js";
import { type Difference, SaveDocument } from "./save-document.js";
import { batchOf, declaration, SaveText } from "./save-text.js";
import type { Change, Probe, Workload } from "./workload.js";

export interface SaveFileOptions {
  /** What to call it; in errors as well. */
  readonly name: string;
  readonly text: string | Uint8Array;
  /** Default IPv4. */
  readonly family?: Family;
  /** Default 1. */
  readonly seed?: number;
  /** "ADDRESS" or "ADDRESS INTERFACE" of the machine it comes from. Default: a guess from the rules of INPUT. */
  readonly localAddresses?: readonly string[];
  /** Text for `ipset restore`: the sets that rules name. */
  readonly sets?: string;
  /** Sets that rules name and `sets` does not make are made, empty; else the engine refuses the rules. */
  readonly emptySets?: boolean;
  /** Objects that rules count in (-m nfacct). */
  readonly accounting?: readonly AccountingObject[];
  /** Policies that rules name (-j CT --timeout); only with `track`. */
  readonly timeoutPolicies?: readonly TimeoutPolicy[];
  /** Connections will be tracked: probes are what shows a change then. */
  readonly track?: boolean;
}

/** Packets that are tried for a change's probe. */
const CANDIDATES = 16;

/** @throws RulesetError at the text's first fault, RangeError when it has no rule. */
export function saveFile({
  name,
  text,
  family = "ipv4",
  seed = 1,
  localAddresses,
  ...given
}: SaveFileOptions): Workload {
  const ruleset = parseRuleset(text, { family, file: name });
  const sets = given.emptySets ? withEmptySets(ruleset, given.sets ?? "") : (given.sets ?? "");
  const document = documentOf(ruleset);
  if (document.rules === 0) throw new RangeError(`${name}: no rules, so nothing to change`);
  const local = localAddresses ?? guessLocalAddresses(ruleset);
  const inside = new InsideRules(
    ruleset,
    local.map((entry) => entry.split(" ")[0] as string),
  );
  const { accounting = [], timeoutPolicies = [], track = false } = given;
  const machine: ProbeMachine = { localAddresses: local, sets, accounting, timeoutPolicies, track };
  return {
    name,
    family,
    rules: document.rules,
    period: 2,
    localAddresses: local,
    ...(sets ? { sets } : {}),
    ...(accounting.length > 0 ? { accounting } : {}),
    ...(timeoutPolicies.length > 0 ? { timeoutPolicies } : {}),
    ruleset: () => document.print(),
    changes: (of = seed) => changes(new Churn(ruleset, document, inside, machine), of),
    traffic: (count, of = seed, spread = "uniform") => inside.traffic(count, new Random(of, 0x7472), spread),
  };
}

function documentOf(ruleset: Ruleset): SaveDocument {
  return new SaveDocument(
    [...ruleset.tables.values()].map((table) => {
      const policies: Partial<Record<HookName, Policy>> = {};
      const chains = new Map<string, string[]>();
      for (const chain of chainsInPrintOrder(table)) {
        if (chain.hook >= 0) policies[chain.name as HookName] = chain.policy;
        chains.set(
          chain.name,
          chain.rules.map((ordinal) => printRule(table, chain, ordinal)),
        );
      }
      return new SaveText(table.name, chains, policies);
    }),
  );
}

function* changes(churn: Churn, seed: number): Generator<Change, never> {
  const random = new Random(seed, 0x6368);
  for (let round = 0; ; round++) yield* round % 4 < 3 ? churn.withoutRule(random) : churn.withoutRules(random);
}

class Churn {
  private readonly places: readonly RulePlace[];
  /** Made when the first probe is looked for. */
  private finder: ProbeFinder | "none" | undefined;

  constructor(
    private readonly ruleset: Ruleset,
    private readonly document: SaveDocument,
    private readonly inside: InsideRules,
    private readonly machine: ProbeMachine,
  ) {
    const all = [...ruleset.tables.values()].flatMap((table) =>
      [...table.chains.values()].flatMap((chain) => chain.rules.map((ordinal) => ({ table, chain, ordinal }))),
    );
    this.places = inside.places.length > 0 ? inside.places : all;
  }

  /** A rule goes, and comes back in its place. */
  *withoutRule(random: Random): Generator<Change> {
    const place = random.pick(this.places);
    const { table, chain, ordinal } = place;
    const position = chain.rules.indexOf(ordinal) + 1;
    const rule = printRule(table, chain, ordinal).slice(`-A ${chain.name}`.length);
    const rest = chain.rules.filter((other) => other !== ordinal);
    yield* this.thereAndBack({
      table,
      chain,
      rest,
      names: [
        `take rule ${position} out of ${table.name} ${chain.name}`,
        `put rule ${position} back into ${table.name} ${chain.name}`,
      ],
      batch: batchOf(table.name, [`-D ${chain.name} ${position}`]),
      undo: batchOf(table.name, [`-I ${chain.name} ${position}${rule}`]),
      packets: this.candidates([place], random),
    });
  }

  /** A chain is emptied, and filled again. */
  *withoutRules(random: Random): Generator<Change> {
    const { table, chain } = random.pick(this.places);
    const rules = chain.rules.map((ordinal) => printRule(table, chain, ordinal));
    yield* this.thereAndBack({
      table,
      chain,
      rest: [],
      names: [`empty ${table.name} ${chain.name}`, `fill ${table.name} ${chain.name} with its ${rules.length} rules`],
      batch: batchOf(table.name, [`-F ${chain.name}`]),
      undo: batchOf(table.name, rules),
      packets: this.candidates(
        this.inside.places.filter((place) => place.chain === chain),
        random,
      ),
    });
  }

  private *thereAndBack(plan: {
    table: Table;
    chain: Chain;
    rest: readonly number[];
    names: readonly [string, string];
    batch: string;
    undo: string;
    packets: readonly Uint8Array[];
  }): Generator<Change> {
    const { table, chain, rest, names, batch, undo } = plan;
    const { document } = this;
    const lines = rest.map((ordinal) => `${printRule(table, chain, ordinal)}\n`).join("");
    const difference: Difference = new Map([[table.name, new Map([[chain.name, lines]])]]);
    const probe = this.probe(plan.packets, batch, undo);
    yield {
      label: names[0],
      batch,
      rules: document.rules - chain.rules.length + rest.length,
      restated: () => restate(table, chain, lines),
      whole: () => document.print(difference),
      ...(probe ? { probe } : {}),
    };
    yield {
      label: names[1],
      batch: undo,
      rules: document.rules,
      restated: () => restate(table, chain, document.table(table.name)?.chain(chain.name) ?? ""),
      whole: () => document.print(),
      ...(probe ? { probe: { packet: probe.packet, before: probe.after, after: probe.before } } : {}),
    };
  }

  private candidates(places: readonly RulePlace[], random: Random): Uint8Array[] {
    if (places.length === 0) return [];
    return Array.from({ length: CANDIDATES }, () => this.inside.packet(random.pick(places), random));
  }

  private probe(packets: readonly Uint8Array[], batch: string, undo: string): Probe | undefined {
    if (packets.length === 0) return undefined;
    this.finder ??= finderOf(this.ruleset, this.machine);
    return this.finder === "none" ? undefined : this.finder.find(packets, batch, undo);
  }
}

/** None where the engine refuses the ruleset: its changes can still be stated. */
function finderOf(ruleset: Ruleset, machine: ProbeMachine): ProbeFinder | "none" {
  try {
    return new ProbeFinder(ruleset, machine);
  } catch (error) {
    if (error instanceof RulesetError) return "none";
    throw error;
  }
}

/** The chain emptied and written whole: declaring a built-in one would leave its rules. */
function restate(table: Table, chain: Chain, lines: string): string {
  const emptied = chain.hook < 0 ? declaration(chain.name) : `-F ${chain.name}\n`;
  return `*${table.name}\n${emptied}${lines}COMMIT\n`;
}
