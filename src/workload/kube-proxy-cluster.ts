/**
 * The cluster that the kube-proxy workload stands in: networks, and service number n with its endpoints. A service
 * hangs on the seed and its number alone, so two clusters of different size share their first services.
 *
 *     IPv4                          IPv6
 *     10.96.0.0/12   services       fd00:10:96::/108     20 bits
 *     10.128.0.0/10  pods           fd00:10:128::/106    22 bits
 *     192.168.0.2    this node      fd00:192:168::2
 *     198.18.0.0/16  load balancers 2001:db8:1b::/112   16 bits, both
 *     198.19.0.0/16  external IPs   2001:db8:e1::/112
 *     203.0.113.0/25 clients        2001:db8:c1::/64
 *
 * Node ports are 10000 to 36999, health checks 37000 to 63999, as with kube-apiserver's --service-node-port-range.
 */
import type { Family } from "../ruleset/row-store.js";
import type { KubeProxyOptions } from "./kube-proxy-options.js";
import { Random, scramble } from "./random.js";

export interface Service {
  /** "namespace/name:port", as kube-proxy's comments have it. */
  readonly port: string;
  readonly protocol: "tcp" | "udp";
  readonly clusterIp: string;
  readonly number: number;
  /** "10.128.0.1:8080" or "[fd00::1]:8080". */
  readonly endpoints: readonly string[];
  /** Those of them on this node. */
  readonly localEndpoints: readonly string[];
  readonly nodePort?: number;
  readonly healthCheckNodePort?: number;
  readonly externalIps: readonly string[];
  readonly loadBalancerIps: readonly string[];
  readonly sourceRanges: readonly string[];
  readonly sessionAffinity: boolean;
  readonly externalPolicyLocal: boolean;
}

interface Network {
  readonly serviceRange: string;
  readonly podRange: string;
  readonly nodeIp: string;
  /** All that the node owns. */
  readonly localAddresses: readonly string[];
  readonly serviceIp: (host: number) => string;
  readonly podIp: (host: number) => string;
  readonly loadBalancerIp: (host: number) => string;
  readonly externalIp: (host: number) => string;
  readonly sourceRange: string;
}

const dotted = (value: number): string =>
  `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
const grouped = (prefix: string, value: number): string =>
  `${prefix}::${value >>> 16 ? `${(value >>> 16).toString(16)}:` : ""}${value ? (value & 0xffff).toString(16) : ""}`;

export const SERVICE_BITS = 20;
export const POD_BITS = 22;

export const NETWORKS: Readonly<Record<Family, Network>> = {
  ipv4: {
    serviceRange: "10.96.0.0/12",
    podRange: "10.128.0.0/10",
    nodeIp: "192.168.0.2",
    localAddresses: ["127.0.0.1 lo", "192.168.0.2 eth0"],
    serviceIp: (host) => dotted(0x0a600000 + host),
    podIp: (host) => dotted(0x0a800000 + host),
    loadBalancerIp: (host) => dotted(0xc6120000 + (host & 0xffff)),
    externalIp: (host) => dotted(0xc6130000 + (host & 0xffff)),
    sourceRange: "203.0.113.0/25",
  },
  ipv6: {
    serviceRange: "fd00:10:96::/108",
    podRange: "fd00:10:128::/106",
    nodeIp: "fd00:192:168::2",
    localAddresses: ["::1 lo", "fd00:192:168::2 eth0"],
    serviceIp: (host) => grouped("fd00:10:96", host),
    podIp: (host) => grouped("fd00:10:128", host),
    loadBalancerIp: (host) => grouped("2001:db8:1b", host & 0xffff),
    externalIp: (host) => grouped("2001:db8:e1", host & 0xffff),
    sourceRange: "2001:db8:c1::/64",
  },
};

const PORTS = [
  ["http", 80, 8080],
  ["https", 443, 8443],
  ["http-alt", 8080, 8080],
  ["https-alt", 8443, 8443],
  ["metrics", 9090, 9090],
  ["dns", 53, 5353],
  ["redis", 6379, 6379],
  ["postgres", 5432, 5432],
  ["mysql", 3306, 3306],
  ["search", 9200, 9200],
] as const;

const TEAMS = ["shop", "search", "payments", "media", "identity", "platform", "logistics", "ads"] as const;
const APPS = ["api", "web", "worker", "cart", "cache", "gateway", "store", "users", "orders", "stream"] as const;

/** Where node ports begin, health checks begin, and how many there are of each. */
export const NODE_PORT_COUNT = 27_000;
const NODE_PORTS = 10_000;
const HEALTH_CHECKS = NODE_PORTS + NODE_PORT_COUNT;

export function serviceAt(index: number, options: KubeProxyOptions): Service {
  const { seed, endpoints, family } = options;
  const network = NETWORKS[family];
  const random = new Random(seed, index);
  const [portName, number, targetPort] = random.pick(PORTS);
  const port = `${random.pick(TEAMS)}-${random.below(50)}/${random.pick(APPS)}-${index}:${portName}`;
  const nodePort = random.chance(options.nodePorts);
  const loadBalancer = random.chance(options.loadBalancers);
  const externalIp = random.chance(options.externalIps);
  const sessionAffinity = random.chance(options.sessionAffinity);
  const external = nodePort || loadBalancer || externalIp;
  const externalPolicyLocal = external && random.chance(options.localPolicy);
  const empty = random.chance(options.noEndpoints);
  const sourceRanges = loadBalancer && random.chance(0.5) ? [network.sourceRange] : [];
  const anyLocal = random.chance(0.5);
  const all = empty
    ? []
    : Array.from({ length: endpoints }, (_, nth) => podEnd(index * endpoints + nth, targetPort, options));
  return {
    port,
    protocol: portName === "dns" ? "udp" : "tcp",
    clusterIp: network.serviceIp(scramble(index, SERVICE_BITS, seed)),
    number,
    endpoints: all,
    localEndpoints: anyLocal ? all.slice(0, 1) : [],
    // A load balancer takes a node port as well, as the API server gives it one.
    ...(nodePort || loadBalancer ? { nodePort: NODE_PORTS + (index % NODE_PORT_COUNT) } : {}),
    ...(loadBalancer && externalPolicyLocal ? { healthCheckNodePort: HEALTH_CHECKS + (index % NODE_PORT_COUNT) } : {}),
    externalIps: externalIp ? [network.externalIp(index)] : [],
    loadBalancerIps: loadBalancer ? [network.loadBalancerIp(index)] : [],
    sourceRanges,
    sessionAffinity,
    externalPolicyLocal,
  };
}

/** The service after its endpoint `nth` moved to a pod that no service has had. */
export function withNewEndpoint(service: Service, nth: number, index: number, options: KubeProxyOptions): Service {
  const old = service.endpoints[nth] as string;
  const fresh = freshEnd(old, index, options);
  const replace = (ends: readonly string[]): string[] => ends.map((end) => (end === old ? fresh : end));
  return { ...service, endpoints: replace(service.endpoints), localEndpoints: replace(service.localEndpoints) };
}

/** The port of `old` at a pod that no service has had; one of a thousand. */
export function freshEnd(old: string, index: number, options: KubeProxyOptions): string {
  // Pods are numbered up from 0 for the services there are, so the upper half's last is free.
  return podEnd(2 ** POD_BITS - 2 - (index % 1000), Number(old.slice(old.lastIndexOf(":") + 1)), options);
}

/** Pods on a node, more or less. */
const PODS_PER_NODE = 30;

/** Nodes with endpoints; as many as a service has at least, so that no two of a service share one. */
export function nodeCount({ services, endpoints }: KubeProxyOptions): number {
  return Math.max(endpoints, Math.ceil((services * endpoints) / PODS_PER_NODE));
}

/** An address that no service has, for packets that miss. */
export function vacantServiceIp(index: number, { seed, family }: KubeProxyOptions): string {
  return NETWORKS[family].serviceIp(scramble(2 ** SERVICE_BITS - 1 - index, SERVICE_BITS, seed));
}

function podEnd(index: number, port: number, { seed, family }: KubeProxyOptions): string {
  const address = NETWORKS[family].podIp(scramble(index, POD_BITS, seed + 1));
  return family === "ipv4" ? `${address}:${port}` : `[${address}]:${port}`;
}
