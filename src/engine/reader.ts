/** A reader: one thread that walks packets without ever waiting for a writer. */
import * as L from "../blob/layout.js";
import * as M from "../blob/memory.js";
import { HOOK_NAMES, type HookName, TABLE_NAMES, type TableName } from "../ruleset/ruleset.js";
import type { Engine } from "./engine.js";
import { EventQueue } from "./events.js";
import { registeredName } from "./hook-registry.js";
import { rowsOf, textAt } from "./read-back.js";

/** Room for the steps of one packet: more are not told. */
const TRACE_BYTES = 1 << 18;

/** A rule that matched, or a policy that decided. */
export interface TraceStep {
  hook: HookName;
  /** Of a table that a user has registered: its kind. */
  table: TableName;
  /** The name that a user has registered the table under. */
  registered?: string;
  chain: string;
  /** From 1; 0 is the chain's policy. */
  rule: number;
  /** Line of the rule in the file it was loaded from, 0 unknown. */
  line: number;
  /** VERDICT_* of blob/layout.ts. */
  verdict: number;
  /** 0, or of a packet that the machine sent meanwhile, as an answer or a copy: its number, from 1. */
  own: number;
  /** Copy of the TRACE_* record: the packet as the rule left it, which netfilter/traced.ts reads. */
  record: Uint8Array;
}

/** Memory for good, for what lies beside a packet. */
interface Room {
  readonly address: number;
  readonly size: number;
}

/** Packets and results of one reader, in shared memory for good. */
export class PacketPool {
  readonly count: number;
  readonly packets: number;
  readonly results: number;
  private readonly engine: Engine;
  private view: Uint32Array | undefined;
  private readonly bytes = new Map<number, Room>();
  private readonly known = new Map<number, Room>();

  constructor(engine: Engine, count: number) {
    this.engine = engine;
    this.count = count;
    this.packets = engine.allocate(count * L.PACKET_SIZE);
    this.results = engine.allocate(count * L.RESULT_SIZE);
  }

  /** Puts one or more packet records (PACKET_SIZE bytes each) at `index`. */
  set(index: number, packets: Uint8Array): void {
    if (packets.length % L.PACKET_SIZE !== 0 || index < 0 || index + packets.length / L.PACKET_SIZE > this.count)
      throw new RangeError(`${packets.length} bytes at packet ${index} do not fit a pool of ${this.count} packets`);
    new Uint8Array(this.engine.handle.memory.buffer, this.packets + index * L.PACKET_SIZE, packets.length).set(packets);
  }

  /**
   * The bytes of packet `index` from its IP header on, for what its record does not say. After `set`. What lies behind the
   * packet's length is its link's, and nobody sees it.
   */
  setBytes(index: number, bytes: Uint8Array): void {
    const length = this.engine.data().getUint32(this.packets + index * L.PACKET_SIZE + L.PACKET_LENGTH, true);
    const own = bytes.subarray(0, length);
    this.point(index, L.PACKET_PAYLOAD, this.put(this.bytes, index, own));
    this.point(index, L.PACKET_PAYLOAD_LENGTH, own.length);
  }

  /** What the machine knows of packet `index`: the record that `encodeKnown` gives. After `set`. */
  setKnown(index: number, known: Uint8Array): void {
    if (known.length !== L.KNOWN_SIZE) throw new RangeError(`${L.KNOWN_SIZE} bytes, not ${known.length}`);
    this.point(index, L.PACKET_KNOWN, this.put(this.known, index, known));
  }

  private point(index: number, field: number, value: number): void {
    this.engine.data().setUint32(this.packets + index * L.PACKET_SIZE + field, value, true);
  }

  /** Copies to the place that `rooms` has for the packet; its address. */
  private put(rooms: Map<number, Room>, index: number, bytes: Uint8Array): number {
    let room = rooms.get(index);
    if (room === undefined || room.size < bytes.length) {
      room = { address: this.engine.allocate(bytes.length), size: bytes.length };
      rooms.set(index, room);
    }
    new Uint8Array(this.engine.data().buffer, room.address, bytes.length).set(bytes);
    return room.address;
  }

  /** The rows that `classify` named: a view is dear to make, and batches tend to be of one size. */
  rows(count: number): Uint32Array {
    if (this.view?.length !== count) this.view = new Uint32Array(this.engine.handle.memory.buffer, this.results, count);
    return this.view;
  }

  /** The result record of the last match of packet `index`. */
  result(index: number): DataView {
    return new DataView(this.engine.handle.memory.buffer, this.results + index * L.RESULT_SIZE, L.RESULT_SIZE);
  }
}

export class Reader {
  readonly id: number;
  private readonly engine: Engine;
  /** This reader's words in shared memory, which do not move. */
  private readonly line: Uint32Array;
  private traces = 0;

  /** `id` counts from 0 and belongs to one thread at a time. */
  constructor(engine: Engine, id: number) {
    if (!Number.isInteger(id) || id < 0 || id >= engine.handle.readers)
      throw new RangeError(`reader ${id} of an engine with ${engine.handle.readers} readers`);
    this.engine = engine;
    this.id = id;
    engine.kernel.readerAttach(id);
    this.line = new Uint32Array(engine.handle.memory.buffer, M.READERS_ADDRESS + id * M.READER_SIZE, M.READER_SIZE / 4);
  }

  allocate(count: number): PacketPool {
    return new PacketPool(this.engine, count);
  }

  /** Says that this thread walks packets in a loop: a writer that asks for a grace period waits for its next pause. */
  online(): void {
    Atomics.store(this.line, M.READER_ONLINE >> 2, 1);
  }

  offline(): void {
    Atomics.store(this.line, M.READER_ONLINE >> 2, 0);
  }

  /** Sets the generator behind chance (`statistic --mode random`, random ports): the same seed, the same choices. */
  seed(value: number): void {
    const state = (BigInt(value >>> 0) + 1n) * 0x9e3779b97f4a7c15n;
    new DataView(this.line.buffer, this.line.byteOffset).setBigUint64(M.READER_RANDOM, BigInt.asUintN(64, state), true);
  }

  /**
   * Listens to this reader: what LOG, NFLOG, AUDIT, TRACE, TEE and REJECT tell from now on, until the queue is closed.
   * Without anyone listening telling costs nothing. `capacity` is a power of two.
   */
  listen(capacity = 1024): EventQueue {
    const queue = new EventQueue(this.engine, capacity, () => Atomics.store(this.line, M.READER_EVENTS >> 2, 0));
    Atomics.store(this.line, M.READER_EVENTS >> 2, queue.ring);
    return queue;
  }

  /** The record of the packet that fragments were put together to, where the result of the last match says so. */
  whole(): Uint8Array {
    const at = this.line[M.READER_WHOLE >> 2] as number;
    return this.engine.bytes().slice(at, at + L.PACKET_SIZE);
  }

  /** Walks packets `first` to `first + count - 1` under one version of the ruleset. */
  match(pool: PacketPool, first: number, count: number): void {
    this.engine.kernel.readerMatch(pool.packets + first * L.PACKET_SIZE, pool.results + first * L.RESULT_SIZE, count);
  }

  /** The generation of the ruleset that the packets of the last call met. Unlike the engine's it is read where no writer writes. */
  generation(): number {
    return this.line[M.READER_GENERATION >> 2] as number;
  }

  /**
   * For packets `first` to `first + count - 1`, all of one family, the rule that each hits first in the chain of `table` at
   * `hook`: an address that stands for the rule as long as no update is made, 0 where none hits. Only conditions are
   * asked: no target acts and nothing is counted. The answer is a view of shared memory that the next call overwrites.
   */
  classify(pool: PacketPool, first: number, count: number, table: TableName, hook: HookName): Uint32Array {
    this.engine.kernel.readerClassify(
      TABLE_NAMES.indexOf(table),
      HOOK_NAMES.indexOf(hook),
      pool.packets + first * L.PACKET_SIZE,
      pool.results,
      count,
    );
    return pool.rows(count);
  }

  /** Line in the file it was loaded from of a rule that `classify` named; 0 unknown. */
  lineOf(row: number): number {
    return this.engine.data().getUint32(row + L.ROW_LINE, true);
  }

  /** What the last traced packet took: looks at hash tables, entries, chunks, and rows checked whole. */
  effort(): { tuples: number; entries: number; chunks: number; rows: number } {
    const { tuplesProbed, entriesCompared, chunksCompared, rowsChecked } = this.engine.kernel;
    return {
      tuples: tuplesProbed.value as number,
      entries: entriesCompared.value as number,
      chunks: chunksCompared.value as number,
      rows: rowsChecked.value as number,
    };
  }

  /** Walks one packet and tells the rules that matched, in order. Not for use while another thread updates. */
  trace(pool: PacketPool, index: number): TraceStep[] {
    this.traces ||= this.engine.allocate(TRACE_BYTES);
    const end = this.engine.kernel.readerTrace(
      pool.packets + index * L.PACKET_SIZE,
      pool.results + index * L.RESULT_SIZE,
      this.traces,
      TRACE_BYTES,
    );
    const view = this.engine.data();
    const steps: TraceStep[] = [];
    for (let at = this.traces; at < end >>> 0; at += L.TRACE_SIZE) steps.push(traceStep(view, at));
    return steps;
  }
}

function traceStep(view: DataView, at: number): TraceStep {
  const row = view.getUint32(at + L.TRACE_ROW, true);
  const head = view.getUint32(row + L.ROW_CHAIN, true);
  const table = view.getUint32(head + L.CHAIN_TABLE, true);
  const root = view.getUint32(M.CONTROL_ADDRESS + M.CONTROL_ROOT, true);
  const registered = registeredName(view, view.getUint32(root + M.ROOT_HOOKS, true), table);
  const policy = (view.getUint8(row + L.ROW_FLAGS) & L.ROW_FLAG_POLICY) !== 0;
  let rule = 0;
  if (!policy)
    for (const other of rowsOf(view, head)) {
      rule++;
      if (other === row) break;
    }
  return {
    hook: HOOK_NAMES[view.getUint8(at + L.TRACE_HOOK)] as HookName,
    table: TABLE_NAMES[view.getUint8(at + L.TRACE_TABLE)] as TableName,
    ...(registered === undefined ? {} : { registered }),
    chain: textAt(view, table + view.getUint32(table + L.BLOB_TEXT, true), view.getUint32(head + L.CHAIN_NAME, true)),
    rule,
    line: policy ? 0 : view.getUint32(row + L.ROW_LINE, true),
    verdict: view.getUint8(at + L.TRACE_VERDICT),
    own: view.getUint8(at + L.TRACE_OWN),
    record: new Uint8Array(view.buffer, at, L.TRACE_SIZE).slice(),
  };
}
