/**
 * The whole way of a packet, connections and NAT included: packets of connections that exist, in both directions; and first
 * packets of connections, each of which takes the place of one that has expired.
 */
import {
  decodeResult,
  Engine,
  encodePacket,
  PACKET_SIZE,
  type PacketPool,
  parseRuleset,
  Reader,
  Updater,
  workloads,
} from "ruleswap";
import type { Growth } from "./growth.js";
import { SEED, type Task } from "./task.js";

const CONNECTIONS = 16384;
const BATCH = 256;
/** Offsets in a packet's record: TCP flags and the virtual clock. */
const TCP_FLAGS = 2;
const TIME = 144;
const ACK = 16;
/** Milliseconds after which a connection that was never answered is forgotten. */
const FORGOTTEN = 200_000;

export function wayTasks(size: number): Task[] {
  return [establishedTask(size), openingTask(size)];
}

/** The same with all sizes in turns. */
export function wayGrowths(sizes: readonly number[]): Growth[] {
  return [establishedTask, openingTask].map((task) => ({
    label: `growth-${task(0).label.replace(/\d+$/, "-")}`,
    unit: "ns a packet",
    sizes,
    // Every packet twice.
    warmUp: (2 * CONNECTIONS) / BATCH,
    open(size) {
      const { run, check } = task(size).prepare();
      run();
      check();
      return (count) =>
        Array.from({ length: count }, () => {
          const begun = performance.now();
          run();
          return ((performance.now() - begun) * 1e6) / BATCH;
        });
    },
  }));
}

function establishedTask(size: number): Task {
  return {
    label: `way-established/-/kube-proxy/${size}`,
    operations: BATCH,
    prepare() {
      const { reader, pool, traffic } = prepareHost(size);
      reader.match(pool, 0, CONNECTIONS);
      const replies = repliesTo(pool, traffic);
      reader.match(pool, CONNECTIONS, CONNECTIONS);
      for (let at = 0; at < traffic.length; at += PACKET_SIZE) {
        // Every other packet is an answer.
        if ((at / PACKET_SIZE) % 2 === 1) traffic.set(replies.subarray(at, at + PACKET_SIZE), at);
        if (traffic[at + TCP_FLAGS]) traffic[at + TCP_FLAGS] = ACK;
      }
      pool.set(0, traffic);
      let first = 0;
      return {
        run() {
          reader.match(pool, first, BATCH);
          first = (first + BATCH) % CONNECTIONS;
        },
        check() {
          let sent = 0;
          for (let index = 0; index < BATCH; index++)
            if (decodeResult(pool.result(index), "ipv4").verdict === "ACCEPT") sent++;
          if (sent < BATCH / 2) throw new Error(`only ${sent} of ${BATCH} packets passed`);
        },
      };
    },
  };
}

function openingTask(size: number): Task {
  return {
    label: `way-opening/-/kube-proxy/${size}`,
    operations: BATCH,
    prepare() {
      const { engine, reader, pool } = prepareHost(size);
      const view = engine.data();
      let first = 0;
      let now = 0;
      return {
        run() {
          if (first === 0) now += FORGOTTEN;
          for (let i = first; i < first + BATCH; i++) view.setUint32(pool.packets + i * PACKET_SIZE + TIME, now, true);
          reader.match(pool, first, BATCH);
          first = (first + BATCH) % CONNECTIONS;
        },
        check() {
          let opened = 0;
          for (let index = 0; index < BATCH; index++) if (decodeResult(pool.result(index), "ipv4").dnat) opened++;
          if (opened < BATCH / 2) throw new Error(`only ${opened} of ${BATCH} packets were sent to an endpoint`);
        },
      };
    },
  };
}

interface Host {
  readonly engine: Engine;
  readonly reader: Reader;
  readonly pool: PacketPool;
  readonly traffic: Uint8Array;
}

function prepareHost(size: number): Host {
  const workload = workloads["kube-proxy"].make({ size, seed: SEED, family: "ipv4" });
  const engine = Engine.create({ connections: 4 * CONNECTIONS, localAddresses: workload.localAddresses, seed: SEED });
  new Updater(engine, { strategy: "full" }).load(parseRuleset(workload.ruleset(), { family: "ipv4" }));
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(2 * CONNECTIONS);
  const traffic = workload.traffic(CONNECTIONS);
  pool.set(0, traffic);
  return { engine, reader, pool, traffic };
}

/** The other ends' answers to packets that were just walked. */
function repliesTo(pool: PacketPool, traffic: Uint8Array): Uint8Array {
  const replies = new Uint8Array(traffic.length);
  for (let index = 0; index < CONNECTIONS; index++) {
    const at = index * PACKET_SIZE;
    const result = decodeResult(pool.result(index), "ipv4");
    encodePacket(
      {
        family: "ipv4",
        protocol: traffic[at + 1] as number,
        source: result.destination,
        sourcePort: result.destinationPort,
        destination: result.source,
        destinationPort: result.sourcePort,
        input: "cni0",
        ...(traffic[at + TCP_FLAGS] ? { tcpFlags: 18 } : {}),
      },
      replies.subarray(at, at + PACKET_SIZE),
    );
  }
  pool.set(CONNECTIONS, replies);
  return replies;
}
