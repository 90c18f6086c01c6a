/** A thread that asks over and over for addresses that are in a set for good, and for some that never are. */
import { parentPort, workerData } from "node:worker_threads";
import { HOOK_INPUT, PATH_HOOK, RESULT_VERDICT, VERDICT_DROP } from "../../src/blob/layout.js";
import { Engine, type EngineHandle } from "../../src/engine/engine.js";
import { Reader } from "../../src/engine/reader.js";
import { addressBytes } from "./address.js";
import { blankPacket, encodePacket } from "./packet.js";

export interface SetReaderOrder {
  readonly handle: EngineHandle;
  readonly id: number;
  /** Of packets that are always dropped. */
  readonly always: readonly string[];
  /** Of packets that never are. */
  readonly never: readonly string[];
  /** Two words: not 0 stops the reader; how many readers run. */
  readonly control: SharedArrayBuffer;
}

export interface SetReaderReport {
  readonly packets: number;
  readonly faults: readonly string[];
}

const { handle, id, always, never, control } = workerData as SetReaderOrder;
const words = new Int32Array(control);
const reader = new Reader(Engine.attach(handle), id);
const sources = [...always, ...never];
const pool = reader.allocate(sources.length);
for (const [n, source] of sources.entries()) {
  const packet = blankPacket("ipv4");
  packet.path = PATH_HOOK + HOOK_INPUT;
  packet.source = addressBytes(source);
  packet.destination = addressBytes("10.0.0.1");
  pool.set(n, encodePacket(packet));
}

const pause = new Int32Array(new SharedArrayBuffer(4));
const faults: string[] = [];
let packets = 0;
Atomics.add(words, 1, 1);
while (Atomics.load(words, 0) === 0) {
  reader.match(pool, 0, sources.length);
  if (id > 0) Atomics.wait(pause, 0, 0, 1);
  packets += sources.length;
  for (const [n, source] of sources.entries()) {
    const dropped = pool.result(n).getUint8(RESULT_VERDICT) === VERDICT_DROP;
    if (dropped !== n < always.length && faults.length < 5)
      faults.push(`${source} ${dropped ? "in" : "not in"} the set`);
  }
}
parentPort?.postMessage({ packets, faults } satisfies SetReaderReport);
