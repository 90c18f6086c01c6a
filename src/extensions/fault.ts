import type { ErrorCode } from "./error-code.js";

/**
 * Thrown while text is read, by whoever sees the mistake: it knows the bytes, not the file. The parser turns it into a
 * RulesetError with file, line and column.
 */
export class Fault extends Error {
  override readonly name = "Fault";

  /**
   * `start` and `end` are byte offsets in the parser's buffer, or -1 where the parser knows better what to point at.
   * `expected` continues the sentence "expected ...". `suggestion` is the name that was probably meant.
   */
  constructor(
    readonly code: ErrorCode,
    readonly start: number,
    readonly end: number,
    readonly expected = "",
    readonly suggestion = "",
  ) {
    super(code);
  }
}
