/**
 * Rules that no packet can reach: behind one of the same chain that ends the chain for every packet, or for every packet
 * of the very same conditions. Only what is certain is told: conditions are compared as bytes, and conditions on what
 * changes underway (marks, lists, limits, chance) are left alone.
 */
import {
  RECORD_BYTES,
  RECORD_TYPE,
  ROW_FLAG_GOTO,
  ROW_FLAGS,
  ROW_INVERT,
  ROW_LINE,
  ROW_PROTOCOL,
  ROW_SOURCE,
  ROW_TARGET,
} from "../blob/layout.js";
import * as P from "../blob/payloads.js";
import type { Chain, Table } from "./ruleset.js";

export interface ShadowedRule {
  readonly table: Table;
  readonly chain: Chain;
  /** Counted from 1, and the line it came from. */
  readonly rule: number;
  readonly line: number;
  /** The rule that takes its packets. */
  readonly by: { readonly rule: number; readonly line: number };
}

/** Targets behind which the chain is over. */
const ENDING = new Set([
  P.TARGET_VERDICT,
  P.TARGET_REJECT,
  P.TARGET_DNAT,
  P.TARGET_SNAT,
  P.TARGET_MASQUERADE,
  P.TARGET_REDIRECT,
  P.TARGET_NETMAP,
]);

/** Matches whose answer for one packet may change between two rules. */
const CHANGING = new Set([
  P.MATCH_MARK,
  P.MATCH_CONNMARK,
  P.MATCH_STATISTIC,
  P.MATCH_SET,
  P.MATCH_LIMIT,
  P.MATCH_RECENT,
  P.MATCH_TTL,
  P.MATCH_HL,
  P.MATCH_TOS,
  P.MATCH_DSCP,
  P.MATCH_TCPMSS,
  P.MATCH_CONNLIMIT,
  P.MATCH_HASHLIMIT,
  P.MATCH_TIME,
]);
/** These too where targets decide about tracking. */
const TRACKING = new Set([P.MATCH_CONNTRACK, P.MATCH_STATE]);

export function* shadowedRules(table: Table): Generator<ShadowedRule> {
  for (const chain of table.chains.values()) {
    const ends = new Map<string, { rule: number; line: number }>();
    for (const [index, ordinal] of chain.rules.entries()) {
      const { conditions, steady, ending, line } = readRule(table, ordinal);
      const place = { rule: index + 1, line };
      const by = ends.get("") ?? ends.get(conditions);
      if (by) yield { table, chain, ...place, by };
      else if (ending && steady) ends.set(conditions, place);
    }
  }
}

interface RuleParts {
  /** Bytes of what a packet must meet; "" for any packet. */
  readonly conditions: string;
  readonly steady: boolean;
  readonly ending: boolean;
  readonly line: number;
}

function readRule(table: Table, ordinal: number): RuleParts {
  const { rows } = table;
  const { view, bytes } = rows;
  const at = rows.offsets[ordinal] as number;
  const target = at + view.getUint16(at + ROW_TARGET, true);
  const flags = bytes[at + ROW_FLAGS] as number;
  const fixed = bytes.slice(at + ROW_SOURCE, at + rows.matchesOffset(at));
  const head = [bytes[at + ROW_PROTOCOL] as number, flags & ~ROW_FLAG_GOTO, bytes[at + ROW_INVERT] as number];
  const parts = [...head, ...fixed].some((byte) => byte !== 0) ? [text(Uint8Array.from(head)), text(fixed)] : [];
  let steady = true;
  for (let match = at + rows.matchesOffset(at); match < target; match += view.getUint16(match + RECORD_BYTES, true)) {
    const type = view.getUint16(match + RECORD_TYPE, true);
    if (type === P.MATCH_COMMENT) continue;
    if (CHANGING.has(type) || (table.name === "raw" && TRACKING.has(type))) steady = false;
    parts.push(text(bytes.subarray(match, match + view.getUint16(match + RECORD_BYTES, true))));
  }
  const ending = (flags & ROW_FLAG_GOTO) !== 0 || ENDING.has(view.getUint16(target + RECORD_TYPE, true));
  return { conditions: parts.join(" "), steady, ending, line: view.getUint32(at + ROW_LINE, true) };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
