/** A line of `conntrack -L` (libnetfilter_conntrack's default format). */
import * as C from "../blob/connections.js";
import type { Connection, Counts, Tuple } from "./connections.js";

const TCP_STATES = [
  "NONE",
  "SYN_SENT",
  "SYN_RECV",
  "ESTABLISHED",
  "FIN_WAIT",
  "CLOSE_WAIT",
  "LAST_ACK",
  "TIME_WAIT",
  "CLOSE",
  "SYN_SENT2",
];
const SCTP_STATES = [
  "NONE",
  "CLOSED",
  "COOKIE_WAIT",
  "COOKIE_ECHOED",
  "ESTABLISHED",
  "SHUTDOWN_SENT",
  "SHUTDOWN_RECD",
  "SHUTDOWN_ACK_SENT",
  "HEARTBEAT_SENT",
];
const NAMES: Readonly<Record<number, string>> = {
  1: "icmp",
  6: "tcp",
  17: "udp",
  33: "dccp",
  47: "gre",
  58: "icmpv6",
  132: "sctp",
  136: "udplite",
};
const STATES: Readonly<Record<number, readonly string[]>> = { 6: TCP_STATES, 132: SCTP_STATES };
const ICMP = [1, 58];
const GRE = 47;
const WITH_PORTS = [6, 17, 33, 132, 136];

/** `now`: milliseconds of the virtual clock. */
export function printConnection(connection: Connection, now: number): string {
  const { protocol, status, original, reply, counts } = connection;
  const seconds = Math.floor(((connection.expires - now) | 0) / 1000);
  const state = STATES[protocol]?.[connection.state];
  const zoned = original.zone !== reply.zone;
  return [
    `${(NAMES[protocol] ?? "unknown").padEnd(8)} ${protocol} ${seconds}`,
    ...(state === undefined ? [] : [state]),
    printTuple(original, protocol),
    ...(zoned && original.zone !== 0 ? [`zone-orig=${original.zone}`] : []),
    ...printCounts(counts?.original),
    ...(status & C.STATUS_SEEN_REPLY ? [] : ["[UNREPLIED]"]),
    printTuple(reply, protocol),
    ...(zoned && reply.zone !== 0 ? [`zone-reply=${reply.zone}`] : []),
    ...printCounts(counts?.reply),
    ...(status & C.STATUS_ASSURED ? ["[ASSURED]"] : []),
    `mark=${connection.mark}`,
    ...(zoned || original.zone === 0 ? [] : [`zone=${original.zone}`]),
    ...(connection.helper === undefined ? [] : [`helper=${connection.helper}`]),
    "use=1",
  ].join(" ");
}

function printCounts(counts: Counts | undefined): string[] {
  return counts ? [`packets=${counts.packets} bytes=${counts.bytes}`] : [];
}

function printTuple(tuple: Tuple, protocol: number): string {
  const ends = `src=${tuple.source} dst=${tuple.destination}`;
  if (ICMP.includes(protocol))
    return `${ends} type=${tuple.destinationPort >> 8} code=${tuple.destinationPort & 255} id=${tuple.sourcePort}`;
  if (protocol === GRE)
    return `${ends} srckey=0x${tuple.sourcePort.toString(16)} dstkey=0x${tuple.destinationPort.toString(16)}`;
  return WITH_PORTS.includes(protocol) ? `${ends} sport=${tuple.sourcePort} dport=${tuple.destinationPort}` : ends;
}
