/** Packets byte by byte that no honest machine sends: headers that end too early, say the wrong length, or come in an odd order. */
import { checksum } from "./checksum.js";
import type { Family } from "../../src/ruleset/row-store.js";
import { addressBytes } from "./address.js";
import { frame, isIcmp } from "./frame.js";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_SCTP, PROTOCOL_TCP, PROTOCOL_UDP } from "./packet.js";
import type { Random } from "./random.js";

export const ODD_PORTS = [0, 1, 22, 53, 80, 443, 65535];
export const ODD_OPTIONS = [1, 2, 3, 4, 5, 8, 30, 34, 253];
const FOREIGN: Readonly<Record<Family, readonly string[]>> = {
  ipv4: ["198.51.100.1", "198.51.100.2", "203.0.113.200"],
  ipv6: ["2001:db8:9::1", "2001:db8:9:1::2", "2001:db8:9:2:200:5eff:fe00:5201", "2001:db8:5050:1111::9"],
};
const OWN: Readonly<Record<Family, string>> = { ipv4: "10.0.0.1", ipv6: "fd00::1" };
const [DCCP, UDPLITE, GRE, ESP, AH, IPCOMP, MOBILITY] = [33, 136, 47, 50, 51, 108, 135];
const [HOP_BY_HOP, ROUTING, FRAGMENT, NO_NEXT, DESTINATION_OPTIONS] = [0, 43, 44, 59, 60];

/** `id`: no two packets of a test are fragments of one another. */
export function oddFrame(random: Random, family: Family, id: number): Buffer {
  const protocol = random.pick([
    ...[
      PROTOCOL_TCP,
      PROTOCOL_TCP,
      PROTOCOL_TCP,
      PROTOCOL_TCP,
      PROTOCOL_UDP,
      PROTOCOL_UDP,
      UDPLITE,
      PROTOCOL_SCTP,
      DCCP,
    ],
    ...[family === "ipv4" ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, GRE, ESP, AH, IPCOMP, family === "ipv4" ? 255 : MOBILITY],
  ]);
  const body = transport(random, family, protocol);
  const kept = random.chance(0.35) ? body.subarray(0, random.below(Math.min(body.length, 44) + 1)) : body;
  return family === "ipv4" ? inIpv4(random, protocol, kept, id) : inIpv6(random, protocol, kept, id);
}

function transport(random: Random, family: Family, protocol: number): Buffer {
  const data = randomBytes(random, random.pick([0, 0, 1, 4, 20, 100]));
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(random.pick(ODD_PORTS), 0);
  ports.writeUInt16BE(random.pick(ODD_PORTS), 2);
  if (protocol === PROTOCOL_TCP) return Buffer.concat([ports, segment(random), data]);
  if (protocol === PROTOCOL_UDP || protocol === UDPLITE) {
    const length = random.pick([0, 7, 8, 8 + data.length, 8 + data.length, 9 + data.length, 65535]);
    const sum = random.pick([0, 0, 1, 0xfffe, 0xffff, random.below(65536)]);
    return Buffer.concat([ports, Buffer.from([length >> 8, length & 255, sum >> 8, sum & 255]), data]);
  }
  if (protocol === PROTOCOL_SCTP) return Buffer.concat([ports, Buffer.alloc(8, 1), chunks(random)]);
  if (protocol === DCCP) return Buffer.concat([ports, dccpRest(random), data]);
  if (isIcmp(protocol)) return Buffer.concat([icmp(random, family), data]);
  return Buffer.concat([randomBytes(random, random.pick([0, 4, 8, 12, 24])), data]);
}

/** Of TCP, behind the ports. */
function segment(random: Random): Buffer {
  const options = tcpOptions(random);
  const header = Buffer.alloc(16);
  const honest = 5 + (options.length >> 2);
  header[8] = random.pick([honest, honest, honest, honest - 1, honest + 1, 0, 4, 5, 15]) << 4;
  header[9] = random.pick([0, 2, 2, 2, 16, 18, 4, 41, 0xc2, 0x52, 255]);
  header.writeUInt16BE(random.pick([0, 0xffff, random.below(65536)]), 12);
  return Buffer.concat([header, options]);
}

function tcpOptions(random: Random): Buffer {
  const parts: number[] = [];
  for (let left = random.below(6); left > 0 && parts.length < 32; left--) {
    const kind = random.pick([0, 1, 1, 2, 2, 2, ...ODD_OPTIONS]);
    const size = random.pick([0, 1, 2, 3, 4, 4, 4, 10, 40]);
    if (kind === 2 && random.chance(0.7))
      parts.push(
        2,
        4,
        ...random.pick([
          [0, 0],
          [0, 1],
          [2, 0x18],
          [5, 0xb4],
          [255, 255],
        ]),
      );
    else if (kind < 2) parts.push(kind);
    else parts.push(kind, size, ...randomBytes(random, Math.max(0, Math.min(size, 10) - 2)));
  }
  while (parts.length % 4 !== 0) parts.push(random.chance(0.8) ? 1 : random.pick([0, 2, 8]));
  return Buffer.from(parts.slice(0, 40));
}

function chunks(random: Random): Buffer {
  const parts = Array.from({ length: random.below(4) }, () => {
    const chunk = Buffer.alloc(random.pick([4, 8, 20]), 1);
    chunk[0] = random.pick([0, 1, 3, 6, 7, 14, 192]);
    chunk.writeUInt16BE(random.pick([chunk.length, chunk.length, 0, 3, 5, 255]), 2);
    return chunk;
  });
  return Buffer.concat(parts);
}

function dccpRest(random: Random): Buffer {
  const rest = Buffer.alloc(random.pick([8, 12, 20]));
  rest[0] = random.pick([3, 4, 5, 6, 0, 255]);
  rest[4] = (random.below(10) << 1) | random.below(2);
  return rest;
}

/** A message; an error quotes as much as it likes of a packet. */
function icmp(random: Random, family: Family): Buffer {
  const types = family === "ipv4" ? [0, 3, 3, 4, 5, 8, 11, 12, 13, 255] : [1, 1, 2, 3, 4, 128, 129, 144, 200, 255];
  const head = Buffer.alloc(8);
  head[0] = random.pick(types);
  head[1] = random.pick([0, 0, 1, 3, 4, 16]);
  head.writeUInt16BE(random.below(4), 4);
  if (random.chance(0.4)) return head;
  const [source, destination] = [OWN[family], random.pick(FOREIGN[family])];
  const ends = { source, destination, sourcePort: random.pick(ODD_PORTS), destinationPort: random.pick(ODD_PORTS) };
  const quoted = frame(family, random.pick([6, 17, 1, 58, 132]), ends, "0000000000000001500020000000");
  return Buffer.concat([head, quoted.subarray(0, random.pick([0, 8, 19, 20, 24, 27, 28, 40, 44, 48, 80]))]);
}

function inIpv4(random: Random, protocol: number, body: Buffer, id: number): Buffer {
  const options = random.chance(0.2) ? ipOptions(random) : Buffer.alloc(0);
  const header = Buffer.alloc(20);
  header[0] = 0x45 + (options.length >> 2);
  header[1] = random.pick([0, 0, 1, 2, 3, 0x10, 0xb8]);
  header.writeUInt16BE(20 + options.length + body.length, 2);
  header.writeUInt16BE(id & 0xffff, 4);
  const later = random.chance(0.15);
  header.writeUInt16BE(later ? random.pick([1, 2, 185, 8191]) : random.chance(0.05) ? 0x4000 : 0, 6);
  header[8] = random.pick([1, 2, 64, 255]);
  header[9] = protocol;
  header.set(addressBytes(random.pick(FOREIGN.ipv4)), 12);
  header.set(addressBytes(random.pick([...FOREIGN.ipv4, ...(later ? [] : [OWN.ipv4])])), 16);
  const whole = Buffer.concat([header, options]);
  whole.writeUInt16BE(checksum(whole), 10);
  return Buffer.concat([whole, body, randomBytes(random, random.chance(0.1) ? 7 : 0)]);
}

/** No-operations, ends, and options that nobody knows, of an honest length. */
function ipOptions(random: Random): Buffer {
  const parts: number[] = [];
  for (let left = 1 + random.below(4); left > 0; left--)
    parts.push(...random.pick([[1], [0x5e, 4, 1, 2], [1, 1], [0x88, 4, 0, 1]]));
  while (parts.length % 4 !== 0) parts.push(random.below(2));
  return Buffer.from(parts);
}

function inIpv6(random: Random, protocol: number, body: Buffer, id: number): Buffer {
  const headers: { type: number; bytes: Buffer }[] = [];
  for (let left = random.pick([0, 0, 0, 1, 1, 2, 3, 4]); left > 0; left--) {
    const type = random.pick([ROUTING, FRAGMENT, DESTINATION_OPTIONS, AH, NO_NEXT, HOP_BY_HOP, MOBILITY]);
    if (type === FRAGMENT && headers.some((one) => one.type === FRAGMENT)) continue;
    headers.push({ type, bytes: extension(random, type, id) });
  }
  // Only in front does Linux look at options of each hop before any hook.
  if (headers[0]?.type === HOP_BY_HOP) headers[0].bytes = Buffer.from([0, 0, 1, 4, 0, 0, 0, 0]);
  headers.forEach(({ bytes }, nth) => {
    bytes[0] = headers[nth + 1]?.type ?? protocol;
  });
  const header = Buffer.alloc(40);
  header.writeUInt16BE(0x6000 | (random.pick([0, 0, 1, 2, 3, 0x10, 0xb8]) << 4), 0);
  header[6] = headers[0]?.type ?? protocol;
  header[7] = random.pick([1, 2, 64, 255]);
  header.set(addressBytes(random.pick(FOREIGN.ipv6)), 8);
  header.set(addressBytes(random.pick([...FOREIGN.ipv6, OWN.ipv6])), 24);
  let rest = Buffer.concat([...headers.map(({ bytes }) => bytes), body]);
  // Of a routing header with less than four bytes one of Linux' functions thinks that it is whole, another that it is not.
  if (headers.length > 0 && headers[0]?.type !== HOP_BY_HOP && random.chance(0.15))
    rest = rest.subarray(0, 4 * random.below(rest.length >> 2));
  header.writeUInt16BE(rest.length, 4);
  // A length of 0 stands for a jumbo packet.
  return Buffer.concat([header, rest, randomBytes(random, rest.length > 0 && random.chance(0.1) ? 7 : 0)]);
}

function extension(random: Random, type: number, id: number): Buffer {
  if (type === FRAGMENT) {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt16BE((random.pick([0, 0, 0, 1, 2, 185]) << 3) | random.below(2), 2);
    bytes.writeUInt32BE(id, 4);
    return bytes;
  }
  const units = random.pick([0, 0, 1, 2]);
  const bytes = Buffer.alloc(type === AH ? 4 * (units + 2) : 8 * (units + 1));
  bytes[1] = random.chance(0.9) ? units : random.pick([3, 30, 255]);
  if (type === ROUTING) bytes.set([random.pick([0, 2, 4, 200]), random.pick([0, 1])], 2);
  else if (type === MOBILITY) bytes[2] = random.below(8);
  else if (type === AH) bytes.writeUInt32BE(random.below(3), 4);
  else bytes.set([1, bytes.length - 4], 2);
  return bytes;
}

function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}
