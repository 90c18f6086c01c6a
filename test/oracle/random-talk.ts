/** Random NAT rulesets of a router, and talks through it. */
import type { Family } from "../../src/ruleset/row-store.js";
import { hasPorts, PROTOCOL_DCCP, PROTOCOL_GRE, PROTOCOL_UDPLITE } from "./frame.js";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_SCTP, PROTOCOL_TCP, PROTOCOL_UDP } from "./packet.js";
import type { Random } from "./random.js";
import { randomSteps } from "./random-steps.js";
import { LAN, type Opening, type Step, type TalkRound, WAN } from "./talk.js";

interface Places {
  readonly clients: readonly string[];
  readonly servers: readonly string[];
  readonly insider: string;
  readonly inside: string;
  readonly outside: string;
  readonly alias: string;
  readonly lastAlias: string;
  readonly lastInsider: string;
  readonly lan: string;
  readonly map: string;
  readonly far: string;
  readonly farMap: string;
  readonly mask: string;
  readonly limitMask: number;
  /** A router on the way. */
  readonly middle: string;
}

const PLACES: Readonly<Record<Family, Places>> = {
  ipv4: {
    clients: ["10.0.0.9", "10.0.0.8"],
    servers: ["198.51.100.7", "198.51.100.8"],
    insider: "10.0.0.80",
    inside: "10.0.0.1",
    outside: "192.0.2.1",
    alias: "192.0.2.99",
    lastAlias: "192.0.2.107",
    lastInsider: "10.0.0.86",
    lan: "10.0.0.0/24",
    map: "203.0.113.0/24",
    far: "198.51.100.0/24",
    farMap: "198.18.5.0/24",
    mask: "/32",
    limitMask: 24,
    middle: "198.51.100.254",
  },
  ipv6: {
    clients: ["fd00:1::9", "fd00:1::8"],
    servers: ["2001:db8:7::7", "2001:db8:7::8"],
    insider: "fd00:1::80",
    inside: "fd00:1::1",
    outside: "2001:db8::1",
    alias: "2001:db8::99",
    lastAlias: "2001:db8::1:a3",
    lastInsider: "fd00:1::86",
    lan: "fd00:1::/64",
    map: "2001:db8:33::/64",
    far: "2001:db8:7::/64",
    farMap: "2001:db8:55::/64",
    mask: "/128",
    limitMask: 64,
    middle: "2001:db8:7::fe",
  },
};
const PORTS = [53, 80, 443];
/** Setting of a router that believes every segment; of one that does not. */
const LIBERAL = { tcp_be_liberal: 1, acct: 0 } as const;

export function randomTalks(random: Random, family: Family): TalkRound {
  const places = PLACES[family];
  const bytes = random.chance(0.6);
  const openings = Array.from({ length: random.between(3, 8) }, () => randomOpening(random, family, places));
  const talks = openings.map((opening, talk) => {
    const steps = randomSteps(random, opening.protocol, bytes).map((step) => ({ talk, ...step }));
    while (random.chance(0.25))
      steps.splice(random.between(1, steps.length), 0, { talk, ...randomError(random, family, places) });
    return steps;
  });
  const steps: Step[] = [];
  while (talks.some((talk) => talk.length > 0)) {
    const step = random.pick(talks.filter((talk) => talk.length > 0)).shift();
    if (step) steps.push(step);
  }
  const sysctls = bytes
    ? {
        tcp_be_liberal: random.chance(0.3) ? 1 : 0,
        acct: random.chance(0.5) ? 1 : 0,
        tcp_loose: random.chance(0.8) ? 1 : 0,
      }
    : { ...LIBERAL, tcp_loose: 1 };
  return { family, text: randomTables(random, family, places), openings, steps, sysctls, bytes };
}

function randomOpening(random: Random, family: Family, places: Places): Opening {
  const fromOutside = random.chance(0.3);
  const echo = family === "ipv4" ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
  const protocol = random.weighted([
    [6, PROTOCOL_TCP],
    [6, PROTOCOL_UDP],
    [2, echo],
    [2, PROTOCOL_SCTP],
    [1, random.pick([PROTOCOL_GRE, PROTOCOL_DCCP, PROTOCOL_UDPLITE, 50])],
  ]);
  const ports = hasPorts(protocol);
  return {
    protocol,
    source: random.pick(fromOutside ? places.servers : places.clients),
    destination: fromOutside
      ? random.pick([places.outside, places.outside, places.alias, places.insider])
      : random.pick([...places.servers, ...places.servers, places.outside, places.inside, places.insider]),
    sourcePort: ports || protocol === echo ? random.pick([600, 1000, 4000, 5001, 300]) : 0,
    destinationPort: protocol === echo ? (family === "ipv4" ? 8 : 128) << 8 : ports ? random.pick(PORTS) : 0,
    device: fromOutside ? WAN : LAN,
  };
}

function randomError(random: Random, family: Family, places: Places): Omit<Step, "talk"> {
  const errors: readonly (readonly [number, number])[] =
    family === "ipv4"
      ? [
          [3, 1],
          [3, 3],
          [3, 4],
          [11, 0],
          [12, 0],
          [5, 1],
        ]
      : [
          [1, 3],
          [1, 4],
          [2, 0],
          [3, 0],
          [4, 1],
        ];
  const [type, code] = random.pick(errors);
  const from = random.chance(0.3) ? places.middle : "";
  return { answer: false, rest: "", error: { type, code, aboutAnswer: random.chance(0.3), from } };
}

function randomTables(random: Random, family: Family, places: Places): string {
  const maybe = (probability: number, ...rules: string[]): string[] => (random.chance(probability) ? rules : []);
  const table = (name: string, chains: readonly string[], rules: readonly string[]): string =>
    [`*${name}`, ...chains.map((chain) => `:${chain} ACCEPT [0:0]`), ...rules, "COMMIT", ""].join("\n");
  const five = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];
  return [
    table(
      "raw",
      ["PREROUTING", "OUTPUT"],
      [
        ...maybe(0.15, "-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack"),
        ...maybe(0.15, "-A PREROUTING -j CT --zone 3"),
        ...maybe(0.1, `-A PREROUTING -i ${LAN} -j CT --zone-orig 4`),
        ...maybe(0.1, "-A PREROUTING -p udp -j CT --zone-reply 5"),
        ...maybe(0.1, "-A PREROUTING -p tcp -m tcp --dport 80 -j CT --helper ftp"),
        ...maybe(0.3, ...rawWatchers(random, places)),
        // The router's own answers are nobody's business here.
        "-A OUTPUT -j DROP",
      ],
    ),
    table("mangle", five, [
      ...maybe(0.4, "-A PREROUTING -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff"),
      ...maybe(0.4, `-A PREROUTING -m mark --mark 0x0 -p tcp -j MARK --set-xmark 0x${random.between(1, 9)}/0xffffffff`),
      ...maybe(0.3, `-A FORWARD -m conntrack --ctstate NEW -j CONNMARK --set-xmark 0x${random.between(1, 9)}/0xff`),
      ...maybe(0.3, `-A FORWARD -m connmark --mark 0x${random.between(1, 9)}`),
      ...maybe(0.4, "-A POSTROUTING -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff"),
    ]),
    table(
      "nat",
      ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
      [
        ...destinationRules(random, family, places),
        ...maybe(0.2, `-A INPUT -p udp -j SNAT --to-source ${places.alias}`),
        ...sourceRules(random, family, places),
      ],
    ),
    table(
      "filter",
      ["INPUT", "FORWARD", "OUTPUT"],
      [
        ...["INPUT", "FORWARD"].flatMap((chain) => watchingRules(random, chain, places)),
        "-A OUTPUT -m conntrack --ctstate NEW",
      ],
    ),
  ].join("");
}

function destinationRules(random: Random, family: Family, places: Places): string[] {
  const to = (ports = "") =>
    family === "ipv4" || !ports ? `${places.insider}${ports}` : `[${places.insider}]${ports}`;
  const at = random.pick([places.outside, places.alias]);
  const sticky = () => random.pick(["", " --persistent"]);
  const service = () => {
    const protocol = random.pick(["tcp", "udp"]);
    return `-p ${protocol} -m ${protocol} --dport ${random.pick(PORTS)}`;
  };
  const choices = [
    () => `-A PREROUTING -d ${at}${places.mask} ${service()} -j DNAT --to-destination ${to(":8080")}`,
    () => `-A PREROUTING -d ${at}${places.mask} ${service()} -j DNAT --to-destination ${to()}`,
    () => `-A PREROUTING -d ${at}${places.mask} ${service()} -j DNAT --to-destination ${to(":8000-8009")}`,
    () => `-A PREROUTING -d ${at}${places.mask} -j DNAT --to-destination ${to()}`,
    () =>
      `-A PREROUTING -d ${at}${places.mask} -j DNAT --to-destination ${places.insider}-${places.lastInsider}${sticky()}`,
    () => `-A PREROUTING -i ${LAN} ${service()} -j REDIRECT --to-ports 3128`,
    () => `-A PREROUTING -d ${at}${places.mask} ${service()} -j REDIRECT`,
    () => `-A PREROUTING -i ${LAN} -d ${places.far} -j NETMAP --to ${places.farMap}`,
    () => `-A PREROUTING ${service()} -j ACCEPT`,
  ];
  return Array.from({ length: random.below(4) }, () => random.pick(choices)());
}

function sourceRules(random: Random, family: Family, places: Places): string[] {
  const address = random.pick([places.outside, places.alias]);
  const ports = (range: string) => (family === "ipv4" ? `${address}:${range}` : `[${address}]:${range}`);
  const choices = [
    () => `-A POSTROUTING -o ${WAN} -j MASQUERADE`,
    () => `-A POSTROUTING -o ${WAN} -p ${random.pick(["tcp", "udp"])} -j MASQUERADE --to-ports 30000-30009`,
    () => `-A POSTROUTING -s ${places.lan} -o ${WAN} -j SNAT --to-source ${address}`,
    () => `-A POSTROUTING -o ${WAN} -p ${random.pick(["tcp", "udp"])} -j SNAT --to-source ${ports("30000-30003")}`,
    () => `-A POSTROUTING -o ${WAN} -p ${random.pick(["tcp", "udp"])} -j SNAT --to-source ${ports("5000-5005")}`,
    () =>
      `-A POSTROUTING -o ${WAN} -j SNAT --to-source ${places.alias}-${places.lastAlias}${random.pick(["", " --persistent"])}`,
    () => `-A POSTROUTING -o ${WAN} -j MASQUERADE --random${random.pick(["", "-fully"])}`,
    () => `-A POSTROUTING -s ${places.lan} -o ${LAN} -j MASQUERADE`,
    () => `-A POSTROUTING -s ${places.lan} -o ${WAN} -j NETMAP --to ${places.map}`,
  ];
  return Array.from({ length: random.below(4) }, () => random.pick(choices)());
}

/** What raw sees, in front of tracking and behind a rule of CT. */
function rawWatchers(random: Random, places: Places): string[] {
  return [
    `-A PREROUTING -m conntrack --ctstate ${random.some(["INVALID", "NEW", "ESTABLISHED", "UNTRACKED"]).join(",")}`,
    `-A PREROUTING -m conntrack --ctstatus ${random.pick(["CONFIRMED", "SEEN_REPLY", "NONE"])}`,
    "-A PREROUTING -m connmark --mark 0x0",
    `-A PREROUTING ${randomConnlimit(random, places)}`,
    `-A PREROUTING ${randomCluster(random)}`,
  ];
}

function randomConnlimit(random: Random, places: Places): string {
  const protocol = random.pick(["", "", "-p tcp ", "-p udp "]);
  const mask = random.pick([0, places.limitMask, places.limitMask, places.mask.slice(1)]);
  const limit = `--connlimit-${random.pick(["above", "upto"])} ${random.below(3)}`;
  return `${protocol}-m connlimit ${limit} --connlimit-mask ${mask} --connlimit-${random.pick(["s", "d"])}addr`;
}

function randomCluster(random: Random): string {
  const total = random.pick([1, 2, 3, 4, 32]);
  const not = random.chance(0.3) ? "! " : "";
  const node = `${not}--cluster-local-node ${random.between(1, total)}`;
  return `-m cluster --cluster-total-nodes ${total} ${node} --cluster-hash-seed 0x${random.below(0x7fffffff).toString(16)}`;
}

/** Rules that count, mostly, what the conntrack match sees. */
function watchingRules(random: Random, chain: string, places: Places): string[] {
  const ends = [...places.clients, ...places.servers, places.outside, places.insider, places.alias];
  const not = random.chance(0.3) ? "! " : "";
  const choices = [
    () =>
      `${not}--ctstate ${random.some(["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT"]).join(",")}`,
    () => `${not}--ctstatus ${random.some(["SEEN_REPLY", "ASSURED", "CONFIRMED"]).join(",")}`,
    () => `${not}--ctstatus NONE`,
    () => `${not}--ct${random.pick(["origsrc", "origdst", "replsrc", "repldst"])} ${random.pick(ends)}`,
    () =>
      `${not}--ctproto ${random.pick([6, 17])} --ct${random.pick(["origdst", "replsrc"])}port ${random.pick([...PORTS, 8080])}`,
    () => `--ctdir ${random.pick(["ORIGINAL", "REPLY"])}`,
  ];
  const others = [
    () => randomConnlimit(random, places),
    () =>
      `-m connbytes ${not}--connbytes ${random.below(4)}:${random.between(4, 200)} --connbytes-mode ${random.pick(["packets", "bytes", "avgpkt"])} --connbytes-dir ${random.pick(["original", "reply", "both"])}`,
    () => `-m helper ${not}--helper ftp`,
    () => randomCluster(random),
  ];
  const rules = Array.from({ length: random.between(1, 6) }, () => {
    const target = random.chance(0.15) ? ` -j ${random.pick(["ACCEPT", "DROP"])}` : "";
    const condition = random.chance(0.2) ? random.pick(others)() : `-m conntrack ${random.pick(choices)()}`;
    return `-A ${chain} ${condition}${target}`;
  });
  return rules;
}
