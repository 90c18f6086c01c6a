/** The last look at the records of a rule: options that belong together, and what the kernel asks of each record. */
import type { Argument } from "../extensions/argument.js";
import type { Loadable } from "./extension-index.js";
import type { Lexer } from "./lexer.js";
import type { RowDraft } from "./row-draft.js";

export function finishRecords(draft: RowDraft, argument: Argument, lexer: Lexer, table: string): void {
  for (let n = 0; n < draft.count; n++) {
    const ready = draft.extensions[n] as Loadable;
    const { extension } = ready;
    const at = draft.offsets[n] as number;
    argument.start = lexer.starts[draft.tokens[n] as number] as number;
    argument.end = lexer.ends[draft.tokens[n] as number] as number;
    argument.extension = extension;
    argument.seen = draft.seen[n] as number;
    if (ready.constrained) checkOptions(ready, argument);
    draft.sizes[n] = extension.finish === undefined ? extension.size : extension.finish(argument, draft, at);
    if (extension.tables !== undefined && !extension.tables.includes(table))
      argument.fail("wrong-table", `table ${extension.tables.join(" or ")}`);
    if (extension.protocol === undefined) continue;
    const expected = extension.protocol(argument, draft, at);
    if (expected !== "") argument.fail("wrong-protocol", expected);
  }
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
