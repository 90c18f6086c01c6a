/** Fragments, where connections are tracked and where not: put together as the machine's own kernel does it, rule by rule. */
import { describe, expect, it } from "vitest";
import { PACKET_TIME } from "../src/blob/layout.js";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { encodePacket } from "../src/netfilter/packet.js";
import { packetOfWire } from "../src/netfilter/wire.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import type { Family } from "../src/ruleset/row-store.js";
import { Updater } from "../src/update/updater.js";
import { fragmentOf, randomCuts } from "./oracle/fragment.js";
import { frame, segmentRest } from "./oracle/frame.js";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from "./oracle/packet.js";
import { LOCAL_ADDRESSES } from "./oracle/random-pool.js";
import { Random } from "./oracle/random.js";
import { playTraffic, readCounters, trafficMissing, type TrafficRound, WAY_OUT, WIRES } from "./oracle/traffic.js";
import { setting } from "./setting.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const ROUNDS = setting("ROUNDS", 25);
const FIRST = setting("SEED", 0);
const DATAGRAMS = 30;
/** As many that their source sends more than 64 fragments between two of one. */
const MANY = 100;
const LIMIT_MS = 120_000 + 1000 * ROUNDS;

const ENDS: Readonly<Record<Family, { sources: readonly string[]; destinations: readonly string[] }>> = {
  ipv4: { sources: ["10.9.0.9", "10.9.0.8"], destinations: ["198.51.100.7", "198.51.100.8", "10.0.0.1"] },
  ipv6: { sources: ["fd00:9::9", "fd00:9::8"], destinations: ["2001:db8:7::7", "2001:db8:7::8", "fd00::1"] },
};

/** Each rule counts what it sees of packets and bytes. Without a rule that asks for states Linux tracks nothing. */
function rulesOf(family: Family, tracked: boolean): string {
  const ipv4 = family === "ipv4";
  const watch = (chain: string) =>
    [
      ...(tracked ? STATES : []).map((state) => `-m conntrack --ctstate ${state}`),
      ...["0", "1", "2"].map((mark) => `-m mark --mark ${mark}`),
      "-p udp -m udp --dport 53",
      "-p udp -m udp --dport 80",
      "-p tcp -m tcp --tcp-flags SYN SYN",
      // A first fragment that ends within TCP's options is dropped by who looks for one.
      ...(tracked
        ? ["-p tcp -m tcp --tcp-flags SYN SYN -m tcpmss --mss 1400:1460", "-p tcp -m tcp --tcp-option 8"]
        : []),
      ipv4 ? "-p icmp -m icmp --icmp-type 8" : "-p ipv6-icmp -m icmp6 --icmpv6-type 128",
      "-m length --length 0:200",
      "-m length --length 201:65535",
      "-m tos --tos 0x01/0x03",
      "-m tos --tos 0x02/0x03",
      "-m tos --tos 0x03/0x03",
      "-m string --hex-string |ABCDEF| --algo kmp",
      ...(tracked
        ? ["-m string --hex-string |ABCDEF| --algo bm", "-m string --icase --hex-string |ABCDEF| --algo bm"]
        : []),
      ...(ipv4
        ? [
            "-f",
            "! -f -j MARK --set-mark 1",
            "-f -j MARK --set-mark 2",
            '-m u32 --u32 "4&0x7fff=0x4000"',
            '-m u32 --u32 "0&0xffff=0:65535"',
          ]
        : ["-m frag --fragid 0:4294967295", '-m u32 --u32 "4&0xff00=0x2c00"']),
    ]
      .map((match) => `-A ${chain} ${match}\n`)
      .join("");
  return `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
${watch("PREROUTING").replaceAll(/-A PREROUTING -m conntrack .*\n/g, "")}COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
${watch("PREROUTING")}${watch("INPUT")}${watch("FORWARD")}COMMIT
`;
}

const STATES = ["NEW", "ESTABLISHED", "RELATED", "INVALID"];

interface Fragments extends TrafficRound {
  readonly tracked: boolean;
  readonly frames: readonly { readonly device: string; readonly bytes: Buffer }[];
}

/** Datagrams whose fragments come in turns. */
function makeRound(seed: number, tracked: boolean): Fragments {
  const random = new Random(seed);
  const family = seed % 2 === 0 ? "ipv4" : "ipv6";
  // Of one source Linux lets 64 others come between two, or its datagram begins anew.
  const wide = random.chance(0.3);
  const sources = wide ? ENDS[family].sources.slice(1) : ENDS[family].sources;
  const queues = Array.from({ length: wide ? MANY : DATAGRAMS }, (_, nth) => {
    // Ids are of a round alone, also those that stray (by 0x8000): what waits in vain waits for longer than a round.
    const id = ((seed % 250) << 7) | nth;
    const packet = randomDatagram(random, family, sources);
    const length = packet.length - (family === "ipv4" ? 20 : 40);
    const devices = random.chance(0.8) ? [random.pick(WIRES)] : WIRES;
    return randomCuts(random, length, id).map((cut) => ({
      device: random.pick(devices),
      bytes: fragmentOf(packet, family, cut),
    }));
  });
  const frames: { device: string; bytes: Buffer }[] = [];
  for (let left = queues; left.length > 0; left = left.filter((queue) => queue.length > 0)) {
    const next = random.pick(left.slice(0, wide ? MANY : 3)).shift();
    if (next) frames.push(next);
  }
  return {
    family,
    tracked,
    text: rulesOf(family, tracked),
    packets: frames.map(({ device, bytes }) => ({ device, bytes: bytes.toString("hex") })),
    frames,
  };
}

function randomDatagram(random: Random, family: Family, sources: readonly string[]): Buffer {
  const icmp = family === "ipv4" ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
  const protocol = random.pick([PROTOCOL_UDP, PROTOCOL_UDP, PROTOCOL_TCP, icmp, 50]);
  const data = random.pick([0, 1, 8, 57, 200, 733, 1600]);
  const ends = {
    source: random.pick(sources),
    destination: random.pick(ENDS[family].destinations),
    sourcePort: random.between(1000, 1003),
    destinationPort: protocol === icmp ? (family === "ipv4" ? 8 : 128) << 8 : random.pick([53, 80]),
  };
  const filler = `${"00".repeat(data >> 1)}abcdef${"00".repeat(data - (data >> 1))}`;
  const options = random.pick(["", "020405b4", "0204058c01030307", "0101080a0000000100000000"]);
  const rest: Readonly<Record<number, string>> = {
    [PROTOCOL_UDP]: `${(11 + data).toString(16).padStart(4, "0")}0000${filler}`,
    [PROTOCOL_TCP]:
      segmentRest({ flags: random.pick([2, 2, 16]), sequence: 1, ack: 0, window: 1000, options, data: 0 }) + filler,
  };
  return frame(family, protocol, ends, rest[protocol] ?? `0001${filler}`);
}

function countersOf({ family, text, tracked, frames }: Fragments): Map<string, string> {
  const engine = Engine.create({
    connections: tracked ? 1024 : 0,
    localAddresses: LOCAL_ADDRESSES,
    sysctls: { tcp_be_liberal: 1 },
  });
  new Updater(engine, { strategy: "full" }).load(parseRuleset(text, { family }));
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(1);
  frames.forEach(({ device, bytes }, time) => {
    const packet = packetOfWire(bytes, { input: device, output: WAY_OUT });
    if (!packet) throw new Error("no packet");
    const record = encodePacket(packet);
    new DataView(record.buffer).setUint32(PACKET_TIME, time, true);
    pool.set(0, record);
    pool.setBytes(0, bytes);
    reader.match(pool, 0, 1);
  });
  return readCounters(
    engine
      .readRuleset()
      .map((ruleset) => printRuleset(ruleset, { counters: true }))
      .join("\n"),
  );
}

/** Room for what waits of hundreds of rounds, in bytes: there is what the kernel has not loaded the code for. */
const ROOM = ["ipv4.ipfrag", "ipv6.ip6frag", "netfilter.nf_conntrack_frag6"].map(
  (of) => `net.${of}_high_thresh=268435456`,
);
const WITH_ROOM = `sysctl -eqw ${ROOM.join(" ")}`;
const LIBERAL = "sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=1 net.netfilter.nf_conntrack_checksum=0";

/** Where Linux and the engine count differently, in words. */
function partedOf(tracked: boolean): string[] {
  const rounds = Array.from({ length: ROUNDS }, (_, nth) => makeRound(FIRST + nth, tracked));
  const setup = tracked ? `${WITH_ROOM}; ${LIBERAL}` : WITH_ROOM;
  const played = playTraffic(rounds.map((round) => ({ ...round, setup })));
  return rounds.flatMap((round, nth) => {
    const linux = played[nth];
    if (!linux || "refused" in linux) return [`seed ${FIRST + nth}: ${linux?.refused}`];
    const apart = [...countersOf(round)].filter(
      ([rule, counters]) => !/ OUTPUT | POSTROUTING /.test(rule) && linux.counters.get(rule) !== counters,
    );
    return apart
      .slice(0, 1)
      .map(([rule, counters]) => `seed ${FIRST + nth}: ${rule}: ours ${counters}, Linux ${linux.counters.get(rule)}`);
  });
}

describe("fragments", () => {
  it.skipIf(missing)(
    `of tracked packets count as the packet that they are put together to, as in Linux${skipped}`,
    () => {
      expect(partedOf(true)).toEqual([]);
    },
    LIMIT_MS,
  );

  it.skipIf(missing)(
    `of packets that are not tracked are put together in front of INPUT alone, as in Linux${skipped}`,
    () => {
      expect(partedOf(false)).toEqual([]);
    },
    LIMIT_MS,
  );
});
