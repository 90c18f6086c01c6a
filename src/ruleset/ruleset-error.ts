/** What is wrong with a ruleset, and where: every fault of text or of an edit is one of these. */
import type { ErrorCode } from "../extensions/error-code.js";

export { ERROR_CODES, type ErrorCode } from "../extensions/error-code.js";

export interface RulesetErrorDetails {
  readonly code: ErrorCode;
  /** Name of the file as the caller gave it. */
  readonly file: string;
  /** Counted from 1; 0 when no line is to blame. */
  readonly line: number;
  /** Counted from 1 in characters; 0 when the whole line is meant. */
  readonly column: number;
  /** The text that is wrong, "" when something is missing. */
  readonly found?: string;
  /** Ends the sentence "expected ...". */
  readonly expected?: string;
  /** What was probably meant. */
  readonly suggestion?: string;
  /** The line's text, shown with a caret under the column. */
  readonly source?: string;
}

export class RulesetError extends Error {
  override readonly name = "RulesetError";
  readonly code: ErrorCode;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly found: string;
  readonly expected: string;

  constructor(details: RulesetErrorDetails) {
    super(compose(details));
    this.code = details.code;
    this.file = details.file;
    this.line = details.line;
    this.column = details.column;
    this.found = details.found ?? "";
    this.expected = details.expected ?? "";
  }
}

/** `rules.v4:3:27: unknown match "tpc" (did you mean "tcp"?)`, then the line and a caret. */
function compose(details: RulesetErrorDetails): string {
  const { code, file, line, column, found, expected, suggestion, source } = details;
  let message = file;
  if (line > 0) message += `:${line}`;
  if (column > 0) message += `:${column}`;
  message += `: ${code.replaceAll("-", " ")}`;
  if (found) message += ` "${shown(found.length > LONGEST_FOUND ? `${found.slice(0, LONGEST_FOUND)}…` : found)}"`;
  if (suggestion) message += ` (did you mean "${suggestion}"?)`;
  else if (expected) message += `, expected ${expected}`;
  return source !== undefined && column > 0 ? `${message}\n${excerpt(source, column)}` : message;
}

const LONGEST_FOUND = 60;
/** Characters of a line that are shown; of a longer one, those around the caret. */
const WINDOW = 100;
const MARGIN = 4;

/** A line of a file, and a caret under its column. */
export function excerpt(source: string, column: number): string {
  const characters = [...shown(source)];
  let first = 0;
  if (characters.length > WINDOW) first = Math.max(0, Math.min(column - WINDOW / 2, characters.length - WINDOW));
  const before = first > 0 ? "… " : "";
  const after = first + WINDOW < characters.length ? " …" : "";
  const text = characters.slice(first, first + WINDOW).join("");
  const indent = " ".repeat(MARGIN);
  return `${indent}${before}${text}${after}\n${indent}${" ".repeat(before.length + column - 1 - first)}^`;
}

/** Tabs as one space, other control characters as a dot, so that the caret stands where it should. */
function shown(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced.
  return text.replaceAll("\t", " ").replace(/[\u0000-\u001f\u007f-\u009f]/g, "·");
}
