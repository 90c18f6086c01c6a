/** A packet's own bytes into the fields that rules ask for, as the kernel reads its headers. */
import type { Family } from "../ruleset/row-store.js";
import { readAddressText } from "./address.js";
import type { Packet } from "./packet.js";
import { hasPorts, isIcmp, PROTOCOL_SCTP, PROTOCOL_TCP } from "./packet-names.js";

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;
/** Bytes of a transport header without which a rule that looks at it drops the packet. */
const SHORTEST: Readonly<Record<number, number>> = { 1: 4, 6: 20, 17: 8, 33: 12, 58: 4, 132: 12, 136: 8 };
const MSS_OPTION = 2;

interface Internet {
  readonly family: Family;
  readonly protocol: number;
  /** Where the transport header begins. */
  readonly transport: number;
  readonly length: number;
  readonly fragmentOffset: number;
  readonly moreFragments: boolean;
  readonly fragmentId: number;
  readonly tos: number;
  readonly ttl: number;
  readonly source: string;
  readonly destination: string;
}

/** Undefined where the bytes are no IP packet. `rest` is what they do not tell: interfaces, time, link layer. */
export function packetOfWire(bytes: Uint8Array, rest: Partial<Packet>): Packet | undefined {
  const version = (bytes[0] ?? 0) >> 4;
  const internet = version === 4 ? readIpv4(bytes) : version === 6 ? readIpv6(bytes) : undefined;
  if (!internet) return undefined;
  const { transport, ...fields } = internet;
  const first = internet.fragmentOffset === 0;
  const short = bytes.length < transport + (SHORTEST[internet.protocol] ?? 0);
  return {
    ...rest,
    ...fields,
    ...(first && !short ? readTransport(bytes, transport, internet.protocol) : {}),
    // The first fragment that lacks its header, and IPv4's at offset 1, are what exact netfilter drops on sight.
    ...((first && short) || (version === 4 && internet.fragmentOffset === 1) ? { odd: true } : {}),
  };
}

function readIpv4(bytes: Uint8Array): Internet | undefined {
  const transport = 4 * ((bytes[0] as number) & 15);
  if (bytes.length < IPV4_HEADER || transport < IPV4_HEADER) return undefined;
  const fragment = word(bytes, 6);
  return {
    family: "ipv4",
    protocol: bytes[9] as number,
    transport,
    // Zero where the network card was to cut a longer packet.
    length: word(bytes, 2) || bytes.length,
    fragmentOffset: fragment & 0x1fff,
    moreFragments: (fragment & 0x2000) !== 0,
    fragmentId: (fragment & 0x3fff) === 0 ? 0 : word(bytes, 4),
    tos: bytes[1] as number,
    ttl: bytes[8] as number,
    source: readAddressText(bytes, 12, "ipv4"),
    destination: readAddressText(bytes, 16, "ipv4"),
  };
}

function readIpv6(bytes: Uint8Array): Internet | undefined {
  if (bytes.length < IPV6_HEADER) return undefined;
  let protocol = bytes[6] as number;
  let transport = IPV6_HEADER;
  let fragment = 0;
  let fragmentId = 0;
  for (; fragment >> 3 === 0 && transport + 8 <= bytes.length; ) {
    const next = bytes[transport] as number;
    const units = bytes[transport + 1] as number;
    if (protocol === FRAGMENT) {
      fragment = word(bytes, transport + 2);
      fragmentId = word(bytes, transport + 4) * 2 ** 16 + word(bytes, transport + 6);
    } else if (![HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS, AUTHENTICATION].includes(protocol)) break;
    transport += protocol === FRAGMENT ? 8 : protocol === AUTHENTICATION ? 4 * (units + 2) : 8 * (units + 1);
    protocol = next;
  }
  return {
    family: "ipv6",
    protocol,
    transport,
    length: (word(bytes, 4) || bytes.length - IPV6_HEADER) + IPV6_HEADER,
    fragmentOffset: fragment >> 3,
    moreFragments: (fragment & 1) !== 0,
    fragmentId,
    tos: (word(bytes, 0) >> 4) & 255,
    ttl: bytes[7] as number,
    source: readAddressText(bytes, 8, "ipv6"),
    destination: readAddressText(bytes, 24, "ipv6"),
  };
}

function readTransport(bytes: Uint8Array, at: number, protocol: number): Partial<Packet> {
  if (isIcmp(protocol))
    return { icmpType: bytes[at] as number, icmpCode: bytes[at + 1] as number, icmpId: word(bytes, at + 4) };
  if (!hasPorts(protocol)) return {};
  return {
    sourcePort: word(bytes, at),
    destinationPort: word(bytes, at + 2),
    ...(protocol === PROTOCOL_TCP ? readTcp(bytes, at) : {}),
    ...(protocol === PROTOCOL_SCTP && bytes.length > at + 12 ? { chunkType: bytes[at + 12] as number } : {}),
  };
}

function readTcp(bytes: Uint8Array, at: number): Partial<Packet> {
  const tcpDataOffset = ((bytes[at + 12] as number) >> 4) * 4;
  const end = Math.min(bytes.length, at + tcpDataOffset);
  let tcpOptions = 0;
  let mss = 0;
  for (let option = at + 20; option < end; ) {
    const kind = bytes[option] as number;
    if (kind === 0) break;
    const length = kind === 1 ? 1 : (bytes[option + 1] ?? 0);
    if (length < 1 || option + length > end) break;
    if (kind < 32) tcpOptions = (tcpOptions | (1 << kind)) >>> 0;
    if (kind === MSS_OPTION && length === 4) mss = word(bytes, option + 2);
    option += length;
  }
  return { tcpDataOffset, tcpFlags: bytes[at + 13] as number, tcpOptions, mss };
}

const word = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
