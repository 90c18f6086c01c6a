/** What a reader tells beside verdicts, taken by whoever listens: this thread, or another one that is given the ring. */
import * as E from "../blob/events.js";
import { PACKET_SIZE } from "../blob/layout.js";
import { HOOK_NAMES, type HookName, TABLE_NAMES, type TableName } from "../ruleset/ruleset.js";
import type { Engine } from "./engine.js";
import { nameAt } from "./name-text.js";

const KINDS = {
  LOG: E.EVENT_LOG,
  NFLOG: E.EVENT_NFLOG,
  TRACE: E.EVENT_TRACE,
  REPLY: E.EVENT_REPLY,
  COPY: E.EVENT_COPY,
  AUDIT: E.EVENT_AUDIT,
  SYSTEM: E.EVENT_SYSTEM,
} as const;
export type EventKind = keyof typeof KINDS;
const AUDIT_TYPES = ["accept", "drop", "reject"];

export interface PacketEvent {
  /**
   * The target that tells it, SYSTEM is osf; REPLY is what answers a packet that REJECT dropped, or what SYNPROXY sends to
   * client or server, COPY what TEE sends on, once it has left.
   */
  readonly kind: EventKind;
  readonly hook: HookName;
  readonly table: TableName;
  readonly chain: string;
  /** Line of the rule in the file it was loaded from, 0 unknown or a policy. */
  readonly line: number;
  /** The packet as it was then, PACKET_SIZE bytes: what `decodePacket` reads. REPLY and COPY: the one that is sent. */
  readonly packet: Uint8Array;
  /** Where the packet lies in its pool: the address of its record. */
  readonly origin: number;
  /** LOG and NFLOG. */
  readonly prefix?: string;
  /** LOG: 0 emerg to 7 debug. */
  readonly level?: number;
  /** NFLOG. */
  readonly group?: number;
  /** SYSTEM: what a rule of osf with --log takes the sender for, "" where it is not known. Its chain and line are not. */
  readonly system?: string;
  /** AUDIT: accept, drop or reject. */
  readonly type?: string;
  /** TRACE: VERDICT_* of the rule. */
  readonly verdict?: number;
  /** REPLY by a TCP segment, where the packet's bytes are known. */
  readonly sequence?: number;
  readonly acknowledge?: number;
  /** REPLY by SYNPROXY, where the packet's bytes are known: the TCP header that it sends, without its checksum. */
  readonly segment?: Uint8Array;
  /** COPY: the address it is sent to, 16 bytes. */
  readonly gateway?: Uint8Array;
}

export class EventQueue {
  /** Address of the ring. */
  readonly ring: number;
  private readonly engine: Engine;
  private readonly end: () => void;

  constructor(engine: Engine, capacity: number, end: () => void) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > 1 << 20 || (capacity & (capacity - 1)) !== 0)
      throw new RangeError(`a capacity that is a power of two up to ${1 << 20}, not ${capacity}`);
    this.engine = engine;
    this.end = end;
    this.ring = engine.allocate(E.EVENTS_FIRST + capacity * E.EVENT_SIZE);
    new Uint8Array(engine.handle.memory.buffer, this.ring, E.EVENTS_FIRST).fill(0);
    engine.data().setUint32(this.ring + E.EVENTS_MASK, capacity - 1, true);
  }

  /** Events that found no room, ever. */
  get lost(): number {
    return Atomics.load(this.engine.words(), (this.ring + E.EVENTS_LOST) >> 2) >>> 0;
  }

  /** Takes what is there, in order. */
  take(): PacketEvent[] {
    const words = this.engine.words();
    const view = this.engine.data();
    const mask = view.getUint32(this.ring + E.EVENTS_MASK, true);
    const head = Atomics.load(words, (this.ring + E.EVENTS_HEAD) >> 2);
    const events: PacketEvent[] = [];
    let tail = Atomics.load(words, (this.ring + E.EVENTS_TAIL) >> 2);
    for (; tail !== head; tail = (tail + 1) | 0)
      events.push(readEvent(view, this.ring + E.EVENTS_FIRST + (tail & mask) * E.EVENT_SIZE));
    Atomics.store(words, (this.ring + E.EVENTS_TAIL) >> 2, tail);
    return events;
  }

  /** Nobody listens any more. */
  close(): void {
    this.end();
  }
}

function readEvent(view: DataView, at: number): PacketEvent {
  const byte = (field: number): number => view.getUint8(at + field);
  const kind = (Object.keys(KINDS) as EventKind[]).find((name) => KINDS[name] === byte(E.EVENT_KIND)) ?? "LOG";
  const bytes = (field: number, length: number): Uint8Array => new Uint8Array(view.buffer, at + field, length).slice();
  const text = (field: number, length: number): string => nameAt(view, at + field, length);
  const sequence = view.getUint32(at + E.EVENT_SEQUENCE, true);
  const acknowledge = view.getUint32(at + E.EVENT_ACKNOWLEDGE, true);
  return {
    kind,
    hook: HOOK_NAMES[byte(E.EVENT_HOOK)] as HookName,
    table: TABLE_NAMES[byte(E.EVENT_TABLE)] as TableName,
    chain: text(E.EVENT_CHAIN, 32),
    line: view.getUint32(at + E.EVENT_LINE, true),
    packet: bytes(E.EVENT_PACKET, PACKET_SIZE),
    origin: view.getUint32(at + E.EVENT_SOURCE, true),
    ...(kind === "LOG" || kind === "NFLOG" ? { prefix: text(E.EVENT_PREFIX, 64) } : {}),
    ...(kind === "LOG" ? { level: byte(E.EVENT_LEVEL) } : {}),
    ...(kind === "SYSTEM" ? { system: text(E.EVENT_PREFIX, 64) } : {}),
    ...(kind === "NFLOG" ? { group: view.getUint16(at + E.EVENT_GROUP, true) } : {}),
    ...(kind === "AUDIT" ? { type: AUDIT_TYPES[byte(E.EVENT_LEVEL)] ?? "" } : {}),
    ...(kind === "TRACE" ? { verdict: byte(E.EVENT_VERDICT) } : {}),
    ...(kind === "REPLY" && sequence ? { sequence } : {}),
    ...(kind === "REPLY" && acknowledge ? { acknowledge } : {}),
    ...(kind === "REPLY" && byte(E.EVENT_LEVEL) ? { segment: bytes(E.EVENT_PREFIX, byte(E.EVENT_LEVEL)) } : {}),
    ...(kind === "COPY" ? { gateway: bytes(E.EVENT_PREFIX, 16) } : {}),
  };
}
