/** Random matches that files seldom hold: IPsec's headers, DCCP, fragment headers, ECN, what the machine is. */
import { HOOK_FORWARD, HOOK_INPUT, HOOK_OUTPUT, HOOK_POSTROUTING, HOOK_PREROUTING } from "../../src/blob/layout.js";
import type { Random } from "./random.js";
import { type Condition, maybeNot, type Place, randomPortOption, together } from "./random-condition.js";
import type { Packet } from "./packet.js";

const INDEXES = [0, 1, 255, 256, 4096];

export const PROTOCOL_DCCP = 33;
export const PROTOCOL_ESP = 50;
export const PROTOCOL_AH = 51;
export const PROTOCOL_IPCOMP = 108;

/** `--espspi 1:256` and its like; `put` makes a packet with the index. */
function indexOption(random: Random, option: string, put: (packet: Packet, index: number) => void): Condition {
  const [min, max] = [random.pick(INDEXES), random.pick(INDEXES)].sort((a, b) => a - b) as [number, number];
  return maybeNot(random, {
    text: `--${option} ${random.chance(0.4) ? min : `${min}:${max}`}`,
    aim: (packet) => put(packet, min),
  });
}

/** Behind `-p esp`. */
export function randomEsp(random: Random): Condition {
  const put = (packet: Packet, index: number): void => {
    const header = Buffer.alloc(random.pick([8, 8, 30]));
    header.writeUInt32BE(index, 0);
    packet.data = header;
  };
  return together("-m esp", [indexOption(random, "espspi", put)]);
}

/** Behind `-p 108`. */
export function randomIpcomp(random: Random): Condition {
  const put = (packet: Packet, index: number): void => {
    packet.data = Buffer.from([6, random.below(2), index >> 8, index & 255]);
  };
  const parts = [indexOption(random, "ipcompspi", put)];
  if (random.chance(0.3)) parts.push({ text: "--compres", aim: () => undefined });
  return together("-m ipcomp", parts);
}

function authenticationHeader(random: Random, index: number): Buffer {
  const words = random.pick([1, 1, 4]);
  const header = Buffer.alloc(4 * (words + 2));
  header.set([59, words, 0, random.pick([0, 0, 1])]);
  header.writeUInt32BE(index, 4);
  return header;
}

/** Behind `-p ah` in IPv4. */
export function randomAh(random: Random): Condition {
  const put = (packet: Packet, index: number): void => {
    packet.data = authenticationHeader(random, index);
  };
  return together("-m ah", [indexOption(random, "ahspi", put)]);
}

export function randomAh6(random: Random): Condition {
  const put = (packet: Packet, index: number): void => {
    const bytes = authenticationHeader(random, index);
    // Extension headers are multiples of 8 bytes, and of them at least 12 are looked at.
    if (bytes.length % 8 === 0) packet.extensions = [...packet.extensions, { type: PROTOCOL_AH, bytes }];
    else packet.extensions = [{ type: PROTOCOL_AH, bytes }];
  };
  const parts = [indexOption(random, "ahspi", put)];
  if (random.chance(0.4))
    parts.push(maybeNot(random, { text: `--ahlen ${random.pick([12, 24])}`, aim: () => undefined }));
  if (random.chance(0.3)) parts.push({ text: "--ahres", aim: () => undefined });
  return together("-m ah", parts);
}

const FRAGMENT = 44;

/** IPv6 only. */
export function randomFragmentHeader(random: Random): Condition {
  const put = (packet: Packet, index: number): void => {
    const field = 8 * random.pick([0, 0, 1, 20]) + random.pick([0, 0, 0, 2, 4]) + random.below(2);
    const bytes = Buffer.from([0, random.pick([0, 0, 0, 7]), field >> 8, field & 255, 0, 0, 0, 0]);
    bytes.writeUInt32BE(index, 4);
    packet.extensions = [...packet.extensions, { type: FRAGMENT, bytes }];
  };
  const parts = [indexOption(random, "fragid", put)];
  for (const option of ["--fragres", "--fragfirst", random.pick(["--fragmore", "--fraglast"])])
    if (random.chance(0.3)) parts.push({ text: option, aim: () => undefined });
  return together("-m frag", parts);
}

const DCCP_TYPES = ["REQUEST", "RESPONSE", "DATA", "ACK", "CLOSE", "RESET", "SYNCACK", "INVALID"];

/** Behind `-p dccp`. What is put behind the ports is the rest of a header, now and then one that lies. */
export function randomDccp(random: Random): Condition {
  const parts: Condition[] = [];
  if (random.chance(0.3)) parts.push(randomPortOption(random, "--sport", "sourcePort"));
  if (random.chance(0.3)) parts.push(randomPortOption(random, "--dport", "destinationPort"));
  const types = random.some(DCCP_TYPES);
  const option = random.pick([1, 2, 32, 40]);
  const aim: Condition["aim"] = (packet) => {
    const options = random.pick([[], [option, 2, 0, 0], [33, 3, 9, option], [1, 1, 1, option], [option, 0, 0, 0]]);
    const words = random.pick([3, 4, 5, 6, 7, 8]);
    const header = Buffer.alloc(4 * words - 4 + options.length);
    header[0] = words + options.length / 4 + random.pick([0, 0, 0, 0, 9, -2]);
    header[4] = 2 * random.below(12) + random.below(2);
    header.set(options, 4 * words - 4);
    packet.data = header;
  };
  parts.push(maybeNot(random, { text: `--dccp-types ${types.join(",")}`, aim }));
  if (random.chance(0.5)) parts.push(maybeNot(random, { text: `--dccp-option ${option}`, aim }));
  return together("-m dccp", parts);
}

/** `tcp`: behind `-p tcp`, where the flags of TCP's header may be asked for. */
export function randomEcn(random: Random, tcp: boolean): Condition {
  const ect = random.below(4);
  const parts: Condition[] = [];
  if (!tcp || random.chance(0.4))
    parts.push(
      maybeNot(random, {
        text: `--ecn-ip-ect ${ect}`,
        aim: (packet) => {
          packet.tos = (packet.tos & ~3) | ect;
        },
      }),
    );
  for (const [name, flag] of tcp
    ? ([
        ["ece", 64],
        ["cwr", 128],
      ] as const)
    : [])
    if (random.chance(0.6) || parts.length === 0)
      parts.push(
        maybeNot(random, {
          text: `--ecn-tcp-${name}`,
          aim: (packet) => {
            packet.tcpFlags |= flag;
          },
        }),
      );
  return together("-m ecn", parts);
}

const plain = (random: Random, text: string): Condition => maybeNot(random, { text, aim: () => undefined });

export function randomCpu(random: Random): Condition {
  return together("-m cpu", [plain(random, `--cpu ${random.below(2)}`)]);
}

export function randomHelper(random: Random): Condition {
  return together("-m helper", [plain(random, `--helper ${random.pick(["ftp", "sip"])}`)]);
}

/** Hooks with a route, IPv4 only. */
export function randomRealm(random: Random): Condition {
  return together("-m realm", [plain(random, `--realm ${random.pick(["0x0", "0x5", "0x0/0xf", "0x10/0xf0"])}`)]);
}

export const hasRealm = ({ family, hooks }: Place): boolean => family === "ipv4" && !hooks.has(HOOK_PREROUTING);

const beforeRouting = ({ hooks }: Place): boolean =>
  [...hooks].every((hook) => [HOOK_PREROUTING, HOOK_INPUT, HOOK_FORWARD].includes(hook));

export function randomDevgroup(random: Random, place: Place): Condition {
  const option = beforeRouting(place) ? "src-group" : "dst-group";
  return together("-m devgroup", [plain(random, `--${option} ${random.pick(["0x0", "0x1", "0x2/0xf"])}`)]);
}

export const hasDevgroup = (place: Place): boolean =>
  beforeRouting(place) ||
  [...place.hooks].every((hook) => [HOOK_FORWARD, HOOK_OUTPUT, HOOK_POSTROUTING].includes(hook));

export function randomQuota(random: Random): Condition {
  return together("-m quota", [plain(random, `--quota ${random.pick([0, 100, 400, 3000])}`)]);
}
