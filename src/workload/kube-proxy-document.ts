/** A node's ruleset under kube-proxy as text, with all services or the first of them. */
import { serviceAt } from "./kube-proxy-cluster.js";
import { frame, lastServicesRule, type Lines } from "./kube-proxy-frame.js";
import { KUBE_PROXY_SHARES, type KubeProxyOptions } from "./kube-proxy-options.js";
import { LARGE_CLUSTER_ENDPOINTS, type RuleStyle, serviceRules, sharedFilterLines } from "./kube-proxy-rules.js";
import { SaveDocument } from "./save-document.js";
import { SaveText } from "./save-text.js";

/** The ruleset before any change, and what it takes to write another service into it. */
export interface KubeProxyState {
  readonly options: KubeProxyOptions;
  readonly style: RuleStyle;
  readonly document: SaveDocument;
}

export function kubeProxyState(options: KubeProxyOptions): KubeProxyState {
  let endpoints = 0;
  for (let index = 0; index < options.services; index++) endpoints += serviceAt(index, options).endpoints.length;
  const style: RuleStyle = { family: options.family, largeCluster: endpoints > LARGE_CLUSTER_ENDPOINTS };
  return { options, style, document: documentOf(options, style, options.services) };
}

/** The ruleset while only the first `services` of all are there. */
export function documentOf(options: KubeProxyOptions, style: RuleStyle, services: number): SaveDocument {
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
  for (let index = 0; index < services; index++) {
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
  return new SaveDocument(tables);
}

function hasAllTables(options: KubeProxyOptions): boolean {
  if (options.tables !== undefined) return options.tables === "all";
  return KUBE_PROXY_SHARES.some((share) => options[share] > 0);
}
