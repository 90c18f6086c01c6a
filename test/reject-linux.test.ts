/** What answers rejected packets, against the machine's own kernel: as the sender gets it. */
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { PATH_IN } from "../src/blob/layout.js";
import { decodePacket } from "../src/netfilter/packet.js";
import { readAddresses } from "../src/netfilter/routing/ip-address.js";
import { readRoutes } from "../src/netfilter/routing/ip-route.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import type { Family } from "../src/ruleset/row-store.js";
import { Updater } from "../src/update/updater.js";
import { addressBytes } from "./oracle/address.js";
import { type MachineOutcome, type MachineRound, playOnLinux } from "./oracle/machine.js";
import { blankPacket, encodePacket, type Packet } from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
import { trafficMissing } from "./oracle/traffic.js";
import { wireBytes } from "./oracle/wire.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const ROUNDS = 26;
const PACKETS = 16;

const ANSWERS: Readonly<Record<Family, readonly string[]>> = {
  ipv4: "icmp-net-unreachable icmp-host-unreachable icmp-proto-unreachable icmp-port-unreachable icmp-net-prohibited icmp-host-prohibited icmp-admin-prohibited".split(
    " ",
  ),
  ipv6: "icmp6-no-route icmp6-adm-prohibited icmp6-addr-unreachable icmp6-port-unreachable icmp6-policy-fail icmp6-reject-route".split(
    " ",
  ),
};
const ENDS: Readonly<
  Record<Family, { readonly senders: readonly string[]; readonly targets: readonly string[]; readonly moved: string }>
> = {
  ipv4: {
    senders: ["10.0.0.9", "198.51.100.5"],
    targets: ["10.0.0.1", "10.0.1.1", "192.0.2.1", "10.0.1.9"],
    moved: "10.0.1.9",
  },
  ipv6: {
    senders: ["fd00::9", "2001:db8:5::5"],
    targets: ["fd00::1", "fd00:1::1", "2001:db8::1", "fd00:1::9"],
    moved: "[fd00:1::9]",
  },
};
const SETUP: Readonly<Record<Family, string>> = {
  ipv4: "ip addr add 10.0.0.1/24 dev eth0; ip addr add 10.0.1.1/24 dev eth1; ip route add default via 10.0.0.9 dev eth0; ip route add 192.0.2.0/24 dev eth1; true",
  ipv6: "ip addr add fd00::1/64 dev eth0 nodad; ip addr add fd00:1::1/64 dev eth1 nodad; ip -6 route add default via fd00::9 dev eth0; ip -6 route add 2001:db8::/64 dev eth1; until [ $(ip -6 route show table local type local | wc -l) -ge 3 ]; do :; done",
};

function makeRound(seed: number): MachineRound {
  const random = new Random(seed);
  const family = random.pick(["ipv4", "ipv6"] as const);
  const reject = (): string =>
    random.chance(0.4)
      ? "-p tcp -j REJECT --reject-with tcp-reset"
      : `-j REJECT --reject-with ${random.pick(ANSWERS[family])}`;
  const rules = ["INPUT", "FORWARD"].flatMap((chain) => [`-A ${chain} ${reject()}\n`, `-A ${chain} -j REJECT\n`]);
  const nat = random.chance(0.5)
    ? `-A PREROUTING -p tcp -m tcp --dport 2 -j DNAT --to-destination ${ENDS[family].moved}:7\n`
    : "";
  const text =
    `*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n${nat}COMMIT\n` +
    `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules.join("")}-A OUTPUT -m conntrack --ctstate NEW\nCOMMIT\n`;
  const packets = Array.from({ length: PACKETS }, (_, i): Packet => {
    const packet = blankPacket(family);
    Object.assign(packet, {
      path: PATH_IN,
      input: "eth0",
      protocol: random.pick([6, 6, 17]),
      source: addressBytes(random.pick(ENDS[family].senders)),
      destination: addressBytes(random.pick(ENDS[family].targets)),
      sourcePort: 20_000 + i,
      destinationPort: random.pick([1, 2]),
      tcpFlags: random.pick([2, 2, 16, 17, 1, 4]),
      tos: random.pick([0, 0x10, 0x28]),
      length: random.pick([60, 61, 100, 700]),
    });
    return packet;
  });
  return { family, setup: SETUP[family], text, packets };
}

/** What the sender sees of an answer. */
function told(bytes: Buffer): string {
  const ipv4 = (bytes[0] as number) >> 4 === 4;
  const [header, at, width] = ipv4 ? [20, 12, 4] : [40, 8, 16];
  const protocol = bytes[ipv4 ? 9 : 6] as number;
  const ends = bytes.subarray(at, at + 2 * width).toString("hex");
  const rest = bytes.subarray(header);
  const said =
    protocol === 6
      ? `${rest.readUInt16BE(0)} ${rest.readUInt16BE(2)} flags ${rest[13]} seq ${rest.readUInt32BE(4)} ack ${rest.readUInt32BE(8)}`
      : `${rest[0]}/${rest[1]}`;
  return `${protocol} ${ends} ${said} length ${bytes.length} tos ${ipv4 ? bytes[1] : 0}`;
}

function answersInEngine(round: MachineRound, linux: MachineOutcome): string[] {
  const { family } = round;
  const engine = Engine.create({
    connections: 1024,
    routing: {
      ...readAddresses(linux.addresses),
      routes: readRoutes(
        linux.routes
          .split("\n")
          .filter((line) => !line.includes("table local"))
          .join("\n"),
        { family },
      ),
    },
  });
  new Updater(engine, { strategy: "full" }).load(parseRuleset(round.text, { family }));
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(1);
  const payload = engine.allocate(65536);
  const queue = reader.listen();
  return round.packets.map((packet) => {
    const bytes = wireBytes(packet);
    new Uint8Array(engine.handle.memory.buffer, payload, bytes.length).set(bytes);
    pool.set(0, encodePacket({ ...packet, bytes }, payload));
    reader.match(pool, 0, 1);
    const [event] = queue.take();
    if (!event) return "nothing";
    const reply = decodePacket(event.packet);
    const ends = [reply.source, reply.destination]
      .map((end) => Buffer.from(addressBytes(end)).toString("hex"))
      .join("");
    const said =
      reply.protocol === 6
        ? `${reply.sourcePort} ${reply.destinationPort} flags ${reply.tcpFlags} seq ${event.sequence ?? 0} ack ${event.acknowledge ?? 0}`
        : `${reply.icmpType}/${reply.icmpCode}`;
    return `${reply.protocol} ${ends} ${said} length ${reply.length} tos ${family === "ipv4" ? reply.tos : 0}`;
  });
}

describe("REJECT", () => {
  it.skipIf(missing)(
    `answers what Linux answers, as the sender gets it${skipped}`,
    () => {
      const rounds = Array.from({ length: ROUNDS }, (_, seed) => makeRound(seed));
      const found = playOnLinux(rounds).flatMap((linux, seed) => {
        const round = rounds[seed] as MachineRound;
        if (linux.said) return [`seed ${seed}: ${linux.said}`];
        const ours = answersInEngine(round, linux);
        return linux.sent.flatMap((sent, i) => {
          const back = sent.find(({ device, destination }) => device === "eth0" && !destination.startsWith("ff02::"));
          const theirs = back ? told(back.bytes) : "nothing";
          const packet = round.packets[i] as Packet;
          return ours[i] === theirs
            ? []
            : [
                `seed ${seed}, packet ${i} flags ${packet.tcpFlags} length ${packet.length}: ours ${ours[i]}, Linux ${theirs}\n${round.text}`,
              ];
        });
      });
      expect(found.length, found.slice(0, 6).join("\n")).toBe(0);
    },
    120_000,
  );
});
