/**
 * What kube-proxy's iptables mode keeps on a node: for every service port a rule that sends its cluster IP to a chain,
 * which picks an endpoint by chance, and for every endpoint a chain that rewrites the destination.
 *
 *     KUBE-SERVICES  -d 10.96.31.7/32 tcp 443 -> KUBE-SVC-...                              1 rule
 *     KUBE-SVC-...   from outside the pods' network -> KUBE-MARK-MASQ, then 3 endpoints    4 rules
 *     KUBE-SEP-...   from itself -> KUBE-MARK-MASQ, then DNAT                              2 rules each
 *
 * Everything is written as iptables-save prints it, so the text is what comes back once the kernel has it.
 */
import type { TableName } from "../ruleset/ruleset.js";
import { kubeProxyChanges } from "./kube-proxy-churn.js";
import { NETWORKS, serviceAt } from "./kube-proxy-cluster.js";
import { frame, lastServicesRule, type Lines } from "./kube-proxy-frame.js";
import {
  checkKubeProxyOptions,
  KUBE_PROXY_DEFAULTS,
  KUBE_PROXY_SHARES,
  type KubeProxyOptions,
} from "./kube-proxy-options.js";
import { LARGE_CLUSTER_ENDPOINTS, type RuleStyle, serviceRules } from "./kube-proxy-rules.js";
import { kubeProxyTraffic } from "./kube-proxy-traffic.js";
import { type ChangedChains, SaveText } from "./save-text.js";
import type { Workload } from "./workload.js";

/** The ruleset before any change, and what it takes to write another service into it. */
export interface KubeProxyState {
  readonly options: KubeProxyOptions;
  readonly style: RuleStyle;
  readonly nat: SaveText;
  /** Absent when the options ask for table nat alone. */
  readonly filter?: SaveText;
  readonly mangle?: SaveText;
  /** Rules of nat's KUBE-SERVICES: a new service goes in front of the last. */
  readonly servicesRules: number;
  readonly rules: number;
}

export function kubeProxy(options: Partial<KubeProxyOptions> = {}): Workload {
  const whole: KubeProxyOptions = { ...KUBE_PROXY_DEFAULTS, ...options };
  checkKubeProxyOptions(whole);
  const state = build(whole);
  return {
    name: "kube-proxy",
    family: whole.family,
    services: whole.services,
    rules: state.rules,
    localAddresses: NETWORKS[whole.family].localAddresses,
    ruleset: () => printState(state),
    changes: (seed = whole.seed) => kubeProxyChanges(state, seed),
    traffic: (count, seed = whole.seed) => kubeProxyTraffic(whole, count, seed),
  };
}

/** The whole ruleset, with some chains of some tables changed. */
export function printState(state: KubeProxyState, changed: Partial<Record<TableName, ChangedChains>> = {}): string {
  return (state.mangle?.print() ?? "") + (state.filter?.print(changed.filter) ?? "") + state.nat.print(changed.nat);
}

function build(options: KubeProxyOptions): KubeProxyState {
  let endpoints = 0;
  for (let index = 0; index < options.services; index++) endpoints += serviceAt(index, options).endpoints.length;
  const style: RuleStyle = { family: options.family, largeCluster: endpoints > LARGE_CLUSTER_ENDPOINTS };
  const fixed = frame(options.family);
  const nat = new Map<string, Lines>(fixed.nat);
  const filter = new Map<string, Lines>(fixed.filter);
  const natServices: string[] = [];
  const natNodePorts: string[] = [];
  const shared: Record<string, string[]> = {
    "KUBE-SERVICES": [],
    "KUBE-EXTERNAL-SERVICES": [],
    "KUBE-NODEPORTS": [],
    "KUBE-PROXY-FIREWALL": [],
  };
  for (let index = 0; index < options.services; index++) {
    const rules = serviceRules(serviceAt(index, options), style);
    natServices.push(...rules.nat.services);
    natNodePorts.push(...rules.nat.nodePorts);
    for (const [chain, lines] of sharedFilterLines(rules.filter)) shared[chain]?.push(...lines);
    for (const [chain, lines] of rules.chains) nat.set(chain, lines);
  }
  natServices.push(lastServicesRule(options.family));
  nat.set("KUBE-SERVICES", natServices).set("KUBE-NODEPORTS", natNodePorts);
  for (const [chain, lines] of Object.entries(shared)) filter.set(chain, lines);

  const natText = new SaveText("nat", nat);
  const base = { options, style, nat: natText, servicesRules: natServices.length };
  if (!hasAllTables(options)) return { ...base, rules: natText.rules };
  const filterText = new SaveText("filter", filter);
  const mangle = new SaveText("mangle", fixed.mangle);
  return { ...base, filter: filterText, mangle, rules: natText.rules + filterText.rules };
}

/** A service's lines for the chains of table filter that all services share. */
export function sharedFilterLines(
  filter: ReturnType<typeof serviceRules>["filter"],
): readonly (readonly [string, Lines])[] {
  return [
    ["KUBE-SERVICES", filter.services],
    ["KUBE-EXTERNAL-SERVICES", filter.externalServices],
    ["KUBE-NODEPORTS", filter.nodePorts],
    ["KUBE-PROXY-FIREWALL", filter.proxyFirewall],
  ];
}

function hasAllTables(options: KubeProxyOptions): boolean {
  if (options.tables !== undefined) return options.tables === "all";
  return KUBE_PROXY_SHARES.some((share) => options[share] > 0);
}
