/** The rules that a packet meets, noted for whoever asks for its way, and for whoever listens to events. */
import {
  BLOB_TABLE,
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_MARK,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TOS,
  PACKET_TTL,
  TRACE_CT_MARK,
  TRACE_CT_STATE,
  TRACE_DESTINATION,
  TRACE_DESTINATION_PORT,
  TRACE_HOOK,
  TRACE_MARK,
  TRACE_OWN,
  TRACE_ROW,
  TRACE_SIZE,
  TRACE_SOURCE,
  TRACE_SOURCE_PORT,
  TRACE_TABLE,
  TRACE_TOS,
  TRACE_TTL,
  TRACE_VERDICT,
} from "../src/blob/layout";
import { effortBegin, effortEnd } from "./effort";
import { eventTrace, traced } from "./events";
import { hook, ownNumber, packet } from "./packet";

/** Where matched rows are written for a trace; 0 when nobody asks. */
export let trace: usize = 0;
let traceEnd: usize = 0;
/** Value of `trace`: rules are noted, but not written. */
const NOWHERE: usize = 1;

export function traceInto(address: usize, bytes: u32): void {
  if (address) effortBegin();
  else effortEnd();
  trace = address;
  traceEnd = address + bytes;
}

/** Rules are noted until the packet's way ends, if only for whoever listens to events (-j TRACE). */
export function traceOn(): void {
  if (!trace) trace = NOWHERE;
}

export function traceOff(): void {
  if (trace == NOWHERE) trace = 0;
}

/** The next free trace record. */
export function traceNext(): usize {
  return trace;
}

/** Of a row that has acted, and the packet as it is behind it. Only while rules are noted. */
export function traceNote(table: usize, row: usize, verdict: u32): void {
  if (traced) eventTrace(row, verdict);
  if (trace + TRACE_SIZE > traceEnd) return;
  store<u32>(trace, <u32>row, TRACE_ROW);
  store<u8>(trace, <u8>hook, TRACE_HOOK);
  store<u8>(trace, load<u8>(table, BLOB_TABLE), TRACE_TABLE);
  store<u8>(trace, <u8>verdict, TRACE_VERDICT);
  store<u8>(trace, <u8>ownNumber, TRACE_OWN);
  store<u32>(trace, load<u32>(packet, PACKET_MARK), TRACE_MARK);
  store<u32>(trace, load<u32>(packet, PACKET_CT_MARK), TRACE_CT_MARK);
  v128.store(trace, v128.load(packet, PACKET_SOURCE), TRACE_SOURCE);
  v128.store(trace, v128.load(packet, PACKET_DESTINATION), TRACE_DESTINATION);
  store<u16>(trace, load<u16>(packet, PACKET_SOURCE_PORT), TRACE_SOURCE_PORT);
  store<u16>(trace, load<u16>(packet, PACKET_DESTINATION_PORT), TRACE_DESTINATION_PORT);
  store<u16>(trace, load<u16>(packet, PACKET_CT_STATE), TRACE_CT_STATE);
  store<u8>(trace, load<u8>(packet, PACKET_TTL), TRACE_TTL);
  store<u8>(trace, load<u8>(packet, PACKET_TOS), TRACE_TOS);
  trace += TRACE_SIZE;
}
