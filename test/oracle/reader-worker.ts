/** A thread that matches one packet over and over and checks that every result is of one version of the ruleset. */
import { parentPort, workerData } from "node:worker_threads";
import {
  HOOK_INPUT,
  PATH_HOOK,
  RESULT_GENERATION,
  RESULT_MARK,
  RESULT_VERDICT,
  VERDICT_ACCEPT,
} from "../../src/blob/layout.js";
import { Engine, type EngineHandle } from "../../src/engine/engine.js";
import { Reader } from "../../src/engine/reader.js";
import { addressBytes } from "./address.js";
import { blankPacket, encodePacket } from "./packet.js";
import { EVEN_MARK, ODD_MARK } from "./two-versions.js";

export interface ReaderOrder {
  readonly handle: EngineHandle;
  readonly id: number;
  /** Generation of an even version. */
  readonly evenGeneration: number;
  /** Words: not 0 stops the readers; how many of them run; how many generations each has seen. */
  readonly control: SharedArrayBuffer;
}

export interface ReaderReport {
  readonly packets: number;
  readonly generations: number;
  /** The first results that no version gives. */
  readonly faults: readonly string[];
}

const PACKETS = 32;
const { handle, id, evenGeneration, control } = workerData as ReaderOrder;
const words = new Int32Array(control);
const reader = new Reader(Engine.attach(handle), id);
const pool = reader.allocate(PACKETS);
const packet = blankPacket("ipv4");
packet.path = PATH_HOOK + HOOK_INPUT;
packet.source = addressBytes("192.0.2.1");
packet.destination = addressBytes("10.0.0.1");
for (let i = 0; i < PACKETS; i++) pool.set(i, encodePacket(packet));

const pause = new Int32Array(new SharedArrayBuffer(4));
let packets = 0;
let generations = 0;
let last = -1;
const faults: string[] = [];

reader.online();
Atomics.add(words, 1, 1);
while (Atomics.load(words, 0) === 0) {
  reader.match(pool, 0, PACKETS);
  // One reader never rests; another does, so that grace periods differ and the writer has a processor on small machines.
  if (id > 0) Atomics.wait(pause, 0, 0, 1);
  packets += PACKETS;
  for (let i = 0; i < PACKETS; i++) {
    const result = pool.result(i);
    const generation = result.getUint32(RESULT_GENERATION, true);
    const wanted = (generation - evenGeneration) % 2 === 0 ? EVEN_MARK : ODD_MARK;
    const mark = result.getUint32(RESULT_MARK, true);
    const verdict = result.getUint8(RESULT_VERDICT);
    if (generation !== last) generations = Atomics.add(words, 2 + id, 1) + 1;
    if (generation < last) faults.push(`generation ${generation} after ${last}`);
    last = generation;
    if ((mark !== wanted || verdict !== VERDICT_ACCEPT) && faults.length < 5)
      faults.push(`generation ${generation}: mark ${mark}, verdict ${verdict}`);
  }
}
reader.offline();
parentPort?.postMessage({ packets, generations, faults } satisfies ReaderReport);
