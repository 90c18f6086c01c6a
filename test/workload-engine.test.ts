import { describe, expect, test } from "vitest";
import { PACKET_SIZE } from "../src/blob/layout.js";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { decodePacket } from "../src/netfilter/packet.js";
import { printPacket } from "../src/netfilter/packet-print.js";
import { decodeResult } from "../src/netfilter/result.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import type { Family } from "../src/ruleset/row-store.js";
import { Updater } from "../src/update/updater.js";
import { acl } from "../src/workload/acl.js";
import { docker } from "../src/workload/docker.js";
import { hostFirewall } from "../src/workload/host-firewall.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";
import { portmap } from "../src/workload/portmap.js";
import { effectOf, isOutcome, type Workload } from "../src/workload/workload.js";
import { tablesOf } from "./workload-linux.js";

const KINDS = { nodePorts: 0.3, loadBalancers: 0.3, localPolicy: 0.4, noEndpoints: 0.3, sessionAffinity: 0.2 };
const WORKLOADS: readonly (readonly [string, Family, () => Workload])[] = (["ipv4", "ipv6"] as const).flatMap(
  (family) => [
    ["kube-proxy", family, () => kubeProxy({ services: 60, family })],
    ["kube-proxy, endpoints move", family, () => kubeProxy({ services: 60, family, churn: "endpoint" })],
    ["kube-proxy, endpoints flap", family, () => kubeProxy({ services: 60, family, churn: "flapping" })],
    ["kube-proxy, a service is rolled", family, () => kubeProxy({ services: 60, family, churn: "rolling-deploy" })],
    ["kube-proxy, a node is drained", family, () => kubeProxy({ services: 60, family, churn: "node-drain" })],
    ["kube-proxy, from a cold start", family, () => kubeProxy({ services: 60, family, churn: "cold-start" })],
    ["kube-proxy, every kind", family, () => kubeProxy({ services: 60, family, ...KINDS })],
    ["portmap", family, () => portmap({ containers: 60, family })],
    ["docker", family, () => docker({ containers: 60, family })],
    ["host-firewall", family, () => hostFirewall({ banned: 60, family })],
  ],
);

/** By chance one of three endpoints is missed so often once in 10^10. */
const SENDINGS = 60;

describe.each([...WORKLOADS, ["acl", "ipv4", () => acl({ rules: 300 })] as const])("%s, %s", (_, family, make) => {
  test("probes end as foretold before and after, and only the change shows", () => {
    const workload = make();
    const { engine, reader, updater } = engineOf(workload);
    const pool = reader.allocate(1);
    const changes = workload.changes();
    let probes = 0;
    for (let nth = 0; nth < 12; nth++) {
      const change = changes.next().value;
      const { probe } = change;
      const show = (): string =>
        `${change.label}: ${printPacket(decodePacket(probe?.packet ?? new Uint8Array(PACKET_SIZE)))}\n${JSON.stringify(decodeResult(pool.result(0), family))}`;
      const shows = probe ? effectOf(probe) : () => false;
      if (probe) {
        probes++;
        pool.set(0, probe.packet);
        for (let sending = 0; sending < 10; sending++) {
          reader.match(pool, 0, 1);
          expect(isOutcome(pool.result(0), probe.before), `before: ${show()}`).toBe(true);
          expect(shows(pool.result(0)), `before: ${show()}`).toBe(false);
        }
      }
      updater.update({ batch: change.batch });
      if (probe) {
        let seen = false;
        for (let sending = 0; sending < SENDINGS && !seen; sending++) {
          reader.match(pool, 0, 1);
          expect(isOutcome(pool.result(0), probe.after), `after: ${show()}`).toBe(true);
          seen = shows(pool.result(0));
        }
        expect(seen, `after: ${show()}`).toBe(true);
      }
      expect(tablesInForce(engine), change.label).toEqual(tablesOf(change.whole()));
    }
    expect(probes).toBeGreaterThan(5);
  });

  test("the restatement of every change leads to the same ruleset", () => {
    const workload = make();
    const { engine, updater } = engineOf(workload);
    const changes = workload.changes();
    for (let nth = 0; nth < 8; nth++) {
      const change = changes.next().value;
      updater.update({ batch: change.restated() });
      expect(tablesInForce(engine), change.label).toEqual(tablesOf(change.whole()));
    }
  });
});

test("nine packets in ten for published ports and services are rewritten", () => {
  for (const workload of [kubeProxy({ services: 100 }), portmap(), docker()]) {
    const { reader } = engineOf(workload);
    const pool = reader.allocate(1000);
    pool.set(0, workload.traffic(1000));
    reader.match(pool, 0, 1000);
    let rewritten = 0;
    for (let nth = 0; nth < 1000; nth++) if (decodeResult(pool.result(nth), "ipv4").dnat) rewritten++;
    expect(rewritten, workload.name).toBeGreaterThan(850);
    expect(rewritten, workload.name).toBeLessThan(950);
  }
});

function engineOf(workload: Workload): { engine: Engine; reader: Reader; updater: Updater } {
  const { family, localAddresses } = workload;
  const engine = Engine.create({ localAddresses });
  const updater = new Updater(engine, { strategy: "incremental", family });
  updater.load(parseRuleset(workload.ruleset(), { family }));
  return { engine, reader: new Reader(engine, 0), updater };
}

/** With counters of policies as those of a new ruleset. */
function tablesInForce(engine: Engine): Map<string, string> {
  const text = engine
    .readRuleset()
    .map((ruleset) => printRuleset(ruleset))
    .join("");
  return tablesOf(text.replace(/^(:\S+ \S+) \[\d+:\d+\]$/gm, "$1 [0:0]"));
}
