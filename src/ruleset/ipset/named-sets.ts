/** Sets that rules name, and empty ones for those that nobody made. */
import { RECORD_BYTES, RECORD_TYPE, ROW_TARGET } from "../../blob/layout.js";
import {
  MATCH_SET,
  SET_DIMENSIONS,
  SET_NAME,
  SET_NAME_BYTES,
  SETTARGET_ADD,
  SETTARGET_PART_DIMENSIONS,
  SETTARGET_PART_NAME,
  SETTARGET_PART_SIZE,
  SETTARGET_TIMEOUT,
  TARGET_SET,
} from "../../blob/payloads.js";
import type { Ruleset, Table } from "../ruleset.js";
import { parseSets } from "./apply-sets.js";
import type { SetTypeName } from "./set-types.js";

/** By the fewest directions that a rule gives, what a set can be: one of more dimensions would never match. */
const TYPES: readonly SetTypeName[] = ["hash:ip", "hash:ip,port", "hash:ip,port,ip"];

/** Names and the fewest directions that a rule gives each, in the order of the rules. */
export function setsNamed(ruleset: Ruleset): Map<string, number> {
  const named = new Map<string, number>();
  const note = (bytes: Uint8Array, name: number, dimensions: number): void => {
    const text = new TextDecoder().decode(bytes.subarray(name, name + SET_NAME_BYTES)).replace(/\0.*$/s, "");
    named.set(text, Math.min(named.get(text) ?? dimensions, dimensions));
  };
  for (const table of ruleset.tables.values())
    for (const chain of table.chains.values()) for (const rule of chain.rules) noteRule(table, rule, note);
  return named;
}

function noteRule(
  table: Table,
  rule: number,
  note: (bytes: Uint8Array, name: number, dimensions: number) => void,
): void {
  const { rows } = table;
  const { view, bytes } = rows;
  const row = rows.offsets[rule] as number;
  const target = row + view.getUint16(row + ROW_TARGET, true);
  for (let match = row + rows.matchesOffset(row); match < target; match += view.getUint16(match + RECORD_BYTES, true))
    if (view.getUint16(match + RECORD_TYPE, true) === MATCH_SET)
      note(bytes, match + SET_NAME, bytes[match + SET_DIMENSIONS] as number);
  if (view.getUint16(target + RECORD_TYPE, true) !== TARGET_SET) return;
  for (let part = target + SETTARGET_ADD; part < target + SETTARGET_TIMEOUT; part += SETTARGET_PART_SIZE) {
    const dimensions = bytes[part + SETTARGET_PART_DIMENSIONS] as number;
    if (dimensions > 0) note(bytes, part + SETTARGET_PART_NAME, dimensions);
  }
}

/**
 * `text`, for `ipset restore`, and behind it commands that make every set that the rules name and `text` does not, empty.
 * @throws RulesetError at the first fault of the text.
 */
export function withEmptySets(ruleset: Ruleset, text: string, file = "sets"): string {
  const known = parseSets(text, file);
  const family = ruleset.family === "ipv4" ? "inet" : "inet6";
  const end = text === "" || text.endsWith("\n") ? "" : "\n";
  const missing = Array.from(setsNamed(ruleset))
    .filter(([name]) => !known.has(name))
    .map(([name, dimensions]) => `create ${name} ${TYPES[Math.min(dimensions, TYPES.length) - 1]} family ${family}\n`)
    .join("");
  return `${text}${end}${missing}`;
}
