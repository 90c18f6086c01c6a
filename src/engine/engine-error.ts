/** Errors of the engine: a FAULT_* of blob/memory.ts with a name and, where there is one, the offset in the blob. */
import * as M from "../blob/memory.js";

/** Names of the faults, in the order of their numbers. */
export const FAULT_NAMES = [
  "none",
  "memory",
  "magic",
  "version",
  "length",
  "checksum",
  "header",
  "chain",
  "row",
  "match",
  "target",
  "jump",
  "loop",
  "text",
  "hook",
  "unsupported-match",
  "unsupported-target",
  "chain-exists",
  "chain-missing",
  "chain-referenced",
  "chain-not-empty",
  "chain-builtin",
  "position",
  "rule-missing",
  "counters",
  "reached",
  "callee-missing",
  "policy",
  "set",
  "account",
  "estimator",
  "timer",
  "timeout-policy",
  "helper",
  "untracked",
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

const TEXTS: Partial<Record<FaultName, string>> = {
  memory: "the engine's memory is used up",
  loop: "the jump closes a loop between chains",
  reached: "a hook reaches a rule that must not be used there",
  "chain-exists": "the chain exists already",
  "chain-missing": "no chain of this name",
  "chain-referenced": "rules still jump to the chain",
  "chain-not-empty": "the chain still has rules",
  "chain-builtin": "a built-in chain cannot be deleted or renamed",
  "callee-missing": "no chain of the name that the rule jumps to",
  set: "a rule names a set that does not exist",
  account: "a rule names an object of nfacct's that does not exist",
  estimator: "no rule in front measures for this name, or one that does measures otherwise",
  timer: "other rules have a timer of this label that is of another kind",
  "timeout-policy": "a rule names a policy of timeouts that does not exist, or is for another protocol",
  helper: "a rule names a helper that Linux does not have for its protocol",
  untracked: "a rule asks for connections, and the engine tracks none",
  policy: "only a built-in chain has a policy",
  position: "the chain has fewer rules",
  "rule-missing": "no rule of the chain says this",
  "unsupported-match": "the engine cannot evaluate this match yet",
  "unsupported-target": "the engine cannot carry out this target yet",
  match: "the engine cannot evaluate this match with these options yet",
  target: "the engine cannot carry out this target with these options yet",
};

export class EngineError extends Error {
  override readonly name = "EngineError";
  /** What went wrong. */
  readonly code: FaultName;
  /** Offset in the refused blob, -1 where no blob is at fault. */
  readonly offset: number;

  constructor(fault: number, offset = -1) {
    const code = FAULT_NAMES[fault] ?? "none";
    super(TEXTS[code] ?? `the blob is not well formed: ${code} at offset ${offset}`);
    this.code = code;
    this.offset = offset;
  }
}

/** Throws unless `fault` is none. */
export function mustSucceed(fault: number, offset = -1): void {
  if (fault !== M.FAULT_NONE) throw new EngineError(fault, offset);
}
