/** What chains as a whole do to the packets that are sent into them. */
import { ROW_LINE } from "../../blob/layout.js";
import type { Chain, Table } from "../ruleset.js";
import { type Box, EVERYTHING } from "./box.js";
import { ruleBox } from "./conditions.js";
import { altersAsked, type Effect, effectOf } from "./effects.js";
import { ALTERS_ALL, Fields, Versions } from "./fields.js";
import type { RulePlace } from "./finding.js";

export interface ChainEffect {
  /** No packet comes out of the chain to its caller: the rule that ends it for all, and those that end its callees. */
  readonly end: readonly RulePlace[] | undefined;
  /** ALTERS_* bits. */
  readonly alters: number;
}

/** Of a chain that leads back to itself, which Linux allows where no packet gets, nothing is known. */
const UNKNOWN: ChainEffect = { end: undefined, alters: ALTERS_ALL };

/** The effects of all chains, by id. */
export function chainEffects(table: Table): ReadonlyMap<number, ChainEffect> {
  const known = new Map<number, ChainEffect>();
  const open = new Set<number>();
  for (const chain of table.chains.values()) settle(table, chain, known, open);
  return known;
}

/** Callees first, on an explicit stack: rulesets nest deeper than the engine's. */
function settle(table: Table, start: Chain, known: Map<number, ChainEffect>, open: Set<number>): void {
  const stack = [start];
  for (let chain = stack.at(-1); chain; chain = stack.at(-1)) {
    const waiting = open.has(chain.id) ? undefined : calleesOf(table, chain).filter(({ id }) => !known.has(id));
    if (known.has(chain.id)) stack.pop();
    else if (waiting?.length) {
      open.add(chain.id);
      // A callee that is open already leads back here.
      for (const callee of waiting) if (!open.has(callee.id)) stack.push(callee);
    } else {
      known.set(chain.id, effectOfChain(table, chain, known));
      open.delete(chain.id);
      stack.pop();
    }
  }
}

function calleesOf(table: Table, chain: Chain): Chain[] {
  const found = new Set<Chain>();
  for (const ordinal of chain.rules) {
    const callee = table.chainsById[effectOf(table.rows, ordinal).callee];
    if (callee) found.add(callee);
  }
  return [...found];
}

function effectOfChain(table: Table, chain: Chain, known: ReadonlyMap<number, ChainEffect>): ChainEffect {
  let alters = 0;
  let end: readonly RulePlace[] | undefined;
  let mayReturn = false;
  for (const [index, ordinal] of chain.rules.entries()) {
    const effect = effectOf(table.rows, ordinal);
    const callee = effect.callee < 0 ? undefined : (known.get(effect.callee) ?? UNKNOWN);
    alters |= effect.alters | altersAsked(table.rows, ordinal) | (callee?.alters ?? 0);
    if (mayReturn || end) continue;
    // What may come out, by RETURN or behind a goto, comes out to the caller.
    if (effect.returns || (effect.callee >= 0 && effect.ends && !callee?.end)) mayReturn = true;
    else if (endsFor(effect, callee) && isUnconditional(table, ordinal))
      end = [{ chain: chain.name, rule: index + 1, line: lineOf(table, ordinal) }, ...(callee?.end ?? [])];
  }
  return { end, alters };
}

/** Whether the chain is over for packets that the rule takes. */
export function endsFor(effect: Effect, callee: ChainEffect | undefined): boolean {
  return effect.ends || callee?.end !== undefined;
}

/** The line of a rule, 0 where it is not known. */
export function lineOf({ rows }: Table, ordinal: number): number {
  return rows.view.getUint32((rows.offsets[ordinal] as number) + ROW_LINE, true);
}

function isUnconditional(table: Table, ordinal: number): boolean {
  const box: Box = ruleBox(table.rows, ordinal, new Fields(), new Versions()) ?? NOTHING;
  return box.size === EVERYTHING.size;
}

const NOTHING: Box = new Map([[{ name: "nothing", limit: 1 }, []]]);
