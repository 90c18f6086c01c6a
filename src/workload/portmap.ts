/**
 * What the CNI plugins portmap and bridge (with ipMasq) keep on a host whose containers publish ports, as under nerdctl
 * or podman: for every container a chain of table nat that rewrites the destination, a rule that leads to it by its
 * ports, and a chain that masquerades what leaves the container.
 *
 *     CNI-HOSTPORT-DNAT   tcp 31817 -> CNI-DN-...                                   1 rule for up to 15 ports of a protocol
 *     CNI-DN-...          from the containers' network, from 127.0.0.1, then DNAT   3 rules a port (IPv6: 2)
 *     POSTROUTING         from the container -> CNI-...                             1 rule
 *     CNI-...             within the network stays, all but multicast masquerades   2 rules
 *
 * and 5 rules around them. portmap makes a change by a dozen runs of `iptables`, one after another.
 *
 * Source: containernetworking/plugins plugins/meta/portmap/portmap_iptables.go, pkg/ip/ipmasq_iptables_linux.go,
 * pkg/utils/utils.go.
 */
import { hash } from "node:crypto";
import type { Family } from "../ruleset/row-store.js";
import { type Addition, comeAndGo } from "./addition.js";
import { Random, scramble } from "./random.js";
import { SaveDocument } from "./save-document.js";
import { SaveText } from "./save-text.js";
import { type Clients, type End, packetTo, type TrafficPlan, trafficTo } from "./traffic.js";
import { checkWhole } from "./whole-number.js";
import type { Change, Workload } from "./workload.js";

export interface PortmapOptions {
  /** 1 to 60,000. Default 100. */
  readonly containers: number;
  /** Published ports of a container, 1 to 64. Default 1. */
  readonly ports: number;
  /** Default 1. */
  readonly seed: number;
  /** Default IPv4. */
  readonly family: Family;
  /** Whether the bridge masquerades what containers send. Default true. */
  readonly masquerade: boolean;
}

export const PORTMAP_DEFAULTS: PortmapOptions = Object.freeze({
  containers: 100,
  ports: 1,
  seed: 1,
  family: "ipv4",
  masquerade: true,
});

interface Container {
  /** "default-" and 64 hexadecimal digits. */
  readonly id: string;
  readonly address: string;
  readonly ports: readonly Port[];
}

interface Port {
  readonly protocol: "tcp" | "udp";
  readonly host: number;
  readonly container: number;
}

const NETWORK_NAME = "bridge";
const SPARE_CONTAINERS = 100;
const NETWORKS = {
  ipv4: {
    containers: "10.4.0.0/16",
    multicast: "224.0.0.0/4",
    node: "192.168.0.2",
    full: "/32",
    vacant: "192.168.0.3",
  },
  ipv6: {
    containers: "fd00:10:4::/64",
    multicast: "ff00::/8",
    node: "fd00:192:168::2",
    full: "/128",
    vacant: "fd00:192:168::3",
  },
} as const;
const CLIENTS: Readonly<Record<Family, readonly Clients[]>> = {
  ipv4: [{ network: "172.16.0.0", bits: 16, input: "eth0", weight: 1 }],
  ipv6: [{ network: "2001:db8:c2::", bits: 16, input: "eth0", weight: 1 }],
};

export function portmap(options: Partial<PortmapOptions> = {}): Workload {
  const whole: PortmapOptions = { ...PORTMAP_DEFAULTS, ...options };
  const { containers, family, ports, seed } = whole;
  checkWhole("containers", containers, 1, 60_000);
  checkWhole("ports", ports, 1, 64);
  if ((containers + SPARE_CONTAINERS) * ports > 64_000)
    throw new RangeError("containers: more ports in all than a host has");
  const document = build(whole);
  return {
    name: "portmap",
    family,
    services: containers,
    rules: document.rules,
    period: 2,
    localAddresses: [family === "ipv4" ? "127.0.0.1 lo" : "::1 lo", `${NETWORKS[family].node} eth0`],
    ruleset: () => document.print(),
    changes: (of = seed) => changes(whole, document, of),
    traffic: (count, of = seed, spread = "uniform") =>
      trafficTo({ ...planOf(whole), spread }, count, new Random(of, 0x7472)),
  };
}

function build(options: PortmapOptions): SaveDocument {
  const { family } = options;
  const chains = new Map<string, string[]>([
    ["PREROUTING", ["-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT"]],
    ["OUTPUT", ["-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT"]],
    ["POSTROUTING", ['-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ']],
    ["CNI-HOSTPORT-DNAT", []],
    ["CNI-HOSTPORT-MASQ", ["-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE"]],
    [
      "CNI-HOSTPORT-SETMARK",
      ['-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000'],
    ],
  ]);
  for (let index = 0; index < options.containers; index++) {
    const { chains: own, shared } = additionOf(containerAt(index, options), family, options.masquerade);
    for (const [name, lines] of own) chains.set(name, [...lines]);
    for (const { chain, lines } of shared) chains.get(chain)?.push(...lines);
  }
  return new SaveDocument([new SaveText("nat", chains)]);
}

function* changes(options: PortmapOptions, document: SaveDocument, seed: number): Generator<Change, never> {
  const random = new Random(seed, 0x6368);
  const plan = planOf({ ...options, containers: 0 });
  for (let round = 0; ; round++) {
    const container = containerAt(options.containers + (round % SPARE_CONTAINERS), options);
    const port = random.pick(container.ports);
    yield* comeAndGo({
      document,
      name: `container ${container.id.slice(0, 20)} at port ${port.host}`,
      additions: [additionOf(container, options.family, options.masquerade)],
      probe: {
        packet: packetTo(endOf(port, options.family), plan, random),
        before: { verdict: "ACCEPT", dnat: false },
        after: { verdict: "ACCEPT", dnat: true, destinations: [targetOf(container, port)] },
      },
    });
  }
}

function containerAt(index: number, { family, ports, seed }: PortmapOptions): Container {
  const random = new Random(seed, index);
  const id = Array.from({ length: 8 }, () => random.next().toString(16).padStart(8, "0")).join("");
  const host = index + 2;
  return {
    id: `default-${id}`,
    address: family === "ipv4" ? `10.4.${host >>> 8}.${host & 255}` : `fd00:10:4::${host.toString(16)}`,
    ports: Array.from({ length: ports }, (_, nth) => ({
      protocol: random.below(8) === 0 ? "udp" : "tcp",
      host: hostPort(index * ports + nth, seed),
      container: random.pick([80, 443, 8080, 5432, 9000]),
    })),
  };
}

/** Distinct ports from 1,024 up: a bijection of 16 bits is followed until it leaves the reserved ones. */
function hostPort(index: number, seed: number): number {
  let port = scramble(1024 + index, 16, seed);
  while (port < 1024) port = scramble(port, 16, seed);
  return port;
}

function additionOf(container: Container, family: Family, masquerade: boolean): Addition {
  const network = NETWORKS[family];
  const names = `name: \\"${NETWORK_NAME}\\" id: \\"${container.id}\\"`;
  const dnat = chainName("CNI-DN-", container.id);
  const rules = container.ports.flatMap((port) => {
    const to = `-p ${port.protocol} -m ${port.protocol} --dport ${port.host}`;
    return [
      `-A ${dnat} -s ${network.containers} ${to} -j CNI-HOSTPORT-SETMARK`,
      ...(family === "ipv4" ? [`-A ${dnat} -s 127.0.0.1/32 ${to} -j CNI-HOSTPORT-SETMARK`] : []),
      `-A ${dnat} ${to} -j DNAT --to-destination ${targetOf(container, port)}`,
    ];
  });
  const entries = (["tcp", "udp"] as const).flatMap((protocol) =>
    fifteens(container.ports.filter((port) => port.protocol === protocol)).map(
      (ports) =>
        `-A CNI-HOSTPORT-DNAT -p ${protocol} -m comment --comment "dnat ${names}" -m multiport --dports ${ports.map(({ host }) => host).join(",")} -j ${dnat}`,
    ),
  );
  const chains = new Map([[dnat, rules]]);
  const shared = [{ chain: "CNI-HOSTPORT-DNAT", lines: entries }];
  if (masquerade) {
    const chain = chainName("CNI-", container.id);
    const note = `-m comment --comment "${names}"`;
    chains.set(chain, [
      `-A ${chain} -d ${network.containers} ${note} -j ACCEPT`,
      `-A ${chain} ! -d ${network.multicast} ${note} -j MASQUERADE`,
    ]);
    const rule = `-A POSTROUTING -s ${container.address}${network.full} ${note} -j ${chain}`;
    shared.push({ chain: "POSTROUTING", lines: [rule] });
  }
  return { table: "nat", chains, shared };
}

/** 28 characters: the prefix, and the first digits of the names' sha512. */
export function chainName(prefix: "CNI-" | "CNI-DN-", containerId: string, network = NETWORK_NAME): string {
  return (prefix + hash("sha512", network + containerId)).slice(0, 28);
}

function planOf(options: PortmapOptions): Omit<TrafficPlan, "spread"> {
  const { family } = options;
  const ends: End[] = [];
  for (let index = 0; index < options.containers; index++)
    for (const port of containerAt(index, options).ports) ends.push(endOf(port, family));
  return { family, ends, vacant: [NETWORKS[family].vacant], clients: CLIENTS[family] };
}

function endOf(port: Port, family: Family): End {
  return { address: NETWORKS[family].node, port: port.host, protocol: port.protocol, output: "cni0" };
}

function targetOf({ address }: Container, port: Port): string {
  return address.includes(":") ? `[${address}]:${port.container}` : `${address}:${port.container}`;
}

/** A multiport match holds fifteen. */
function fifteens<T>(items: readonly T[]): T[][] {
  const groups: T[][] = [];
  for (let at = 0; at < items.length; at += 15) groups.push(items.slice(at, at + 15));
  return groups;
}
