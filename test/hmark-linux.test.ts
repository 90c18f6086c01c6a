/** HMARK in Linux and in an engine: what rules behind it count of the bits of its marks, over all kinds of packets. */
import { describe, expect, it } from "vitest";
import type { Family } from "../src/ruleset/row-store.js";
import { addressBytes } from "./oracle/address.js";
import { countedApart, type CountedRound, type Frame } from "./oracle/counted.js";
import { type Ends, errorFrame, frame } from "./oracle/frame.js";
import { blankPacket, type Packet } from "./oracle/packet.js";
import { randomChunks } from "./oracle/random-bytes.js";
import {
  PROTOCOL_AH,
  PROTOCOL_ESP,
  randomAh,
  randomAh6,
  randomEsp,
  randomFragmentHeader,
} from "./oracle/random-rare.js";
import { Random } from "./oracle/random.js";
import { trafficMissing, WAY_OUT, WIRES } from "./oracle/traffic.js";
import { wireBytes } from "./oracle/wire.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const WATCHED = /^mangle (PREROUTING|FORWARD) [1-9]/;
const ROUNDS = 24;
const PACKETS = 30;
const [UDP, UDPLITE, DCCP, SCTP] = [17, 136, 33, 132];
const ADDRESSES = {
  ipv4: ["198.51.100.1", "198.51.100.77", "198.51.101.1", "203.0.113.200"],
  ipv6: ["2001:db8:9::1", "2001:db8:9:ffff::2", "2001:db8:9:1::1", "2001:db9:8000::ff"],
} as const;
const TRANSLATED = { ipv4: "203.0.113.9", ipv6: "2001:db8:77::9" } as const;
const SERVER = { ipv4: "203.0.113.200", ipv6: "2001:db9:8000::ff" } as const;

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/** Words behind -j HMARK that Linux takes. */
function randomHmark(random: Random, family: Family, tracked: boolean): string {
  const bits = family === "ipv4" ? 32 : 128;
  const words: string[] = [];
  const index = random.chance(0.2);
  if (random.chance(0.5)) {
    const tuple = random.some([
      "src",
      "dst",
      "proto",
      ...(index ? ["spi"] : ["sport", "dport"]),
      ...(tracked ? ["ct"] : []),
    ]);
    words.push(`--hmark-tuple ${tuple.join(",")}`);
  } else {
    words.push(`--hmark-src-prefix ${random.below(bits + 1)}`);
    if (random.chance(0.7)) words.push(`--hmark-dst-prefix ${random.below(bits + 1)}`);
    if (random.chance(0.5)) words.push(`--hmark-proto-mask ${random.below(0x10000)}`);
    if (index) words.push(`--hmark-spi-mask ${hex(random.below(2 ** 32))}`);
    else if (random.chance(0.7)) words.push(`--hmark-sport-mask ${random.below(0x10000)} --hmark-dport-mask 0xfff`);
  }
  if (random.chance(0.3))
    words.push(index ? `--hmark-spi ${random.below(2 ** 32)}` : `--hmark-dport ${random.below(99)}`);
  words.push(`--hmark-rnd ${random.below(2 ** 32)} --hmark-mod ${random.pick([1, 7, 256, 0x12345, 0xffffffff])}`);
  if (random.chance(0.4)) words.push(`--hmark-offset ${random.below(2 ** 32)}`);
  return words.join(" ");
}

/** A rule of HMARK, and rules that count bits of its mark, now and then of the one that the packet had before. */
function marked(random: Random, family: Family, tracked: boolean): string[] {
  const chain = random.pick(["PREROUTING", "FORWARD"]);
  const counting = Array.from({ length: 6 }, () => `-A ${chain} -m mark ! --mark 0/${hex(1 << random.below(20))}`);
  return [`-A ${chain} -j HMARK ${randomHmark(random, family, tracked)}`, ...counting];
}

const random4 = (random: Random): string =>
  random
    .below(2 ** 32)
    .toString(16)
    .padStart(8, "0");

function randomEnds(random: Random, family: Family): Ends {
  const [source, destination] = [random.pick(ADDRESSES[family]), random.pick(ADDRESSES[family])];
  return { source, destination, sourcePort: random.below(0x10000), destinationPort: random.pick([53, 80, 65535]) };
}

/** Tracking puts fragments together, and takes out of the way what it cannot. */
function randomFrame(random: Random, family: Family, tracked: boolean): Frame {
  const device = random.pick(WIRES);
  const packet = blankPacket(family);
  const ends = randomEnds(random, family);
  const sends = (..._changes: unknown[]): Frame => ({ device, bytes: wireBytes(packet) });
  Object.assign(packet, { ...ends, source: addressBytes(ends.source), destination: addressBytes(ends.destination) });
  const kinds: readonly (() => Frame)[] = [
    sends,
    () => sends(put(packet, { protocol: UDP })),
    () => sends(put(packet, { protocol: SCTP }), randomChunks(random).aim(packet)),
    () => ({ device, bytes: frame(family, UDPLITE, ends, "00080001") }),
    () => sends(put(packet, { protocol: DCCP, data: Buffer.alloc(20) })),
    () => ({ device, bytes: frame(family, PROTOCOL_ESP, ends, random4(random).repeat(2)) }),
    () => ({ device, bytes: frame(family, PROTOCOL_ESP, ends, "0000") }),
    () => ({ device, bytes: frame(family, PROTOCOL_AH, ends, `3b010000${random4(random).repeat(2)}`) }),
    () => ({ device, bytes: frame(family, 47, ends, random4(random)) }),
    () => ({
      device,
      bytes: frame(family, family === "ipv4" ? 1 : 58, { ...ends, destinationPort: request(family) }, "0001"),
    }),
    () => aboutSome(random, family, device, ends),
  ];
  const extended: readonly (() => Frame)[] =
    family === "ipv4"
      ? [
          () => sends(put(packet, { flags: 2 })),
          () => sends(put(packet, { protocol: PROTOCOL_AH }), aimed(packet, randomAh(random).aim)),
        ]
      : [
          () => sends(aimed(packet, randomAh6(random).aim)),
          () => sends(put(packet, { protocol: PROTOCOL_ESP }), aimed(packet, randomEsp(random).aim)),
          () => sends(put(packet, { extensions: [{ type: 60, bytes: Buffer.from([0, 0, 1, 4, 0, 0, 0, 0]) }] })),
        ];
  const fragments: readonly (() => Frame)[] =
    family === "ipv4"
      ? [() => sends(put(packet, { fragmentOffset: 185 })), () => fragment(sends(), 0x20)]
      : [
          () => sends(aimed(packet, randomFragmentHeader(random).aim)),
          () => ({ device, bytes: frame(family, 60, ends, "06") }),
        ];
  return random.pick([...kinds, ...extended, ...(tracked ? [] : fragments)])();
}

const put = (packet: Packet, fields: Partial<Packet>): Packet => Object.assign(packet, fields);
const aimed = (packet: Packet, aim: (packet: Packet) => void): void => aim(packet);
const request = (family: Family): number => (family === "ipv4" ? 8 : 128) << 8;

function fragment({ device, bytes }: Frame, flags: number): Frame {
  const copy = Buffer.from(bytes);
  copy[6] = flags;
  // The sum of the header stays right when what is added to one word is taken from another.
  copy.writeUInt16BE((copy.readUInt16BE(10) - (flags << 8) + 0xffff) % 0xffff, 10);
  return { device, bytes: copy };
}

/** An ICMP error about a packet that someone may have sent: NAT lets it through with the right sum alone. */
function aboutSome(random: Random, family: Family, device: string, ends: Ends): Frame {
  const about = random.pick([
    frame(family, UDP, randomEnds(random, family), "00080000"),
    frame(family, PROTOCOL_ESP, randomEnds(random, family), random4(random)),
    frame(
      family,
      family === "ipv4" ? 1 : 58,
      { ...randomEnds(random, family), destinationPort: request(family) },
      "0001",
    ),
    frame(family, UDP, randomEnds(random, family), "00080000").subarray(0, random.pick([8, 22, 40])),
  ]);
  const type = random.pick(family === "ipv4" ? [3, 11, 4, 5, 13] : [1, 2, 3, 127, 135]);
  return { device, bytes: summed(family, errorFrame(family, { ...ends, destinationPort: type << 8 }, about)) };
}

/** A datagram whose source is translated, its answer, and an error about it. */
function translated(random: Random, family: Family): Frame[] {
  const opened = { ...randomEnds(random, family), destination: SERVER[family], destinationPort: 7777 };
  const there: Ends = { ...opened, source: TRANSLATED[family] };
  const { source, destination, sourcePort, destinationPort } = there;
  const back: Ends = {
    source: destination,
    destination: source,
    sourcePort: destinationPort,
    destinationPort: sourcePort,
  };
  const type = (family === "ipv4" ? 3 : 1) << 8;
  const about = frame(family, UDP, there, "00080000");
  const error = summed(family, errorFrame(family, { ...back, sourcePort: 0, destinationPort: type }, about));
  return [
    { device: "eth0", bytes: frame(family, UDP, opened, "00080000") },
    { device: WAY_OUT, bytes: frame(family, UDP, back, "00080000") },
    { device: WAY_OUT, bytes: error },
  ];
}

/** An ICMP message with its sum; in IPv6 addresses, length and protocol count as well. */
function summed(family: Family, packet: Buffer): Buffer {
  const header = family === "ipv4" ? 20 : 40;
  let sum = family === "ipv4" ? 0 : packet.length - header + 58;
  for (let at = family === "ipv4" ? header : 8; at < packet.length; at += 2) sum += packet.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  packet.writeUInt16BE(~sum & 0xffff, header + 2);
  return packet;
}

const empty = (...names: string[]): string => names.map((name) => `:${name} ACCEPT [0:0]\n`).join("");

function makeRound(seed: number, tracked: boolean): CountedRound {
  const random = new Random(seed);
  const family = random.pick(["ipv4", "ipv6"] as const);
  const rules = Array.from({ length: 6 }, () => marked(random, family, tracked)).flat();
  const text = `*mangle\n${empty("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")}${rules.join("\n")}\nCOMMIT\n`;
  const frames = Array.from({ length: PACKETS }, () => randomFrame(random, family, tracked));
  if (!tracked) return { family, text, frames, options: { connections: 0 } };
  // Behind a rule of CT raw sees a connection without ends.
  const zoned = `-A PREROUTING -p udp -j CT --zone 0\n-A PREROUTING -j HMARK ${randomHmark(random, family, true)}\n`;
  const before = `*raw\n${empty("PREROUTING", "OUTPUT")}${random.chance(0.3) ? zoned : ""}COMMIT\n`;
  const translate = `-A POSTROUTING -p udp --dport 7777 -j SNAT --to-source ${TRANSLATED[family]}\n`;
  const nat = `*nat\n${empty("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")}${translate}COMMIT\n`;
  // None of the packets has a checksum.
  const setup = "sysctl -qw net.netfilter.nf_conntrack_checksum=0";
  return { family, text: before + text + nat, setup, frames: [...frames, ...translated(random, family)] };
}

describe("Linux and an engine", () => {
  it.skipIf(missing).each([
    ["packets", false],
    ["connections", true],
  ])(
    `mark %s alike by HMARK${skipped}`,
    (_what, tracked) => {
      const rounds = Array.from({ length: ROUNDS }, (_, seed) => makeRound(seed, tracked));
      const { apart, counting, rules } = countedApart(rounds, WATCHED);
      expect(apart.length, apart[0]).toBe(0);
      expect(counting).toBeGreaterThan(rules / 3);
    },
    120_000,
  );
});
