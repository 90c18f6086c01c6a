/**
 * The iptables part of kube-proxy's IPVS mode: services are entries of ipsets and virtual servers of IPVS, so the rules
 * are as many for one service as for ten thousand. What IPVS itself rewrites is no rule and not seen here.
 *
 * A change is the first service with a load balancer: its entries come into empty sets, and with them the two rules that
 * kube-proxy writes only for sets that are not empty; then it goes. A service with a cluster IP alone changes sets and no
 * rule. kube-proxy restates all of its chains at every sync, whatever has changed.
 *
 * Source: kubernetes pkg/proxy/ipvs/proxier.go (writeIptablesRules, iptablesJumpChain) and ipset.go.
 */
import type { Family } from "../ruleset/row-store.js";
import type { TableName } from "../ruleset/ruleset.js";
import { type Addition, comeAndGo } from "./addition.js";
import { NETWORKS, type Service, serviceAt } from "./kube-proxy-cluster.js";
import {
  checkKubeProxyOptions,
  KUBE_PROXY_DEFAULTS,
  type KubeProxyOptions,
  SPARE_SERVICES,
} from "./kube-proxy-options.js";
import { addressOf } from "./kube-proxy-rules.js";
import { kubeProxyTraffic } from "./kube-proxy-traffic.js";
import { type Difference, SaveDocument } from "./save-document.js";
import { declaration, SaveText } from "./save-text.js";
import type { Change, Workload } from "./workload.js";

/** services, endpoints, seed and family as for kube-proxy; no other kinds of service. */
export type KubeProxyIpvsOptions = Pick<KubeProxyOptions, "services" | "endpoints" | "seed" | "family">;

type Lines = readonly string[];

/** In kube-proxy's order. `%` stands for the family's addresses. */
const SETS: readonly (readonly [name: string, create: string])[] = [
  ["KUBE-LOOP-BACK", "hash:ip,port,ip family %"],
  ["KUBE-CLUSTER-IP", "hash:ip,port family %"],
  ["KUBE-EXTERNAL-IP", "hash:ip,port family %"],
  ["KUBE-EXTERNAL-IP-LOCAL", "hash:ip,port family %"],
  ["KUBE-LOAD-BALANCER", "hash:ip,port family %"],
  ["KUBE-LOAD-BALANCER-FW", "hash:ip,port family %"],
  ["KUBE-LOAD-BALANCER-LOCAL", "hash:ip,port family %"],
  ["KUBE-LOAD-BALANCER-SOURCE-IP", "hash:ip,port,ip family %"],
  ["KUBE-LOAD-BALANCER-SOURCE-CIDR", "hash:ip,port,net family %"],
  ["KUBE-NODE-PORT-TCP", "bitmap:port range 0-65535"],
  ["KUBE-NODE-PORT-LOCAL-TCP", "bitmap:port range 0-65535"],
  ["KUBE-NODE-PORT-UDP", "bitmap:port range 0-65535"],
  ["KUBE-NODE-PORT-LOCAL-UDP", "bitmap:port range 0-65535"],
  ["KUBE-NODE-PORT-SCTP-HASH", "hash:ip,port family %"],
  ["KUBE-NODE-PORT-LOCAL-SCTP-HASH", "hash:ip,port family %"],
  ["KUBE-HEALTH-CHECK-NODE-PORT", "bitmap:port range 0-65535"],
  ["KUBE-IPVS-IPS", "hash:ip family %"],
];

const SYNCED: Readonly<Record<"nat" | "filter", Lines>> = {
  nat: ["KUBE-SERVICES", "KUBE-POSTROUTING", "KUBE-NODE-PORT", "KUBE-LOAD-BALANCER", "KUBE-MARK-MASQ"],
  filter: [
    "KUBE-FORWARD",
    "KUBE-NODE-PORT",
    "KUBE-PROXY-FIREWALL",
    "KUBE-SOURCE-RANGES-FIREWALL",
    "KUBE-IPVS-FILTER",
    "KUBE-IPVS-OUT-FILTER",
  ],
};

export function kubeProxyIpvs(options: Partial<KubeProxyIpvsOptions> = {}): Workload {
  const whole: KubeProxyOptions = { ...KUBE_PROXY_DEFAULTS, ...options };
  checkKubeProxyOptions(whole);
  const { family, seed, services } = whole;
  const document = build(family);
  return {
    name: "kube-proxy-ipvs",
    family,
    services,
    rules: document.rules,
    period: 2,
    localAddresses: NETWORKS[family].localAddresses,
    sets: setsOf(whole),
    ruleset: () => document.print(),
    changes: () => changes(whole, document),
    traffic: (count, of = seed, spread = "uniform") => kubeProxyTraffic(whole, { count, seed: of, spread }),
  };
}

/** The name that a set has in this family: at most 31 characters. */
export function ipsetName(name: string, family: Family): string {
  return family === "ipv4" ? name : name.replace("KUBE-", "KUBE-6-").slice(0, 31);
}

function build(family: Family): SaveDocument {
  const set = (name: string, sides: string): string => `-m set --match-set ${ipsetName(name, family)} ${sides}`;
  const note = (text: string): string => `-m comment --comment "${text}"`;
  const refusal = family === "ipv4" ? "icmp-port-unreachable" : "icmp6-port-unreachable";
  const loopback = family === "ipv4" ? "127.0.0.0/8" : "::1/128";
  const canaries: [string, Lines][] = [["KUBE-KUBELET-CANARY", []]];
  const mangle = new Map<string, Lines>([["KUBE-IPTABLES-HINT", []], ...canaries]);
  const filter = new Map<string, Lines>([
    [
      "INPUT",
      [
        `-A INPUT ${note("kubernetes ipvs access filter")} -j KUBE-IPVS-FILTER`,
        `-A INPUT ${note("kube-proxy firewall rules")} -j KUBE-PROXY-FIREWALL`,
        `-A INPUT ${note("kubernetes health check rules")} -j KUBE-NODE-PORT`,
        "-A INPUT -j KUBE-FIREWALL",
      ],
    ],
    [
      "FORWARD",
      [
        `-A FORWARD ${note("kube-proxy firewall rules")} -j KUBE-PROXY-FIREWALL`,
        `-A FORWARD ${note("kubernetes forwarding rules")} -j KUBE-FORWARD`,
      ],
    ],
    [
      "OUTPUT",
      [`-A OUTPUT ${note("kubernetes ipvs access filter")} -j KUBE-IPVS-OUT-FILTER`, "-A OUTPUT -j KUBE-FIREWALL"],
    ],
    [
      "KUBE-FIREWALL",
      family === "ipv4"
        ? [
            `-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 ${note("block incoming localnet connections")} -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`,
          ]
        : [],
    ],
    [
      "KUBE-FORWARD",
      [
        `-A KUBE-FORWARD ${note("kubernetes forwarding rules")} -m mark --mark 0x4000/0x4000 -j ACCEPT`,
        `-A KUBE-FORWARD ${note("kubernetes forwarding conntrack rule")} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
      ],
    ],
    [
      "KUBE-IPVS-FILTER",
      [
        `-A KUBE-IPVS-FILTER ${set("KUBE-LOAD-BALANCER", "dst,dst")} -j RETURN`,
        `-A KUBE-IPVS-FILTER ${set("KUBE-CLUSTER-IP", "dst,dst")} -j RETURN`,
        `-A KUBE-IPVS-FILTER ${set("KUBE-EXTERNAL-IP", "dst,dst")} -j RETURN`,
        `-A KUBE-IPVS-FILTER ${set("KUBE-EXTERNAL-IP-LOCAL", "dst,dst")} -j RETURN`,
        `-A KUBE-IPVS-FILTER ${set("KUBE-HEALTH-CHECK-NODE-PORT", "dst")} -j RETURN`,
        `-A KUBE-IPVS-FILTER -m conntrack --ctstate NEW ${set("KUBE-IPVS-IPS", "dst")} -j REJECT --reject-with ${refusal}`,
      ],
    ],
    ["KUBE-IPVS-OUT-FILTER", []],
    [
      "KUBE-NODE-PORT",
      [
        `-A KUBE-NODE-PORT ${note("Kubernetes health check node port")} ${set("KUBE-HEALTH-CHECK-NODE-PORT", "dst")} -j ACCEPT`,
      ],
    ],
    ["KUBE-PROXY-FIREWALL", []],
    ["KUBE-SOURCE-RANGES-FIREWALL", ["-A KUBE-SOURCE-RANGES-FIREWALL -j DROP"]],
    ...canaries,
  ]);
  const hairpin = note("Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose");
  const masquerade = note("Kubernetes service cluster ip + port for masquerade purpose");
  const nat = new Map<string, Lines>([
    ["PREROUTING", [`-A PREROUTING ${note("kubernetes service portals")} -j KUBE-SERVICES`]],
    ["OUTPUT", [`-A OUTPUT ${note("kubernetes service portals")} -j KUBE-SERVICES`]],
    ["POSTROUTING", [`-A POSTROUTING ${note("kubernetes postrouting rules")} -j KUBE-POSTROUTING`]],
    ["KUBE-LOAD-BALANCER", ["-A KUBE-LOAD-BALANCER -j KUBE-MARK-MASQ"]],
    ["KUBE-MARK-MASQ", ["-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"]],
    ["KUBE-NODE-PORT", []],
    [
      "KUBE-POSTROUTING",
      [
        `-A KUBE-POSTROUTING ${hairpin} ${set("KUBE-LOOP-BACK", "dst,dst,src")} -j MASQUERADE`,
        "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
        "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0",
        `-A KUBE-POSTROUTING ${note("kubernetes service traffic requiring SNAT")} -j MASQUERADE --random-fully`,
      ],
    ],
    [
      "KUBE-SERVICES",
      [
        `-A KUBE-SERVICES -s ${loopback} -j RETURN`,
        `-A KUBE-SERVICES ! -s ${NETWORKS[family].podRange} ${masquerade} ${set("KUBE-CLUSTER-IP", "dst,dst")} -j KUBE-MARK-MASQ`,
        "-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT",
        `-A KUBE-SERVICES ${set("KUBE-CLUSTER-IP", "dst,dst")} -j ACCEPT`,
      ],
    ],
    ...canaries,
  ]);
  return new SaveDocument([new SaveText("mangle", mangle), new SaveText("filter", filter), new SaveText("nat", nat)]);
}

function* changes(options: KubeProxyOptions, document: SaveDocument): Generator<Change, never> {
  const { family, services } = options;
  const set = `-m set --match-set ${ipsetName("KUBE-LOAD-BALANCER", family)} dst,dst`;
  const additions: Addition[] = [
    {
      table: "nat",
      chains: new Map(),
      shared: [
        {
          chain: "KUBE-SERVICES",
          lines: [`-A KUBE-SERVICES -m comment --comment "Kubernetes service lb portal" ${set} -j KUBE-LOAD-BALANCER`],
          behind: 3,
        },
        { chain: "KUBE-SERVICES", lines: [`-A KUBE-SERVICES ${set} -j ACCEPT`] },
      ],
    },
  ];
  for (let round = 0; ; round++) {
    const service = serviceAt(services + (round % SPARE_SERVICES), options);
    const entries = [
      ...entriesOf(service),
      `KUBE-LOAD-BALANCER ${NETWORKS[family].loadBalancerIp(services + (round % SPARE_SERVICES))},${service.protocol}:${service.number}`,
    ];
    const lines = (verb: string): string => entries.map((entry) => `${verb} ${inFamily(entry, family)}\n`).join("");
    yield* comeAndGo({
      document,
      name: `service ${service.port}, the first with a load balancer`,
      additions,
      sets: [lines("add"), lines("del")],
      restate: (difference) => restate(document, difference),
    });
  }
}

/** All chains of kube-proxy, whole. */
function restate(document: SaveDocument, difference: Difference): string {
  return (["nat", "filter"] as const satisfies readonly TableName[])
    .map((table) => {
      const chains = SYNCED[table];
      const rules = chains.map((chain) => document.chain(table, chain, difference));
      return `*${table}\n${chains.map(declaration).join("")}${rules.join("")}COMMIT\n`;
    })
    .join("");
}

/** Text for `ipset restore`. */
function setsOf(options: KubeProxyOptions): string {
  const { family, services } = options;
  const room = Math.max(65_536, 2 ** Math.ceil(Math.log2((services + SPARE_SERVICES) * options.endpoints)));
  const lines = SETS.map(([name, create]) => {
    const hashed = create.startsWith("hash:") ? ` hashsize 1024 maxelem ${room}` : "";
    return `create ${ipsetName(name, family)} ${create.replace("%", family === "ipv4" ? "inet" : "inet6")}${hashed}`;
  });
  for (let index = 0; index < services; index++)
    for (const entry of entriesOf(serviceAt(index, options))) lines.push(`add ${inFamily(entry, family)}`);
  return `${lines.join("\n")}\n`;
}

function entriesOf(service: Service): string[] {
  const { clusterIp, endpoints, number, protocol } = service;
  return [
    `KUBE-CLUSTER-IP ${clusterIp},${protocol}:${number}`,
    `KUBE-IPVS-IPS ${clusterIp}`,
    // Those of pods on this node: of three nodes, the first.
    ...endpoints
      .filter((_, nth) => nth % 3 === 0)
      .map((end) => {
        const address = addressOf(end);
        return `KUBE-LOOP-BACK ${address},${protocol}:${end.slice(end.lastIndexOf(":") + 1)},${address}`;
      }),
  ];
}

/** "SET ENTRY" with the set's name in this family. */
function inFamily(entry: string, family: Family): string {
  const [name, rest] = entry.split(" ") as [string, string];
  return `${ipsetName(name, family)} ${rest}`;
}
