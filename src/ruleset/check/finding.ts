/** What is found in a table that can never matter, each with the rules that prove it. */
import type { TableName } from "../ruleset.js";

export interface RulePlace {
  readonly chain: string;
  /** Counted from 1. */
  readonly rule: number;
  /** Line of the file, 0 where it is not known. */
  readonly line: number;
}

export type FindingKind =
  /** No hook leads to the chain. `because` are rules that jump to it and never match, if any. */
  | "unreachable-chain"
  /** The rule jumps to a chain that has no rules. */
  | "jump-to-empty-chain"
  /** No packet meets the rule's conditions all at once. `because` is the rule itself. */
  | "contradiction"
  /** No packet that gets to the chain meets the rule's conditions. `because` are the rules that send packets there, or keep them. */
  | "excluded"
  /** `because` is a rule in front that ends the chain for every packet. */
  | "behind-end"
  /** `because` are rules that end the chain for every packet that would get to the rule and that it would take. */
  | "shadowed";

export interface Finding {
  readonly kind: FindingKind;
  readonly table: TableName;
  readonly chain: string;
  /** 0 of a chain as a whole. */
  readonly rule: number;
  readonly line: number;
  readonly because: readonly RulePlace[];
  /** The empty chain that is jumped to. */
  readonly target?: string;
}
