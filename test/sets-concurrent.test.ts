import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";
import { allReady, compileSources } from "./oracle/compiled.js";
import type { SetReaderOrder, SetReaderReport } from "./oracle/set-reader-worker.js";

const READERS = 2;
const ELEMENTS = 100_000;
const BATCH = 500;
const FLUSHES = 20_000;

const ALWAYS = Array.from({ length: 64 }, (_, n) => `10.1.0.${n}`);
const NEVER = Array.from({ length: 64 }, (_, n) => `10.2.0.${n}`);
const RULES = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -j SET --add-set seen src --exist
-A INPUT -m set --match-set seen src -j SET --del-set seen src
-A INPUT -j SET --add-set kept src
-A INPUT -m set --match-set a src -j DROP
COMMIT
`;

const address = (n: number): string => `11.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
/** A line that stands for as many elements. */
const lines = (op: string, from: number): string => `${op} a ${address(from)}-${address(from + BATCH - 1)}\n`;

/**
 * An engine whose set `a`, made with these options, holds ALWAYS; packets add to `seen` and `kept`, made as `fed` says. READERS threads
 * run until the first of the words is not 0.
 */
async function start(folder: string, options: string, fed: string) {
  const engine = Engine.create({ readers: READERS });
  const updater = new Updater(engine, { strategy: "incremental" });
  const permanent = ALWAYS.map((one) => `add a ${one}\n`).join("");
  updater.updateSets({ sets: `create a hash:ip ${options}\n${permanent}create seen ${fed}\ncreate kept ${fed}\n` });
  updater.load(parseRuleset(RULES, { family: "ipv4" }));
  const control = new SharedArrayBuffer(8);
  const words = new Int32Array(control);
  const reports = Array.from({ length: READERS }, async (_, id) => {
    const order: SetReaderOrder = { handle: engine.handle, id, always: ALWAYS, never: NEVER, control };
    const worker = new Worker(join(folder, "test/oracle/set-reader-worker.js"), { workerData: order });
    const [report] = (await once(worker, "message")) as [SetReaderReport];
    return report;
  });
  await allReady(words.subarray(1), READERS, reports);
  return { engine, updater, words, reports };
}

describe("a set that readers look at and add to while a writer changes it", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await compileSources();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it(`gets more buckets while readers add and delete: it is emptied ${FLUSHES} times, and each time its table grows`, async () => {
    const fed = "hash:ip hashsize 64 maxelem 2048";
    const { engine, updater, words, reports } = await start(folder, "maxelem 65536", fed);
    try {
      for (let n = 0; n < FLUSHES; n++) {
        updater.updateSets({ sets: "flush seen\nflush kept\n" });
        if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const kept = (): string[] => [...(engine.readSets().get("kept")?.entries.keys() ?? [])].sort();
      await expect.poll(kept, { timeout: 60_000 }).toEqual([...ALWAYS, ...NEVER].sort());
    } finally {
      Atomics.store(words, 0, 1);
    }
    for (const { faults } of await Promise.all(reports)) expect(faults).toEqual([]);
  }, 120_000);

  it(`has at every moment what is in it for good: ${ELEMENTS} elements are added and deleted, some again and again`, async () => {
    const { engine, updater, words, reports } = await start(folder, "maxelem 1000000", "hash:ip counters");
    try {
      for (let n = 0; n < ELEMENTS; n += BATCH) {
        updater.updateSets({ sets: lines("add", n) });
        // Half of them go again at once, so that their memory is taken for others; and the readers' own sets change too.
        if (n % (2 * BATCH) === 0) updater.updateSets({ sets: lines("del", n) });
        updater.updateSets({ sets: n % (4 * BATCH) === 0 ? "flush seen\n" : `add seen 10.3.0.1 -exist\n` });
        if (n % (20 * BATCH) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
    } finally {
      Atomics.store(words, 0, 1);
    }
    for (const { faults, packets } of await Promise.all(reports)) {
      expect(faults).toEqual([]);
      expect(packets).toBeGreaterThan(ELEMENTS / 100);
    }
    const sets = engine.readSets();
    expect(sets.get("a")?.entries.size).toBe(ALWAYS.length + ELEMENTS / 2);
    expect([...(sets.get("kept")?.entries.keys() ?? [])].sort()).toEqual([...ALWAYS, ...NEVER].sort());
    // What is left: memory is given back but for what one generation keeps.
    updater.updateSets({ sets: "flush a\n" });
    updater.updateSets({ sets: "flush a\n" });
    expect(engine.readSets().get("a")?.entries.size).toBe(0);
  }, 120_000);
});
