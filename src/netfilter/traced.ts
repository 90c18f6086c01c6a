/** A packet on its way, as one step of a trace left it: what rules and connections may change. */
import {
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_MARK,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TOS,
  PACKET_TTL,
  RESULT_CT_MARK,
  RESULT_CT_STATE,
  RESULT_DESTINATION,
  RESULT_DESTINATION_PORT,
  RESULT_MARK,
  RESULT_SOURCE,
  RESULT_SOURCE_PORT,
  RESULT_TOS,
  RESULT_TTL,
  TRACE_CT_MARK,
  TRACE_CT_STATE,
  TRACE_DESTINATION,
  TRACE_DESTINATION_PORT,
  TRACE_MARK,
  TRACE_SOURCE,
  TRACE_SOURCE_PORT,
  TRACE_TOS,
  TRACE_TTL,
} from "../blob/layout.js";
import type { Family } from "../ruleset/row-store.js";
import { readAddressText } from "./address.js";
import { CT_STATES, hasPorts } from "./packet-names.js";

/** Each as text, in the order in which changes are told. */
export interface Traced {
  readonly source: string;
  readonly destination: string;
  readonly mark: string;
  readonly "connection mark": string;
  readonly state: string;
  readonly ttl: string;
  readonly tos: string;
}

export interface TracedChange {
  readonly what: keyof Traced;
  readonly before: string;
  readonly after: string;
}

interface Fields {
  readonly source: number;
  readonly sourcePort: number;
  readonly destination: number;
  readonly destinationPort: number;
  readonly mark: number;
  readonly ctMark: number;
  readonly ctState: number;
  readonly ttl: number;
  readonly tos: number;
}

const OF_PACKET: Fields = {
  source: PACKET_SOURCE,
  sourcePort: PACKET_SOURCE_PORT,
  destination: PACKET_DESTINATION,
  destinationPort: PACKET_DESTINATION_PORT,
  mark: PACKET_MARK,
  ctMark: PACKET_CT_MARK,
  ctState: PACKET_CT_STATE,
  ttl: PACKET_TTL,
  tos: PACKET_TOS,
};
const OF_STEP: Fields = {
  source: TRACE_SOURCE,
  sourcePort: TRACE_SOURCE_PORT,
  destination: TRACE_DESTINATION,
  destinationPort: TRACE_DESTINATION_PORT,
  mark: TRACE_MARK,
  ctMark: TRACE_CT_MARK,
  ctState: TRACE_CT_STATE,
  ttl: TRACE_TTL,
  tos: TRACE_TOS,
};
const OF_RESULT: Fields = {
  source: RESULT_SOURCE,
  sourcePort: RESULT_SOURCE_PORT,
  destination: RESULT_DESTINATION,
  destinationPort: RESULT_DESTINATION_PORT,
  mark: RESULT_MARK,
  ctMark: RESULT_CT_MARK,
  ctState: RESULT_CT_STATE,
  ttl: RESULT_TTL,
  tos: RESULT_TOS,
};

/** Of a packet's record, on its arrival. */
export function tracedPacket(record: Uint8Array, family: Family, protocol: number): Traced {
  return read(new DataView(record.buffer, record.byteOffset), OF_PACKET, family, protocol);
}

/** Of `TraceStep.record`. */
export function tracedStep(record: Uint8Array, family: Family, protocol: number): Traced {
  return read(new DataView(record.buffer, record.byteOffset), OF_STEP, family, protocol);
}

/** Of a result, at the end of the way. */
export function tracedResult(result: DataView, family: Family, protocol: number): Traced {
  return read(result, OF_RESULT, family, protocol);
}

export function tracedChanges(before: Traced, after: Traced): TracedChange[] {
  const names = Object.keys(after) as (keyof Traced)[];
  return names
    .filter((what) => before[what] !== after[what])
    .map((what) => ({ what, before: before[what], after: after[what] }));
}

function read(view: DataView, fields: Fields, family: Family, protocol: number): Traced {
  const bytes = new Uint8Array(view.buffer, view.byteOffset);
  const end = (address: number, port: number): string => {
    const text = readAddressText(bytes, address, family);
    if (!hasPorts(protocol)) return text;
    return `${family === "ipv4" ? text : `[${text}]`}:${view.getUint16(port, true)}`;
  };
  const hex = (at: number): string => `0x${view.getUint32(at, true).toString(16)}`;
  return {
    source: end(fields.source, fields.sourcePort),
    destination: end(fields.destination, fields.destinationPort),
    mark: hex(fields.mark),
    "connection mark": hex(fields.ctMark),
    state: stateName(view.getUint16(fields.ctState, true)),
    ttl: String(view.getUint8(fields.ttl)),
    tos: `0x${view.getUint8(fields.tos).toString(16)}`,
  };
}

/** Of its bits one is a state; the others tell of NAT. */
function stateName(bits: number): string {
  return Object.entries(CT_STATES).find(([, bit]) => bits & bit)?.[0] ?? "none";
}
