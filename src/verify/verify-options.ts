/** What `verify` may be asked for. */
import type { AccountingObject } from "../engine/accounting.js";
import { CLASSIFIERS, type Classifier } from "../engine/engine.js";
import type { TimeoutPolicy } from "../engine/timeout-policies.js";
import type { Family } from "../ruleset/row-store.js";
import { STRATEGIES, type Strategy } from "../update/updater.js";

export interface VerifyOptions {
  /** As iptables-save prints it. */
  readonly text: string | Uint8Array;
  /** Name for error messages. */
  readonly file: string;
  readonly family: Family;
  /** Lines of random edits in all. Not with `replay`. */
  readonly edits: number;
  /** Lines a batch, about. */
  readonly batch: number;
  readonly seed: number;
  readonly strategies: readonly Strategy[];
  readonly classifiers: readonly Classifier[];
  /** Batches from one full comparison to the next; 0 lets the ruleset's size say. */
  readonly fullEvery: number;
  /** Packets at every full comparison. */
  readonly packets: number;
  /** Sets that the rules name, as `ipset save` prints them or for `ipset restore`; text "" for none. */
  readonly sets: { readonly text: string; readonly file: string };
  /** Objects that rules count in (-m nfacct). Not with `linux`, which has no tool that makes them everywhere. */
  readonly accounting: readonly AccountingObject[];
  /** Policies that rules name (-j CT --timeout). Only with `track`, and not with `linux`. */
  readonly timeoutPolicies: readonly TimeoutPolicy[];
  /** Track connections: packets pass NAT, and each is answered. */
  readonly track: boolean;
  /** Compare with iptables-legacy in a network namespace of its own as well. */
  readonly linux: boolean;
  /** Batches to make instead of random ones. */
  readonly replay?: readonly string[];
}

export const VERIFY_DEFAULTS = Object.freeze({
  edits: 1000,
  batch: 10,
  seed: 1,
  strategies: ["incremental", "partial"] as readonly Strategy[],
  classifiers: Object.keys(CLASSIFIERS) as readonly Classifier[],
  fullEvery: 0,
  packets: 200,
  sets: Object.freeze({ text: "", file: "sets" }),
  accounting: Object.freeze([]) as readonly AccountingObject[],
  timeoutPolicies: Object.freeze([]) as readonly TimeoutPolicy[],
  track: false,
  linux: false,
});

/** A full comparison costs what a full load costs: of this many rules, every batch has one. */
const RULES_A_FULL = 10_000;

export function fullEveryOf({ fullEvery }: Pick<VerifyOptions, "fullEvery">, rules: number): number {
  return fullEvery > 0 ? fullEvery : Math.max(1, Math.ceil(rules / RULES_A_FULL));
}

/** @throws RangeError for what makes no sense. */
export function checkOptions(options: VerifyOptions): void {
  const { edits, batch, packets, strategies, classifiers, accounting, timeoutPolicies, track, linux } = options;
  for (const [name, value] of Object.entries({ edits, batch, packets }))
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name}: a whole number from 1, not ${value}`);
  for (const name of strategies) if (!(name in STRATEGIES)) throw new RangeError(`unknown strategy ${name}`);
  for (const name of classifiers) if (!(name in CLASSIFIERS)) throw new RangeError(`unknown classifier ${name}`);
  if (linux && accounting.length > 0) throw new RangeError("objects of nfacct, or linux, not both");
  if (timeoutPolicies.length > 0 && (linux || !track))
    throw new RangeError("policies of nfct: only where connections are tracked, and not with linux");
  if (strategies.length === 0 || classifiers.length === 0) throw new RangeError("no strategy or no classifier");
}
