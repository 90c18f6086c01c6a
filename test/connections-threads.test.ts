/** Connections that two threads begin at the same time. */
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as C from "../src/blob/connections.js";
import * as M from "../src/blob/memory.js";
import { Engine } from "../src/engine/engine.js";
import { flushConnections, listConnections, type Tuple } from "../src/netfilter/connections.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";
import { compileSources } from "./oracle/compiled.js";
import type { TalkerOrder } from "./oracle/talker-worker.js";

const TALKERS = 2;
const ROUNDS = 1500;
const CLIENTS = 8;
const RULES = `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -o eth0 -j SNAT --to-source 192.0.2.1
COMMIT
`;

describe("connections of two threads", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await compileSources();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("are none of them lost, and none of them twice", async () => {
    const engine = Engine.create({ readers: TALKERS, connections: 2 * TALKERS * ROUNDS * CLIENTS });
    new Updater(engine, { strategy: "full" }).load(parseRuleset(RULES, { family: "ipv4" }));
    const control = new SharedArrayBuffer(4);
    const faults = await Promise.all(
      Array.from({ length: TALKERS }, async (_, id) => {
        const order: TalkerOrder = {
          handle: engine.handle,
          id,
          rounds: ROUNDS,
          clients: CLIENTS,
          control,
          talkers: TALKERS,
        };
        const worker = new Worker(join(folder, "test/oracle/talker-worker.js"), { workerData: order });
        const failure = once(worker, "error").then(([error]) => Promise.reject(error as Error));
        return (await Promise.race([once(worker, "message"), failure]))[0] as string[];
      }),
    );
    expect(faults.flat()).toEqual([]);

    const listed = listConnections(engine, 0);
    const text = ({ source, destination, sourcePort, destinationPort }: Tuple) =>
      `${source}:${sourcePort} > ${destination}:${destinationPort}`;
    const clashed = listed.filter(({ status }) => status & C.STATUS_NAT_CLASH);
    const whole = listed.filter(({ status }) => !(status & C.STATUS_NAT_CLASH));
    expect(whole.length).toBe(ROUNDS * CLIENTS);
    expect(new Set(whole.map(({ original }) => text(original))).size).toBe(whole.length);
    expect(new Set(listed.map(({ reply }) => text(reply))).size).toBe(listed.length);
    const words = engine.data();
    const table = words.getUint32(M.CONTROL_ADDRESS + M.CONTROL_CONNECTIONS, true);
    const count = (field: number) => words.getUint32(table + field, true);
    expect(count(C.CONNECTIONS_COUNT)).toBe(listed.length);
    expect(count(C.CONNECTIONS_TUPLES + C.CHAINS_COUNT)).toBe(2 * whole.length + clashed.length);
    // The table has grown with what it holds, a bucket a node.
    expect(count(C.CONNECTIONS_TUPLES + C.CHAINS_SIZE)).toBeGreaterThan(whole.length);

    flushConnections(engine);
    expect(count(C.CONNECTIONS_COUNT)).toBe(0);
    expect(count(C.CONNECTIONS_TUPLES + C.CHAINS_COUNT)).toBe(0);
    expect(count(C.CONNECTIONS_SOURCES + C.CHAINS_COUNT)).toBe(0);
  }, 120_000);
});
