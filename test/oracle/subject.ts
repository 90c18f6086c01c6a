/** The engine under test, held so that it can be asked the oracle's questions. */
import { createHash } from "node:crypto";
import {
  BLOB_FIRST_CHAIN,
  BLOB_HEADER_SIZE,
  CHAIN_CHUNKS,
  CHAIN_INDEX,
  CHAIN_NEXT,
  CHAIN_POLICY,
  CHAIN_SIZE,
  ROW_CHAIN,
  ROW_NEXT,
  ROW_NEXT_SAME,
  ROW_ORDER,
  ROW_PROTOCOL,
  TABLE_COUNT,
} from "../../src/blob/layout.js";
import {
  CHUNK_CAPACITY,
  CHUNK_NEXT,
  CHUNK_ROW_SLOTS,
  CONTROL_ADDRESS,
  CONTROL_ROOT,
  ROOT_FAMILY_COUNT,
  ROOT_SIZE,
  ROOT_TABLES,
} from "../../src/blob/memory.js";
import { Engine, type EngineOptions } from "../../src/engine/engine.js";
import { rowsOf } from "../../src/engine/read-back.js";
import { type PacketPool, Reader } from "../../src/engine/reader.js";
import { printRuleset } from "../../src/ruleset/print.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import { type Strategy, Updater } from "../../src/update/updater.js";
import { encodePacket, type Packet } from "./packet.js";
import { EPOCH, LOCAL_ADDRESSES } from "./random-pool.js";
import { readResult, type Result, type Step } from "./result.js";

export type Classifier = "linear" | "tuple-space";
export const CLASSIFIERS: readonly Classifier[] = ["linear", "tuple-space"];
export const STRATEGIES: readonly Strategy[] = ["one-by-one", "full", "partial", "incremental"];

/** What an engine refuses to load as yet. */
export const REFUSED = /-m recent /;

const PAYLOAD_BYTES = 65536;

export class Subject {
  readonly engine: Engine;
  readonly updater: Updater;
  private readonly reader: Reader;
  private readonly pool: PacketPool;
  private readonly payload: number;

  constructor(classifier: Classifier, strategy: Strategy = "incremental", options: EngineOptions = {}) {
    const usual = { readers: 1, classifier, seed: 1, localAddresses: LOCAL_ADDRESSES, epoch: EPOCH };
    this.engine = Engine.create({ ...usual, ...options });
    this.updater = new Updater(this.engine, { strategy });
    this.reader = new Reader(this.engine, 0);
    this.pool = this.reader.allocate(1);
    this.payload = this.engine.allocate(PAYLOAD_BYTES);
  }

  match(packet: Packet): Result {
    this.place(packet);
    this.reader.match(this.pool, 0, 1);
    return this.result(packet);
  }

  trace(packet: Packet): { result: Result; steps: Step[] } {
    this.place(packet);
    const steps = this.reader
      .trace(this.pool, 0)
      .map(({ hook, table, chain, rule, verdict }) => ({ hook, table, chain, rule, verdict }));
    return { result: this.result(packet), steps };
  }

  /**
   * Everything that a refused batch must leave alone: the root, each table's bytes, what is printed, memory in use. What
   * earlier updates left to be freed is freed first, as any update does.
   */
  snapshot(): string {
    this.engine.locked(() => this.engine.kernel.updateReclaim(0x7fffffff));
    const memory = this.engine.data();
    const word = (at: number): number => memory.getUint32(at, true);
    const root = word(CONTROL_ADDRESS + CONTROL_ROOT);
    const lines = [`live ${this.engine.memory().liveBytes}, root ${root} ${digest(memory, [[root, ROOT_SIZE]])}`];
    for (let i = 0; i < ROOT_FAMILY_COUNT * TABLE_COUNT; i++) {
      const table = word(root + ROOT_TABLES + 4 * i);
      if (table === 0) continue;
      lines.push(`table ${i} at ${table}: ${digest(memory, [[table, BLOB_HEADER_SIZE]])}`);
      for (let head = word(table + BLOB_FIRST_CHAIN); head; head = word(head + CHAIN_NEXT))
        lines.push(`chain ${head}: ${digest(memory, chainRuns(memory, head))}`);
    }
    return [...lines, printRuleset(this.ruleset(), { counters: true })].join("\n");
  }

  ruleset(): Ruleset {
    const [ruleset] = this.engine.readRuleset();
    if (!ruleset) throw new Error("the engine holds no ruleset");
    return ruleset;
  }

  /** The packet's record, and its own bytes beside it. */
  private place(packet: Packet): void {
    if (packet.bytes) new Uint8Array(this.engine.handle.memory.buffer, this.payload).set(packet.bytes);
    this.pool.set(0, encodePacket(packet, this.payload));
  }

  private result(packet: Packet): Result {
    return readResult(this.pool.result(0), packet.source.length);
  }
}

/**
 * Address and bytes of a chain's head, chunks and rows in force, its policy behind them. Where there is no index, the
 * rows' order in it is left out.
 */
function chainRuns(memory: DataView, head: number): [number, number][] {
  const word = (at: number): number => memory.getUint32(at, true);
  const runs: [number, number][] = [[head, CHAIN_SIZE]];
  for (let chunk = word(head + CHAIN_CHUNKS); chunk; chunk = word(chunk + CHUNK_NEXT))
    runs.push([chunk, CHUNK_ROW_SLOTS + 12 * memory.getUint16(chunk + CHUNK_CAPACITY, true)]);
  const policy = word(head + CHAIN_POLICY);
  for (const row of [...rowsOf(memory, head), ...(policy ? [policy] : [])]) {
    const end = row + memory.getUint16(row + ROW_NEXT, true);
    const indexed = word(head + CHAIN_INDEX) !== 0;
    runs.push([row, ROW_ORDER]);
    if (indexed) runs.push([row + ROW_ORDER, ROW_CHAIN - ROW_ORDER]);
    runs.push([row + ROW_CHAIN, ROW_NEXT_SAME - ROW_CHAIN]);
    if (indexed) runs.push([row + ROW_NEXT_SAME, 4]);
    runs.push([row + ROW_PROTOCOL, end - row - ROW_PROTOCOL]);
  }
  return runs;
}

function digest(memory: DataView, runs: readonly (readonly [number, number])[]): string {
  const hash = createHash("sha256");
  for (const [at, bytes] of runs) hash.update(Buffer.from(memory.buffer, at, bytes));
  return hash.digest("hex").slice(0, 16);
}

/** As Oracle.counters writes them. */
export function countersOf(ruleset: Ruleset): string[] {
  const pair = (words: Uint32Array, at: number): string => {
    const long = (index: number): bigint =>
      BigInt(words[index] as number) | (BigInt(words[index + 1] as number) << 32n);
    return `${long(at)}:${long(at + 2)}`;
  };
  return [...ruleset.tables.values()].flatMap((table) =>
    [...table.chains.values()].flatMap((chain) => [
      ...(chain.hook >= 0 ? [`${table.name} ${chain.name} 0 ${pair(chain.policyCounters, 0)}`] : []),
      ...chain.rules.map(
        (ordinal, i) => `${table.name} ${chain.name} ${i + 1} ${pair(table.rows.counters, 4 * ordinal)}`,
      ),
    ]),
  );
}
