/** All services of a kube-proxy ruleset go at once, as when a node starts, and come a tenth at a time. */
import { serviceAt } from "./kube-proxy-cluster.js";
import { documentOf, type KubeProxyState } from "./kube-proxy-document.js";
import { lastServicesRule } from "./kube-proxy-frame.js";
import { type ServiceRules, serviceRules, sharedFilterLines } from "./kube-proxy-rules.js";
import { probeOf, restate } from "./kube-proxy-sync.js";
import type { Random } from "./random.js";
import { NO_DIFFERENCE } from "./save-document.js";
import { batchOf } from "./save-text.js";
import type { Change, Probe } from "./workload.js";

/** Batches in which services come, where there are as many. */
export const ARRIVAL_BATCHES = 10;

export function* startCold(state: KubeProxyState, _: number, random: Random): Generator<Change> {
  const { options, style, document } = state;
  const all = Array.from({ length: options.services }, (__, index) => serviceAt(index, options));
  const rules = all.map((service) => serviceRules(service, style));
  const batches = Math.min(all.length, ARRIVAL_BATCHES);
  const chainsOf = (some: readonly ServiceRules[]): string[] => some.flatMap(({ chains }) => [...chains.keys()]);
  /** Once the first `count` services are there, and the chains of `gone` no more. */
  const change = (count: number, part: Pick<Change, "label" | "batch">, probe: Probe | undefined): Change => {
    const there = (): KubeProxyState => ({ ...state, document: documentOf(options, style, count) });
    return {
      ...part,
      rules: document.rules - lineCount(rules.slice(count)),
      restated: () =>
        count === 0
          ? restate(there(), NO_DIFFERENCE, [], chainsOf(rules))
          : restate(there(), NO_DIFFERENCE, chainsOf(rules.slice(startOf(count), count)), []),
      whole: () => there().document.print(),
      ...(probe ? { probe } : {}),
    };
  };
  const ends = Array.from({ length: batches + 1 }, (__, nth) => Math.floor((nth * all.length) / batches));
  const startOf = (end: number): number => ends[ends.indexOf(end) - 1] as number;
  const probes = ends.slice(1).map((end) => probeOf(state, all[end - 1] as (typeof all)[0], random));
  yield change(
    0,
    { label: `remove all ${all.length} services`, batch: removal(state, chainsOf(rules)) },
    reverse(probes[0]),
  );
  for (const [nth, end] of ends.slice(1).entries()) {
    const begin = ends[nth] as number;
    const label = `add services ${begin + 1} to ${end} of ${all.length}`;
    yield change(end, { label, batch: arrival(state, rules.slice(0, begin), rules.slice(begin, end)) }, probes[nth]);
  }
}

/** Chains that services share are emptied but for what stays, their own removed. */
function removal({ document, options }: KubeProxyState, chains: readonly string[]): string {
  const shared = ["KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS", "KUBE-PROXY-FIREWALL"];
  const filter = document.table("filter") ? shared.map((chain) => `-F ${chain}`) : [];
  return (
    batchOf("filter", filter) +
    batchOf("nat", [
      "-F KUBE-SERVICES",
      lastServicesRule(options.family),
      "-F KUBE-NODEPORTS",
      ...chains.map((chain) => `-F ${chain}`),
      ...chains.map((chain) => `-X ${chain}`),
    ])
  );
}

/** Chains made and filled, then the rules that lead to them, behind those of services that are there; the last stays last. */
function arrival(
  { document, options }: KubeProxyState,
  there: readonly ServiceRules[],
  coming: readonly ServiceRules[],
): string {
  const filter = coming.flatMap((one) => sharedFilterLines(one.filter).flatMap(([, lines]) => lines));
  const last = 1 + there.reduce((sum, { nat }) => sum + nat.services.length, 0);
  const own = coming.flatMap(({ chains }) => [...chains]);
  return (
    (document.table("filter") ? batchOf("filter", filter) : "") +
    batchOf("nat", [
      ...own.map(([chain]) => `:${chain} - [0:0]`),
      ...own.flatMap(([, lines]) => lines),
      `-D KUBE-SERVICES ${last}`,
      ...coming.flatMap(({ nat }) => nat.services),
      lastServicesRule(options.family),
      ...coming.flatMap(({ nat }) => nat.nodePorts),
    ])
  );
}

const reverse = (probe: Probe | undefined): Probe | undefined =>
  probe && { packet: probe.packet, before: probe.after, after: probe.before };

function lineCount(rules: readonly ServiceRules[]): number {
  const count = (lines: readonly (readonly string[])[]): number => lines.reduce((sum, { length }) => sum + length, 0);
  return rules.reduce(
    (sum, { nat, filter, chains }) =>
      sum +
      count([nat.services, nat.nodePorts, ...sharedFilterLines(filter).map(([, lines]) => lines), ...chains.values()]),
    0,
  );
}
