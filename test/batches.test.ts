import { describe, expect, it } from "vitest";
import {
  type Classifier,
  Engine,
  PACKET_SIZE,
  parseRuleset,
  printRuleset,
  Reader,
  Updater,
  workloads,
} from "../src/index.js";

const SERVICES = 60;
const PACKETS = 600;
const SEED = 7;
const TIME = 144;
/** Milliseconds after which a connection that was never answered is forgotten. */
const FORGOTTEN = 200_000;

/** Results of all packets and the ruleset with its counters, after three passes in batches of `size` and an edit between them. */
function walked(classifier: Classifier, connections: number, size: number): { results: string; text: string } {
  const workload = workloads["kube-proxy"].make({ size: SERVICES, seed: SEED, family: "ipv4" });
  const engine = Engine.create({ classifier, localAddresses: workload.localAddresses, seed: SEED, connections });
  const full = new Updater(engine, { strategy: "full" });
  const ruleset = parseRuleset(workload.ruleset(), { family: "ipv4" });
  full.load(ruleset);
  const chains = [...ruleset.table("nat").chains.values()].filter(({ name }) => /^KUBE-S(VC|EP)/.test(name));
  const incremental = new Updater(engine, { strategy: "incremental" });
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(PACKETS);
  pool.set(0, workload.traffic(PACKETS));
  const view = engine.data();
  let results = "";
  for (let pass = 0; pass < 3; pass++) {
    for (let i = 0; i < PACKETS; i++)
      view.setUint32(pool.packets + i * PACKET_SIZE + TIME, 1 + (pass >> 1) * FORGOTTEN, true);
    for (let at = 0; at < PACKETS; at += size) reader.match(pool, at, Math.min(size, PACKETS - at));
    for (let i = 0; i < PACKETS; i++) {
      const result = pool.result(i);
      // Where a row lies is not told: an edit may put it elsewhere.
      results += `${result.getUint8(0)} ${result.getUint32(16)} ${result.getUint32(32)} ${result.getUint32(48)}\n`;
    }
    // Chains whose rules lie behind their heads, and then no longer do.
    const edits = chains
      .slice(0, 40)
      .map(({ name }) => (pass === 0 ? `-I ${name} 1 -m mark --mark 1 -j RETURN\n` : `-D ${name} 1\n`));
    if (pass < 2) incremental.update({ batch: `*nat\n${edits.join("")}COMMIT\n` });
  }
  return {
    results,
    text: engine
      .readRuleset()
      .map((read) => printRuleset(read, { counters: true }))
      .join(""),
  };
}

describe("packets in a batch", () => {
  for (const classifier of ["linear", "tuple-space"] as const)
    for (const connections of [0, 4096])
      it(`fare and count as one by one: ${classifier}, ${connections ? "tracked" : "not tracked"}`, () => {
        const alone = walked(classifier, connections, 1);
        for (const size of [5, 16, 33, PACKETS]) expect(walked(classifier, connections, size)).toEqual(alone);
      });
});
