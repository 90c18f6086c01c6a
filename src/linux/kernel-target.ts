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

/** Where other programs change the same ruleset. */
export interface Beside {
  /** Whose rules these are: where each program has tables of its own, they are called after it. */
  readonly owner: string;
  /** Seconds after which a program gives up waiting for the lock; it then ends with status 4. */
  readonly lockTimeout: number;
}

/** How iptables ends that has waited long enough: RESOURCE_PROBLEM of xshared.h. */
export const LOCK_TIMEOUT_STATUS = 4;

export interface KernelTarget<Strategy extends string = string, Form extends string = string> {
  readonly strategies: readonly Strategy[];
  /** How packets find their rule: what is called classifier in ruleswap. */
  readonly forms: readonly Form[];
  programs(family: Family): readonly string[];
  /** A process of the same kind that changes nothing: what starting and ending it costs. */
  nothing(family: Family): Command;
  /** Whether programs wait for each other in a file's lock; else they do so inside the kernel, where nobody sees it. */
  readonly locks: boolean;
  session(namespace: Namespace, family: Family, form: Form, beside?: Beside): KernelSession<Strategy>;
}
