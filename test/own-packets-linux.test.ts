/** What the machine itself sends, answers of REJECT and copies of TEE, on its way through the hooks: against the machine's own kernel. */
import { describe, expect, it } from "vitest";
import { PATH_IN, PATH_OUT } from "../src/blob/layout.js";
import type { Family } from "../src/ruleset/row-store.js";
import { addressBytes } from "./oracle/address.js";
import { type MachineOutcome, type MachineRound, playInEngine, playOnLinux } from "./oracle/machine.js";
import { blankPacket, type Packet, PROTOCOL_TCP, PROTOCOL_UDP } from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
import { trafficMissing } from "./oracle/traffic.js";
import { setting } from "./setting.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const ROUNDS = setting("ROUNDS", 40);
const FIRST = setting("SEED", 0);
const PACKETS = 14;
const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];

interface Places {
  readonly senders: readonly string[];
  readonly targets: readonly string[];
  readonly own: string;
  readonly moved: string;
  readonly gateways: readonly string[];
  readonly error: string;
  readonly answers: readonly string[];
  readonly setup: string;
}

const PLACES: Readonly<Record<Family, Places>> = {
  ipv4: {
    senders: ["10.0.0.9", "198.51.100.5"],
    targets: ["10.0.0.1", "10.0.1.1", "192.0.2.1", "10.0.1.9"],
    own: "10.0.0.1",
    moved: "10.0.1.9",
    gateways: ["10.0.0.9", "10.0.1.77", "203.0.113.1"],
    error: "-p icmp -m icmp --icmp-type 3",
    answers: ["icmp-port-unreachable", "icmp-host-prohibited", "icmp-admin-prohibited"],
    setup:
      "ip addr add 10.0.0.1/24 dev eth0; ip addr add 10.0.1.1/24 dev eth1; ip route add default via 10.0.0.9 dev eth0; ip route add 192.0.2.0/24 dev eth1; true",
  },
  ipv6: {
    senders: ["fd00::9", "2001:db8:5::5"],
    targets: ["fd00::1", "fd00:1::1", "2001:db8::1", "fd00:1::9"],
    own: "fd00::1",
    moved: "[fd00:1::9]",
    gateways: ["fd00::9", "fd00:1::77", "2001:db8:9::1"],
    error: "-p ipv6-icmp -m icmp6 --icmpv6-type 1",
    answers: ["icmp6-port-unreachable", "icmp6-adm-prohibited", "icmp6-no-route"],
    setup:
      "ip addr add fd00::1/64 dev eth0 nodad; ip addr add fd00:1::1/64 dev eth1 nodad; ip -6 route add default via fd00::9 dev eth0; ip -6 route add 2001:db8::/64 dev eth1; until [ $(ip -6 route show table local type local | wc -l) -ge 3 ]; do :; done",
  },
};

function makeRound(seed: number): MachineRound {
  const random = new Random(seed);
  const family = random.pick(["ipv4", "ipv6"] as const);
  const places = PLACES[family];
  const packets = Array.from({ length: PACKETS }, (_, i): Packet => {
    const packet = blankPacket(family);
    const local = random.chance(0.2);
    Object.assign(packet, {
      path: local ? PATH_OUT : PATH_IN,
      input: local ? "" : "eth0",
      protocol: local ? PROTOCOL_UDP : random.pick([PROTOCOL_TCP, PROTOCOL_TCP, PROTOCOL_UDP]),
      source: addressBytes(local ? places.own : random.pick(places.senders)),
      destination: addressBytes(random.pick(local ? [...places.senders, ...places.targets] : places.targets)),
      // Some belong to a connection that there is.
      sourcePort: 20_000 + random.below(i + 1),
      destinationPort: random.pick([1, 2]),
      tcpFlags: random.pick([SYN, SYN, ACK, FIN | ACK, FIN, RST]),
      tos: random.pick([0, 0x10, 0x28]),
      length: random.pick([60, 61, 100, 700]),
    });
    return packet;
  });
  return { family, setup: places.setup, text: randomTables(random, places), packets };
}

function randomTables(random: Random, places: Places): string {
  const some = (probability: number, make: () => string): string[] => (random.chance(probability) ? [make()] : []);
  const table = (name: string, chains: string, rules: readonly string[]): string =>
    [`*${name}`, ...chains.split(" ").map((chain) => `:${chain} ACCEPT [0:0]`), ...rules, "COMMIT", ""].join("\n");
  const watch = (...chains: string[]): string[] =>
    chains.flatMap((chain) =>
      Array.from({ length: random.below(4) }, () => `-A ${chain} ${own(random, places)} ${condition(random, places)}`),
    );
  const reject = (): string =>
    random.chance(0.4)
      ? "-p tcp -j REJECT --reject-with tcp-reset"
      : `-p ${random.pick(["tcp", "udp"])} -j REJECT --reject-with ${random.pick(places.answers)}`;
  const tee = (chain: string): string =>
    `-A ${chain} -p ${random.pick(["tcp", "udp"])} -j TEE --gateway ${random.pick(places.gateways)}`;
  const five = "PREROUTING INPUT FORWARD OUTPUT POSTROUTING";
  return [
    table("raw", "PREROUTING OUTPUT", [
      ...some(0.2, () => `-A PREROUTING -p udp -m udp --dport 2 -j CT --notrack`),
      ...watch("OUTPUT", "PREROUTING"),
    ]),
    table("mangle", five, [
      ...some(0.3, () => tee(random.pick(["PREROUTING", "INPUT", "FORWARD", "POSTROUTING"]))),
      ...some(0.2, () => `-A OUTPUT ${own(random, places)} -j MARK --set-xmark 0x7/0xffffffff`),
      ...watch("OUTPUT", "POSTROUTING", "INPUT"),
    ]),
    table("nat", "PREROUTING INPUT OUTPUT POSTROUTING", [
      ...some(0.4, () => `-A PREROUTING -p tcp -m tcp --dport 2 -j DNAT --to-destination ${places.moved}:7`),
      ...watch("OUTPUT", "POSTROUTING"),
      ...some(0.3, () => "-A POSTROUTING -p tcp -j MASQUERADE"),
    ]),
    table("filter", "INPUT FORWARD OUTPUT", [
      ...["INPUT", "FORWARD"].flatMap((chain) => [
        ...(chain === "FORWARD" ? some(0.3, () => `-A FORWARD -p tcp -m tcp --dport 1 -j ACCEPT`) : []),
        ...some(0.9, () => `-A ${chain} ${reject()}`),
        ...some(0.9, () => `-A ${chain} ${reject()}`),
      ]),
      ...watch("OUTPUT", "INPUT"),
      // Nobody listens here: what came so far would be answered by the machine's TCP and UDP.
      "-A INPUT -p tcp -m tcp ! --tcp-flags RST RST -j DROP",
      "-A INPUT -p udp -j DROP",
      ...some(0.15, () => `-A OUTPUT ${own(random, places)} -j DROP`),
      ...some(0.3, () => `-A OUTPUT ${reject()}`),
      "-A OUTPUT -m conntrack --ctstate NEW",
    ]),
  ].join("");
}

/** What the machine sends in this test, and nothing that it sends by itself. */
function own(random: Random, { error }: Places): string {
  return random.pick([error, error, "-p tcp -m tcp --tcp-flags RST RST", "-p tcp", "-p udp"]);
}

function condition(random: Random, { senders, targets }: Places): string {
  const not = random.chance(0.2) ? "! " : "";
  return random.pick([
    () => `-m conntrack ${not}--ctstate ${random.pick(["RELATED", "ESTABLISHED", "NEW", "INVALID", "UNTRACKED"])}`,
    () => `-m conntrack --ctdir ${random.pick(["ORIGINAL", "REPLY"])}`,
    () => `-m conntrack ${not}--ctstatus ${random.pick(["CONFIRMED", "SEEN_REPLY", "NONE"])}`,
    () => `${not}-s ${random.pick(targets)}`,
    () => `${not}-d ${random.pick(senders)}`,
    () => `-m mark ${not}--mark 0x7`,
    () => `-m tos ${not}--tos 0xc0/0xff`,
    () => `-m length ${not}--length ${random.pick(["40:88", "100:200", "576", "60"])}`,
    () => `-m addrtype ${not}--src-type LOCAL`,
    () => "",
  ])();
}

const ports = (packets: readonly Packet[]) =>
  packets.map(({ protocol, path, source, destination, sourcePort, destinationPort, tcpFlags, length }) =>
    JSON.stringify({
      protocol,
      path,
      source: [...source].join("."),
      destination: [...destination].join("."),
      sourcePort,
      destinationPort,
      tcpFlags,
      length,
    }),
  );

function difference(seed: number, round: MachineRound, linux: MachineOutcome): string[] {
  if (linux.said) return [`seed ${seed}: ${linux.said}`];
  const { counters } = playInEngine(round, linux);
  // Policies count what the machine says by itself, too.
  const rules = [...linux.counters].filter(([rule, count]) => !/ 0$/.test(rule) && counters.get(rule) !== count);
  if (rules.length === 0) return [];
  const told = rules.map(([rule, count]) => `${rule}: ours ${counters.get(rule)}, Linux ${count}`);
  return [`seed ${seed}: ${told.join("; ")}\n${round.text}${ports(round.packets).join("\n")}`];
}

describe("what the machine itself sends", () => {
  it.skipIf(missing)(
    `is counted by the rules that count it on Linux${skipped}`,
    () => {
      const rounds = Array.from({ length: ROUNDS }, (_, i) => makeRound(FIRST + i));
      const outcomes = playOnLinux(rounds);
      const found = rounds.flatMap((round, i) => difference(FIRST + i, round, outcomes[i] as MachineOutcome));
      expect(found.length, found[0]).toBe(0);
    },
    60_000 + 500 * ROUNDS,
  );
});
