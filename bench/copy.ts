/**
 * What it costs to put a ruleset that lies in memory in force, beside what copying its blobs' bytes does, in turns: the least
 * that any way of replacing a whole table would have to pay.
 */
import { compile, Engine, parseRuleset, Updater, workloads } from "ruleswap";
import { expect, quantile, SEED } from "./task.js";

const SERVICES = 10_000;
const ROUNDS = 9;

export const COPY_LABEL = `full-copy/-/kube-proxy/${SERVICES}`;

export function runCopy(): void {
  const workload = workloads["kube-proxy"].make({ size: SERVICES, seed: SEED, family: "ipv4" });
  const ruleset = parseRuleset(workload.ruleset(), { family: "ipv4" });
  const blobs = [...ruleset.tables.values()].map((table) => compile(table));
  const bytes = blobs.reduce((sum, { length }) => sum + length, 0);
  const copies = blobs.map(({ length }) => new Uint8Array(length));
  const engine = Engine.create({ localAddresses: workload.localAddresses });
  const updater = new Updater(engine, { strategy: "full" });
  const ways: Readonly<Record<string, () => void>> = {
    copy() {
      for (const [nth, copy] of copies.entries()) copy.set(blobs[nth] as Uint8Array);
    },
    load: () => void updater.load(ruleset),
  };
  const times = new Map<string, number[]>();
  for (let round = -2; round < ROUNDS; round++)
    for (const [way, run] of Object.entries(ways)) {
      const begun = performance.now();
      run();
      // The first rounds bring memory that nobody has touched yet.
      if (round >= 0) times.set(way, [...(times.get(way) ?? []), performance.now() - begun]);
    }
  expect("rules in force", engine.readRuleset()[0]?.tables.get("nat")?.rows.count ?? 0, workload.rules);
  for (const [nth, copy] of copies.entries()) expect("last byte", copy.at(-1) ?? -1, blobs[nth]?.at(-1) ?? -1);
  const [copied, loaded] = [times.get("copy") as number[], times.get("load") as number[]];
  const ratios = loaded.map((time, round) => time / (copied[round] as number));
  const ms = (list: readonly number[]): string =>
    `${quantile(list, 0).toFixed(2)} least, ${quantile(list, 0.5).toFixed(2)} p50`;
  process.stdout.write(
    `${COPY_LABEL.padEnd(44)} ms: load ${ms(loaded)}; copy of ${(bytes / 1e6).toFixed(1)} MB ${ms(copied)}; ` +
      `${(quantile(loaded, 0) / quantile(copied, 0)).toFixed(1)} x by least, ` +
      `${quantile(ratios, 0.5).toFixed(1)} (${quantile(ratios, 0.125).toFixed(1)} to ${quantile(ratios, 0.875).toFixed(1)})\n`,
  );
}
