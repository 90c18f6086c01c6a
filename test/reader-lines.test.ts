/** Cache lines that readers write: none belongs to two of them, so that none waits for another's. */
import { describe, expect, it } from "vitest";
import { PACKET_SIZE, PACKET_TIME } from "../src/blob/layout.js";
import { CLASSIFIERS, type Classifier, Engine } from "../src/engine/engine.js";
import { type PacketPool, Reader } from "../src/engine/reader.js";
import { establish } from "../src/measure/established.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";

const LINE = 64;
const PACKETS = 4096;
const READERS = 3;

/** Numbers of the lines that differ after `work` from before. */
function linesWritten(engine: Engine, work: () => void): Set<number> {
  const words = (): BigUint64Array => new BigUint64Array(engine.handle.memory.buffer);
  const before = words().slice();
  work();
  const after = words();
  const lines = new Set<number>();
  for (let word = 0; word < before.length; word++)
    if (before[word] !== after[word]) lines.add(Math.floor((8 * word) / LINE));
  return lines;
}

function sharedLines(written: readonly Set<number>[]): number[] {
  const seen = new Set<number>();
  return written.flatMap((lines) => [...lines].filter((line) => seen.size === seen.add(line).size));
}

/** Readers with the same packets each, but for what connections are told apart by. */
function setUp(classifier: Classifier, connections: number): { engine: Engine; readers: [Reader, PacketPool][] } {
  const workload = kubeProxy({ services: 300, seed: 5 });
  const engine = Engine.create({ readers: READERS, classifier, connections, localAddresses: workload.localAddresses });
  new Updater(engine, { strategy: "full", family: "ipv4" }).load(parseRuleset(workload.ruleset(), { family: "ipv4" }));
  const readers = Array.from({ length: READERS }, (_, id): [Reader, PacketPool] => {
    const reader = new Reader(Engine.attach(engine.handle), id);
    const pool = reader.allocate(PACKETS);
    const traffic = workload.traffic(PACKETS, connections > 0 ? id : 0);
    pool.set(0, traffic);
    if (connections > 0) establish(reader, pool, traffic);
    else reader.match(pool, 0, PACKETS);
    return [reader, pool];
  });
  expect(readers[0]?.[1].packets ?? 0).toBeGreaterThan(PACKET_SIZE);
  return { engine, readers };
}

describe.each(Object.keys(CLASSIFIERS) as Classifier[])("readers that match with %s", (classifier) => {
  it("write no line that another writes", () => {
    const { engine, readers } = setUp(classifier, 0);
    const written = readers.map(([reader, pool]) => linesWritten(engine, () => reader.match(pool, 0, PACKETS)));
    expect(sharedLines(written)).toEqual([]);
    // They do write: counters of the rules that match, and results.
    for (const lines of written) expect(lines.size).toBeGreaterThan(300);
  });

  it("nor does that of connections which each of them has to itself", () => {
    const { engine, readers } = setUp(classifier, 4 * READERS * PACKETS);
    const written = readers.map(([reader, pool]) => {
      const view = engine.data();
      // Later, so that every connection's lifetime is written again.
      for (let n = 0; n < PACKETS; n++) view.setUint32(pool.packets + n * PACKET_SIZE + PACKET_TIME, 5000, true);
      return linesWritten(engine, () => reader.match(pool, 0, PACKETS));
    });
    expect(sharedLines(written)).toEqual([]);
    for (const lines of written) expect(lines.size).toBeGreaterThan(PACKETS);
  });
});
