/**
 * A server's own firewall: a short INPUT chain that admits a few services, and in front of it a chain with the addresses
 * that fail2ban has banned from ssh, the newest first. A change is a ban, then its end.
 *
 *     INPUT      tcp 22 -> f2b-sshd; loopback, known connections, ping, ssh, web; log; reject     10 rules
 *     f2b-sshd   a banned address -> REJECT                                                       1 rule each, and 1 more
 *
 * Source: fail2ban config/action.d/iptables.conf (actionban inserts at 1).
 */
import type { Family } from "../ruleset/row-store.js";
import { comeAndGo } from "./addition.js";
import { Random, scramble } from "./random.js";
import { SaveDocument } from "./save-document.js";
import { SaveText } from "./save-text.js";
import { type Spread, SPREADS } from "./spread.js";
import { PACKET_SIZE } from "../blob/layout.js";
import { encodePacket } from "../netfilter/packet.js";
import { checkWhole } from "./whole-number.js";
import type { Change, Workload } from "./workload.js";

export interface HostFirewallOptions {
  /** Banned addresses, 1 to 1,000,000. Default 1,000. */
  readonly banned: number;
  /** Default 1. */
  readonly seed: number;
  /** Default IPv4. */
  readonly family: Family;
}

export const HOST_FIREWALL_DEFAULTS: HostFirewallOptions = Object.freeze({ banned: 1000, seed: 1, family: "ipv4" });

const CHAIN = "f2b-sshd";
const NODES = { ipv4: "192.168.0.2", ipv6: "fd00:192:168::2" } as const;
const SPARE_BANS = 1000;

export function hostFirewall(options: Partial<HostFirewallOptions> = {}): Workload {
  const whole: HostFirewallOptions = { ...HOST_FIREWALL_DEFAULTS, ...options };
  const { banned, family, seed } = whole;
  checkWhole("banned", banned, 1, 1_000_000);
  const document = build(whole);
  return {
    name: "host-firewall",
    family,
    services: banned,
    rules: document.rules,
    period: 2,
    localAddresses: [family === "ipv4" ? "127.0.0.1 lo" : "::1 lo", `${NODES[family]} eth0`],
    ruleset: () => document.print(),
    changes: (of = seed) => changes(whole, document, of),
    traffic: (count, of = seed, spread = "uniform") => traffic(whole, count, new Random(of, 0x7472), spread),
  };
}

function build({ banned, family, seed }: HostFirewallOptions): SaveDocument {
  const refusal = family === "ipv4" ? "icmp-port-unreachable" : "icmp6-port-unreachable";
  const ping =
    family === "ipv4"
      ? "-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 10/sec -j ACCEPT"
      : "-A INPUT -p ipv6-icmp -j ACCEPT";
  const input = [
    `-A INPUT -p tcp -m multiport --dports 22 -j ${CHAIN}`,
    "-A INPUT -i lo -j ACCEPT",
    "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-A INPUT -m conntrack --ctstate INVALID -j DROP",
    ping,
    "-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT",
    "-A INPUT -p tcp -m multiport --dports 80,443 -m conntrack --ctstate NEW -j ACCEPT",
    "-A INPUT -p udp -m udp --dport 443 -j ACCEPT",
    '-A INPUT -m limit --limit 5/min -j LOG --log-prefix "input denied: "',
    `-A INPUT -j REJECT --reject-with ${refusal}`,
  ];
  const bans: string[] = [];
  for (let index = banned - 1; index >= 0; index--) bans.push(banOf(index, family, seed));
  const chains = new Map([
    ["INPUT", input],
    [CHAIN, [...bans, `-A ${CHAIN} -j RETURN`]],
  ]);
  return new SaveDocument([new SaveText("filter", chains, { INPUT: "DROP", FORWARD: "DROP" })]);
}

function* changes(
  { banned, family, seed }: HostFirewallOptions,
  document: SaveDocument,
  of: number,
): Generator<Change, never> {
  const random = new Random(of, 0x6368);
  for (let round = 0; ; round++) {
    const index = banned + (round % SPARE_BANS);
    const address = attacker(index, family, seed);
    const lines = [banOf(index, family, seed)];
    yield* comeAndGo({
      document,
      name: `ban of ${address}`,
      additions: [
        {
          table: "filter",
          chains: new Map(),
          shared: [{ chain: CHAIN, lines, behind: document.table("filter")?.count(CHAIN) ?? 0 }],
        },
      ],
      probe: {
        packet: packetOf(family, address, 22, random),
        before: { verdict: "ACCEPT", dnat: false },
        after: { verdict: "REJECT", dnat: false },
      },
    });
  }
}

/** Half goes to ssh from banned addresses, the rest from anywhere to services (three in five) and closed ports. */
function traffic(
  { banned, family, seed }: HostFirewallOptions,
  count: number,
  random: Random,
  spread: Spread,
): Uint8Array {
  const draw = SPREADS[spread](banned, random);
  const bytes = new Uint8Array(count * PACKET_SIZE);
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    const known = random.chance(0.5);
    const address = attacker(known ? draw() : banned + SPARE_BANS + random.below(1_000_000), family, seed);
    const port = known ? 22 : random.pick([22, 80, 443, 3389, 8080]);
    bytes.set(packetOf(family, address, port, random), at);
  }
  return bytes;
}

function packetOf(family: Family, source: string, destinationPort: number, random: Random): Uint8Array {
  const sourcePort = random.between(32768, 60999);
  return encodePacket({ family, source, sourcePort, destination: NODES[family], destinationPort, input: "eth0" });
}

function banOf(index: number, family: Family, seed: number): string {
  const source = `${attacker(index, family, seed)}/${family === "ipv4" ? 32 : 128}`;
  const refusal = family === "ipv4" ? "icmp-port-unreachable" : "icmp6-port-unreachable";
  return `-A ${CHAIN} -s ${source} -j REJECT --reject-with ${refusal}`;
}

/** Distinct addresses of 64.0.0.0/3 and 2001:db8::/32. */
function attacker(index: number, family: Family, seed: number): string {
  const value = scramble(index, 29, seed);
  if (family === "ipv6") return `2001:db8:${(1 + (value >>> 16)).toString(16)}::${(1 + (value & 0xffff)).toString(16)}`;
  const address = 0x40000000 + value;
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}
