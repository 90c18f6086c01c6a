/** What one service change costs is counted: bytes stored, records made or changed, records looked at. */
import { describe, expect, it } from "vitest";
import { CLASSIFIERS, type Classifier, Engine } from "../src/engine/engine.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import type { UpdateReport } from "../src/update/phases.js";
import { type Strategy, Updater } from "../src/update/updater.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";

const CHANGES = 40;
/** Services whose chain has an index. */
const INDEXED_FROM: Readonly<Record<Classifier, number>> = { linear: 1000, "tuple-space": 100 };

/** The costs of each of the first changes, after some that warm the table up (its arena, its index). */
function costs(services: number, strategy: Strategy, classifier: Classifier): UpdateReport[] {
  const workload = kubeProxy({ services, seed: 7 });
  const engine = Engine.create({ classifier });
  const updater = new Updater(engine, { strategy });
  updater.load(parseRuleset(workload.ruleset(), { family: workload.family }));
  const reports: UpdateReport[] = [];
  for (const change of workload.changes(7)) {
    reports.push(updater.update({ batch: change.batch }));
    if (reports.length === CHANGES) break;
  }
  return reports;
}

const total = (reports: UpdateReport[], field: "bytesWritten" | "recordsTouched" | "recordsWalked") =>
  reports.reduce((sum, report) => sum + report[field], 0);

describe("one service change", () => {
  for (const classifier of Object.keys(CLASSIFIERS) as Classifier[])
    it(`writes and touches no more at 10,000 services than at 100: incremental, ${classifier}`, () => {
      const [small, middle, large] = [100, 1000, 10_000].map((services) => costs(services, "incremental", classifier));
      for (const field of ["bytesWritten", "recordsTouched"] as const) {
        expect(total(middle as UpdateReport[], field)).toBeLessThan(1.05 * total(small as UpdateReport[], field));
        expect(total(large as UpdateReport[], field)).toBeLessThan(1.05 * total(small as UpdateReport[], field));
      }
      // Eleven rules of some 130 bytes and four chains, chunks and index entries included.
      expect(total(large as UpdateReport[], "bytesWritten") / CHANGES).toBeLessThan(6000);
    });

  // Chains of up to 512 rules are looked through where no packet walks by an index.
  for (const [classifier, services] of Object.entries(INDEXED_FROM) as [Classifier, number][])
    it(`looks at no more records at 10,000 services than at ${services}: incremental, ${classifier}`, () => {
      const small = total(costs(services, "incremental", classifier), "recordsWalked");
      const large = total(costs(10_000, "incremental", classifier), "recordsWalked");
      expect(large).toBeLessThan(1.2 * small);
    });

  it("writes the whole table where strategies replace it", () => {
    const small = total(costs(100, "partial", "linear").slice(0, 4), "bytesWritten");
    const large = total(costs(1000, "partial", "linear").slice(0, 4), "bytesWritten");
    expect(large / small).toBeGreaterThan(8);
  });
});
