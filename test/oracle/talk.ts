/** Talks through a router: packets of openers and answers, on Linux and in an engine, and what each receiver gets. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as L from "../../src/blob/layout.js";
import { Engine } from "../../src/engine/engine.js";
import { Reader } from "../../src/engine/reader.js";
import { listConnections, printConnection } from "../../src/netfilter/connections.js";
import { parseRuleset } from "../../src/ruleset/parse.js";
import { printRuleset } from "../../src/ruleset/print.js";
import type { Family } from "../../src/ruleset/row-store.js";
import { Updater } from "../../src/update/updater.js";
import { addressBytes, addressText } from "./address.js";
import { blankPacket, encodePacket, type Packet, PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from "./packet.js";
import { readCounters } from "./traffic.js";
import { wireBytes } from "./wire.js";

export const LAN = "lan0";
export const WAN = "wan0";
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  [LAN]: ["10.0.0.1/24", "fd00:1::1/64"],
  [WAN]: ["192.0.2.1/24", "2001:db8::1/64"],
};
const SETUP = `ip link set lo up
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.all.send_redirects=0
iptables-legacy -t nat -A OUTPUT -m conntrack --ctstate NEW
ip6tables-legacy -t nat -A OUTPUT -m conntrack --ctstate NEW
sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=1 net.netfilter.nf_conntrack_checksum=0`;
const ROUTES = `ip route add default dev ${WAN}; ip -6 route add default dev ${WAN}`;

/** Who opens a talk, with what. */
export interface Opening {
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  /** Of the opener, and of whom it talks to; ICMP: the identifier, and nothing. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly device: string;
}

export interface Step {
  /** Index into the round's openings. */
  readonly talk: number;
  readonly answer: boolean;
  /** TCP's. */
  readonly flags: number;
}

export interface TalkRound {
  readonly family: Family;
  readonly text: string;
  readonly openings: readonly Opening[];
  readonly steps: readonly Step[];
}

/** What a receiver got. */
export interface Delivery {
  readonly device: string;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export interface Outcome {
  readonly steps: readonly (Delivery | null)[];
  readonly counters: ReadonlyMap<string, string>;
  readonly connections: readonly string[];
}

/** Per round what Linux did, or what iptables-restore said. */
export function talkOnLinux(rounds: readonly TalkRound[]): (Outcome | string)[] {
  const orders = {
    setup: SETUP,
    devices: ADDRESSES,
    routes: ROUTES,
    rounds: rounds.map(({ family, text, openings, steps }) => ({
      family,
      text,
      steps: steps.map(({ talk, answer, flags }) => {
        const opening = openings[talk] as Opening;
        const bytes = openerBytes(family, opening, flags).toString("hex");
        return answer ? { talk, flags } : { talk, device: opening.device, bytes };
      }),
    })),
  };
  const script = fileURLToPath(new URL("converse.py", import.meta.url));
  const { stdout, stderr, status } = spawnSync("unshare", ["--net", "python3", script], {
    input: JSON.stringify(orders),
    maxBuffer: 2 ** 28,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  const played = JSON.parse(stdout) as {
    said: string;
    steps: ([string, string] | null)[];
    saved: string;
    listed: string;
  }[];
  return played.map(({ said, steps, saved, listed }) =>
    said
      ? said
      : {
          steps: steps.map((got) => got && readDelivery(got[0], Buffer.from(got[1], "hex"))),
          counters: readCounters(saved),
          connections: listed.split("\n").filter(Boolean),
        },
  );
}

/** The same in an engine, which does not route: packets that Linux delivered go where Linux sent them. */
export function talkInEngine(round: TalkRound, linux: Outcome): Outcome {
  const localAddresses = Object.entries(ADDRESSES).flatMap(([device, addresses]) =>
    addresses.map((address) => `${address.replace(/\/.*/, "")} ${device}`),
  );
  const engine = Engine.create({ connections: 1024, localAddresses });
  new Updater(engine, { strategy: "full" }).load(parseRuleset(round.text, { family: round.family }));
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(1);
  const last = new Map<number, Delivery>();
  const steps = round.steps.map(({ talk, answer, flags }, i) => {
    const opening = round.openings[talk] as Opening;
    const got = last.get(talk);
    if (answer && !got) return null;
    const from: Opening = got && answer ? turnedAround(got, opening.protocol) : opening;
    const packet = makePacket(round.family, from, flags);
    wireBytes(packet);
    const icmp = isIcmp(from.protocol);
    if (icmp && answer) packet.sourcePort = opening.protocol === PROTOCOL_ICMP ? 0 : 129;
    packet.output = linux.steps[i]?.device ?? (isLan(from.destination) ? LAN : WAN);
    const record = encodePacket(packet);
    if (icmp) new DataView(record.buffer).setUint16(L.PACKET_ICMP_ID, from.sourcePort, true);
    pool.set(0, record);
    reader.match(pool, 0, 1);
    const result = pool.result(0);
    if (result.getUint8(L.RESULT_VERDICT) !== L.VERDICT_ACCEPT || result.getUint8(L.RESULT_HOOK) === L.HOOK_INPUT)
      return null;
    const width = round.family === "ipv4" ? 4 : 16;
    const address = (at: number) => addressText(new Uint8Array(result.buffer, result.byteOffset + at, width));
    const delivery = {
      device: packet.output,
      source: address(L.RESULT_SOURCE),
      destination: address(L.RESULT_DESTINATION),
      sourcePort: result.getUint16(icmp ? L.RESULT_ICMP_ID : L.RESULT_SOURCE_PORT, true),
      destinationPort: icmp ? 0 : result.getUint16(L.RESULT_DESTINATION_PORT, true),
    };
    if (!answer) last.set(talk, delivery);
    return delivery;
  });
  const saved = engine.readRuleset().map((ruleset) => printRuleset(ruleset, { counters: true }));
  const connections = listConnections(engine, 0).map((connection) => printConnection(connection, 0));
  return { steps, counters: readCounters(saved.join("\n")), connections };
}

function turnedAround(got: Delivery, protocol: number): Opening {
  const icmp = isIcmp(protocol);
  return {
    protocol,
    source: got.destination,
    destination: got.source,
    sourcePort: icmp ? got.sourcePort : got.destinationPort,
    destinationPort: icmp ? 0 : got.sourcePort,
    device: got.device,
  };
}

function makePacket(family: Family, opening: Opening, flags: number): Packet {
  const { protocol, source, destination, sourcePort, destinationPort, device } = opening;
  const packet = blankPacket(family);
  Object.assign(packet, {
    protocol,
    sourcePort,
    destinationPort,
    input: device,
    tcpFlags: flags,
    length: 0,
    ctState: 0,
  });
  Object.assign(packet, { source: addressBytes(source), destination: addressBytes(destination) });
  if (isIcmp(protocol)) Object.assign(packet, { sourcePort: protocol === PROTOCOL_ICMP ? 8 : 128, destinationPort: 0 });
  return packet;
}

function openerBytes(family: Family, opening: Opening, flags: number): Buffer {
  const bytes = Buffer.from(wireBytes(makePacket(family, opening, flags)));
  if (isIcmp(opening.protocol)) bytes.writeUInt16BE(opening.sourcePort, (family === "ipv4" ? 20 : 40) + 4);
  return bytes;
}

function readDelivery(device: string, bytes: Buffer): Delivery {
  const [protocolAt, at, width, header] = (bytes[0] as number) >> 4 === 4 ? [9, 12, 4, 20] : [6, 8, 16, 40];
  const icmp = isIcmp(bytes[protocolAt] as number);
  return {
    device,
    source: addressText(bytes.subarray(at, at + width)),
    destination: addressText(bytes.subarray(at + width, at + 2 * width)),
    sourcePort: bytes.readUInt16BE(header + (icmp ? 4 : 0)),
    destinationPort: icmp ? 0 : bytes.readUInt16BE(header + 2),
  };
}

function isIcmp(protocol: number): boolean {
  return protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6;
}

function isLan(address: string): boolean {
  return address.startsWith("10.0.0.") || address.startsWith("fd00:1::");
}
