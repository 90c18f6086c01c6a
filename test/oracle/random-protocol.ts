/** Random protocols with their matches on ports, flags, types, chunks. */
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_SCTP, PROTOCOL_TCP, PROTOCOL_UDP, type Packet } from "./packet.js";
import type { Random } from "./random.js";
import { type Condition, maybeNot, type Place, randomPortOption, together } from "./random-condition.js";
import { randomChunks } from "./random-bytes.js";
import {
  PROTOCOL_AH,
  PROTOCOL_DCCP,
  PROTOCOL_ESP,
  PROTOCOL_IPCOMP,
  randomAh,
  randomDccp,
  randomEcn,
  randomEsp,
  randomIpcomp,
} from "./random-rare.js";
import { randomSegmentSize } from "./random-header.js";
import { PORTS } from "./random-pool.js";

/** A rule's protocol. `exact` is not negated, as targets and matches with ports ask. */
export interface Protocol {
  readonly number: number;
  readonly exact: boolean;
  readonly conditions: readonly Condition[];
}

export const NO_PROTOCOL: Protocol = { number: 0, exact: false, conditions: [] };

export function protocolAlone(number: number, name: string): Condition {
  return {
    text: `-p ${name}`,
    aim: (packet) => {
      packet.protocol = number;
    },
  };
}

export function randomProtocol(random: Random, place: Place): Protocol {
  const icmp = place.family === "ipv4" ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
  return random.weighted<() => Protocol>([
    [8, () => withPorts(random, PROTOCOL_TCP, "tcp")],
    [4, () => withPorts(random, PROTOCOL_UDP, "udp")],
    [1, () => withPorts(random, PROTOCOL_SCTP, "sctp")],
    [2, () => withIcmp(random, icmp)],
    [1, () => other(random)],
    [1, () => rare(random, place)],
  ])();
}

/** gre, esp, or any protocol negated. */
function other(random: Random): Protocol {
  const [number, name] = random.pick([
    [47, "gre"],
    [50, "esp"],
    [PROTOCOL_TCP, "tcp"],
    [PROTOCOL_UDP, "udp"],
  ] as const);
  const negated = random.chance(0.5);
  const condition = protocolAlone(number, name);
  return {
    number,
    exact: !negated,
    conditions: [negated ? { text: `! ${condition.text}`, aim: () => undefined } : condition],
  };
}

/** Protocols with a match of their own that looks into the packet. */
function rare(random: Random, { family }: Place): Protocol {
  const [number, name, make] = random.pick([
    [PROTOCOL_ESP, "esp", randomEsp],
    [PROTOCOL_IPCOMP, "108", randomIpcomp],
    [PROTOCOL_DCCP, "dccp", randomDccp],
    ...(family === "ipv4" ? [[PROTOCOL_AH, "ah", randomAh] as const] : []),
  ] as const);
  return { number, exact: true, conditions: [protocolAlone(number, name), make(random)] };
}

function withPorts(random: Random, number: number, name: string): Protocol {
  const conditions: Condition[] = [protocolAlone(number, name)];
  const own: Condition[] = [];
  if (random.chance(0.3)) own.push(randomPortOption(random, "--sport", "sourcePort"));
  if (random.chance(0.6)) own.push(randomPortOption(random, "--dport", "destinationPort"));
  if (name === "tcp" && random.chance(0.3)) own.push(tcpFlags(random));
  if (name === "tcp" && random.chance(0.1)) own.push(tcpOption(random));
  if (name === "sctp" && random.chance(0.3)) own.push(randomChunks(random));
  if (own.length > 0) conditions.push(together(`-m ${name}`, own));
  if (random.chance(0.15)) conditions.push(multiport(random));
  if (name === "tcp" && random.chance(0.08)) conditions.push(randomSegmentSize(random));
  if (name === "tcp" && random.chance(0.05)) conditions.push(randomEcn(random, true));
  return { number, exact: true, conditions };
}

/** Name and bit of each TCP flag. */
const TCP_FLAGS = [
  ["FIN", 1],
  ["SYN", 2],
  ["RST", 4],
  ["PSH", 8],
  ["ACK", 16],
  ["URG", 32],
] as const;

function tcpFlags(random: Random): Condition {
  const mask = random.some(TCP_FLAGS);
  const set = random.chance(0.3) ? [] : random.some(mask);
  const names = (flags: readonly (readonly [string, number])[]): string =>
    flags.map(([name]) => name).join(",") || "NONE";
  const bits = (flags: readonly (readonly [string, number])[]): number => flags.reduce((sum, [, bit]) => sum | bit, 0);
  return maybeNot(random, {
    text: `--tcp-flags ${names(mask)} ${names(set)}`,
    aim: (packet) => {
      packet.tcpFlags = (packet.tcpFlags & ~bits(mask)) | bits(set);
    },
  });
}

export function carryOption(packet: Packet, option: number): void {
  packet.tcpOptions = (packet.tcpOptions | (1 << option)) >>> 0;
  packet.tcpDataOffset = 40;
}

export function tcpOption(random: Random): Condition {
  const option = random.pick([2, 3, 8, 30, 77]);
  return maybeNot(random, {
    text: `--tcp-option ${option}`,
    aim: (packet) => {
      if (option < 32) carryOption(packet, option);
    },
  });
}

function multiport(random: Random): Condition {
  const ports: { text: string; port: number }[] = [];
  for (let i = random.between(1, 5); i > 0; i--) {
    const a = random.pick(PORTS);
    const b = random.pick(PORTS);
    const range = random.chance(0.3) && a < b;
    ports.push({ text: range ? `${a}:${b}` : String(a), port: range ? random.between(a, b) : a });
  }
  const option = random.pick(["--sports", "--dports", "--ports"]);
  const inner = maybeNot(random, {
    text: `${option} ${ports.map((port) => port.text).join(",")}`,
    aim: (packet) => {
      const { port } = random.pick(ports);
      if (option === "--sports" || (option === "--ports" && random.chance(0.5))) packet.sourcePort = port;
      else packet.destinationPort = port;
    },
  });
  return together("-m multiport", [inner]);
}

/** Types and codes of ICMP, or of ICMPv6. */
function withIcmp(random: Random, number: number): Protocol {
  const old = number === PROTOCOL_ICMP;
  const conditions: Condition[] = [protocolAlone(number, old ? "icmp" : "ipv6-icmp")];
  if (random.chance(0.7)) {
    const type = random.pick(old ? [0, 3, 8, 11] : [1, 128, 129, 135]);
    const code = random.chance(0.4) ? random.below(4) : undefined;
    const any = old && random.chance(0.15);
    const inner = maybeNot(random, {
      text: `${old ? "--icmp-type" : "--icmpv6-type"} ${any ? "any" : code === undefined ? type : `${type}/${code}`}`,
      aim: (packet) => {
        packet.sourcePort = type;
        packet.destinationPort = code ?? random.below(4);
      },
    });
    conditions.push(together(old ? "-m icmp" : "-m icmp6", [inner]));
  }
  return { number, exact: true, conditions };
}
