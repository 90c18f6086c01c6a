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
  MATCH_NFACCT,
  MATCH_QUOTA,
  MATCH_RATEEST,
  MATCH_RECENT,
  MATCH_SET,
  MATCH_STATISTIC,
  SET_NAME,
  SET_NAME_BYTES,
  SETTARGET_ADD,
  SETTARGET_DELETE,
  SETTARGET_PART_DIMENSIONS,
  SETTARGET_PART_NAME,
  STATISTIC_MODE,
  TARGET_SET,
} from "../blob/payloads.js";
import type { IpSets } from "../ruleset/ipset/apply-sets.js";
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
  MATCH_NFACCT,
  MATCH_RATEEST,
]);
const NTH = 1;

/** "table chain" of every chain with such a rule. Of the sets that rules ask, those `changing` change by themselves. */
export function rememberingChains(ruleset: Ruleset, changing: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  for (const table of ruleset.tables.values())
    for (const chain of table.chains.values())
      if (chain.rules.some((ordinal) => remembers(table, ordinal, changing))) found.add(`${table.name} ${chain.name}`);
  return found;
}

function remembers({ rows }: Table, ordinal: number, changing: ReadonlySet<string>): boolean {
  const { bytes, view } = rows;
  const row = rows.offsets[ordinal] as number;
  const target = row + view.getUint16(row + ROW_TARGET, true);
  for (let match = row + rows.matchesOffset(row); match < target; match += view.getUint16(match + RECORD_BYTES, true)) {
    const type = view.getUint16(match + RECORD_TYPE, true);
    if (REMEMBERING.has(type)) return true;
    if (type === MATCH_SET && changing.has(setName(bytes, match + SET_NAME))) return true;
    if (type === MATCH_STATISTIC && bytes[match + STATISTIC_MODE] === NTH) return true;
    if (type === MATCH_LIMIT && fillTime(view, match) > LEAP_UNITS) return true;
  }
  return view.getUint16(target + RECORD_TYPE, true) === TARGET_SET;
}

function fillTime(view: DataView, match: number): number {
  return view.getUint32(match + LIMIT_AVERAGE, true) * view.getUint32(match + LIMIT_BURST, true);
}

/**
 * Names of sets whose answer may hang on packets or the clock: those with counters or timeouts, those that packets are put
 * into, and lists, where there is any such set. `before` are those of rulesets before.
 */
export function changingSets(sets: IpSets, ruleset: Ruleset, before: ReadonlySet<string>): Set<string> {
  const changing = new Set(before);
  for (const [name, set] of sets) if (set.counters || set.timeout !== undefined) changing.add(name);
  for (const { rows } of ruleset.tables.values())
    for (const row of rows.offsets) {
      const target = row + rows.view.getUint16(row + ROW_TARGET, true);
      if (rows.view.getUint16(target + RECORD_TYPE, true) !== TARGET_SET) continue;
      for (const part of [SETTARGET_ADD, SETTARGET_DELETE])
        if (rows.bytes[target + part + SETTARGET_PART_DIMENSIONS])
          changing.add(setName(rows.bytes, target + part + SETTARGET_PART_NAME));
    }
  if (changing.size > 0) for (const [name, set] of sets) if (set.type === "list:set") changing.add(name);
  return changing;
}

function setName(bytes: Uint8Array, at: number): string {
  return new TextDecoder().decode(bytes.subarray(at, at + SET_NAME_BYTES)).replace(/\0.*$/s, "");
}
