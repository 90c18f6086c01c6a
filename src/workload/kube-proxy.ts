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
import { kubeProxyChanges } from "./kube-proxy-churn.js";
import { NETWORKS, serviceAt } from "./kube-proxy-cluster.js";
import { frame, lastServicesRule, type Lines } from "./kube-proxy-frame.js";
import {
  checkKubeProxyOptions,
  KUBE_PROXY_DEFAULTS,
  KUBE_PROXY_SHARES,
  type KubeProxyOptions,
} from "./kube-proxy-options.js";
import { LARGE_CLUSTER_ENDPOINTS, type RuleStyle, serviceRules, sharedFilterLines } from "./kube-proxy-rules.js";
import { kubeProxyTraffic } from "./kube-proxy-traffic.js";
import { SaveDocument } from "./save-document.js";
import { SaveText } from "./save-text.js";
import type { Workload } from "./workload.js";

/** The ruleset before any change, and what it takes to write another service into it. */
export interface KubeProxyState {
  readonly options: KubeProxyOptions;
  readonly style: RuleStyle;
  readonly document: SaveDocument;
}

export function kubeProxy(options: Partial<KubeProxyOptions> = {}): Workload {
  const whole: KubeProxyOptions = { ...KUBE_PROXY_DEFAULTS, ...options };
  checkKubeProxyOptions(whole);
  const state = build(whole);
  return {
    name: "kube-proxy",
    family: whole.family,
    services: whole.services,
    rules: state.document.rules,
    localAddresses: NETWORKS[whole.family].localAddresses,
    ruleset: () => state.document.print(),
    changes: (seed = whole.seed) => kubeProxyChanges(state, seed),
    traffic: (count, seed = whole.seed, spread = "uniform") => kubeProxyTraffic(whole, { count, seed, spread }),
  };
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

  const tables = [new SaveText("nat", nat)];
  if (hasAllTables(options)) tables.unshift(new SaveText("mangle", fixed.mangle), new SaveText("filter", filter));
  return { options, style, document: new SaveDocument(tables) };
}

function hasAllTables(options: KubeProxyOptions): boolean {
  if (options.tables !== undefined) return options.tables === "all";
  return KUBE_PROXY_SHARES.some((share) => options[share] > 0);
}
