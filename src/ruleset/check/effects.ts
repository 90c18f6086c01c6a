/** What a rule does to the packets that it takes: whether its chain is over for them, and what it may alter of them. */
import { RECORD_BYTES, RECORD_TYPE, ROW_FLAG_GOTO, ROW_FLAGS, ROW_TARGET } from "../../blob/layout.js";
import * as P from "../../blob/payloads.js";
import type { RowStore } from "../row-store.js";
import {
  ALTERS_ALL,
  ALTERS_BYTES,
  ALTERS_HOPS,
  ALTERS_LENGTH,
  ALTERS_MARK,
  ALTERS_STATE,
  ALTERS_TCP_FLAGS,
  ALTERS_TOS,
  ALTERS_TYPE,
} from "./fields.js";

export interface Effect {
  /** No packet that the rule takes comes to the next rule. */
  readonly ends: boolean;
  /** The packet may come out of the chain to its caller, as with RETURN. */
  readonly returns: boolean;
  /** ALTERS_* bits, for packets that go on. */
  readonly alters: number;
  /** The chain that the rule jumps or goes to, -1 for none. */
  readonly callee: number;
}

const RETURN = 5;
const MAP_MARK = 4;
const RESTORE = 2;
const RESTORE_MARK = 4;
const ENDS: Effect = { ends: true, returns: false, alters: 0, callee: -1 };
const GOES_ON: Effect = { ends: false, returns: false, alters: 0, callee: -1 };
const altering = (alters: number): Effect => ({ ...GOES_ON, alters });

type TargetEffect = (rows: RowStore, at: number) => Effect;

const TARGET_EFFECTS: Readonly<Record<number, TargetEffect>> = {
  [P.TARGET_NONE]: () => GOES_ON,
  [P.TARGET_VERDICT]: ({ view }, at) => ({ ...ENDS, returns: view.getUint32(at + P.VERDICT_VALUE, true) === RETURN }),
  [P.TARGET_REJECT]: () => ENDS,
  [P.TARGET_NFQUEUE]: () => ENDS,
  [P.TARGET_DNAT]: () => ENDS,
  [P.TARGET_SNAT]: () => ENDS,
  [P.TARGET_MASQUERADE]: () => ENDS,
  [P.TARGET_REDIRECT]: () => ENDS,
  [P.TARGET_NETMAP]: () => ENDS,
  [P.TARGET_TPROXY]: () => ENDS,
  [P.TARGET_IDLETIMER]: () => GOES_ON,
  [P.TARGET_LED]: () => GOES_ON,
  [P.TARGET_SYNPROXY]: () => GOES_ON,
  [P.TARGET_LOG]: () => GOES_ON,
  [P.TARGET_NFLOG]: () => GOES_ON,
  [P.TARGET_TRACE]: () => GOES_ON,
  [P.TARGET_TEE]: () => GOES_ON,
  [P.TARGET_CLASSIFY]: () => GOES_ON,
  [P.TARGET_AUDIT]: () => GOES_ON,
  [P.TARGET_RATEEST]: () => GOES_ON,
  [P.TARGET_SECMARK]: () => GOES_ON,
  [P.TARGET_CONNSECMARK]: () => GOES_ON,
  [P.TARGET_MARK]: () => altering(ALTERS_MARK),
  [P.TARGET_HMARK]: () => altering(ALTERS_MARK),
  [P.TARGET_CONNMARK]: ({ bytes }, at) =>
    bytes[at + P.SETCONNMARK_MODE] === RESTORE ? altering(ALTERS_MARK) : GOES_ON,
  [P.TARGET_SET]: ({ bytes }, at) =>
    (bytes[at + P.SETTARGET_FLAGS] as number) & MAP_MARK ? altering(ALTERS_MARK) : GOES_ON,
  [P.TARGET_NOTRACK]: () => altering(ALTERS_STATE),
  [P.TARGET_CT]: () => altering(ALTERS_STATE),
  [P.TARGET_TOS]: () => altering(ALTERS_TOS),
  [P.TARGET_DSCP]: () => altering(ALTERS_TOS),
  [P.TARGET_ECN]: () => altering(ALTERS_TOS | ALTERS_TCP_FLAGS | ALTERS_BYTES),
  [P.TARGET_TTL]: () => altering(ALTERS_HOPS),
  [P.TARGET_HL]: () => altering(ALTERS_HOPS),
  [P.TARGET_TCPMSS]: () => altering(ALTERS_BYTES | ALTERS_LENGTH),
  [P.TARGET_TCPOPTSTRIP]: () => altering(ALTERS_BYTES),
  [P.TARGET_CHECKSUM]: () => altering(ALTERS_BYTES),
};

/** ALTERS_* bits of packets that the rule is asked about, whether it takes them or not. */
export function altersAsked(rows: RowStore, ordinal: number): number {
  const { view } = rows;
  const at = rows.offsets[ordinal] as number;
  const target = at + view.getUint16(at + ROW_TARGET, true);
  let alters = 0;
  for (let match = at + rows.matchesOffset(at); match < target; match += view.getUint16(match + RECORD_BYTES, true))
    alters |= altersWhenAsked(rows, match);
  return alters;
}

/** The same of the match record at `match`: what it tells otherwise once it is asked, whatever it answers. */
export function altersWhenAsked({ view, bytes }: RowStore, match: number): number {
  const type = view.getUint16(match + RECORD_TYPE, true);
  if (type === P.MATCH_CLUSTER) return ALTERS_TYPE;
  return type === P.MATCH_SOCKET && (bytes[match + P.SOCKET_FLAGS] as number) & RESTORE_MARK ? ALTERS_MARK : 0;
}

/** Of a jump it says nothing but where it leads: what happens there is for others to say. */
export function effectOf(rows: RowStore, ordinal: number): Effect {
  const { bytes, view } = rows;
  const at = rows.offsets[ordinal] as number;
  const target = at + view.getUint16(at + ROW_TARGET, true);
  const type = view.getUint16(target + RECORD_TYPE, true);
  if (type === P.TARGET_JUMP) {
    const ends = ((bytes[at + ROW_FLAGS] as number) & ROW_FLAG_GOTO) !== 0;
    return { ends, returns: false, alters: 0, callee: view.getUint32(target + P.JUMP_CHAIN, true) };
  }
  return TARGET_EFFECTS[type]?.(rows, target) ?? altering(ALTERS_ALL);
}
