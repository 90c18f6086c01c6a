/**
 * Rules that remember packets: what they say next hangs on what they saw, and a full load forgets that where an edit in
 * place keeps it, so that packets which get to such rules cannot be compared. A limit that has had time to fill again
 * is as one that is new.
 */
import { RECORD_BYTES, RECORD_TYPE, ROW_TARGET } from "../blob/layout.js";
import {
  LIMIT_AVERAGE,
  LIMIT_BURST,
  MATCH_CONNBYTES,
  MATCH_CONNLIMIT,
  MATCH_HASHLIMIT,
  MATCH_LIMIT,
  MATCH_QUOTA,
  MATCH_RATEEST,
  MATCH_RECENT,
  MATCH_SET,
  MATCH_STATISTIC,
  STATISTIC_MODE,
  TARGET_SET,
} from "../blob/payloads.js";
import type { Ruleset, Table } from "../ruleset/ruleset.js";

/** Milliseconds of the packets' clock between two full comparisons. */
export const LEAP_MS = 600_000;
/** Of a limit's units: 10,000 a second. */
const LEAP_UNITS = 10 * LEAP_MS;

const REMEMBERING = new Set([
  MATCH_HASHLIMIT,
  MATCH_RECENT,
  MATCH_QUOTA,
  MATCH_CONNLIMIT,
  MATCH_CONNBYTES,
  MATCH_RATEEST,
  MATCH_SET,
]);
const NTH = 1;

/** "table chain" of every chain with such a rule. */
export function rememberingChains(ruleset: Ruleset): Set<string> {
  const found = new Set<string>();
  for (const table of ruleset.tables.values())
    for (const chain of table.chains.values())
      if (chain.rules.some((ordinal) => remembers(table, ordinal))) found.add(`${table.name} ${chain.name}`);
  return found;
}

function remembers({ rows }: Table, ordinal: number): boolean {
  const { bytes, view } = rows;
  const row = rows.offsets[ordinal] as number;
  const target = row + view.getUint16(row + ROW_TARGET, true);
  for (let match = row + rows.matchesOffset(row); match < target; match += view.getUint16(match + RECORD_BYTES, true)) {
    const type = view.getUint16(match + RECORD_TYPE, true);
    if (REMEMBERING.has(type)) return true;
    if (type === MATCH_STATISTIC && bytes[match + STATISTIC_MODE] === NTH) return true;
    if (type === MATCH_LIMIT && fillTime(view, match) > LEAP_UNITS) return true;
  }
  return view.getUint16(target + RECORD_TYPE, true) === TARGET_SET;
}

function fillTime(view: DataView, match: number): number {
  return view.getUint32(match + LIMIT_AVERAGE, true) * view.getUint32(match + LIMIT_BURST, true);
}
