/** Random machines: addresses, routes and rules as commands of `ip`, and rules that look at what routing makes of packets. */
import type { Family } from "../../src/ruleset/row-store.js";
import type { Random } from "./random.js";

export const DEVICES = ["eth0", "eth1", "eth2"];

interface Plan {
  readonly flag: string;
  readonly full: number;
  /** The machine's address on each device. */
  readonly own: readonly string[];
  readonly prefix: number;
  /** Where packets go, and where they come from. */
  readonly ends: readonly string[];
  readonly prefixes: readonly string[];
  readonly loopback: string;
}

const PLANS: Readonly<Record<Family, Plan>> = {
  ipv4: {
    flag: "-4",
    full: 32,
    own: ["10.0.0.1", "10.0.1.1", "10.0.2.1"],
    prefix: 24,
    ends: [
      ...["10.0.0.1", "10.0.1.1", "10.0.2.1", "10.0.0.9", "10.0.1.9", "10.0.2.9", "10.0.0.255", "127.0.0.1"],
      ...["192.0.2.1", "192.0.2.130", "192.0.3.7", "198.51.100.1", "203.0.113.5", "172.16.0.1"],
    ],
    prefixes: ["192.0.2.0/24", "192.0.2.128/25", "192.0.2.130", "192.0.0.0/16", "198.51.100.0/24", "203.0.113.0/28"],
    loopback: "127.0.0.1",
  },
  ipv6: {
    flag: "-6",
    full: 128,
    own: ["fd00::1", "fd00:1::1", "fd00:2::1"],
    prefix: 64,
    ends: [
      ...["fd00::1", "fd00:1::1", "fd00:2::1", "fd00::9", "fd00:1::9", "fd00:2::9", "::1"],
      ...["2001:db8::1", "2001:db8:0:8000::1", "2001:db8:1::7", "2001:db9::5", "2001:dba::1"],
    ],
    prefixes: ["2001:db8::/32", "2001:db8:0:8000::/49", "2001:db8::1", "2001:db8:1::/48", "2001:db9::/32"],
    loopback: "::1",
  },
};

/** Commands that give a machine its addresses, routes and rules, whatever it had before. */
export function randomMachine(random: Random, family: Family): string {
  const { flag, own, prefix, prefixes } = PLANS[family];
  const lines = ["ip -4 rule flush; ip -6 rule flush", "ip -4 addr flush scope global; ip -6 addr flush scope global"];
  for (const version of ["-4", "-6"])
    lines.push(
      `ip ${version} rule add priority 0 lookup local 2>/dev/null || true`,
      `ip ${version} rule add priority 32766 lookup main`,
      // Sources are looked at otherwise once there is a rule beside the usual ones.
      `ip ${version} rule add priority 50 iif nowhere lookup 100`,
      `ip ${version} route flush table main; ip ${version} route flush table 100 2>/dev/null || true`,
    );
  for (const [i, device] of DEVICES.entries())
    lines.push(`ip ${flag} addr add ${own[i]}/${prefix} dev ${device} ${family === "ipv6" ? "nodad" : ""}`);
  // An address of IPv6 is in force a moment later.
  if (family === "ipv6") lines.push("until [ $(ip -6 route show table local type local | wc -l) -ge 4 ]; do :; done");
  const hop = (device: number): string =>
    family === "ipv4" ? `10.0.${device}.9` : `fd00${device ? `:${device}` : ""}::9`;
  const way = (): string => {
    const device = random.below(3);
    if (random.chance(0.15)) return "";
    return `${random.chance(0.5) ? `via ${hop(device)} ` : ""}dev ${DEVICES[device]}`;
  };
  const route = (to: string, table: string): void => {
    const by = way();
    const type = by === "" ? random.pick(["blackhole", "unreachable", "prohibit", "throw"]) : "";
    lines.push(`ip ${flag} route replace ${type} ${to} ${by} metric ${random.pick([10, 20])} ${table} || true`);
  };
  if (random.chance(0.8)) route("default", "");
  for (const to of prefixes) if (random.chance(0.6)) route(to, "");
  for (const to of ["default", ...prefixes]) if (random.chance(0.4)) route(to, "table 100");
  for (let priority = 100; random.chance(0.6); priority += 10)
    lines.push(`ip ${flag} rule add priority ${priority} ${randomRule(random, family)}`);
  return lines.join("\n");
}

function randomRule(random: Random, family: Family): string {
  const { prefixes, own } = PLANS[family];
  const condition = random.pick([
    () => `fwmark ${random.pick(["0x1", "0x1/0x3", "0x2"])}`,
    () => `from ${random.pick(own)}`,
    () => `to ${random.pick(prefixes)}`,
    () => `iif ${random.pick([...DEVICES, "lo"])}`,
    () => `ipproto udp dport ${random.pick(["2", "2-3"])}`,
    () => "tos 0x10",
  ])();
  const end = random.pick([
    "lookup 100",
    "lookup 100",
    "lookup 100",
    "blackhole",
    "prohibit",
    "lookup main suppress_prefixlength 0",
  ]);
  return `${random.chance(0.2) ? "not " : ""}${condition} ${end}`;
}

/** Rules that change what routing looks at, and rules that look at what it has said. */
export function randomRoutedRules(random: Random, family: Family): string {
  const { own, loopback } = PLANS[family];
  // What goes to all on a link comes back as a copy.
  const ends = PLANS[family].ends.filter((end) => !end.endsWith(".255"));
  const to = (address: string): string =>
    family === "ipv6" ? `[${address}]:${random.pick([2, 7])}` : `${address}:${random.pick([2, 7])}`;
  const port = (): string => `-p udp -m udp --dport ${random.pick([1, 2, 3])}`;
  const watch = (chain: string): string => {
    const device = random.pick([...DEVICES, "lo"]);
    const by = chain === "PREROUTING" || chain === "INPUT" ? `-i ${device}` : `-o ${device}`;
    return `-A ${chain} ${random.pick([by, `-d ${random.pick(ends)}`, addressType(random, family)])}`;
  };
  const change = (): string =>
    random.pick([
      () => `-j MARK --set-xmark ${random.pick(["0x1", "0x2", "0x3"])}/0xffffffff`,
      () => `-j TOS --set-tos 0x10/0xff`,
    ])();
  const mangle = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"].flatMap((chain) => [
    ...(chain === "PREROUTING"
      ? [
          `-A PREROUTING -m rpfilter ${random.pick(["", "--loose", "--validmark", "--accept-local", "--loose --accept-local"])}`,
        ]
      : []),
    ...Array.from({ length: random.below(3) }, () => watch(chain)),
    ...Array.from({ length: random.below(3) }, () => `-A ${chain} ${port()} ${change()}`),
    ...Array.from({ length: random.below(2) }, () => watch(chain)),
  ]);
  const nat = [
    ...(["PREROUTING", "OUTPUT"] as const).flatMap((chain) =>
      Array.from({ length: random.below(3) }, () => {
        const target = random.chance(0.3)
          ? `-j REDIRECT --to-ports ${random.pick([2, 7])}`
          : `-j DNAT --to-destination ${to(random.pick(ends))}`;
        return `-A ${chain} ${port()} ${target}`;
      }),
    ),
    ...Array.from({ length: random.below(3) }, () => {
      const target = random.chance(0.6) ? "-j MASQUERADE" : `-j SNAT --to-source ${random.pick(own)}`;
      return `${watch("POSTROUTING")} ${target}`;
    }),
  ].filter((line) => !line.includes(loopback));
  const filter = ["INPUT", "FORWARD", "OUTPUT"].flatMap((chain) => Array.from({ length: 2 }, () => watch(chain)));
  const table = (name: string, chains: string, lines: readonly string[]): string =>
    `*${name}\n${chains
      .split(" ")
      .map((chain) => `:${chain} ACCEPT [0:0]\n`)
      .join("")}${lines.map((line) => `${line}\n`).join("")}COMMIT\n`;
  return [
    table("raw", "PREROUTING OUTPUT", [`-A OUTPUT -p ${family === "ipv4" ? "icmp" : "ipv6-icmp"} -j DROP`]),
    table("mangle", "PREROUTING INPUT FORWARD OUTPUT POSTROUTING", mangle),
    table("nat", "PREROUTING INPUT OUTPUT POSTROUTING", nat),
    // Linux keeps no connections, and walks no nat table, before some rule asks for them.
    table("filter", "INPUT FORWARD OUTPUT", [...filter, "-A OUTPUT -m conntrack --ctstate NEW"]),
  ].join("");
}

function addressType(random: Random, family: Family): string {
  const side = random.pick(["src", "dst"]);
  const types =
    family === "ipv4"
      ? ["UNICAST", "LOCAL", "BROADCAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT"]
      : ["UNICAST", "LOCAL", "UNREACHABLE"];
  return `-m addrtype --${side}-type ${random.pick(types)}`;
}

/** Ends of a packet: of the machine's own, the source is one of its addresses. */
export function randomEnds(random: Random, family: Family, outward: boolean): { source: string; destination: string } {
  const { own, ends, loopback } = PLANS[family];
  const destination = random.pick(ends.filter((end) => (outward ? !end.endsWith(".255") : end !== loopback)));
  return { source: outward ? random.pick(own) : random.pick(ends.filter((end) => end !== loopback)), destination };
}
