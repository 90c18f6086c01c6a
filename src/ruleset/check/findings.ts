/**
 * Rules and chains of a table that can never matter. Everything is proven: a rule is told of when the packets that could
 * get to it, as a set that is at least as large as the true one, are all taken by rules in front of it, each of them a
 * set that is at most as large.
 */
import type { Chain, Table } from "../ruleset.js";
import { type Box, EVERYTHING, intersectBoxes } from "./box.js";
import { callersFirst } from "./chain-order.js";
import { type ChainEffect, chainEffects, endsFor, lineOf } from "./chain-effects.js";
import { ruleBox } from "./conditions.js";
import { ANY_CONTEXT, atEntry, type Context, hookContext, widened } from "./contexts.js";
import { Budget, Enders } from "./coverage.js";
import { effectOf } from "./effects.js";
import { Fields, Versions } from "./fields.js";
import type { Finding, FindingKind, RulePlace } from "./finding.js";

export interface Findings {
  readonly findings: readonly Finding[];
  /** Rules that were not compared with those in front of them, since the table has too many. */
  readonly unexamined: number;
}

/** In the order of the table's chains and their rules. */
export function findings(table: Table): Findings {
  const { order, looping } = callersFirst(table);
  const analysis = new Analysis(table, looping);
  const found = new Map<Chain, Finding[]>();
  for (const chain of order) found.set(chain, analysis.examine(chain));
  const all = [...table.chains.values()].flatMap((chain) => found.get(chain) ?? []);
  return { findings: all, unexamined: analysis.unexamined };
}

/** A rule that ends its chain, and where it jumps, the rules there that let nothing return. */
type Proof = readonly RulePlace[];

class Analysis {
  unexamined = 0;
  private readonly effects: ReadonlyMap<number, ChainEffect>;
  private readonly fields = new Fields();
  private readonly contexts = new Map<string, Context>();
  /** Rules that jump to a chain and never match. */
  private readonly idleCallers = new Map<string, RulePlace[]>();
  private readonly budget = new Budget();

  constructor(
    private readonly table: Table,
    looping: ReadonlySet<Chain>,
  ) {
    this.effects = chainEffects(table);
    for (const chain of looping) this.contexts.set(chain.name, ANY_CONTEXT);
    for (const chain of table.chains.values())
      if (chain.hook >= 0) this.contexts.set(chain.name, hookContext(chain, this.fields));
  }

  /** All chains that jump to this one have been examined, or its context is any. */
  examine(chain: Chain): Finding[] {
    const context = this.contexts.get(chain.name);
    const whole = { chain: chain.name, rule: 0, line: 0 };
    if (!context) return [this.finding("unreachable-chain", whole, this.idleCallers.get(chain.name))];
    const found: Finding[] = [];
    const versions = new Versions();
    const enders = new Enders<Proof>(this.budget);
    let end: Proof | undefined;
    for (const [index, ordinal] of chain.rules.entries()) {
      const place = { chain: chain.name, rule: index + 1, line: lineOf(this.table, ordinal) };
      const effect = effectOf(this.table.rows, ordinal);
      const callee = effect.callee < 0 ? undefined : this.table.chainsById[effect.callee];
      const box = ruleBox(this.table.rows, ordinal, this.fields, versions);
      const boxes = box ? meet(context.boxes, box) : [];
      const idle = end ? this.finding("behind-end", place, end) : this.neverMatches(place, box, boxes, enders);
      if (idle) found.push(idle);
      else if (callee?.rules.length === 0) found.push(this.finding("jump-to-empty-chain", place, [], callee.name));
      if (callee && idle) this.noteIdle(callee, place);
      if (idle || !box) continue;
      if (callee) {
        const sent = this.sent(boxes, enders);
        const entry = sent.boxes.map((one) => atEntry(one, versions, this.fields));
        this.contexts.set(callee.name, widened(this.contexts.get(callee.name), entry, [...sent.because, place]));
      }
      const calleeEffect = callee && this.effects.get(callee.id);
      if (endsFor(effect, calleeEffect)) {
        const proof = [place, ...(effect.ends ? [] : (calleeEffect?.end ?? []))];
        enders.add(box, proof);
        if (box.size === EVERYTHING.size) end = proof;
      } else versions.alter(effect.alters | (calleeEffect?.alters ?? 0));
    }
    return found;
  }

  /** `boxes` are the packets of `box` that may get here. */
  private neverMatches(
    place: RulePlace,
    box: Box | undefined,
    boxes: readonly Box[],
    enders: Enders<Proof>,
  ): Finding | undefined {
    if (!box) return this.finding("contradiction", place, [place]);
    if (boxes.length === 0) return this.finding("excluded", place, this.callersOf(place.chain));
    if (this.budget.left < enders.size * (boxes.length + 1)) {
      this.unexamined++;
      return undefined;
    }
    const proof = enders.cover([box])?.flat();
    if (proof) return this.finding("shadowed", place, proof);
    const narrower = boxes.some((one) => enders.distinguishes(one, box)) ? enders.cover(boxes) : undefined;
    return narrower && this.finding("shadowed", place, [...narrower.flat(), ...this.callersOf(place.chain)]);
  }

  /** What a rule sends on of `boxes`, and the rules in front that keep the rest. */
  private sent(boxes: readonly Box[], enders: Enders<Proof>): { boxes: readonly Box[]; because: readonly RulePlace[] } {
    if (this.budget.left < enders.size * boxes.length) return { boxes, because: [] };
    const left = boxes.map((box) => enders.leftOf(box));
    return { boxes: left.flatMap((one) => one.boxes), because: left.flatMap((one) => one.because.flat()) };
  }

  private noteIdle(callee: Chain, caller: RulePlace): void {
    const callers = this.idleCallers.get(callee.name) ?? [];
    callers.push(caller);
    this.idleCallers.set(callee.name, callers);
  }

  /** The rules that decide what gets to a chain: those that lead there, and those in front of them. */
  private callersOf(chain: string): RulePlace[] {
    const chains = new Set([chain]);
    const callers = new Map<string, RulePlace>();
    for (const name of chains)
      for (const caller of this.contexts.get(name)?.callers ?? []) {
        callers.set(`${caller.chain} ${caller.rule}`, caller);
        chains.add(caller.chain);
      }
    return [...callers.values()];
  }

  private finding(
    kind: FindingKind,
    { chain, rule, line }: RulePlace,
    because: readonly RulePlace[] = [],
    target?: string,
  ): Finding {
    const place = { kind, table: this.table.name, chain, rule, line, because };
    return target === undefined ? place : { ...place, target };
  }
}

function meet(contexts: readonly Box[], box: Box): Box[] {
  return contexts.map((context) => intersectBoxes(context, box)).filter((both) => both !== undefined);
}
