/** Talks through a router: packets of openers and answers, on Linux and in an engine, and what each receiver gets. */
import * as L from "../../src/blob/layout.js";
import { Engine } from "../../src/engine/engine.js";
import { Reader } from "../../src/engine/reader.js";
import type { SysctlName } from "../../src/engine/sysctls.js";
import type { TimeoutPolicy } from "../../src/engine/timeout-policies.js";
import { type Expectation, expectConnection, listConnections } from "../../src/netfilter/connections.js";
import { printConnection } from "../../src/netfilter/print-connection.js";
import { parseRuleset } from "../../src/ruleset/parse.js";
import { printRuleset } from "../../src/ruleset/print.js";
import type { Family } from "../../src/ruleset/row-store.js";
import { Updater } from "../../src/update/updater.js";
import { addressBytes, addressText } from "./address.js";
import { type Ends, errorFrame, frame, hasPorts, isIcmp } from "./frame.js";
import { blankPacket, encodePacket, PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_SCTP, PROTOCOL_TCP } from "./packet.js";
import { policyWords } from "./timeout-policies.js";
import { readCounters } from "./traffic.js";
import { playScript } from "./script.js";

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
sysctl -qw net.netfilter.nf_conntrack_checksum=0`;
const ROUTES = `ip route add default dev ${WAN}; ip -6 route add default dev ${WAN}`;

/** At least so much is between two steps, so that each has a jiffy of its own, as connlimit asks for. */
export const STEP_MS = 11;

/** Who opens a talk, with what. */
export interface Opening extends Ends {
  readonly protocol: number;
  readonly device: string;
}

export interface Step {
  /** Index into the round's openings. */
  readonly talk: number;
  readonly answer: boolean;
  /** The transport header behind the ports, hexadecimal. */
  readonly rest: string;
  /** An ICMP error about the last packet that the other end got, or that the opener got. */
  readonly error?: {
    readonly type: number;
    readonly code: number;
    readonly aboutAnswer: boolean;
    /** Who sends it; empty for the one who got the packet. */
    readonly from: string;
  };
  /** What is done before it, there and here. */
  readonly first?: { readonly shell: string; readonly engine: (engine: Engine) => void };
  /** What a helper reads in it on Linux, and the engine is told. */
  readonly expects?: Expectation;
}

export interface TalkRound {
  readonly family: Family;
  readonly text: string;
  readonly openings: readonly Opening[];
  readonly steps: readonly Step[];
  readonly sysctls: Readonly<Partial<Record<SysctlName, number>>>;
  /** Policies that its rules name, of its own family. */
  readonly timeoutPolicies?: readonly TimeoutPolicy[];
  /** Whether the engine is given the packets' bytes. */
  readonly bytes: boolean;
}

/** What a receiver got. */
export interface Delivery extends Ends {
  readonly device: string;
  /** What an ICMP error quotes. */
  readonly quoted?: Ends;
}

export interface Outcome {
  readonly steps: readonly (Delivery | null)[];
  readonly counters: ReadonlyMap<string, string>;
  readonly connections: readonly string[];
  /** Milliseconds of the round at which each step was sent, and at which connections were listed: the engine lives by them. */
  readonly times: readonly number[];
  readonly listedAt: number;
}

/** Per round what Linux did, or what iptables-restore said. */
export function talkOnLinux(rounds: readonly TalkRound[]): (Outcome | string)[] {
  const orders = {
    setup: SETUP,
    pause: STEP_MS / 1000,
    devices: ADDRESSES,
    routes: ROUTES,
    rounds: rounds.map(({ family, text, openings, steps, sysctls, timeoutPolicies = [] }) => ({
      family,
      text,
      sysctls,
      policies: timeoutPolicies.map(policyWords),
      steps: steps.map(({ talk, answer, rest, error, first }) => {
        const opening = openings[talk] as Opening;
        const shell = first ? { shell: first.shell } : {};
        if (error || answer) return { talk, rest, ...(error ? { error } : {}), ...shell };
        return {
          talk,
          ...shell,
          device: opening.device,
          bytes: frame(family, opening.protocol, opening, rest).toString("hex"),
        };
      }),
    })),
  };
  const played = playScript("converse.py", orders) as {
    said: string;
    steps: { at: number; got: [string, string] | null }[];
    saved: string;
    listed: string;
    listedAt: number;
  }[];
  return played.map(({ said, steps, saved, listed, listedAt }) =>
    said
      ? said
      : {
          steps: steps.map(({ got }) => got && readDelivery(got[0], Buffer.from(got[1], "hex"))),
          counters: readCounters(saved),
          connections: listed.split("\n").filter(Boolean),
          times: steps.map(({ at }) => at),
          listedAt,
        },
  );
}

/** A packet as someone got it. */
interface Got {
  readonly device: string;
  readonly ends: Ends;
  readonly bytes: Buffer;
}

/** The same in an engine, which does not route: packets that Linux delivered go where Linux sent them. */
export function talkInEngine(round: TalkRound, linux: Outcome): Outcome {
  const { family, text, openings, sysctls, timeoutPolicies = [] } = round;
  const { times, listedAt } = linux;
  const localAddresses = Object.entries(ADDRESSES).flatMap(([device, addresses]) =>
    addresses.map((address) => `${address.replace(/\/.*/, "")} ${device}`),
  );
  const engine = Engine.create({ connections: 1024, localAddresses, sysctls, timeoutPolicies });
  new Updater(engine, { strategy: "full" }).load(parseRuleset(text, { family }));
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(1);
  const reached = new Map<number, Got>();
  const answered = new Map<number, Got>();
  const steps = round.steps.map((step, i) => {
    const opening = openings[step.talk] as Opening;
    step.first?.engine(engine);
    const comesBack = step.answer || step.error !== undefined;
    const about = comesBack ? (step.error?.aboutAnswer ? answered : reached).get(step.talk) : undefined;
    if (comesBack && !about) return null;
    const icmp = family === "ipv4" ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
    const protocol = step.error ? icmp : opening.protocol;
    const from: Ends = about ? turnedAround(about.ends, step, family) : opening;
    const bare = about ? { from, device: about.device } : { from, device: opening.device };
    const sent = step.error && about ? errorFrame(family, from, about.bytes) : frame(family, protocol, from, step.rest);
    const output = linux.steps[i]?.device ?? (isLan(from.destination) ? LAN : WAN);
    const record = recordOf(family, protocol, bare.from, bare.device, output, sent);
    const now = times[i] as number;
    new DataView(record.buffer).setUint32(L.PACKET_TIME, now, true);
    pool.set(0, record);
    // What SCTP's tags are is said by its bytes alone.
    if (round.bytes || step.error || protocol === PROTOCOL_SCTP) pool.setBytes(0, sent);
    reader.match(pool, 0, 1);
    if (step.expects && !expectConnection(engine, step.expects, now)) throw new Error(`step ${i}: not expected`);
    const delivery = deliveryOf(pool.result(0), family, protocol, output, step.error ? about?.bytes : undefined);
    if (!delivery) return null;
    const got = { device: output, ends: delivery, bytes: frame(family, protocol, delivery, step.rest) };
    if (!step.error) (step.answer ? answered : reached).set(step.talk, got);
    return delivery;
  });
  const saved = engine.readRuleset().map((ruleset) => printRuleset(ruleset, { counters: true }));
  const connections = listConnections(engine, listedAt).map((connection) => printConnection(connection, listedAt));
  return { steps, counters: readCounters(saved.join("\n")), connections, times, listedAt };
}

function turnedAround(ends: Ends, { error }: Step, family: Family): Ends {
  const { source, destination, sourcePort, destinationPort } = ends;
  if (error)
    return {
      source: error.from || destination,
      destination: source,
      sourcePort: 0,
      destinationPort: (error.type << 8) | error.code,
    };
  const request = family === "ipv4" ? 8 << 8 : 128 << 8;
  if (destinationPort === request && isEcho(ends))
    return { source: destination, destination: source, sourcePort, destinationPort: family === "ipv4" ? 0 : 129 << 8 };
  return { source: destination, destination: source, sourcePort: destinationPort, destinationPort: sourcePort };
}

/** Openers use no ports that look like an echo's type. */
function isEcho({ destinationPort }: Ends): boolean {
  return destinationPort === 8 << 8 || destinationPort === 128 << 8;
}

function recordOf(
  family: Family,
  protocol: number,
  ends: Ends,
  input: string,
  output: string,
  bytes: Buffer,
): Uint8Array {
  const packet = blankPacket(family);
  const transport = family === "ipv4" ? 20 : 40;
  const icmp = isIcmp(protocol);
  Object.assign(packet, {
    protocol,
    sourcePort: icmp ? ends.destinationPort >> 8 : hasPorts(protocol) ? ends.sourcePort : 0,
    destinationPort: icmp ? ends.destinationPort & 255 : hasPorts(protocol) ? ends.destinationPort : 0,
    input,
    output,
    tcpFlags: protocol === PROTOCOL_TCP ? bytes[transport + 13] : 0,
    length: bytes.length,
    ctState: 0,
    source: addressBytes(ends.source),
    destination: addressBytes(ends.destination),
  });
  const record = encodePacket(packet);
  if (protocol === PROTOCOL_SCTP) record[L.PACKET_CHUNK_TYPE] = bytes[transport + 12] as number;
  if (icmp) new DataView(record.buffer).setUint16(L.PACKET_ICMP_ID, ends.sourcePort, true);
  return record;
}

function deliveryOf(
  result: DataView,
  family: Family,
  protocol: number,
  device: string,
  quotedBytes: Buffer | undefined,
): Delivery | null {
  if (result.getUint8(L.RESULT_VERDICT) !== L.VERDICT_ACCEPT || result.getUint8(L.RESULT_HOOK) === L.HOOK_INPUT)
    return null;
  const width = family === "ipv4" ? 4 : 16;
  const address = (at: number) => addressText(new Uint8Array(result.buffer, result.byteOffset + at, width));
  const port = (at: number) => result.getUint16(at, true);
  const icmp = isIcmp(protocol);
  const ends = {
    device,
    source: address(L.RESULT_SOURCE),
    destination: address(L.RESULT_DESTINATION),
    sourcePort: port(icmp ? L.RESULT_ICMP_ID : L.RESULT_SOURCE_PORT),
    destinationPort: icmp
      ? (port(L.RESULT_SOURCE_PORT) << 8) | port(L.RESULT_DESTINATION_PORT)
      : port(L.RESULT_DESTINATION_PORT),
  };
  if (!quotedBytes) return ends;
  const rewritten = (result.getUint8(L.RESULT_FLAGS) & L.RESULT_FLAG_QUOTED) !== 0;
  const quoted = rewritten
    ? {
        source: address(L.RESULT_QUOTED_SOURCE),
        destination: address(L.RESULT_QUOTED_DESTINATION),
        sourcePort: port(L.RESULT_QUOTED_SOURCE_PORT),
        destinationPort: port(L.RESULT_QUOTED_DESTINATION_PORT),
      }
    : endsOf(quotedBytes);
  return { ...ends, quoted };
}

function readDelivery(device: string, bytes: Buffer): Delivery {
  const ipv4 = (bytes[0] as number) >> 4 === 4;
  const header = ipv4 ? 20 : 40;
  const error = isIcmp(bytes[ipv4 ? 9 : 6] as number) && isError(bytes[header] as number, ipv4);
  return { device, ...endsOf(bytes), ...(error ? { quoted: endsOf(bytes.subarray(header + 8)) } : {}) };
}

function isError(type: number, ipv4: boolean): boolean {
  return ipv4 ? [3, 4, 5, 11, 12].includes(type) : type < 128;
}

function endsOf(bytes: Buffer): Ends {
  const [protocolAt, at, width, header] = (bytes[0] as number) >> 4 === 4 ? [9, 12, 4, 20] : [6, 8, 16, 40];
  const protocol = bytes[protocolAt] as number;
  const icmp = isIcmp(protocol);
  const ports = hasPorts(protocol);
  const error = icmp && isError(bytes[header] as number, header === 20);
  return {
    source: addressText(bytes.subarray(at, at + width)),
    destination: addressText(bytes.subarray(at + width, at + 2 * width)),
    sourcePort: error ? 0 : icmp ? bytes.readUInt16BE(header + 4) : ports ? bytes.readUInt16BE(header) : 0,
    destinationPort: icmp ? bytes.readUInt16BE(header) : ports ? bytes.readUInt16BE(header + 2) : 0,
  };
}

function isLan(address: string): boolean {
  return address.startsWith("10.0.0.") || address.startsWith("fd00:1::");
}
