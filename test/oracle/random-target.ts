/** Random targets, as far as Linux accepts them behind the rule's protocol in its place. */
import { HOOK_FORWARD, HOOK_INPUT, HOOK_OUTPUT, HOOK_POSTROUTING, HOOK_PREROUTING } from "../../src/blob/layout.js";
import { PROTOCOL_SCTP, PROTOCOL_TCP, PROTOCOL_UDP } from "./packet.js";
import type { Random } from "./random.js";
import type { Place } from "./random-condition.js";
import { hex, MARKS, PORTS, randomAddress, TOS_VALUES, TTLS } from "./random-pool.js";
import type { Protocol } from "./random-protocol.js";

/** Words from -j on, "" for none. */
type Maker = (random: Random, place: Place, protocol: Protocol) => string;

const within =
  (...hooks: number[]) =>
  (place: Place): boolean =>
    [...place.hooks].every((hook) => hooks.includes(hook));

const everywhere = (): boolean => true;

/** A weight, a maker, and where it may stand. */
const TARGETS: readonly (readonly [number, Maker, (place: Place, protocol: Protocol) => boolean])[] = [
  [14, () => "-j ACCEPT", everywhere],
  [6, () => "-j DROP", (place) => place.table !== "nat"],
  [8, () => "-j RETURN", everywhere],
  [6, () => "", everywhere],
  [1, () => "-j QUEUE", everywhere],
  [1, (random) => `-j NFQUEUE --queue-num ${random.below(3)}${random.pick(["", " --queue-bypass"])}`, everywhere],
  [8, setMark, everywhere],
  [4, setConnmark, everywhere],
  [2, (random) => `-j LOG --log-prefix "x${random.below(3)} "`, everywhere],
  [1, (random) => `-j NFLOG --nflog-group ${random.below(3)}`, everywhere],
  [6, reject, (place) => place.table === "filter"],
  [3, () => "-j NOTRACK", (place) => place.table === "raw"],
  [3, () => "-j CT --notrack", (place) => place.table === "raw"],
  [1, () => "-j TRACE", (place) => place.table === "raw"],
  [2, () => "-j CHECKSUM --checksum-fill", (place) => place.table === "mangle"],
  [3, setTtl, (place) => place.table === "mangle"],
  [3, setTos, (place) => place.table === "mangle"],
  [2, (random) => `-j DSCP --set-dscp ${random.below(64)}`, (place) => place.table === "mangle"],
  [2, setEcn, (place) => place.table === "mangle" && place.family === "ipv4"],
  [
    3,
    (random) => mapPrefix(random, "SNPT"),
    (place) => hasPrefixes(place) && within(HOOK_POSTROUTING, HOOK_INPUT)(place),
  ],
  [
    3,
    (random) => mapPrefix(random, "DNPT"),
    (place) => hasPrefixes(place) && within(HOOK_PREROUTING, HOOK_OUTPUT)(place),
  ],
  [2, stripOptions, (place, protocol) => place.table === "mangle" && isTcp(protocol)],
  [2, classify, within(HOOK_FORWARD, HOOK_OUTPUT, HOOK_POSTROUTING)],
  [
    2,
    giveToProxy,
    (place, protocol) => place.table === "mangle" && within(HOOK_PREROUTING)(place) && isProxied(protocol),
  ],
  [3, mapNetwork, (place) => place.table === "nat"],
  [10, destinationNat, (place) => place.table === "nat" && within(HOOK_PREROUTING, HOOK_OUTPUT)(place)],
  [8, sourceNat, (place) => place.table === "nat" && within(HOOK_POSTROUTING, HOOK_INPUT)(place)],
  [5, withPorts("MASQUERADE"), (place) => place.table === "nat" && within(HOOK_POSTROUTING)(place)],
  [5, withPorts("REDIRECT"), (place) => place.table === "nat" && within(HOOK_PREROUTING, HOOK_OUTPUT)(place)],
];

export function randomTarget(random: Random, place: Place, protocol: Protocol): string {
  const allowed = TARGETS.filter(([, , accepts]) => accepts(place, protocol));
  return random.weighted(allowed.map(([weight, maker]) => [weight, maker] as const))(random, place, protocol);
}

function setMark(random: Random): string {
  const mask = random.pick([0xffffffff, 0xff, 0x4000]);
  return `-j MARK ${random.pick(["--set-xmark", "--set-mark"])} ${hex(random.pick(MARKS) & mask)}/${hex(mask)}`;
}

function setConnmark(random: Random): string {
  const mask = hex(random.pick([0xffffffff, 0xff]));
  return `-j CONNMARK ${random.pick([
    `--set-xmark ${hex(random.pick(MARKS))}/0xffffffff`,
    `--save-mark --nfmask ${mask} --ctmask ${mask}`,
    `--restore-mark --nfmask ${mask} --ctmask ${mask}`,
  ])}`;
}

export function setTtl(random: Random, { family }: Place): string {
  const name = family === "ipv4" ? "ttl" : "hl";
  const [operation, value] = random.pick([
    ["set", random.pick(TTLS)],
    ["inc", random.between(1, 3)],
    ["dec", random.between(1, 3)],
    ["dec", 255],
  ] as const);
  return `-j ${name.toUpperCase()} --${name}-${operation} ${value}`;
}

export function setTos(random: Random): string {
  const value = hex(random.pick(TOS_VALUES));
  return `-j TOS ${random.pick([`--set-tos ${value}/0xff`, `--set-tos ${value}/0x3f`, `--and-tos ${value}`, `--or-tos ${value}`, `--xor-tos ${value}`])}`;
}

function isTcp({ number, exact }: Protocol): boolean {
  return exact && number === PROTOCOL_TCP;
}

export function setEcn(random: Random, _place: Place, protocol: Protocol): string {
  if (!isTcp(protocol) || random.chance(0.4)) return `-j ECN --ecn-ip-ect ${random.below(4)}`;
  return `-j ECN ${random.pick(["--ecn-tcp-remove", "--ecn-tcp-ece 1", "--ecn-tcp-cwr 1", "--ecn-tcp-ece 0 --ecn-ip-ect 1"])}`;
}

export function stripOptions(random: Random): string {
  return `-j TCPOPTSTRIP --strip-options ${random.some([2, 3, 8, 30]).join(",")}`;
}

const PREFIXES = ["fd00::/48", "fd00:0:0:1::/64", "2001:db8::/32", "2001:db8::/56", "2001:db8:1::/48", "2001:db9::/63"];

function hasPrefixes({ family, table }: Place): boolean {
  return family === "ipv6" && table === "mangle";
}

export function mapPrefix(random: Random, name: string): string {
  return `-j ${name} --src-pfx ${random.pick(PREFIXES)} --dst-pfx ${random.pick(PREFIXES)}`;
}

function classify(random: Random): string {
  return `-j CLASSIFY --set-class ${random.below(3)}:${random.pick(["1", "ffff", "a0"])}`;
}

function isProxied({ number, exact }: Protocol): boolean {
  return exact && [PROTOCOL_TCP, PROTOCOL_UDP].includes(number);
}

function giveToProxy(random: Random): string {
  return `-j TPROXY --on-port ${random.pick(PORTS.slice(1))} --tproxy-mark ${hex(random.pick(MARKS))}/${hex(random.pick(MARKS))}`;
}

function mapNetwork(random: Random, { family }: Place): string {
  const bits = family === "ipv4" ? random.pick([8, 16, 24, 29, 32]) : random.pick([16, 32, 64, 120, 128]);
  return `-j NETMAP --to ${randomAddress(random, family)}/${bits}`;
}

const REJECTIONS = {
  ipv4: ["icmp-port-unreachable", "icmp-host-prohibited", "icmp-admin-prohibited", "icmp-net-unreachable"],
  ipv6: ["icmp6-port-unreachable", "icmp6-adm-prohibited", "icmp6-no-route", "icmp6-addr-unreachable"],
} as const;

function reject(random: Random, { family }: Place, { number, exact }: Protocol): string {
  const reset = number === PROTOCOL_TCP && exact ? ["tcp-reset"] : [];
  return `-j REJECT --reject-with ${random.pick([...REJECTIONS[family], ...reset])}`;
}

function hasPorts({ number, exact }: Protocol): boolean {
  return exact && [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP].includes(number);
}

/** An address, a port behind it where the protocol has ports, or the port alone. */
function natTo(random: Random, { family }: Place, protocol: Protocol): string {
  const address = randomAddress(random, family);
  if (!hasPorts(protocol) || random.chance(0.3)) return address;
  const port = random.pick(PORTS.slice(1));
  if (random.chance(0.2)) return `:${port}`;
  const text = family === "ipv4" ? address : `[${address}]`;
  return `${text}:${port}`;
}

function destinationNat(random: Random, place: Place, protocol: Protocol): string {
  return `-j DNAT --to-destination ${natTo(random, place, protocol)}`;
}

function sourceNat(random: Random, place: Place, protocol: Protocol): string {
  return `-j SNAT --to-source ${natTo(random, place, protocol)}`;
}

function withPorts(name: string): Maker {
  return (random, _place, protocol) =>
    hasPorts(protocol) && random.chance(0.5) ? `-j ${name} --to-ports ${random.pick(PORTS.slice(1))}` : `-j ${name}`;
}
