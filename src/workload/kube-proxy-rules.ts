/**
 * The rules that kube-proxy writes for one service, line by line as iptables-save prints them.
 *
 * Source: kubernetes pkg/proxy/iptables/proxier.go, syncProxyRules and writeServiceToEndpointRules, as of the releases
 * with KUBE-PROXY-FIREWALL and partial syncs (1.27 and later), without nfacct.
 */
import type { Family } from "../ruleset/row-store.js";
import { NETWORKS, type Service } from "./kube-proxy-cluster.js";
import { endpointChain, serviceChain } from "./kube-proxy-names.js";

export interface ServiceRules {
  /** Lines for chains that all services share. */
  readonly nat: { readonly services: readonly string[]; readonly nodePorts: readonly string[] };
  readonly filter: {
    readonly services: readonly string[];
    readonly externalServices: readonly string[];
    readonly nodePorts: readonly string[];
    readonly proxyFirewall: readonly string[];
  };
  /** Its own chains in table nat. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
}

export interface RuleStyle {
  readonly family: Family;
  /**
   * With more than 1,000 endpoints in all, kube-proxy leaves the comments of endpoints' rules out. Settled by the
   * ruleset before any change.
   */
  readonly largeCluster: boolean;
}

/** kube-proxy's largeClusterEndpointsThreshold. */
export const LARGE_CLUSTER_ENDPOINTS = 1000;

export function serviceRules(service: Service, style: RuleStyle): ServiceRules {
  const { port, protocol, endpoints, localEndpoints, externalPolicyLocal } = service;
  const full = style.family === "ipv4" ? "/32" : "/128";
  const hasEndpoints = endpoints.length > 0;
  const external =
    service.nodePort !== undefined || service.externalIps.length > 0 || service.loadBalancerIps.length > 0;
  const hasExternalEndpoints = externalPolicyLocal ? localEndpoints.length > 0 : hasEndpoints;

  const clusterChain = serviceChain("KUBE-SVC-", port, protocol);
  const localChain = serviceChain("KUBE-SVL-", port, protocol);
  const externalChain = serviceChain("KUBE-EXT-", port, protocol);
  const firewallChain = serviceChain("KUBE-FW-", port, protocol);
  const usesFirewall = hasEndpoints && service.loadBalancerIps.length > 0 && service.sourceRanges.length > 0;

  const comment = (text: string): string => `-m comment --comment "${text}"`;
  const to = (address: string, text: string, target: string): string =>
    `-d ${address}${full} -p ${protocol} ${comment(text)} -m ${protocol} --dport ${service.number} -j ${target}`;
  const reject = `REJECT --reject-with ${style.family === "ipv4" ? "icmp" : "icmp6"}-port-unreachable`;
  const refusal = hasEndpoints ? "DROP" : reject;
  const refusalText = `${port} has no ${hasEndpoints ? "local " : ""}endpoints`;

  const nat = { services: [] as string[], nodePorts: [] as string[] };
  const filter = {
    services: [] as string[],
    externalServices: [] as string[],
    nodePorts: [] as string[],
    proxyFirewall: [] as string[],
  };
  const chains = new Map<string, string[]>();

  if (hasEndpoints) nat.services.push(`-A KUBE-SERVICES ${to(service.clusterIp, `${port} cluster IP`, clusterChain)}`);
  else filter.services.push(`-A KUBE-SERVICES ${to(service.clusterIp, refusalText, refusal)}`);
  for (const ip of service.externalIps)
    if (hasEndpoints) nat.services.push(`-A KUBE-SERVICES ${to(ip, `${port} external IP`, externalChain)}`);
  for (const ip of service.loadBalancerIps) {
    const chain = usesFirewall ? firewallChain : externalChain;
    if (hasEndpoints) nat.services.push(`-A KUBE-SERVICES ${to(ip, `${port} loadbalancer IP`, chain)}`);
    if (usesFirewall)
      filter.proxyFirewall.push(
        `-A KUBE-PROXY-FIREWALL ${to(ip, `${port} traffic not accepted by ${firewallChain}`, "DROP")}`,
      );
  }
  if (!hasExternalEndpoints)
    for (const ip of [...service.externalIps, ...service.loadBalancerIps])
      filter.externalServices.push(`-A KUBE-EXTERNAL-SERVICES ${to(ip, refusalText, refusal)}`);
  if (service.nodePort !== undefined) {
    const ports = `-m ${protocol} --dport ${service.nodePort}`;
    if (hasEndpoints)
      nat.nodePorts.push(`-A KUBE-NODEPORTS -p ${protocol} ${comment(port)} ${ports} -j ${externalChain}`);
    if (!hasExternalEndpoints)
      filter.externalServices.push(
        `-A KUBE-EXTERNAL-SERVICES -p ${protocol} ${comment(refusalText)} -m addrtype --dst-type LOCAL ${ports} -j ${refusal}`,
      );
  }
  if (service.healthCheckNodePort !== undefined)
    filter.nodePorts.push(
      `-A KUBE-NODEPORTS -p tcp ${comment(`${port} health check node port`)} -m tcp --dport ${service.healthCheckNodePort} -j ACCEPT`,
    );

  if (hasEndpoints && external)
    chains.set(externalChain, [
      ...externalRules(externalChain, clusterChain, port, style.family, externalPolicyLocal),
      ...(hasExternalEndpoints ? [`-A ${externalChain} -j ${externalPolicyLocal ? localChain : clusterChain}`] : []),
    ]);
  if (usesFirewall)
    chains.set(firewallChain, [
      ...service.sourceRanges.map(
        (range) => `-A ${firewallChain} -s ${range} ${comment(`${port} loadbalancer IP`)} -j ${externalChain}`,
      ),
      `-A ${firewallChain} ${comment(`other traffic to ${port} will be dropped by KUBE-PROXY-FIREWALL`)}`,
    ]);
  if (hasEndpoints) {
    const outside = `-A ${clusterChain} ! -s ${NETWORKS[style.family].podRange} ${to(service.clusterIp, `${port} cluster IP`, "KUBE-MARK-MASQ")}`;
    chains.set(clusterChain, [outside, ...balancingRules(clusterChain, endpoints, service, style)]);
  }
  if (external && externalPolicyLocal && localEndpoints.length > 0)
    chains.set(localChain, balancingRules(localChain, localEndpoints, service, style));
  for (const end of endpoints) {
    const chain = endpointChain(port, protocol, end);
    const note = style.largeCluster ? "" : ` ${comment(port)}`;
    const remember = service.sessionAffinity ? ` -m recent --set --name ${chain} ${recentSide(style.family)}` : "";
    chains.set(chain, [
      `-A ${chain} -s ${addressOf(end)}${full}${note} -j KUBE-MARK-MASQ`,
      `-A ${chain} -p ${protocol}${note}${remember} -m ${protocol} -j DNAT --to-destination ${end}`,
    ]);
  }
  return { nat, filter, chains };
}

/** A service's lines for the chains of table filter that all services share. */
export function sharedFilterLines(filter: ServiceRules["filter"]): readonly (readonly [string, readonly string[]])[] {
  return [
    ["KUBE-SERVICES", filter.services],
    ["KUBE-EXTERNAL-SERVICES", filter.externalServices],
    ["KUBE-NODEPORTS", filter.nodePorts],
    ["KUBE-PROXY-FIREWALL", filter.proxyFirewall],
  ];
}

/** The dispatch over endpoints: clients that were here before, then one in n, one in n-1, ..., the rest. */
function balancingRules(chain: string, endpoints: readonly string[], service: Service, style: RuleStyle): string[] {
  const target = (end: string): string => endpointChain(service.port, service.protocol, end);
  const note = (end: string): string => (style.largeCluster ? "" : ` -m comment --comment "${service.port} -> ${end}"`);
  const again = service.sessionAffinity
    ? endpoints.map(
        (end) =>
          `-A ${chain}${note(end)} -m recent --rcheck --seconds 10800 --reap --name ${target(end)} ${recentSide(style.family)} -j ${target(end)}`,
      )
    : [];
  const balanced = endpoints.map((end, nth) => {
    const left = endpoints.length - nth;
    const share = left > 1 ? ` -m statistic --mode random --probability ${savedProbability(left)}` : "";
    return `-A ${chain}${note(end)}${share} -j ${target(end)}`;
  });
  return [...again, ...balanced];
}

function externalRules(chain: string, clusterChain: string, port: string, family: Family, local: boolean): string[] {
  const comment = (text: string): string => `-m comment --comment "${text} for ${port} external destinations"`;
  if (!local) return [`-A ${chain} ${comment("masquerade traffic")} -j KUBE-MARK-MASQ`];
  return [
    `-A ${chain} -s ${NETWORKS[family].podRange} ${comment("pod traffic")} -j ${clusterChain}`,
    `-A ${chain} ${comment("masquerade LOCAL traffic")} -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ`,
    `-A ${chain} ${comment("route LOCAL traffic")} -m addrtype --src-type LOCAL -j ${clusterChain}`,
  ];
}

/**
 * kube-proxy writes 1/n with ten decimals, the kernel keeps 31 bits of it, and iptables-save prints these with eleven.
 */
export function savedProbability(n: number): string {
  const written = Number((1 / n).toFixed(10));
  return (Math.round(written * 2 ** 31) / 2 ** 31).toFixed(11);
}

function recentSide(family: Family): string {
  return `--mask ${family === "ipv4" ? "255.255.255.255" : "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"} --rsource`;
}

/** Without the port and the brackets. */
export function addressOf(end: string): string {
  return end.slice(0, end.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}
