/** What the programs that change the real kernel's rules have in common, for whoever measures or checks them. */
import type { Family } from "../ruleset/row-store.js";
import type { Command } from "./resident-protocol.js";
import type { Namespace } from "./namespace.js";

/** A change, as workloads make them. */
export interface KernelChange {
  readonly batch: string;
  readonly sets?: string;
  restated(): string;
  whole(): string;
}

/** A ruleset to begin with. */
export interface KernelRuleset {
  readonly sets?: string;
  ruleset(): string;
}

/** One program over one namespace. Changes are made in their order: each is prepared, run, and then settled. */
export interface KernelSession<Strategy extends string = string> {
  load(rules: KernelRuleset): Promise<void>;
  /** The processes that make the change. */
  prepare(change: KernelChange, strategy: Strategy): Promise<Command[]>;
  /** What must be known for the next change, found out when the last has been made. */
  settle(): Promise<void>;
}

export interface KernelTarget<Strategy extends string = string, Form extends string = string> {
  readonly strategies: readonly Strategy[];
  /** How packets find their rule: what is called classifier in ruleswap. */
  readonly forms: readonly Form[];
  programs(family: Family): readonly string[];
  /** A process of the same kind that changes nothing: what starting and ending it costs. */
  nothing(family: Family): Command;
  session(namespace: Namespace, family: Family, form: Form): KernelSession<Strategy>;
}
