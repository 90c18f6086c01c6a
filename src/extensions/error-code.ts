/**
 * Every way in which a ruleset's text can be wrong. Callers and tests read these codes, never a message's words; the
 * message itself is the code with its dashes as spaces, then what was found and what was expected.
 */
export const ERROR_CODES = [
  // The file.
  "not-text",
  "not-utf-8",
  "line-too-long",
  "too-many-arguments",
  "argument-too-long",
  "unterminated-quote",
  "unknown-table",
  "text-outside-table",
  "missing-commit",
  // Chains.
  "bad-chain-name",
  "unknown-chain",
  "chain-exists",
  "built-in-chain",
  "chain-in-use",
  "chain-not-empty",
  "bad-policy",
  "bad-counters",
  "chain-list-unknown",
  // Commands.
  "no-command",
  "second-command",
  "unsupported-command",
  "misplaced-option",
  "bad-rule-number",
  "no-such-rule",
  // Options.
  "bad-argument",
  "unknown-option",
  "ambiguous-option",
  "missing-argument",
  "unwanted-argument",
  "repeated-option",
  "missing-option",
  "conflicting-options",
  "not-invertible",
  "misplaced-inversion",
  "rule-too-big",
  // Values.
  "bad-address",
  "bad-mask",
  "bad-port",
  "bad-number",
  "bad-protocol",
  "bad-interface",
  "bad-mac-address",
  "bad-name",
  "bad-value",
  "comment-too-long",
  // Extensions and where they may stand.
  "unknown-match",
  "unknown-target",
  "wrong-protocol",
  "wrong-table",
  "wrong-hook",
  "loop",
  // Sets of ipset's.
  "unknown-set",
  "wrong-family",
  "unknown-set-type",
  "set-exists",
  "set-in-use",
  "set-full",
  "duplicate-element",
  "no-such-element",
  // Objects that matches refer to by name.
  "unknown-object",
  // What the engine cannot do.
  "unsupported-rule",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];
