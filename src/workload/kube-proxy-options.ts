import type { Family } from "../ruleset/row-store.js";
import { checkWhole } from "./whole-number.js";

export const KUBE_PROXY_CHURNS = [
  "single",
  "endpoint",
  "flapping",
  "rolling-deploy",
  "node-drain",
  "cold-start",
] as const;
export type KubeProxyChurn = (typeof KUBE_PROXY_CHURNS)[number];

export interface KubeProxyOptions {
  /** Service ports, 1 to 500,000. Default 1,000. */
  readonly services: number;
  /** Ready endpoints of a service, 1 to 100. Default 3. */
  readonly endpoints: number;
  /** Default 1. */
  readonly seed: number;
  /** Default IPv4. */
  readonly family: Family;
  /**
   * `nat` is the table that grows: 11 rules a service and 8 more. `all` adds filter and mangle as kube-proxy and the
   * kubelet write them. Default `nat`, unless one of the shares below is above 0.
   */
  readonly tables?: "nat" | "all";
  /**
   * `single`: a service with its endpoints comes, and goes again. `endpoint`: a pod of some service is replaced by
   * another, and comes back. `flapping`: an endpoint of some service goes and comes back. `rolling-deploy`: for each
   * endpoint of some service a new one comes and then the old one goes; then back. `node-drain`: the endpoints of some
   * node, one each of some 30 services, go at once and come back. `cold-start`: all services go at once and come back, a
   * tenth at a time. Flapping and node-drain take 2 endpoints or more. Default `single`.
   */
  readonly churn: KubeProxyChurn;
  /** Shares of the services, 0 to 1, that ... Default 0. */
  /** ... have a node port. */
  readonly nodePorts: number;
  /** ... have a load balancer's address, every second of them with source ranges (hence a KUBE-FW chain). */
  readonly loadBalancers: number;
  /** ... have an external IP. */
  readonly externalIps: number;
  /** ... bind a client to its endpoint (`-m recent`, three hours). */
  readonly sessionAffinity: number;
  /** ... route external traffic to endpoints of this machine only; every second of them has none here. */
  readonly localPolicy: number;
  /** ... have no endpoints: REJECT in table filter. */
  readonly noEndpoints: number;
}

export const KUBE_PROXY_DEFAULTS: KubeProxyOptions = Object.freeze({
  services: 1000,
  endpoints: 3,
  seed: 1,
  family: "ipv4",
  churn: "single",
  nodePorts: 0,
  loadBalancers: 0,
  externalIps: 0,
  sessionAffinity: 0,
  localPolicy: 0,
  noEndpoints: 0,
});

export const KUBE_PROXY_SHARES = [
  "nodePorts",
  "loadBalancers",
  "externalIps",
  "sessionAffinity",
  "localPolicy",
  "noEndpoints",
] as const satisfies readonly (keyof KubeProxyOptions)[];

/** Services that come and go beside those counted, at most. */
export const SPARE_SERVICES = 1000;

/** @throws RangeError that names the option. */
export function checkKubeProxyOptions(options: KubeProxyOptions): void {
  checkWhole("services", options.services, 1, 500_000);
  checkWhole("endpoints", options.endpoints, 1, 100);
  if (!KUBE_PROXY_CHURNS.includes(options.churn))
    throw new RangeError(`churn: ${KUBE_PROXY_CHURNS.join(", ")}, not "${options.churn}"`);
  if ((options.churn === "flapping" || options.churn === "node-drain") && options.endpoints < 2)
    throw new RangeError(`endpoints: at least 2 for churn ${options.churn}`);
  checkWhole("seed", options.seed, 0, 2 ** 32 - 1);
  for (const share of KUBE_PROXY_SHARES)
    if (!(options[share] >= 0 && options[share] <= 1))
      throw new RangeError(`${share}: a share from 0 to 1, not ${options[share]}`);
  if ((options.services + SPARE_SERVICES) * options.endpoints > 4_000_000)
    throw new RangeError("services: more than 4,000,000 endpoints in all");
  if (options.nodePorts + options.loadBalancers > 0 && options.services > 26_000)
    throw new RangeError("services: at most 26,000 where some have node ports, which run out");
  if (options.loadBalancers + options.externalIps > 0 && options.services > 64_000)
    throw new RangeError("services: at most 64,000 where some have addresses outside the cluster, which run out");
}
