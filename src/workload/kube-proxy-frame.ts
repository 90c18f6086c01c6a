/**
 * What stands around the services: chains that kube-proxy and the kubelet make once, and the jumps into them.
 *
 * Table nat has 8 rules of this kind, so n services with 3 endpoints are 11 n + 8 rules there:
 *
 *     PREROUTING -> KUBE-SERVICES, OUTPUT -> KUBE-SERVICES, POSTROUTING -> KUBE-POSTROUTING      3
 *     KUBE-POSTROUTING: leave unmarked packets, clear the mark, MASQUERADE                       3
 *     KUBE-MARK-MASQ: set the mark                                                               1
 *     KUBE-SERVICES, last: local addresses -> KUBE-NODEPORTS                                     1
 *
 * Table filter has 15 (IPv6: 14, no rule against forged loopback addresses), mangle none.
 *
 * Source: kubernetes pkg/proxy/iptables/proxier.go (iptablesJumpChains, each put in front of those before it) and
 * pkg/kubelet/kubelet_network_linux.go; the canaries are those of pkg/util/iptables Monitor.
 */
import type { Family } from "../ruleset/row-store.js";

export type Lines = readonly string[];

/** Chains of each table without any service, in order of their rules. KUBE-SERVICES of nat lacks its last rule. */
export interface Frame {
  readonly mangle: ReadonlyMap<string, Lines>;
  readonly filter: ReadonlyMap<string, Lines>;
  readonly nat: ReadonlyMap<string, Lines>;
}

const NEW = "-m conntrack --ctstate NEW";
const portals = '-m comment --comment "kubernetes service portals" -j KUBE-SERVICES';
const externalPortals = `${NEW} -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES`;
const loadBalancers = `${NEW} -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL`;

/** Chains that kube-proxy writes whole in every sync, in its order. */
export const SYNCED_FILTER_CHAINS = [
  "KUBE-SERVICES",
  "KUBE-EXTERNAL-SERVICES",
  "KUBE-FORWARD",
  "KUBE-NODEPORTS",
  "KUBE-PROXY-FIREWALL",
];
export const SYNCED_NAT_CHAINS = ["KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ"];

/** The rule that must stay the last one of nat's KUBE-SERVICES. */
export function lastServicesRule(family: Family): string {
  const note = "kubernetes service nodeports; NOTE: this must be the last rule in this chain";
  const loopback = family === "ipv6" ? "! -d ::1/128 " : "";
  return `-A KUBE-SERVICES ${loopback}-m comment --comment "${note}" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`;
}

export function frame(family: Family): Frame {
  const canaries: [string, Lines][] = [
    ["KUBE-KUBELET-CANARY", []],
    ["KUBE-PROXY-CANARY", []],
  ];
  return {
    mangle: new Map<string, Lines>([["KUBE-IPTABLES-HINT", []], ...canaries]),
    filter: new Map<string, Lines>([
      [
        "INPUT",
        [
          "-A INPUT -j KUBE-FIREWALL",
          `-A INPUT ${loadBalancers}`,
          '-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS',
          `-A INPUT ${externalPortals}`,
        ],
      ],
      [
        "FORWARD",
        [
          `-A FORWARD ${loadBalancers}`,
          '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
          `-A FORWARD ${NEW} ${portals}`,
          `-A FORWARD ${externalPortals}`,
        ],
      ],
      ["OUTPUT", ["-A OUTPUT -j KUBE-FIREWALL", `-A OUTPUT ${loadBalancers}`, `-A OUTPUT ${NEW} ${portals}`]],
      ["KUBE-EXTERNAL-SERVICES", []],
      ["KUBE-FIREWALL", family === "ipv4" ? [FORGED_LOOPBACK] : []],
      [
        "KUBE-FORWARD",
        [
          "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP",
          '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT',
          '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
        ],
      ],
      ["KUBE-NODEPORTS", []],
      ["KUBE-PROXY-FIREWALL", []],
      ["KUBE-SERVICES", []],
      ...canaries,
    ]),
    nat: new Map<string, Lines>([
      ["PREROUTING", [`-A PREROUTING ${portals}`]],
      ["OUTPUT", [`-A OUTPUT ${portals}`]],
      ["POSTROUTING", ['-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING']],
      ["KUBE-MARK-MASQ", ["-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"]],
      ["KUBE-NODEPORTS", []],
      [
        "KUBE-POSTROUTING",
        [
          "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
          "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0",
          '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
        ],
      ],
      ["KUBE-SERVICES", []],
      ...canaries,
    ]),
  };
}

const FORGED_LOOPBACK =
  '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP';
