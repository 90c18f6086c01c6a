/**
 * A packet that cannot be: a field out of its range, or a description that does not read as one. Callers and tests
 * read `code`; `column` is 1-based in `text` where the packet was written as text, else 0.
 */
export type PacketErrorCode =
  | "bad-address"
  | "bad-interface"
  | "bad-mac"
  | "bad-number"
  | "bad-port"
  | "bad-protocol"
  | "bad-name"
  | "families-differ"
  | "missing-value"
  | "not-of-protocol"
  | "repeated"
  | "syntax"
  | "unknown-word";

export class PacketError extends Error {
  override readonly name = "PacketError";

  constructor(
    readonly code: PacketErrorCode,
    /** What would have been right, to follow "expected". */
    readonly expected: string,
    readonly found: string,
    readonly text = "",
    readonly column = 0,
    /** The word that was most likely meant, "" for none. */
    readonly suggestion = "",
  ) {
    const place = column > 0 ? `packet:${column}: ` : "";
    const caret = column > 0 ? `\n  ${text}\n  ${" ".repeat(column - 1)}^` : "";
    const meant = suggestion === "" ? "" : ` (did you mean "${suggestion}"?)`;
    super(`${place}expected ${expected}, found ${found === "" ? "the end" : `"${found}"`}${meant}${caret}`);
  }
}
