import type { Fault } from "../extensions/fault.js";
import type { Lexer } from "./lexer.js";
import { RulesetError, type RulesetErrorDetails } from "./ruleset-error.js";

/** What is wrong in the lexer's current line, with the line and the place in it. `blame` is the place where none is known. */
export function locate(
  fault: Fault,
  lexer: Lexer,
  file: string,
  blame: { readonly start: number; readonly end: number },
): RulesetErrorDetails {
  let start = fault.start < 0 ? blame.start : fault.start;
  const end = fault.start < 0 ? blame.end : fault.end;
  const found = decoder.decode(lexer.bytes.subarray(start, end));
  // What lies behind the text was put together from the line.
  if (start > lexer.end) {
    let token = lexer.starts.findLastIndex((first, n) => n <= lexer.count && first > lexer.end && first <= start);
    if (token < 0) token = 0;
    start = lexer.origins[token] as number;
  }
  const source = decoder.decode(lexer.bytes.subarray(lexer.lineStart, lexer.lineEnd()));
  const before = decoder.decode(lexer.bytes.subarray(lexer.lineStart, start));
  const { code, expected, suggestion } = fault;
  return { code, file, line: lexer.line, column: [...before].length + 1, found, expected, suggestion, source };
}

export function locatedError(...details: Parameters<typeof locate>): RulesetError {
  return new RulesetError(locate(...details));
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
