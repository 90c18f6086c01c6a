/**
 * Readers beside others: two of them against one, and one beside 1,000 incremental changes a second against one alone, in turns,
 * over kube-proxy's ruleset. A reader matches batches of 32 packets as fast as it can; what is told is the median of the
 * rounds' ratios with its 95 % interval.
 */
import { type Change, Engine, parseRuleset, Updater, workloads } from "ruleswap";
import { Worker } from "node:worker_threads";
import { setTimeout as sleep } from "node:timers/promises";
import type { Told, Work } from "./beside-worker.js";
import { expect, quantile, SEED } from "./task.js";

const SERVICES = 10_000;
const ROUNDS = 9;
const WINDOW_MS = 400;
const CHANGES = 1000;

export const BESIDE_LABEL = `beside/tuple-space/kube-proxy/${SERVICES}`;

export async function runBeside(): Promise<void> {
  const workload = workloads["kube-proxy"].make({ size: SERVICES, seed: SEED, family: "ipv4" });
  const engine = Engine.create({ readers: 2, localAddresses: workload.localAddresses });
  new Updater(engine, { strategy: "full" }).load(parseRuleset(workload.ruleset(), { family: "ipv4" }));
  const encoder = new TextEncoder();
  const batches = take(workload.changes(), CHANGES).map(({ batch }) => encoder.encode(batch));
  const control = new Int32Array(new SharedArrayBuffer(4));
  const traffic = workload.traffic(4096);
  const shared = { control, engine: engine.handle };
  const readers = [0, 1].map((reader) => new Hand({ ...shared, role: "reader", reader, traffic }));
  const writer = new Hand({ ...shared, role: "writer", batches });
  const hands = [...readers, writer];
  const window = async (...working: readonly Hand[]): Promise<Told[]> => {
    const told = working.map((hand) => hand.work(Atomics.load(control, 0)));
    await sleep(WINDOW_MS);
    Atomics.add(control, 0, 1);
    return Promise.all(told);
  };
  try {
    const [first, second] = readers as [Hand, Hand];
    for (const hand of hands) await window(hand);
    const ratios = { packets: [] as number[], beside: [] as number[], tail: [] as number[], late: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      const one = await windowOf(window, first);
      const two = await window(first, second);
      const alone = await windowOf(window, first);
      const [beside, made] = (await window(first, writer)) as [Told, Told];
      ratios.packets.push(two.reduce((sum, { rate }) => sum + rate, 0) / one.rate);
      ratios.beside.push(beside.rate / alone.rate);
      ratios.tail.push(beside.p999Ns / alone.p999Ns);
      ratios.late.push(made.rate);
    }
    expect("changes a second, in hundreds", Math.round(quantile(ratios.late, 0.5) / 100), CHANGES / 100);
    const line = (what: string, list: readonly number[]): string =>
      `${`${BESIDE_LABEL} ${what}`.padEnd(76)} ${quantile(list, 0.5).toFixed(2)} (${quantile(list, 0.125).toFixed(2)} to ${quantile(list, 0.875).toFixed(2)})\n`;
    process.stdout.write(line("packets: two readers / one", ratios.packets));
    process.stdout.write(line("packets: beside changes / alone", ratios.beside));
    process.stdout.write(line("p99.9 of a batch: beside changes / alone", ratios.tail));
  } finally {
    for (const hand of hands) await hand.end();
  }
}

async function windowOf(window: (...working: Hand[]) => Promise<Told[]>, hand: Hand): Promise<Told> {
  return (await window(hand))[0] as Told;
}

/** A thread that works from when it is asked to until the control word changes. */
class Hand {
  private readonly worker: Worker;

  constructor(data: Work) {
    this.worker = new Worker(new URL("beside-worker.js", import.meta.url), { workerData: data });
  }

  work(turn: number): Promise<Told> {
    return new Promise((resolve, reject) => {
      this.worker.once("error", reject);
      this.worker.once("message", (told: Told) => {
        this.worker.off("error", reject);
        resolve(told);
      });
      this.worker.postMessage(turn);
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}

function take(changes: Iterator<Change>, count: number): Change[] {
  return Array.from({ length: count }, () => changes.next().value as Change);
}
