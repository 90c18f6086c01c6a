/** The last looks at the records of a rule: iptables' at options that belong together, and the kernel's at each record. */
import type { Argument } from "../extensions/argument.js";
import type { Loadable } from "./extension-index.js";
import type { Lexer } from "./lexer.js";
import type { RowDraft } from "./row-draft.js";

export function finishRecords(draft: RowDraft, argument: Argument, lexer: Lexer): void {
  for (let n = 0; n < draft.count; n++) {
    const ready = draft.extensions[n] as Loadable;
    if (!ready.constrained && ready.finish === undefined) {
      draft.sizes[n] = ready.size;
      continue;
    }
    turnTo(argument, draft, lexer, n);
    if (ready.constrained) checkOptions(ready, argument);
    draft.sizes[n] =
      ready.finish === undefined ? ready.size : ready.finish(argument, draft, draft.offsets[n] as number);
  }
}

/** What the kernel asks when the rule is put in force. */
export function checkRecords(draft: RowDraft, argument: Argument, lexer: Lexer, table: string): void {
  for (let n = 0; n < draft.count; n++) {
    const { tables, protocol } = draft.extensions[n] as Loadable;
    if (tables === undefined && protocol === undefined) continue;
    turnTo(argument, draft, lexer, n);
    if (tables !== undefined && !tables.includes(table)) argument.fail("wrong-table", `table ${tables.join(" or ")}`);
    if (protocol === undefined) continue;
    const expected = protocol(argument, draft, draft.offsets[n] as number);
    if (expected !== "") argument.fail("wrong-protocol", expected);
  }
}

/** Lets the argument point at record `n` as a whole. */
function turnTo(argument: Argument, draft: RowDraft, lexer: Lexer, n: number): void {
  argument.start = lexer.starts[draft.tokens[n] as number] as number;
  argument.end = lexer.ends[draft.tokens[n] as number] as number;
  argument.extension = draft.extensions[n]?.extension;
  argument.seen = draft.seen[n] as number;
}

/** Options that must be there, that exclude and that need each other. */
function checkOptions(ready: Loadable, argument: Argument): void {
  const { seen } = argument;
  const absent = ready.mandatory & ~seen;
  if (absent !== 0) argument.fail("missing-option", `--${optionName(ready, absent)} with ${ready.extension.name}`);
  for (let n = 0; n < ready.options.length; n++) {
    if (((seen >>> n) & 1) === 0) continue;
    const name = ready.options[n]?.name;
    const conflict = (ready.excluded[n] as number) & seen;
    if (conflict !== 0) argument.fail("conflicting-options", `--${name} or --${optionName(ready, conflict)}, not both`);
    const lacking = (ready.required[n] as number) & ~seen;
    if (lacking !== 0) argument.fail("missing-option", `--${optionName(ready, lacking)} with --${name}`);
  }
}

/** The name of the last option in a set of bits. */
function optionName(ready: Loadable, bits: number): string {
  return ready.options[31 - Math.clz32(bits)]?.name ?? "";
}
