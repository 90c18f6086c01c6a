import {
  CLASSIFIERS,
  type Classifier,
  decodeResult,
  Engine,
  PACKET_SIZE,
  parseRuleset,
  Reader,
  Updater,
  workloads,
} from "ruleswap";
import { expect, SEED, type Task } from "./task.js";

const PACKETS = 4096;
const BATCH = 256;

export function matchTasks(size: number): Task[] {
  return (Object.keys(CLASSIFIERS) as Classifier[]).map((classifier) => ({
    label: `match/${classifier}/kube-proxy/${size}`,
    operations: BATCH,
    prepare() {
      const workload = workloads["kube-proxy"].make({ size, seed: SEED, family: "ipv4" });
      const engine = Engine.create({ classifier, localAddresses: workload.localAddresses, seed: SEED });
      new Updater(engine, { strategy: "full" }).load(parseRuleset(workload.ruleset(), { family: "ipv4" }));
      const reader = new Reader(engine, 0);
      const pool = reader.allocate(PACKETS);
      pool.set(0, workload.traffic(PACKETS));
      const known = reader.allocate(1);
      // The first change's probe aims at a service that is not there yet; its undoing starts from one that is.
      const [change] = workload.changes();
      const packet = change?.probe?.packet ?? new Uint8Array(PACKET_SIZE);
      known.set(0, packet);
      let first = 0;
      return {
        run() {
          reader.match(pool, first, BATCH);
          first = (first + BATCH) % PACKETS;
        },
        check() {
          reader.match(known, 0, 1);
          expect("packets rewritten without a service", decodeResult(known.result(0), "ipv4").dnat ? 1 : 0, 0);
          let sent = 0;
          for (let index = 0; index < BATCH; index++) if (decodeResult(pool.result(index), "ipv4").dnat) sent++;
          if (sent < BATCH / 2) throw new Error(`only ${sent} of ${BATCH} packets were sent to an endpoint`);
        },
      };
    },
  }));
}
