/**
 * What the Docker daemon keeps on a host whose containers publish ports on bridge networks of their own, a port each.
 * A container's coming and going changes three tables at once:
 *
 *     raw PREROUTING   to the container's address from elsewhere than its bridge -> DROP     1 rule
 *     nat DOCKER       to the published port -> DNAT                                         1 rule
 *     filter DOCKER    to the container's port, from another interface -> ACCEPT             1 rule, in front
 *
 * A network has 5 rules (masquerade, default drop, dispatch, established, outgoing), docker0 included, the daemon 7.
 *
 * Source: moby integration/network/bridge/iptablesdoc and daemon/libnetwork/drivers/bridge/internal/iptabler (version
 * 28 and later, with DOCKER-FORWARD; gateway mode nat, userland proxy on).
 */
import type { Family } from "../ruleset/row-store.js";
import type { TableName } from "../ruleset/ruleset.js";
import { type Addition, comeAndGo } from "./addition.js";
import { Random, scramble } from "./random.js";
import { SaveDocument } from "./save-document.js";
import { SaveText } from "./save-text.js";
import { type Clients, type End, packetTo, type TrafficPlan, trafficTo } from "./traffic.js";
import { checkWhole } from "./whole-number.js";
import type { Change, Workload } from "./workload.js";

export interface DockerOptions {
  /** Containers, each with one published port: 1 to 60,000. Default 100. */
  readonly containers: number;
  /** Containers on a bridge network, 1 to 250. Default 20. */
  readonly perNetwork: number;
  /** Default 1. */
  readonly seed: number;
  /** Default IPv4. */
  readonly family: Family;
}

export const DOCKER_DEFAULTS: DockerOptions = Object.freeze({
  containers: 100,
  perNetwork: 20,
  seed: 1,
  family: "ipv4",
});

interface Network {
  readonly bridge: string;
  readonly subnet: string;
}

interface Container {
  readonly name: string;
  readonly address: string;
  readonly network: Network;
  readonly protocol: "tcp" | "udp";
  readonly hostPort: number;
  readonly port: number;
}

const SPARE_CONTAINERS = 100;
const DOCKER0: Readonly<Record<Family, Network>> = {
  ipv4: { bridge: "docker0", subnet: "172.17.0.0/16" },
  ipv6: { bridge: "docker0", subnet: "fd00:17::/64" },
};
const NODES = { ipv4: "192.168.0.2", ipv6: "fd00:192:168::2" } as const;
const CLIENTS: Readonly<Record<Family, readonly Clients[]>> = {
  ipv4: [{ network: "172.16.0.0", bits: 16, input: "eth0", weight: 1 }],
  ipv6: [{ network: "2001:db8:c2::", bits: 16, input: "eth0", weight: 1 }],
};

export function docker(options: Partial<DockerOptions> = {}): Workload {
  const whole: DockerOptions = { ...DOCKER_DEFAULTS, ...options };
  const { containers, family, perNetwork, seed } = whole;
  checkWhole("containers", containers, 1, 60_000);
  checkWhole("perNetwork", perNetwork, 1, 250);
  const document = build(whole);
  return {
    name: "docker",
    family,
    services: containers,
    rules: document.rules,
    period: 2,
    localAddresses: [family === "ipv4" ? "127.0.0.1 lo" : "::1 lo", `${NODES[family]} eth0`],
    ruleset: () => document.print(),
    changes: (of = seed) => changes(whole, document, of),
    traffic: (count, of = seed, spread = "uniform") =>
      trafficTo({ ...planOf(whole), spread }, count, new Random(of, 0x7472)),
  };
}

function build(options: DockerOptions): SaveDocument {
  const { containers, family, perNetwork } = options;
  const networks = [DOCKER0[family]];
  for (let nth = 0; nth * perNetwork < containers; nth++) networks.push(networkAt(nth, options));
  const per = (line: (network: Network) => string): string[] => networks.map(line);
  const raw: string[] = [];
  const nat: string[] = [];
  const accepts: string[] = [];
  for (let index = 0; index < containers; index++) {
    const rules = rulesOf(containerAt(index, options), family);
    raw.push(rules.raw);
    nat.push(rules.nat);
    accepts.push(rules.filter);
  }
  const loopback = family === "ipv4" ? "127.0.0.0/8" : "::1/128";
  return new SaveDocument([
    new SaveText("raw", new Map([["PREROUTING", raw]])),
    new SaveText(
      "filter",
      new Map([
        ["FORWARD", ["-A FORWARD -j DOCKER-USER", "-A FORWARD -j DOCKER-FORWARD"]],
        // Ports go in front of those that are there, the networks' drops behind.
        ["DOCKER", [...accepts.reverse(), ...per(({ bridge }) => `-A DOCKER ! -i ${bridge} -o ${bridge} -j DROP`)]],
        ["DOCKER-BRIDGE", per(({ bridge }) => `-A DOCKER-BRIDGE -o ${bridge} -j DOCKER`)],
        [
          "DOCKER-CT",
          per(({ bridge }) => `-A DOCKER-CT -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`),
        ],
        [
          "DOCKER-FORWARD",
          [
            "-A DOCKER-FORWARD -j DOCKER-CT",
            "-A DOCKER-FORWARD -j DOCKER-INTERNAL",
            "-A DOCKER-FORWARD -j DOCKER-BRIDGE",
            ...per(({ bridge }) => `-A DOCKER-FORWARD -i ${bridge} -j ACCEPT`),
          ],
        ],
        ["DOCKER-INTERNAL", []],
        ["DOCKER-USER", []],
      ]),
      { FORWARD: "DROP" },
    ),
    new SaveText(
      "nat",
      new Map([
        ["PREROUTING", ["-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"]],
        ["OUTPUT", [`-A OUTPUT ! -d ${loopback} -m addrtype --dst-type LOCAL -j DOCKER`]],
        [
          "POSTROUTING",
          per(({ bridge, subnet }) => `-A POSTROUTING -s ${subnet} ! -o ${bridge} -j MASQUERADE`).reverse(),
        ],
        ["DOCKER", nat],
      ]),
    ),
  ]);
}

function* changes(options: DockerOptions, document: SaveDocument, seed: number): Generator<Change, never> {
  const { containers, family } = options;
  const random = new Random(seed, 0x6368);
  const plan = { family, clients: CLIENTS[family] };
  for (let round = 0; ; round++) {
    // On a network that is there already.
    const container = containerAt(containers + (round % SPARE_CONTAINERS), options, random.below(containers));
    const target = targetOf(container);
    yield* comeAndGo({
      document,
      name: `container ${container.name} at port ${container.hostPort}`,
      additions: additionsOf(container, family, document),
      probe: {
        packet: packetTo(endOf(container, family), plan, random),
        before: { verdict: "ACCEPT", dnat: false },
        after: { verdict: "ACCEPT", dnat: true, destinations: [target] },
      },
    });
  }
}

function additionsOf(container: Container, family: Family, document: SaveDocument): Addition[] {
  const rules = rulesOf(container, family);
  const part = (table: TableName, chain: string, line: string, behind: number): Addition => ({
    table,
    chains: new Map(),
    shared: [{ chain, lines: [line], behind }],
  });
  return [
    part("raw", "PREROUTING", rules.raw, 0),
    part("filter", "DOCKER", rules.filter, document.table("filter")?.count("DOCKER") ?? 0),
    part("nat", "DOCKER", rules.nat, 0),
  ];
}

/** `beside` is the container whose network it joins; default its own number. */
function containerAt(index: number, options: DockerOptions, beside = index): Container {
  const { family, perNetwork, seed } = options;
  const random = new Random(seed, index);
  const nth = Math.floor(beside / perNetwork);
  // Hosts 2 to 251 are for those counted, 252 to 254 for one that comes and goes.
  const host = beside === index ? 2 + (index % perNetwork) : 252 + (index % 3);
  return {
    name: random.next().toString(16).padStart(8, "0"),
    address:
      family === "ipv4"
        ? `10.${200 + (nth >>> 8)}.${nth & 255}.${host}`
        : `fd00:200:${(nth + 1).toString(16)}::${host.toString(16)}`,
    network: networkAt(nth, options),
    protocol: random.below(8) === 0 ? "udp" : "tcp",
    hostPort: publishedPort(index, seed),
    port: random.pick([80, 443, 3306, 5432, 8080]),
  };
}

/** Distinct ports from 1,024 up: a bijection of 16 bits is followed until it leaves the reserved ones. */
function publishedPort(index: number, seed: number): number {
  let port = scramble(1024 + index, 16, seed + 1);
  while (port < 1024) port = scramble(port, 16, seed + 1);
  return port;
}

/** From the address pool 10.200.0.0/13, /24 each; a bridge is called by the first digits of its network's id. */
function networkAt(nth: number, { family, seed }: DockerOptions): Network {
  const random = new Random(seed, 0x6e000000 + nth);
  const id = random.next().toString(16).padStart(8, "0") + random.below(0x10000).toString(16).padStart(4, "0");
  const subnet =
    family === "ipv4" ? `10.${200 + (nth >>> 8)}.${nth & 255}.0/24` : `fd00:200:${(nth + 1).toString(16)}::/64`;
  return { bridge: `br-${id}`, subnet };
}

function rulesOf(container: Container, family: Family): { raw: string; nat: string; filter: string } {
  const { address, network, protocol, hostPort, port } = container;
  const { bridge } = network;
  const full = family === "ipv4" ? "/32" : "/128";
  const linkLocal = family === "ipv4" ? "" : "! -s fe80::/10 ";
  return {
    raw: `-A PREROUTING -d ${address}${full} ! -i ${bridge} -j DROP`,
    nat: `-A DOCKER ${linkLocal}! -i ${bridge} -p ${protocol} -m ${protocol} --dport ${hostPort} -j DNAT --to-destination ${targetOf(container)}`,
    filter: `-A DOCKER -d ${address}${full} ! -i ${bridge} -o ${bridge} -p ${protocol} -m ${protocol} --dport ${port} -j ACCEPT`,
  };
}

function planOf(options: DockerOptions): Omit<TrafficPlan, "spread"> {
  const { containers, family } = options;
  const ends = Array.from({ length: containers }, (_, index) => endOf(containerAt(index, options), family));
  return { family, ends, vacant: [family === "ipv4" ? "192.168.0.3" : "fd00:192:168::3"], clients: CLIENTS[family] };
}

function endOf({ hostPort, protocol, network }: Container, family: Family): End {
  return { address: NODES[family], port: hostPort, protocol, output: network.bridge };
}

function targetOf({ address, port }: Container): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
