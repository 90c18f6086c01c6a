/** What changes of a kube-proxy ruleset have in common: how kube-proxy states one, and the packet that tells that it is done. */
import type { TableName } from "../ruleset/ruleset.js";
import type { Service } from "./kube-proxy-cluster.js";
import type { KubeProxyState } from "./kube-proxy-document.js";
import { SYNCED_FILTER_CHAINS, SYNCED_NAT_CHAINS } from "./kube-proxy-frame.js";
import { KUBE_PROXY_CLIENTS } from "./kube-proxy-traffic.js";
import type { Random } from "./random.js";
import type { Difference } from "./save-document.js";
import { declaration } from "./save-text.js";
import { packetTo } from "./traffic.js";
import type { Outcome, Probe } from "./workload.js";

/** A sync of kube-proxy: what services share whole, then the chains that may differ, then those that are no more. */
export function restate(
  { document, options }: Pick<KubeProxyState, "document" | "options">,
  difference: Difference,
  chains: readonly string[],
  stale: readonly string[],
): string {
  const part = (table: TableName, stated: readonly string[], removed: readonly string[]): string =>
    [
      `*${table}\n`,
      ...[...stated, ...removed].map(declaration),
      ...stated.map((chain) => document.chain(table, chain, difference)),
      ...removed.map((chain) => `-X ${chain}\n`),
      "COMMIT\n",
    ].join("");
  const loopback = options.family === "ipv4" ? ["KUBE-FIREWALL"] : [];
  const filter = document.table("filter") ? part("filter", [...SYNCED_FILTER_CHAINS, ...loopback], []) : "";
  return filter + part("nat", [...SYNCED_NAT_CHAINS, ...chains], stale);
}

/** Of a service that comes. None where no packet's end tells. */
export function probeOf(state: KubeProxyState, service: Service, random: Random): Probe | undefined {
  const before: Outcome = { verdict: "ACCEPT", dnat: false };
  const served: Outcome = { verdict: "ACCEPT", dnat: true, destinations: service.endpoints };
  const packet = probePacket(state, service, random);
  if (service.endpoints.length > 0) return { packet, before, after: served };
  return state.document.table("filter") ? { packet, before, after: { verdict: "REJECT", dnat: false } } : undefined;
}

/** From a pod to the service's cluster IP. */
export function probePacket({ options: { family } }: KubeProxyState, service: Service, random: Random): Uint8Array {
  const end = { address: service.clusterIp, port: service.number, protocol: service.protocol };
  return packetTo(end, { family, clients: KUBE_PROXY_CLIENTS[family] }, random);
}
