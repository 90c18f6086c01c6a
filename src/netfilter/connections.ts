/** The engine's connections, and their listing as `conntrack -L` prints it. */
import ipaddr from "ipaddr.js";
import * as C from "../blob/connections.js";
import { FAMILY_IPV4 } from "../blob/layout.js";
import * as M from "../blob/memory.js";
import type { Engine } from "../engine/engine.js";
import type { Family } from "../ruleset/row-store.js";

/** One end's view: how packets of a direction look. */
export interface Tuple {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export interface Connection {
  readonly family: Family;
  readonly protocol: number;
  readonly original: Tuple;
  readonly reply: Tuple;
  /** STATUS_* of blob/connections.ts. */
  readonly status: number;
  readonly mark: number;
  readonly zone: number;
  /** Milliseconds of the virtual clock at which it is forgotten. */
  readonly expires: number;
  /** TCP_* of blob/connections.ts, where it is TCP. */
  readonly tcpState: number;
}

const TCP_STATE_NAMES = [
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
const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  1: "icmp",
  6: "tcp",
  17: "udp",
  33: "dccp",
  47: "gre",
  58: "icmpv6",
  132: "sctp",
  136: "udplite",
};
const TCP = 6;
const ICMP = 1;
const ICMPV6 = 58;

/** The connections in the table at `now` ms of the virtual clock; none where the engine tracks none. */
export function listConnections(engine: Engine, now: number): Connection[] {
  const view = engine.data();
  const table = view.getUint32(M.CONTROL_ADDRESS + M.CONTROL_CONNECTIONS, true);
  const found: Connection[] = [];
  if (table === 0) return found;
  const top = view.getUint32(table + C.CONNECTIONS_TOP, true);
  let record = view.getUint32(table + C.CONNECTIONS_RECORDS, true);
  for (let i = 0; i < top; i++, record += C.CONNECTION_SIZE) {
    const status = view.getUint32(record + C.CONNECTION_STATUS, true);
    const there = view.getUint32(record + C.CONNECTION_REFERENCES, true) !== 0;
    const expires = view.getUint32(record + C.CONNECTION_EXPIRES, true);
    if (!there || !(status & C.STATUS_CONFIRMED) || status & C.STATUS_DYING || ((expires - now) | 0) <= 0) continue;
    const original = record + C.CONNECTION_ORIGINAL + C.NODE_TUPLE;
    found.push({
      family: view.getUint8(original + C.TUPLE_FAMILY) === FAMILY_IPV4 ? "ipv4" : "ipv6",
      protocol: view.getUint8(original + C.TUPLE_PROTOCOL),
      original: tupleAt(view, original),
      reply: tupleAt(view, record + C.CONNECTION_REPLY + C.NODE_TUPLE),
      status,
      mark: view.getUint32(record + C.CONNECTION_MARK, true),
      zone: view.getUint16(original + C.TUPLE_ZONE, true),
      expires,
      tcpState: view.getUint8(record + C.CONNECTION_STATE),
    });
  }
  return found;
}

/** A line of `conntrack -L`; `now` as for listConnections. */
export function printConnection(connection: Connection, now: number): string {
  const { protocol, status } = connection;
  const seconds = Math.ceil(((connection.expires - now) | 0) / 1000);
  const parts = [`${(PROTOCOL_NAMES[protocol] ?? "unknown").padEnd(8)} ${protocol} ${seconds}`];
  if (protocol === TCP) parts.push(TCP_STATE_NAMES[connection.tcpState] ?? "NONE");
  parts.push(printTuple(connection.original, protocol));
  if (!(status & C.STATUS_SEEN_REPLY)) parts.push("[UNREPLIED]");
  parts.push(printTuple(connection.reply, protocol));
  if (status & C.STATUS_ASSURED) parts.push("[ASSURED]");
  parts.push(`mark=${connection.mark}`);
  if (connection.zone !== 0) parts.push(`zone=${connection.zone}`);
  parts.push("use=1");
  return parts.join(" ");
}

/** Forgets every connection, as `conntrack -F`. */
export function flushConnections(engine: Engine): void {
  if (engine.data().getUint32(M.CONTROL_ADDRESS + M.CONTROL_CONNECTIONS, true) !== 0) engine.kernel.engineForget();
}

function tupleAt(view: DataView, at: number): Tuple {
  const bytes = view.getUint8(at + C.TUPLE_FAMILY) === FAMILY_IPV4 ? 4 : 16;
  const address = (from: number) => ipaddr.fromByteArray([...new Uint8Array(view.buffer, from, bytes)]).toString();
  return {
    source: address(at + C.TUPLE_SOURCE),
    destination: address(at + C.TUPLE_DESTINATION),
    sourcePort: view.getUint16(at + C.TUPLE_SOURCE_PORT, true),
    destinationPort: view.getUint16(at + C.TUPLE_DESTINATION_PORT, true),
  };
}

function printTuple(tuple: Tuple, protocol: number): string {
  const ends = `src=${tuple.source} dst=${tuple.destination}`;
  if (protocol === ICMP || protocol === ICMPV6)
    return `${ends} type=${tuple.destinationPort >> 8} code=${tuple.destinationPort & 255} id=${tuple.sourcePort}`;
  return tuple.sourcePort || tuple.destinationPort
    ? `${ends} sport=${tuple.sourcePort} dport=${tuple.destinationPort}`
    : ends;
}
