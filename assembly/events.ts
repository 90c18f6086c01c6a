/** Events of this reader: LOG, NFLOG, TRACE, AUDIT and TEE write one, if someone listens. */
import {
  BLOB_TABLE,
  BLOB_TEXT,
  CHAIN_NAME,
  CHAIN_TABLE,
  PACKET_SIZE,
  RESULT_EVENTS,
  RESULT_TABLE,
  ROW_CHAIN,
  ROW_LINE,
} from "../src/blob/layout";
import {
  EVENT_AUDIT,
  EVENT_CHAIN,
  EVENT_COPY,
  EVENT_FLAGS,
  EVENT_GROUP,
  EVENT_HOOK,
  EVENT_KIND,
  EVENT_LEVEL,
  EVENT_LINE,
  EVENT_LOG,
  EVENT_NFLOG,
  EVENT_PACKET,
  EVENT_PREFIX,
  EVENT_SIZE,
  EVENT_SOURCE,
  EVENT_SYSTEM,
  EVENT_TABLE,
  EVENT_TRACE,
  EVENT_VERDICT,
  EVENTS_FIRST,
  EVENTS_HEAD,
  EVENTS_LOST,
  EVENTS_MASK,
  EVENTS_TAIL,
} from "../src/blob/events";
import { READER_EVENTS } from "../src/blob/memory";
import * as P from "../src/blob/payloads";
import { fired, hook, packet, reader, result } from "./packet";

const CHAIN_BYTES: u32 = 31;

/** The record of the packet on its way, in the pool that it came from. */
let origin: usize = 0;
/** Whether a rule has said TRACE of it. */
export let traced: bool = false;

export function eventsBegin(from: usize): void {
  origin = from;
  traced = false;
}

/** Whether a rule has said TRACE of the packet that goes on. */
export function eventsResume(wasTraced: bool): void {
  traced = wasTraced;
}

/** From here on every rule that the packet matches is told. */
export function traceThis(): bool {
  traced = load<u32>(reader, READER_EVENTS) != 0;
  return traced;
}

/** Room for an event of row `row`, filled but for what belongs to its kind; 0 when nobody listens or the ring is full. */
export function eventOpen(kind: u32, row: usize): usize {
  const ring: usize = load<u32>(reader, READER_EVENTS);
  if (!ring) return 0;
  const head = load<u32>(ring, EVENTS_HEAD);
  const mask = load<u32>(ring, EVENTS_MASK);
  if (head - atomic.load<u32>(ring, EVENTS_TAIL) > mask) {
    atomic.store<u32>(ring, load<u32>(ring, EVENTS_LOST) + 1, EVENTS_LOST);
    return 0;
  }
  const event = ring + EVENTS_FIRST + (head & mask) * EVENT_SIZE;
  memory.fill(event, 0, EVENT_PACKET);
  store<u8>(event, <u8>kind, EVENT_KIND);
  store<u8>(event, <u8>hook, EVENT_HOOK);
  store<u32>(event, <u32>origin, EVENT_SOURCE);
  memory.copy(event + EVENT_PACKET, packet, PACKET_SIZE);
  if (!row) return event;
  const chain: usize = load<u32>(row, ROW_CHAIN);
  const table: usize = load<u32>(chain, CHAIN_TABLE);
  const name = table + load<u32>(table, BLOB_TEXT) + load<u32>(chain, CHAIN_NAME);
  const length = <u32>load<u16>(name);
  store<u8>(event, load<u8>(table, BLOB_TABLE), EVENT_TABLE);
  store<u32>(event, load<u32>(row, ROW_LINE), EVENT_LINE);
  memory.copy(event + EVENT_CHAIN, name + 2, length < CHAIN_BYTES ? length : CHAIN_BYTES);
  return event;
}

/** The event is whole: whoever listens may take it. */
export function eventClose(): void {
  const ring: usize = load<u32>(reader, READER_EVENTS);
  atomic.store<u32>(ring, load<u32>(ring, EVENTS_HEAD) + 1, EVENTS_HEAD);
}

export function eventLog(record: usize): void {
  count();
  const event = eventOpen(EVENT_LOG, fired);
  if (!event) return;
  store<u8>(event, load<u8>(record, P.LOG_LEVEL), EVENT_LEVEL);
  store<u8>(event, load<u8>(record, P.LOG_FLAGS), EVENT_FLAGS);
  memory.copy(event + EVENT_PREFIX, record + P.LOG_PREFIX, P.LOG_PREFIX_BYTES);
  eventClose();
}

export function eventNflog(record: usize): void {
  count();
  const event = eventOpen(EVENT_NFLOG, fired);
  if (!event) return;
  store<u16>(event, load<u16>(record, P.NFLOG_GROUP), EVENT_GROUP);
  memory.copy(event + EVENT_PREFIX, record + P.NFLOG_PREFIX, P.NFLOG_PREFIX_BYTES);
  eventClose();
}

export function eventAudit(record: usize): void {
  const event = eventOpen(EVENT_AUDIT, fired);
  if (!event) return;
  store<u8>(event, load<u8>(record, P.AUDIT_TYPE), EVENT_LEVEL);
  eventClose();
}

/** What osf finds that the packet's system is, `length` bytes of text at `label`; nothing where it is not known. */
export function eventSystem(label: usize, length: usize): void {
  count();
  const event = eventOpen(EVENT_SYSTEM, 0);
  if (!event) return;
  store<u8>(event, load<u8>(result, RESULT_TABLE), EVENT_TABLE);
  memory.copy(event + EVENT_PREFIX, label, length);
  eventClose();
}

/** A rule, or a policy, that the packet matched on its way behind TRACE. */
export function eventTrace(row: usize, verdict: u32): void {
  const event = eventOpen(EVENT_TRACE, row);
  if (!event) return;
  store<u8>(event, <u8>verdict, EVENT_VERDICT);
  eventClose();
}

/** The copy of the packet at `copy` has left for the gateway at `gateway`, an address. */
export function eventCopy(copy: usize, gateway: usize): void {
  const event = eventOpen(EVENT_COPY, fired);
  if (!event) return;
  v128.store(event, v128.load(gateway), EVENT_PREFIX);
  memory.copy(event + EVENT_PACKET, copy, PACKET_SIZE);
  eventClose();
}

function count(): void {
  const events = load<u8>(result, RESULT_EVENTS);
  if (events < 255) store<u8>(result, events + 1, RESULT_EVENTS);
}
