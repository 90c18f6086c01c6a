/**
 * The nat targets' rewrites: net/netfilter/xt_nat.c, xt_MASQUERADE.c, xt_REDIRECT.c. Of a range the least address and
 * port are taken, and only the packet is rewritten: replies need a connection table.
 */
import {
  CT_STATE_DNAT,
  CT_STATE_SNAT,
  HOOK_OUTPUT,
  HOOK_PREROUTING,
  RESULT_FLAG_DNAT,
  RESULT_FLAG_MASQUERADE,
  RESULT_FLAG_SNAT,
  VERDICT_ACCEPT,
  VERDICT_DROP,
} from "../../src/blob/layout.js";
import {
  NAT_ADDRESS_MAX,
  NAT_ADDRESS_MIN,
  NAT_FLAG_ADDRESS,
  NAT_FLAG_PORT,
  NAT_FLAGS,
  NAT_PORT_MIN,
} from "../../src/blob/payloads.js";
import { addressBytes } from "./address.js";
import type { Outcome } from "./result.js";
import type { RecordView } from "./rule.js";
import type { Walk } from "./walk.js";

interface Range {
  readonly address: Uint8Array | undefined;
  readonly port: number | undefined;
}

function readRange({ view, bytes }: RecordView, width: number): Range {
  const flags = view.getUint32(NAT_FLAGS, true);
  return {
    address: flags & NAT_FLAG_ADDRESS ? bytes.slice(NAT_ADDRESS_MIN, NAT_ADDRESS_MIN + width) : undefined,
    port: flags & NAT_FLAG_PORT ? view.getUint16(NAT_PORT_MIN, true) : undefined,
  };
}

function rewriteDestination({ packet }: Walk, outcome: Outcome, range: Range): number {
  const changes =
    range.address?.some((byte, i) => byte !== packet.destination[i]) ||
    (range.port !== undefined && range.port !== packet.destinationPort);
  if (range.address) packet.destination = range.address;
  if (range.port !== undefined) packet.destinationPort = range.port;
  if (changes) packet.ctState |= CT_STATE_DNAT;
  outcome.flags |= RESULT_FLAG_DNAT;
  return VERDICT_ACCEPT;
}

function rewriteSource({ packet }: Walk, outcome: Outcome, range: Range): number {
  const changes =
    range.address?.some((byte, i) => byte !== packet.source[i]) ||
    (range.port !== undefined && range.port !== packet.sourcePort);
  if (range.address) packet.source = range.address;
  if (range.port !== undefined) packet.sourcePort = range.port;
  if (changes) packet.ctState |= CT_STATE_SNAT;
  outcome.flags |= RESULT_FLAG_SNAT;
  return VERDICT_ACCEPT;
}

export function destinationNat(record: RecordView, walk: Walk, outcome: Outcome): number {
  return rewriteDestination(walk, outcome, readRange(record, walk.packet.destination.length));
}

export function sourceNat(record: RecordView, walk: Walk, outcome: Outcome): number {
  return rewriteSource(walk, outcome, readRange(record, walk.packet.source.length));
}

/** xt_NETMAP.c: bits in which the two ends of the range agree are the range's, the others stay. */
export function netmap({ bytes }: RecordView, walk: Walk, outcome: Outcome): number {
  const destination = walk.hook === HOOK_PREROUTING || walk.hook === HOOK_OUTPUT;
  const address = (destination ? walk.packet.destination : walk.packet.source).map((own, i) => {
    const min = bytes[NAT_ADDRESS_MIN + i] as number;
    const host = min ^ (bytes[NAT_ADDRESS_MAX + i] as number);
    return (own & host) | (min & ~host & 255);
  });
  return (destination ? rewriteDestination : rewriteSource)(walk, outcome, { address, port: undefined });
}

/** To this machine: its loopback address for what it sent itself, else its first address; none of the family drops. */
export function redirect(record: RecordView, walk: Walk, outcome: Outcome): number {
  const loopback = addressBytes(walk.packet.family === "ipv4" ? "127.0.0.1" : "::1");
  const address = walk.hook === HOOK_OUTPUT ? loopback : walk.host.redirectAddress;
  if (!address) return VERDICT_DROP;
  const { port } = readRange({ ...record }, 0);
  return rewriteDestination(walk, outcome, { address, port });
}

/** The tests' engines know no interface's address, so the source stays and the result says so. */
export function masquerade(_record: RecordView, _walk: Walk, outcome: Outcome): number {
  outcome.flags |= RESULT_FLAG_MASQUERADE;
  return VERDICT_ACCEPT;
}
