import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  PACKET_SIZE,
  RESULT_DESTINATION,
  RESULT_DESTINATION_PORT,
  RESULT_FLAG_DNAT,
  RESULT_FLAGS,
  RESULT_SIZE,
  RESULT_VERDICT,
  VERDICT_ACCEPT,
} from "../src/blob/layout.js";
import { decodePacket } from "../src/netfilter/packet.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";
import { endpointChain, serviceChain } from "../src/workload/kube-proxy-names.js";
import { KUBE_PROXY_CHURNS, type KubeProxyOptions } from "../src/workload/kube-proxy-options.js";
import { savedProbability } from "../src/workload/kube-proxy-rules.js";
import { type Change, effectOf, isOutcome } from "../src/workload/workload.js";
import { loadAndSave, tablesOf, whyNoKernel } from "./workload-linux.js";

const ALL_KINDS: Partial<KubeProxyOptions> = {
  nodePorts: 0.4,
  loadBalancers: 0.4,
  externalIps: 0.3,
  sessionAffinity: 0.3,
  localPolicy: 0.5,
  noEndpoints: 0.2,
};

const take = (changes: IterableIterator<Change>, count: number): Change[] =>
  Array.from({ length: count }, () => changes.next().value as Change);
const countRules = (text: string): number => text.match(/^-A /gm)?.length ?? 0;

test.each([
  [100, 1_108],
  [1_000, 11_008],
  [10_000, 110_008],
])("%i services are %i rules: 11 a service and 8 that stand around them", (services, rules) => {
  const workload = kubeProxy({ services });
  const text = workload.ruleset();
  expect(workload.rules).toBe(rules);
  expect(countRules(text)).toBe(rules);
  expect(text.match(/^:KUBE-S(VC|EP)-/gm)).toHaveLength(4 * services);
});

test("table filter adds 15 rules, 14 in IPv6, and mangle none", () => {
  expect(kubeProxy({ services: 5, tables: "all" }).rules).toBe(5 * 11 + 8 + 15);
  expect(kubeProxy({ services: 5, tables: "all", family: "ipv6" }).rules).toBe(5 * 11 + 8 + 14);
});

test("chains are named by kube-proxy's hashes", () => {
  expect(serviceChain("KUBE-SVC-", "ns1/svc1:p80", "tcp")).toBe("KUBE-SVC-XPGD46QRK7WJZT7O");
  expect(serviceChain("KUBE-EXT-", "ns2/svc2:p80", "tcp")).toBe("KUBE-EXT-GNZBNJ2PO5MGZ6GT");
  expect(endpointChain("ns1/svc1:p80", "tcp", "10.180.0.1:80")).toBe("KUBE-SEP-SXIVWICOYRO3J4NJ");
});

const corpus = process.env.RULESWAP_CORPUS ?? join(import.meta.dirname, "../../shared/corpus");
const traced = join(corpus, "kube-proxy/trace-packet.rules");
test.skipIf(!existsSync(traced))(
  `every hashed name in kube-proxy's own test is the one made here${existsSync(traced) ? "" : " (skipped: no corpus)"}`,
  () => {
    const text = readFileSync(traced, "utf8");
    const services = [...text.matchAll(/"(\S+) cluster IP".* -j (KUBE-SVC-\w+)/g)];
    expect(services.length).toBeGreaterThan(4);
    for (const [, port, chain] of services) expect(serviceChain("KUBE-SVC-", port as string, "tcp")).toBe(chain);
    for (const [, port, end, chain] of text.matchAll(/"(\S+) -> (\S+)".* -j (KUBE-SEP-\w+)/g))
      expect(endpointChain(port as string, "tcp", end as string)).toBe(chain);
  },
);

test.each([
  [2, "0.50000000000"],
  [3, "0.33333333349"],
  [4, "0.25000000000"],
  [7, "0.14285714272"],
])("one in %i is saved as %s", (n, text) => {
  expect(savedProbability(n)).toBe(text);
});

test("more than 1,000 endpoints in all take the comments off the endpoints' rules", () => {
  const commented = /^-A KUBE-SEP-.* --comment/m;
  expect(kubeProxy({ services: 333 }).ruleset()).toMatch(commented);
  expect(kubeProxy({ services: 334 }).ruleset()).not.toMatch(commented);
});

test("the same seed gives the same ruleset, changes and traffic, another seed others", () => {
  const of = (seed: number): unknown => {
    const workload = kubeProxy({ services: 50, seed });
    return [workload.ruleset(), take(workload.changes(), 4).map((change) => change.batch), workload.traffic(20)];
  };
  expect(of(3)).toEqual(of(3));
  expect(of(3)).not.toEqual(of(4));
});

test.each([
  ["services", { services: 0 }],
  ["endpoints", { endpoints: 1.5 }],
  ["nodePorts", { nodePorts: 1.1 }],
  ["services", { services: 30_000, nodePorts: 0.1 }],
] as const)("a bad option is refused by name: %s", (name, options) => {
  expect(() => kubeProxy(options)).toThrow(new RegExp(`^${name}: `));
});

/** In IPv6, where no more than addresses differs, one of each kind. */
const CHURNS = {
  ipv4: [
    ["single", {}],
    ["single", { tables: "all" }],
    ["single", ALL_KINDS],
    ["endpoint", {}],
    ["flapping", {}],
    ["flapping", ALL_KINDS],
    ["endpoint", ALL_KINDS],
    ["rolling-deploy", {}],
    ["rolling-deploy", ALL_KINDS],
    ["node-drain", {}],
    ["node-drain", ALL_KINDS],
    ["cold-start", {}],
    ["cold-start", ALL_KINDS],
  ],
  ipv6: [
    ["single", { tables: "all" }],
    ["endpoint", ALL_KINDS],
    ["rolling-deploy", {}],
    ["cold-start", ALL_KINDS],
  ],
} as const;

describe.each(["ipv4", "ipv6"] as const)("%s", (family) => {
  test("a service that comes is 4 chains and 11 rules, and goes without a trace", () => {
    const workload = kubeProxy({ services: 20, family });
    const [add, remove] = take(workload.changes(), 2) as [Change, Change];
    expect(add.batch.match(/^-[AI] /gm)).toHaveLength(11);
    expect(add.batch.match(/^:KUBE-/gm)).toHaveLength(4);
    expect(add.rules).toBe(workload.rules + 11);
    expect(countRules(add.whole())).toBe(workload.rules + 11);
    expect(remove.batch.match(/^-D /gm)).toHaveLength(1);
    expect(remove.batch.match(/^-X /gm)).toHaveLength(4);
    expect(remove.whole()).toBe(workload.ruleset());
  });

  test("a change's edits are as many whatever the number of services", () => {
    const edits = (services: number): number =>
      (take(kubeProxy({ services, family }).changes(), 1)[0] as Change).batch.split("\n").length;
    expect(edits(100)).toBe(edits(5000));
  });

  test("an endpoint that moves is one chain for another and as many rules", () => {
    const workload = kubeProxy({ services: 20, family, churn: "endpoint" });
    for (const change of take(workload.changes(), 10)) {
      expect(change.rules).toBe(workload.rules);
      expect(change.batch.match(/^:KUBE-SEP-/gm)).toHaveLength(1);
      expect(change.batch.match(/^-R /gm)).toHaveLength(1);
      expect(change.batch.match(/^-X /gm)).toHaveLength(1);
      expect(countRules(change.whole())).toBe(workload.rules);
    }
  });

  test.each(KUBE_PROXY_CHURNS)("%s ends where it began, counts its rules, and comes out the same again", (churn) => {
    const make = () => kubeProxy({ services: 47, family, churn, ...ALL_KINDS });
    const workload = make();
    const changes = take(workload.changes(5), 2 * workload.period);
    expect(take(make().changes(5), 2 * workload.period).map(({ batch }) => batch)).toEqual(
      changes.map(({ batch }) => batch),
    );
    for (const [nth, change] of changes.entries()) {
      const whole = change.whole();
      expect(countRules(whole), change.label).toBe(change.rules);
      if ((nth + 1) % workload.period === 0) expect(whole === workload.ruleset(), change.label).toBe(true);
      else expect(whole === workload.ruleset(), change.label).toBe(false);
    }
  });

  test("a service that is rolled has one endpoint more, or as many as it wants", () => {
    const workload = kubeProxy({ services: 20, endpoints: 4, family, churn: "rolling-deploy" });
    expect(workload.period).toBe(16);
    const more = take(workload.changes(), 16).map(({ rules }) => rules - workload.rules);
    expect(more).toEqual(Array.from({ length: 8 }, () => [3, 0]).flat());
  });

  test("a node's endpoints are some thirty, each of another service, at any size", () => {
    for (const services of [100, 500]) {
      const [drain] = take(kubeProxy({ services, family, churn: "node-drain" }).changes(), 1) as [Change];
      const chains = [...drain.batch.matchAll(/^-X KUBE-SEP-/gm)];
      expect(chains.length).toBeGreaterThan(15);
      expect(chains.length).toBeLessThanOrEqual(30);
      expect(drain.batch.match(/^-D KUBE-SVC-/gm)).toHaveLength(chains.length);
    }
  });

  test("a cold start begins with no service and has all after ten batches", () => {
    const workload = kubeProxy({ services: 95, family, churn: "cold-start" });
    const rules = take(workload.changes(), workload.period).map((change) => change.rules);
    expect(rules).toHaveLength(11);
    expect(rules[0]).toBe(8);
    expect(rules[1]).toBe(8 + 11 * 9);
    expect(rules.at(-1)).toBe(workload.rules);
  });

  test("traffic goes to services, to addresses of none and to ports of none as 90 to 5 to 5", () => {
    const workload = kubeProxy({ services: 200, family });
    const served = new Set<string>();
    const addresses = new Set<string>();
    for (const [, address, protocol, port] of workload
      .ruleset()
      .matchAll(/-A KUBE-SERVICES -d (\S+)\/\d+ -p (\w+) .* --dport (\d+)/g)) {
      served.add(`${address} ${protocol} ${port}`);
      addresses.add(address as string);
    }
    const bytes = workload.traffic(4000);
    let hits = 0;
    let vacant = 0;
    for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
      const packet = decodePacket(bytes.subarray(at, at + PACKET_SIZE));
      expect(packet.ctState).toBe("NEW");
      if (served.has(`${packet.destination} ${packet.protocol === 6 ? "tcp" : "udp"} ${packet.destinationPort}`))
        hits++;
      else if (!addresses.has(packet.destination)) vacant++;
    }
    expect(hits / 4000).toBeCloseTo(0.9, 1);
    expect(vacant / 4000).toBeCloseTo(0.05, 1);
  });

  test.skipIf(whyNoKernel !== "").each([
    ["the default shape", { services: 150 }],
    ["all tables", { services: 20, tables: "all" }],
    ["more than 1,000 endpoints", { services: 400 }],
    ["seven endpoints", { services: 10, endpoints: 7, tables: "all" }],
    ["every kind of service", { services: 120, ...ALL_KINDS }],
  ] as const)(`the kernel saves %s as it was printed ${whyNoKernel}`, (_, options) => {
    const text = kubeProxy({ ...options, family }).ruleset();
    expect(loadAndSave(family, [{ text, kind: "whole" }])[0]).toEqual(tablesOf(text));
  });

  test.skipIf(whyNoKernel !== "").each(CHURNS[family])(
    `in the kernel the edits, the restatement and the whole of a change agree: churn %s %j ${whyNoKernel}`,
    (churn, options) => {
      const workload = kubeProxy({ services: 30, family, churn, ...options });
      const changes = take(workload.changes(), Math.max(8, workload.period + 1));
      const base = { text: workload.ruleset(), kind: "whole" } as const;
      const edited = loadAndSave(family, [
        base,
        ...changes.map(({ batch }) => ({ text: batch, kind: "batch" }) as const),
      ]);
      const restated = loadAndSave(family, [
        base,
        ...changes.map((change) => ({ text: change.restated(), kind: "batch" }) as const),
      ]);
      changes.forEach((change, nth) => {
        const whole = tablesOf(change.whole());
        expect(edited[nth + 1], change.label).toEqual(whole);
        expect(restated[nth + 1], change.label).toEqual(whole);
      });
    },
  );
});

test("a probe's effect is seen in a result that only the change allows", () => {
  const [add, remove] = take(kubeProxy({ services: 5 }).changes(), 2) as [Change, Change];
  const [moved] = take(kubeProxy({ services: 5, churn: "endpoint" }).changes(), 1) as [Change];
  if (!add.probe || !remove.probe || !moved.probe) throw new Error("a probe is missing");
  const passed = result();
  const served = result(add.probe.after.destinations?.[0]);
  expect([effectOf(add.probe)(passed), effectOf(add.probe)(served)]).toEqual([false, true]);
  expect([effectOf(remove.probe)(passed), effectOf(remove.probe)(served)]).toEqual([true, false]);
  expect([isOutcome(served, add.probe.after), isOutcome(served, add.probe.before)]).toEqual([true, false]);
  expect(isOutcome(result("10.0.0.1:1"), add.probe.after)).toBe(false);
  const { before, after } = moved.probe;
  const seen = after.destinations?.map((end) =>
    effectOf({ packet: new Uint8Array(PACKET_SIZE), before, after })(result(end)),
  );
  expect(seen?.filter(Boolean)).toHaveLength(1);
});

/** A result that was let through, rewritten to an IPv4 end when one is given. */
function result(destination?: string): DataView {
  const view = new DataView(new ArrayBuffer(RESULT_SIZE));
  view.setUint8(RESULT_VERDICT, VERDICT_ACCEPT);
  if (destination !== undefined) {
    const [address, port] = destination.split(":") as [string, string];
    address.split(".").forEach((octet, nth) => {
      view.setUint8(RESULT_DESTINATION + nth, Number(octet));
    });
    view.setUint16(RESULT_DESTINATION_PORT, Number(port), true);
    view.setUint8(RESULT_FLAGS, RESULT_FLAG_DNAT);
  }
  return view;
}
