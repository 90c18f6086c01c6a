import { describe, expect, test } from "vitest";
import type { Family } from "../src/ruleset/row-store.js";
import { docker } from "../src/workload/docker.js";
import { hostFirewall } from "../src/workload/host-firewall.js";
import { kubeProxyIpvs } from "../src/workload/kube-proxy-ipvs.js";
import { chainName, portmap } from "../src/workload/portmap.js";
import type { Change, Workload } from "../src/workload/workload.js";
import { loadAndSave, type Step, tablesOf, whyNoKernel } from "./workload-linux.js";

const WORKLOADS: readonly (readonly [string, (family: Family) => Workload])[] = [
  ["portmap", (family) => portmap({ containers: 30, family })],
  ["portmap with 20 ports a container", (family) => portmap({ containers: 5, ports: 20, family })],
  ["portmap without masquerading", (family) => portmap({ containers: 5, family, masquerade: false })],
  ["docker", (family) => docker({ containers: 50, family })],
  ["host-firewall", (family) => hostFirewall({ banned: 50, family })],
  ["kube-proxy-ipvs", (family) => kubeProxyIpvs({ services: 50, family })],
];

const countRules = (text: string): number => text.match(/^-A /gm)?.length ?? 0;
const take = (changes: IterableIterator<Change>, count: number): Change[] =>
  Array.from({ length: count }, () => changes.next().value as Change);

describe.each(["ipv4", "ipv6"] as const)("%s", (family) => {
  test.each(WORKLOADS)("%s counts its rules, comes and goes without a trace, and repeats itself", (_, make) => {
    const workload = make(family);
    const text = workload.ruleset();
    expect(countRules(text)).toBe(workload.rules);
    const changes = take(workload.changes(), 6);
    for (const [nth, change] of changes.entries()) {
      expect(countRules(change.whole())).toBe(change.rules);
      if (nth % 2 === 1) expect(change.whole()).toBe(text);
      else expect(change.whole()).not.toBe(text);
    }
    const again = make(family);
    expect(again.ruleset()).toBe(text);
    expect(take(again.changes(), 6).map(({ batch }) => batch)).toEqual(changes.map(({ batch }) => batch));
    expect(again.traffic(50)).toEqual(workload.traffic(50));
    expect(workload.traffic(50, 99)).not.toEqual(workload.traffic(50));
  });

  test.skipIf(whyNoKernel !== "").each(WORKLOADS)(
    `the kernel saves %s as it was printed, and its changes' edits, restatement and whole agree ${whyNoKernel}`,
    (_, make) => {
      const workload = make(family);
      const changes = take(workload.changes(), 6);
      const base: Step[] = [{ text: workload.ruleset(), kind: "whole" }];
      if (workload.sets !== undefined) base.unshift({ text: workload.sets, kind: "sets" });
      const run = (textOf: (change: Change) => string): Map<string, string>[] =>
        loadAndSave(family, [
          ...base,
          ...changes.flatMap((change): Step[] => [
            ...(change.sets === undefined ? [] : [{ text: change.sets, kind: "sets" } as const]),
            { text: textOf(change), kind: "batch" },
          ]),
        ]);
      const edited = run(({ batch }) => batch);
      const restated = run((change) => change.restated());
      expect(edited[0]).toEqual(tablesOf(workload.ruleset()));
      for (const [nth, change] of changes.entries()) {
        const whole = tablesOf(change.whole());
        expect(edited[nth + 1], change.label).toEqual(whole);
        expect(restated[nth + 1], change.label).toEqual(whole);
      }
    },
  );
});

test("portmap's chains are named by its hashes", () => {
  const id = "default-c93e2a3a2264f98647f0d33dc80d88de81c0710bf30ea822e2ed19213f9c53b5";
  expect(chainName("CNI-DN-", id)).toBe("CNI-DN-2e2f8d5b91929ef9fc152");
  const masqueraded = "default-e9d499901490e6a66277688ba8d71cca35a6d1ca6261bc5a7e11e45e80aa3ea3";
  expect(chainName("CNI-", masqueraded)).toBe("CNI-3cbb832b23c724bdddedd7e4");
});

test("a container is 7 rules to portmap, 3 to docker, a ban one, a service in IPVS none", () => {
  const more = (make: (size: number) => Workload): number => make(11).rules - make(10).rules;
  expect(more((containers) => portmap({ containers }))).toBe(7);
  expect(more((containers) => docker({ containers }))).toBe(3);
  expect(more((banned) => hostFirewall({ banned }))).toBe(1);
  expect(more((services) => kubeProxyIpvs({ services }))).toBe(0);
});

test("no port is published twice", () => {
  for (const text of [portmap({ containers: 20_000 }).ruleset(), docker({ containers: 20_000 }).ruleset()]) {
    const ports = [...text.matchAll(/--dport (\d+) -j DNAT/g)].map(([, port]) => port);
    expect(ports).toHaveLength(20_000);
    expect(new Set(ports).size).toBe(20_000);
  }
});
