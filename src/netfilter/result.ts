/** What became of a packet: the RESULT_* record of blob/layout.ts with names for numbers. */
import {
  FRAGMENTS_DISCARDED,
  FRAGMENTS_KEPT,
  FRAGMENTS_WHOLE,
  RESULT_CT_MARK,
  RESULT_DESTINATION,
  RESULT_DESTINATION_PORT,
  RESULT_EVENTS,
  RESULT_FLAG_CT_MARK,
  RESULT_FLAG_DNAT,
  RESULT_FLAG_EXPIRED,
  RESULT_FLAG_MASQUERADE,
  RESULT_FLAG_NOTRACK,
  RESULT_FLAG_SNAT,
  RESULT_FLAG_UNROUTED,
  RESULT_FLAGS,
  RESULT_FRAGMENTS,
  RESULT_GENERATION,
  RESULT_HOOK,
  RESULT_MARK,
  RESULT_MSS,
  RESULT_OUTPUT,
  RESULT_PRIORITY,
  RESULT_QUEUE,
  RESULT_REJECT,
  RESULT_ROUTE,
  RESULT_ROW,
  RESULT_SOURCE,
  RESULT_SOURCE_PORT,
  RESULT_TABLE,
  RESULT_TOS,
  RESULT_TTL,
  RESULT_VERDICT,
  VERDICT_ACCEPT,
  VERDICT_DROP,
  VERDICT_QUEUE,
  VERDICT_REJECT,
  VERDICT_STOLEN,
} from "../blob/layout.js";
import {
  REJECT_ICMP6_ADDR_UNREACH,
  REJECT_ICMP6_ADM_PROHIBITED,
  REJECT_ICMP6_ECHOREPLY,
  REJECT_ICMP6_NO_ROUTE,
  REJECT_ICMP6_NOT_NEIGHBOUR,
  REJECT_ICMP6_POLICY_FAIL,
  REJECT_ICMP6_PORT_UNREACH,
  REJECT_ICMP6_REJECT_ROUTE,
  REJECT_ICMP6_TCP_RESET,
  REJECT_ICMP_ADMIN_PROHIBITED,
  REJECT_ICMP_ECHOREPLY,
  REJECT_ICMP_HOST_PROHIBITED,
  REJECT_ICMP_HOST_UNREACHABLE,
  REJECT_ICMP_NET_PROHIBITED,
  REJECT_ICMP_NET_UNREACHABLE,
  REJECT_ICMP_PORT_UNREACHABLE,
  REJECT_ICMP_PROT_UNREACHABLE,
  REJECT_TCP_RESET,
} from "../blob/payloads.js";
import {
  ROUTED_MARTIAN,
  ROUTED_NOT_HERE,
  ROUTED_NOWHERE,
  ROUTED_REVERSE,
  RTN_BLACKHOLE,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_MULTICAST,
  RTN_PROHIBIT,
  RTN_THROW,
  RTN_UNICAST,
  RTN_UNREACHABLE,
} from "../blob/routing.js";
import type { Family } from "../ruleset/row-store.js";
import { HOOK_NAMES, type HookName, TABLE_NAMES, TABLE_NUMBERS, type TableName } from "../ruleset/ruleset.js";
import { readAddressText } from "./address.js";
import { nameOf } from "./packet-names.js";

const VERDICTS = {
  DROP: VERDICT_DROP,
  ACCEPT: VERDICT_ACCEPT,
  STOLEN: VERDICT_STOLEN,
  QUEUE: VERDICT_QUEUE,
  REJECT: VERDICT_REJECT,
} as const;
export type Verdict = keyof typeof VERDICTS;

/** What --reject-with calls them. */
const REJECT_NAMES: Readonly<Record<number, string>> = {
  [REJECT_ICMP_NET_UNREACHABLE]: "icmp-net-unreachable",
  [REJECT_ICMP_HOST_UNREACHABLE]: "icmp-host-unreachable",
  [REJECT_ICMP_PROT_UNREACHABLE]: "icmp-proto-unreachable",
  [REJECT_ICMP_PORT_UNREACHABLE]: "icmp-port-unreachable",
  [REJECT_ICMP_ECHOREPLY]: "echo-reply",
  [REJECT_ICMP_NET_PROHIBITED]: "icmp-net-prohibited",
  [REJECT_ICMP_HOST_PROHIBITED]: "icmp-host-prohibited",
  [REJECT_TCP_RESET]: "tcp-reset",
  [REJECT_ICMP_ADMIN_PROHIBITED]: "icmp-admin-prohibited",
  [REJECT_ICMP6_NO_ROUTE]: "icmp6-no-route",
  [REJECT_ICMP6_ADM_PROHIBITED]: "icmp6-adm-prohibited",
  [REJECT_ICMP6_NOT_NEIGHBOUR]: "icmp6-not-neighbour",
  [REJECT_ICMP6_ADDR_UNREACH]: "icmp6-addr-unreachable",
  [REJECT_ICMP6_PORT_UNREACH]: "icmp6-port-unreachable",
  [REJECT_ICMP6_ECHOREPLY]: "echo-reply",
  [REJECT_ICMP6_TCP_RESET]: "tcp-reset",
  [REJECT_ICMP6_POLICY_FAIL]: "icmp6-policy-fail",
  [REJECT_ICMP6_REJECT_ROUTE]: "icmp6-reject-route",
};

/** What routing said last. From blackhole on there is no way. */
export const ROUTED_NAMES = {
  unicast: RTN_UNICAST,
  local: RTN_LOCAL,
  broadcast: RTN_BROADCAST,
  multicast: RTN_MULTICAST,
  blackhole: RTN_BLACKHOLE,
  unreachable: RTN_UNREACHABLE,
  prohibit: RTN_PROHIBIT,
  throw: RTN_THROW,
  "no-route": ROUTED_NOWHERE,
  martian: ROUTED_MARTIAN,
  "reverse-path": ROUTED_REVERSE,
  "not-forwarding": ROUTED_NOT_HERE,
} as const;
export type Routed = keyof typeof ROUTED_NAMES;

const FRAGMENTS = { kept: FRAGMENTS_KEPT, discarded: FRAGMENTS_DISCARDED, whole: FRAGMENTS_WHOLE } as const;

export interface PacketResult {
  readonly verdict: Verdict;
  /** The last hook and table that the packet reached. */
  readonly hook: HookName;
  readonly table: TableName;
  /** Address of the row that decided, 0 for none. */
  readonly row: number;
  /** After all rewrites. */
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly mark: number;
  readonly ctMark: number;
  /** What answers a rejected packet. */
  readonly rejectWith?: string;
  /** Queue number of a queued packet. */
  readonly queue?: number;
  /** LOG and NFLOG rules that fired, 255 for more. */
  readonly events: number;
  /** Generation of the ruleset that the packet saw. */
  readonly generation: number;
  readonly mss: number;
  /** As the packet leaves: TTL or hop limit, type of service or traffic class, class for queueing. */
  readonly ttl: number;
  readonly tos: number;
  readonly priority: number;
  readonly dnat: boolean;
  readonly snat: boolean;
  /** Masquerade applied, but no address is known for the output interface. */
  readonly masquerade: boolean;
  readonly notrack: boolean;
  /** Dropped by routing, not by a rule: no hop was left to forward it. */
  readonly expired: boolean;
  /** Dropped by routing, not by a rule: there is no way, as `route` says. */
  readonly unrouted: boolean;
  /** Where routing sends it, of an engine that knows its routes. */
  readonly route?: Routed;
  /** The interface that it leaves by, "" where it goes to the machine itself or was not sent on. */
  readonly output: string;
  /**
   * Of a fragment, where connections are tracked: it waits for the others (STOLEN), does not fit them, is one too many or
   * found no room (DROP), or was the last, and all else here is about the whole packet.
   */
  readonly fragments?: keyof typeof FRAGMENTS;
  /** The connection's mark was written. */
  readonly ctMarkWritten: boolean;
}

/** Reads RESULT_SIZE bytes; the record does not hold the packet's family. */
export function decodeResult(view: DataView, family: Family): PacketResult {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const flags = view.getUint8(RESULT_FLAGS);
  const verdict = verdictName(view.getUint8(RESULT_VERDICT));
  const reject = REJECT_NAMES[view.getUint8(RESULT_REJECT)];
  const fragments = nameOf(FRAGMENTS, view.getUint8(RESULT_FRAGMENTS));
  const route = nameOf(ROUTED_NAMES, view.getUint8(RESULT_ROUTE));
  return {
    verdict,
    hook: HOOK_NAMES[view.getUint8(RESULT_HOOK)] ?? "PREROUTING",
    table: TABLE_NAMES.find((name) => TABLE_NUMBERS[name] === view.getUint8(RESULT_TABLE)) ?? "raw",
    row: view.getUint32(RESULT_ROW, true),
    source: readAddressText(bytes, RESULT_SOURCE, family),
    sourcePort: view.getUint16(RESULT_SOURCE_PORT, true),
    destination: readAddressText(bytes, RESULT_DESTINATION, family),
    destinationPort: view.getUint16(RESULT_DESTINATION_PORT, true),
    mark: view.getUint32(RESULT_MARK, true),
    ctMark: view.getUint32(RESULT_CT_MARK, true),
    ...(verdict === "REJECT" && reject !== undefined ? { rejectWith: reject } : {}),
    ...(verdict === "QUEUE" ? { queue: view.getUint16(RESULT_QUEUE, true) } : {}),
    events: view.getUint8(RESULT_EVENTS),
    generation: view.getUint32(RESULT_GENERATION, true),
    mss: view.getUint16(RESULT_MSS, true),
    ttl: view.getUint8(RESULT_TTL),
    tos: view.getUint8(RESULT_TOS),
    priority: view.getUint32(RESULT_PRIORITY, true),
    dnat: (flags & RESULT_FLAG_DNAT) !== 0,
    snat: (flags & RESULT_FLAG_SNAT) !== 0,
    masquerade: (flags & RESULT_FLAG_MASQUERADE) !== 0,
    notrack: (flags & RESULT_FLAG_NOTRACK) !== 0,
    expired: (flags & RESULT_FLAG_EXPIRED) !== 0,
    unrouted: (flags & RESULT_FLAG_UNROUTED) !== 0,
    ...(route === undefined ? {} : { route }),
    ...(fragments === undefined ? {} : { fragments }),
    output: new TextDecoder().decode(bytes.subarray(RESULT_OUTPUT, bytes.indexOf(0, RESULT_OUTPUT))),
    ctMarkWritten: (flags & RESULT_FLAG_CT_MARK) !== 0,
  };
}

export function verdictName(verdict: number): Verdict {
  for (const name of Object.keys(VERDICTS) as Verdict[]) if (VERDICTS[name] === verdict) return name;
  throw new RangeError(`${verdict} is no final verdict`);
}

export function verdictNumber(verdict: Verdict): number {
  return VERDICTS[verdict];
}
