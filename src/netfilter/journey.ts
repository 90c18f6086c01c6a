/** One packet's whole way: what it was, every rule that matched, what each changed, how it ended. */
import { RECORD_TYPE, ROW_TARGET } from "../blob/layout.js";
import {
  TARGET_CONNMARK,
  TARGET_CT,
  TARGET_DNAT,
  TARGET_DSCP,
  TARGET_ECN,
  TARGET_HL,
  TARGET_HMARK,
  TARGET_MARK,
  TARGET_MASQUERADE,
  TARGET_NETMAP,
  TARGET_NONE,
  TARGET_NOTRACK,
  TARGET_REDIRECT,
  TARGET_SET,
  TARGET_SNAT,
  TARGET_TOS,
  TARGET_TPROXY,
  TARGET_TTL,
} from "../blob/payloads.js";
import type { PacketPool, Reader, TraceStep } from "../engine/reader.js";
import { printRule } from "../ruleset/print.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { encodePacket, type Packet } from "./packet.js";
import { encodeKnown } from "./packet-known.js";
import { PROTOCOL_TCP } from "./packet-names.js";
import { printPacket } from "./packet-print.js";
import { decodeResult, type PacketResult } from "./result.js";
import { type Traced, type TracedChange, tracedChanges, tracedPacket, tracedResult, tracedStep } from "./traced.js";

export interface JourneyStep {
  readonly hook: string;
  /** Name of the table, or of what a user has hung at the hook. */
  readonly table: string;
  readonly chain: string;
  /** From 1; 0 is the chain's policy. */
  readonly rule: number;
  /** In the file, 0 unknown. */
  readonly line: number;
  /** The rule as iptables-save prints it, or the policy. */
  readonly text: string;
  /** What it did to the packet. */
  readonly changes: readonly TracedChange[];
  /** What happened to the packet in front of it, by its connection or routing. */
  readonly before: readonly TracedChange[];
}

export interface Journey {
  readonly packet: string;
  readonly steps: readonly JourneyStep[];
  /** The same of each packet that the machine sent meanwhile, an answer or a copy. */
  readonly sent: readonly (readonly JourneyStep[])[];
  /** Behind the last step. */
  readonly last: readonly TracedChange[];
  readonly result: PacketResult;
  readonly start: Traced;
  readonly end: Traced;
}

/** A packet, and its own bytes where they are known. */
export interface Traveller {
  readonly packet: Packet;
  readonly bytes?: Uint8Array;
}

/** Sends the packet from place 0 of the pool. */
export function journeyOf(reader: Reader, pool: PacketPool, { packet, bytes }: Traveller, ruleset: Ruleset): Journey {
  const { family, protocol = PROTOCOL_TCP } = packet;
  const record = encodePacket(packet);
  pool.set(0, record);
  const known = encodeKnown(packet);
  if (known) pool.setKnown(0, known);
  if (bytes) pool.setBytes(0, bytes);
  const traced = reader.trace(pool, 0);
  const own = traced.filter((step) => step.own === 0);
  // What the machine sends may be of another protocol: its ends are told without ports.
  const read = (step: TraceStep): Traced => tracedStep(step.record, family, step.own === 0 ? protocol : 0);
  const end = tracedResult(pool.result(0), family, protocol);
  const result = decodeResult(pool.result(0), family);
  const arrived = tracedPacket(result.fragments === "whole" ? reader.whole() : record, family, protocol);
  // What the first step sees as the connection's state is no change, but what was found out about the packet.
  const state = own[0] ? read(own[0]).state : end.state;
  const start = { ...arrived, state };
  const numbers = [...new Set(traced.map((step) => step.own))].filter((number) => number > 0).sort((a, b) => a - b);
  const now = own.length > 0 ? read(own.at(-1) as TraceStep) : start;
  return {
    packet: printPacket(packet),
    steps: stepsFrom(start, own, read, ruleset),
    sent: numbers.map((number) => {
      const steps = traced.filter((step) => step.own === number);
      return stepsFrom(read(steps[0] as TraceStep), steps, read, ruleset);
    }),
    last: tracedChanges(now, { ...end, state: now.state }),
    result,
    start,
    end,
  };
}

function stepsFrom(
  start: Traced,
  traced: readonly TraceStep[],
  read: (step: TraceStep) => Traced,
  ruleset: Ruleset,
): JourneyStep[] {
  let now = start;
  return traced.map((step) => {
    const after = read(step);
    const changes = tracedChanges(now, after);
    const { text, target } = ruleOf(step, ruleset);
    const isOwn = ({ what }: TracedChange): boolean =>
      CHANGERS[what].has(target) || (what === "mark" && text.includes(MARKING_MATCH));
    now = after;
    return {
      hook: step.hook,
      table: step.registered ?? step.table,
      chain: step.chain,
      rule: step.rule,
      line: step.line,
      text,
      before: changes.filter((change) => !isOwn(change)),
      changes: changes.filter(isOwn),
    };
  });
}

/** The one match that changes a packet. */
const MARKING_MATCH = " --restore-skmark";
const NAT = new Set([TARGET_DNAT, TARGET_SNAT, TARGET_MASQUERADE, TARGET_REDIRECT, TARGET_NETMAP]);
/** Targets that change this; what else changes it happens between rules. */
const CHANGERS: Readonly<Record<keyof Traced, ReadonlySet<number>>> = {
  source: NAT,
  destination: NAT,
  mark: new Set([TARGET_MARK, TARGET_HMARK, TARGET_CONNMARK, TARGET_TPROXY, TARGET_SET]),
  "connection mark": new Set([TARGET_CONNMARK]),
  state: new Set([TARGET_NOTRACK, TARGET_CT]),
  ttl: new Set([TARGET_TTL, TARGET_HL]),
  tos: new Set([TARGET_TOS, TARGET_DSCP, TARGET_ECN]),
};

/** The rule as it prints, or the policy; and the type of its target, TARGET_NONE for a policy. */
function ruleOf(
  { table: name, chain: chainName, rule }: TraceStep,
  ruleset: Ruleset,
): { text: string; target: number } {
  const table = ruleset.tables.get(name);
  const chain = table?.chains.get(chainName);
  if (!table || !chain) return { text: "", target: TARGET_NONE };
  if (rule === 0) return { text: `policy ${chain.policy}`, target: TARGET_NONE };
  const ordinal = chain.rules[rule - 1];
  if (ordinal === undefined) return { text: "", target: TARGET_NONE };
  const { view, offsets } = table.rows;
  const row = offsets[ordinal] as number;
  const target = row + view.getUint16(row + ROW_TARGET, true);
  return { text: printRule(table, chain, ordinal), target: view.getUint16(target + RECORD_TYPE, true) };
}
