/** -j ACCEPT, DROP, QUEUE, RETURN: the verdicts that need no extension. */
import { VERDICT_ACCEPT, VERDICT_DROP, VERDICT_QUEUE, VERDICT_RETURN } from "../../blob/layout.js";
import { TARGET_VERDICT, VERDICT_SIZE, VERDICT_VALUE } from "../../blob/payloads.js";
import type { RecordMemory, Target } from "../extension.js";

const VERDICTS = [
  ["ACCEPT", VERDICT_ACCEPT],
  ["DROP", VERDICT_DROP],
  ["QUEUE", VERDICT_QUEUE],
  ["RETURN", VERDICT_RETURN],
] as const;

function verdict([name, value]: (typeof VERDICTS)[number]): Target {
  return {
    name,
    type: TARGET_VERDICT,
    size: VERDICT_SIZE,
    options: [],
    initialise: (record, at) => record.view.setUint32(at + VERDICT_VALUE, value, true),
    printedName,
    print() {},
  };
}

function printedName(record: RecordMemory, at: number): string {
  const value = record.view.getUint32(at + VERDICT_VALUE, true);
  return VERDICTS.find(([, known]) => known === value)?.[0] ?? "";
}

/** Names that no chain may have: a jump to one could not be told from its verdict. */
export const VERDICT_NAMES: readonly string[] = VERDICTS.map(([name]) => name);

export const [accept, drop, queue, returnToCaller] = VERDICTS.map(verdict) as [Target, Target, Target, Target];
