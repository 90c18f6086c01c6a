/**
 * Packets to services. 7 of 8 come from pods, the others from machines outside the cluster, so that kube-proxy marks
 * them for masquerading. The endpoints are on other nodes.
 */
import type { Family } from "../ruleset/row-store.js";
import { NETWORKS, serviceAt, vacantServiceIp } from "./kube-proxy-cluster.js";
import type { KubeProxyOptions } from "./kube-proxy-options.js";
import { Random } from "./random.js";
import type { Spread } from "./spread.js";
import { type Clients, type End, trafficTo } from "./traffic.js";

export const KUBE_PROXY_CLIENTS: Readonly<Record<Family, readonly Clients[]>> = {
  ipv4: [
    { network: "10.128.0.0", bits: 22, input: "cni0", weight: 7 },
    { network: "172.16.0.0", bits: 16, input: "eth0", weight: 1 },
  ],
  ipv6: [
    { network: "fd00:10:128::", bits: 22, input: "cni0", weight: 7 },
    { network: "2001:db8:c2::", bits: 16, input: "eth0", weight: 1 },
  ],
};

export interface KubeProxyTraffic {
  readonly count: number;
  readonly seed: number;
  /** Over cluster IPs, node ports and addresses outside the cluster alike. */
  readonly spread: Spread;
}

export function kubeProxyTraffic(options: KubeProxyOptions, { count, seed, spread }: KubeProxyTraffic): Uint8Array {
  const { family } = options;
  const ends: End[] = [];
  for (let index = 0; index < options.services; index++) {
    const { clusterIp, externalIps, loadBalancerIps, number, nodePort, protocol } = serviceAt(index, options);
    for (const address of [clusterIp, ...externalIps, ...loadBalancerIps])
      ends.push({ address, port: number, protocol, output: "eth0" });
    if (nodePort !== undefined)
      ends.push({ address: NETWORKS[family].nodeIp, port: nodePort, protocol, output: "eth0" });
  }
  const vacant = Array.from({ length: 1000 }, (_, nth) => vacantServiceIp(nth, options));
  const plan = { family, ends, vacant, clients: KUBE_PROXY_CLIENTS[family], spread };
  return trafficTo(plan, count, new Random(seed, 0x7472));
}
