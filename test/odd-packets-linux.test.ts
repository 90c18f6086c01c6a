/**
 * Packets that no honest machine sends, under random rules in Linux and in an engine with either classifier.
 *
 * RULESWAP_ROUNDS, RULESWAP_PACKETS and RULESWAP_SEED: rulesets of each kind, packets each, and the first seed.
 */
import { describe, expect, it } from "vitest";
import { countedApart, type CountedRound } from "./oracle/counted.js";
import { ODD_OPTIONS, ODD_PORTS, oddFrame } from "./oracle/odd-frames.js";
import { Random } from "./oracle/random.js";
import { trafficMissing, WIRES } from "./oracle/traffic.js";
import type { Family } from "../src/ruleset/row-store.js";
import { setting } from "./setting.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const ROUNDS = setting("ROUNDS", 24);
const PACKETS = setting("PACKETS", 60);
const FIRST = setting("SEED", 0);
const LIMIT_MS = 60_000 + 40 * ROUNDS * PACKETS;
const WATCHED = /^mangle (PREROUTING|INPUT|FORWARD|some) /;

/** Checksums are not the engine's business. */
const TRACKING = "sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=1 net.netfilter.nf_conntrack_checksum=0";

type Maker = (random: Random) => string;
const maybe = (random: Random): string => (random.chance(0.3) ? "! " : "");
const port = (random: Random): number => random.pick(ODD_PORTS);
const ports: Maker = (random) =>
  random.pick([`--dport ${port(random)}`, `${maybe(random)}--sport ${port(random)}`, "--dport 0:100"]);

const TO_SOME: Maker = (random) => `-p ${random.pick(["tcp", "udp", "sctp"])} -j some`;

/** Conditions that look at a transport header, of both families. */
const TRANSPORT: readonly Maker[] = [
  (random) => `-p tcp -m tcp ${ports(random)}`,
  (random) => `-p tcp -m tcp ${maybe(random)}--tcp-option ${random.pick(ODD_OPTIONS)}`,
  (random) => `-p tcp -m tcp ${ports(random)} ${maybe(random)}--tcp-option ${random.pick(ODD_OPTIONS)}`,
  (random) =>
    `-p tcp -m tcp ${maybe(random)}--tcp-flags ${random.pick(["SYN,ACK SYN", "ALL NONE", "FIN,PSH,URG FIN,PSH,URG"])}`,
  (random) => `-p tcp -m tcpmss ${maybe(random)}--mss ${random.pick(["0:100", "1:536", "536:1460", "0:65535"])}`,
  (random) => `-p tcp -m tcpmss --mss 0:65535 -m tcp --dport ${port(random)}`,
  (random) => `-p tcp -m multiport ${maybe(random)}--ports 0,22,80:443`,
  (random) => `-p tcp -m ecn ${maybe(random)}${random.pick(["--ecn-tcp-cwr", "--ecn-tcp-ece"])}`,
  (random) => `-p udp -m udp ${ports(random)}`,
  () => "-p udplite -m multiport --dports 0:1000",
  (random) => `-p sctp -m sctp ${ports(random)}`,
  (random) =>
    `-p sctp -m sctp ${maybe(random)}--chunk-types ${random.pick(["any DATA", "all DATA,INIT", "only SACK", "any ABORT:t", "none ABORT"])}`.replace(
      "none",
      "any",
    ),
  (random) => `-p dccp -m dccp ${ports(random)}`,
  (random) => `-p dccp -m dccp ${maybe(random)}--dccp-types ${random.pick(["REQUEST,DATA", "RESET", "INVALID"])}`,
  (random) => `-p dccp -m dccp ${maybe(random)}--dccp-option ${random.pick([1, 32, 40])}`,
  (random) => `-p esp -m esp ${maybe(random)}--espspi 0:2147483648`,
  (random) => `-p 108 -m ipcomp ${maybe(random)}--ipcompspi 0:30000`,
  (random) => `-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss ${random.pick([100, 536, 9000])}`,
  (random) => `-p tcp -j TCPOPTSTRIP --strip-options ${random.pick(["mss", "sack", "wscale,timestamp", "2,3,4,5,8"])}`,
];

/** Others. */
const PLAIN: readonly Maker[] = [
  (random) =>
    `${maybe(random)}-p ${random.pick(["tcp", "udp", "icmp", "ipv6-icmp", "ah", "esp", "sctp", "gre", "59", "135", "255"])}`,
  (random) => `-m length ${maybe(random)}--length ${random.pick(["0:39", "40:60", "61:100", "48"])}`,
  (random) =>
    `-m u32 --u32 "${random.pick(["0>>22&0x3c@0>>16=0:100", "6&0xff=6", "40>>16=0:1000", "52>>24=0:127", "20&0xffff=80"])}"`,
  (random) =>
    `-m string --hex-string "|${random.pick(["00", "0001", "0204", "ff"])}|" --algo ${random.pick(["bm", "kmp"])}`,
  (random) => `-m tos --tos ${random.pick(["0x10", "0x01/0x03", "0xb8"])}`,
  () => "-m mark --mark 0",
  () => "-m statistic --mode nth --every 2 --packet 0",
  (random) => `-j MARK --set-mark ${random.below(3)}`,
  (random) =>
    `-m hashlimit --hashlimit-above 1/day --hashlimit-burst 1 --hashlimit-mode ${random.pick(["srcip,dstport", "srcport", "dstip"])} --hashlimit-name odd${random.below(1000)}`,
  TO_SOME,
];

const OF: Readonly<Record<Family, readonly Maker[]>> = {
  ipv4: [
    (random) => `-p icmp -m icmp ${maybe(random)}--icmp-type ${random.pick(["any", "8", "3", "3/1", "255"])}`,
    (random) => `-p ah -m ah ${maybe(random)}--ahspi 0:2147483648`,
    (random) => `${maybe(random)}-f`,
    (random) => `-m ttl --ttl-gt ${random.pick([1, 63])}`,
    (random) => `! -f -p tcp -j ECN --ecn-tcp-remove ${random.pick(["", "-m comment --comment x"])}`,
  ],
  ipv6: [
    (random) => `-p ipv6-icmp -m icmp6 ${maybe(random)}--icmpv6-type ${random.pick(["1", "128", "1/3", "255"])}`,
    (random) => `-m ah ${maybe(random)}--ahspi 0:2147483648 ${random.pick(["", "--ahlen 12", "--ahres"])}`,
    (random) =>
      `-m frag ${random.pick(["--fragid 0:90000", "--fragmore", "--fraglast", "--fragfirst", "--fragres", "--fraglen 8"])}`,
    (random) => `-m rt ${random.pick(["--rt-type 0", "--rt-segsleft 0", "--rt-len 24", "! --rt-type 2"])}`,
    (random) => `-m hbh ${random.pick(["--hbh-len 8", "--hbh-opts 1:4", ""])}`,
    (random) => `-m dst ${random.pick(["--dst-len 8", "--dst-opts 1:4", ""])}`,
    (random) => `-p 135 -m mh --mh-type ${random.pick(["0:3", "5"])}`,
    (random) =>
      `-m ipv6header ${maybe(random)}--header ${random.pick(["hop,dst", "route", "frag", "auth", "esp", "none", "prot", "frag,prot"])} ${random.pick(["", "--soft"])}`,
    (random) => `-m hl --hl-gt ${random.pick([1, 63])}`,
    () => "-m eui64",
    (random) =>
      `-m srh ${random.pick(["--srh-segs-left-eq 0", "--srh-hdr-len-gt 0", "--srh-tag 0", "--srh-next-hdr 6"])}`,
  ],
};

/** One bit or more of some word, checksums' too: bytes as they are by then. */
const readWord: Maker = (random) =>
  `-m u32 --u32 "${random.pick([random.below(48), random.below(96), `0>>22&0x3c@${random.below(20)}`])}&0x${(random.pick([1, 1, 3]) << random.below(30)).toString(16)}=0"`;

/** Bytes are written, and read behind that. */
const REWRITES: readonly Maker[] = [
  readWord,
  readWord,
  readWord,
  (random) => `-j ${random.pick(["TOS --set-tos 0x10/0xff", "TOS --set-tos 0xb8/0xff", "DSCP --set-dscp 5"])}`,
  (random) => `-m bpf --bytecode "2,32 0 0 ${4 * random.below(16)},6 0 0 1" -m u32 --u32 "0&0xf=0:5"`,
];

/** Where connections are tracked, their ends. */
const BINDINGS: Readonly<Record<Family, readonly Maker[]>> = {
  ipv4: [
    (random) =>
      `-A PREROUTING ${someOf(random)} -j DNAT --to-destination ${random.pick(["203.0.113.77", "198.51.100.2"])}`,
    (random) =>
      `-A PREROUTING -p ${random.pick(["tcp", "udp", "sctp"])} -j DNAT --to-destination 203.0.113.77:${random.pick([81, 8080])}`,
    (random) => `-A POSTROUTING ${someOf(random)} -j SNAT --to-source 203.0.113.99`,
  ],
  ipv6: [
    (random) =>
      `-A PREROUTING ${someOf(random)} -j DNAT --to-destination ${random.pick(["2001:db8:9::77", "2001:db8:9:1::2"])}`,
    (random) =>
      `-A PREROUTING -p ${random.pick(["tcp", "udp", "sctp"])} -j DNAT --to-destination [2001:db8:9::77]:${random.pick([81, 8080])}`,
    (random) => `-A POSTROUTING ${someOf(random)} -j SNAT --to-source 2001:db8:9::99`,
  ],
};
const someOf: Maker = (random) =>
  random.pick(["", "-p tcp", "-p udp", "-p sctp", "-m statistic --mode nth --every 2 --packet 0"]);

const STATES: readonly Maker[] = [
  (random) =>
    `-m conntrack ${maybe(random)}--ctstate ${random.pick(["NEW", "INVALID", "RELATED", "ESTABLISHED", "UNTRACKED"])}`,
  (random) => `-m conntrack --ctproto ${random.pick(["tcp", "udp", "icmp"])}`,
];

function makeRound(seed: number, tracked: boolean): CountedRound {
  const random = new Random(seed);
  const family = random.pick(["ipv4", "ipv6"] as const);
  const makers = [
    ...TRANSPORT,
    ...PLAIN,
    ...PLAIN,
    ...OF[family],
    ...OF[family],
    ...REWRITES,
    ...REWRITES,
    ...(tracked ? [...STATES, ...STATES, ...STATES] : []),
  ];
  const rules = Array.from({ length: random.pick([8, 24, 40]) }, () => {
    const chain = random.pick(["PREROUTING", "PREROUTING", "INPUT", "FORWARD", "some"]);
    const rule = random.pick(makers.filter((maker) => chain !== "some" || maker !== TO_SOME))(random);
    const device = random.chance(0.2) ? `-i ${random.pick(WIRES)} ` : "";
    const verdict =
      !rule.includes(" -j ") && !rule.startsWith("-j") && random.chance(0.1)
        ? ` -j ${random.pick(["DROP", "ACCEPT", "RETURN"])}`
        : "";
    return `-A ${chain} ${device}${rule}${verdict}`;
  });
  const chains = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"].map((chain) => `:${chain} ACCEPT [0:0]\n`);
  const asks = tracked ? "-A OUTPUT -m conntrack --ctstate NEW\n" : "";
  const binds = Array.from({ length: tracked ? random.below(4) : 0 }, () => random.pick(BINDINGS[family])(random));
  const nat = `*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n${binds.join("\n")}\nCOMMIT\n`;
  return {
    family,
    text: `${binds.length > 0 ? nat : ""}*mangle\n${chains.join("")}:some - [0:0]\n${rules.join("\n")}\n${asks}COMMIT\n`,
    frames: Array.from({ length: PACKETS }, (_, nth) => ({
      device: random.pick(WIRES),
      bytes: oddFrame(random, family, seed * PACKETS + nth),
    })),
    ...(tracked ? { setup: TRACKING } : {}),
    options: {
      connections: tracked ? 1024 : 0,
      classifier: random.pick(["linear", "tuple-space"] as const),
      sysctls: { tcp_be_liberal: 1 },
    },
  };
}

function play(tracked: boolean): void {
  const rounds = Array.from({ length: ROUNDS }, (_, nth) => makeRound(FIRST + nth, tracked));
  const { apart, counting, rules } = countedApart(rounds, WATCHED);
  console.log(
    `${ROUNDS} rulesets from seed ${FIRST}, ${ROUNDS * PACKETS} packets, ${counting} of ${rules} rules counted`,
  );
  expect(apart.length, apart.slice(0, 3).join("\n")).toBe(0);
  expect(counting).toBeGreaterThan(rules / 4);
}

describe("Linux and the engine count the same of odd packets", () => {
  it.skipIf(missing)(`where nothing is tracked${skipped}`, () => play(false), LIMIT_MS);
  it.skipIf(missing)(`where connections are${skipped}`, () => play(true), LIMIT_MS);
});
