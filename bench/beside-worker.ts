/** A reader or a writer of bench/beside.ts. */
import { Engine, PACKET_SIZE, Reader, Updater } from "ruleswap";
import { parentPort, workerData } from "node:worker_threads";
import { quantile } from "./task.js";

type Handle = Parameters<typeof Engine.attach>[0];

/** `control`: one word, whose value is the turn that is on: those who work stop when it is another. */
export type Work = { readonly control: Int32Array; readonly engine: Handle } & (
  | { readonly role: "reader"; readonly reader: number; readonly traffic: Uint8Array }
  /** Changes that lead back to the start, made in turn. */
  | { readonly role: "writer"; readonly batches: readonly Uint8Array[] }
);

export interface Told {
  /** Packets or changes a second. */
  readonly rate: number;
  /** Of a batch, or a change from when it was to come. */
  readonly p999Ns: number;
}

const BATCH = 32;
const CHANGES_A_SECOND = 1000;

const work = workerData as Work;
const { control } = work;
const now = (): number => Number(process.hrtime.bigint());

function reading({ engine, reader: id, traffic }: Work & { role: "reader" }): (turn: number) => Told {
  const reader = new Reader(Engine.attach(engine), id);
  const count = Math.floor(traffic.length / PACKET_SIZE / BATCH) * BATCH;
  const pool = reader.allocate(count);
  pool.set(0, traffic.subarray(0, count * PACKET_SIZE));
  const times = new Float64Array(1 << 20);
  return (turn) => {
    const begun = now();
    let batches = 0;
    reader.online();
    for (let first = 0; Atomics.load(control, 0) === turn; first = (first + BATCH) % count) {
      const start = now();
      reader.match(pool, first, BATCH);
      times[batches++ % times.length] = now() - start;
    }
    reader.offline();
    const seconds = (now() - begun) / 1e9;
    return { rate: (batches * BATCH) / seconds, p999Ns: tail(times.subarray(0, Math.min(batches, times.length))) };
  };
}

function writing({ engine, batches }: Work & { role: "writer" }): (turn: number) => Told {
  const updater = new Updater(Engine.attach(engine), { strategy: "incremental", family: "ipv4" });
  let next = 0;
  return (turn) => {
    const begun = now();
    const times: number[] = [];
    while (Atomics.load(control, 0) === turn) {
      const intended = begun + (times.length * 1e9) / CHANGES_A_SECOND;
      while (now() < intended);
      updater.update({ batch: batches[next++ % batches.length] as Uint8Array });
      times.push(now() - intended);
    }
    return { rate: (times.length * 1e9) / (now() - begun), p999Ns: tail(times) };
  };
}

const tail = (times: ArrayLike<number>): number => quantile(Array.from(times), 0.999);

const run = work.role === "reader" ? reading(work) : writing(work);
parentPort?.on("message", (turn: number) => parentPort?.postMessage(run(turn)));
