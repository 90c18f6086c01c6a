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
const NO_NEXT = 59;
const DESTINATION_OPTIONS = 60;
const EXTENSIONS = [HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, NO_NEXT, DESTINATION_OPTIONS];
/** Bytes of a transport header without which a rule that looks at it drops the packet. */
const SHORTEST: Readonly<Record<number, number>> = { 1: 8, 6: 20, 17: 8, 33: 12, 58: 8, 132: 12, 136: 8 };
const PORTS = 4;
const TCP_HEADER = 20;
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
  readonly headersCut?: boolean;
  readonly tos: number;
  readonly ttl: number;
  readonly source: string;
  readonly destination: string;
}

/** Undefined where the bytes are no IP packet. `rest` is what they do not tell: interfaces, time, link layer. */
export function packetOfWire(wire: Uint8Array, rest: Partial<Packet>): Packet | undefined {
  const version = (wire[0] ?? 0) >> 4;
  const internet = version === 4 ? readIpv4(wire) : version === 6 ? readIpv6(wire) : undefined;
  if (!internet) return undefined;
  const { transport, ...fields } = internet;
  const bytes = wire.subarray(0, internet.length);
  const first = internet.fragmentOffset === 0;
  const least = SHORTEST[internet.protocol];
  const short = internet.headersCut || (least !== undefined && bytes.length < transport + least);
  const later = !first && internet.protocol === PROTOCOL_TCP;
  return {
    ...rest,
    ...fields,
    ...(first && !internet.headersCut ? readTransport(bytes, transport, internet, short) : {}),
    ...(later ? readInPlace(bytes, version === 4 ? transport : 0, internet) : {}),
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

function readIpv6(wire: Uint8Array): Internet | undefined {
  if (wire.length < IPV6_HEADER) return undefined;
  const length = (word(wire, 4) || wire.length - IPV6_HEADER) + IPV6_HEADER;
  return {
    family: "ipv6",
    ...readExtensions(wire.subarray(0, length)),
    length,
    tos: (word(wire, 0) >> 4) & 255,
    ttl: wire[7] as number,
    source: readAddressText(wire, 8, "ipv6"),
    destination: readAddressText(wire, 24, "ipv6"),
  };
}

/** As far as Linux reads them for a rule's protocol (ipv6_find_hdr). */
function readExtensions(bytes: Uint8Array) {
  let protocol = bytes[6] as number;
  let transport = IPV6_HEADER;
  let fragment = 0;
  let fragmentId = 0;
  let headersCut = false;
  while (EXTENSIONS.includes(protocol) && protocol !== NO_NEXT && !headersCut) {
    const next = bytes[transport] ?? 0;
    const units = bytes[transport + 1] ?? 0;
    headersCut = bytes.length < transport + (protocol === FRAGMENT || protocol === ROUTING ? 4 : 2);
    if (headersCut) break;
    if (protocol === FRAGMENT) {
      fragment = word(bytes, transport + 2);
      fragmentId = word(bytes, transport + 4) * 2 ** 16 + word(bytes, transport + 6);
      // What a later fragment carries is not read, so it must not be one more extension.
      headersCut = fragment >> 3 !== 0 && EXTENSIONS.includes(next) && next !== NO_NEXT;
    }
    transport += protocol === FRAGMENT ? 8 : protocol === AUTHENTICATION ? 4 * (units + 2) : 8 * (units + 1);
    protocol = next;
    if (fragment >> 3 !== 0) break;
  }
  return {
    protocol,
    transport,
    fragmentOffset: fragment >> 3,
    moreFragments: (fragment & 1) !== 0,
    fragmentId,
    ...(headersCut ? { headersCut } : {}),
  };
}

/** Of a header that is cut short, the ports, as far as they are there. */
function readTransport(bytes: Uint8Array, at: number, { protocol, length }: Internet, short: boolean): Partial<Packet> {
  if (isIcmp(protocol) && !short)
    return { icmpType: bytes[at] as number, icmpCode: bytes[at + 1] as number, icmpId: word(bytes, at + 4) };
  if (!hasPorts(protocol) || bytes.length < at + PORTS) return {};
  const ports = { sourcePort: word(bytes, at), destinationPort: word(bytes, at + 2) };
  if (short) return ports;
  return {
    ...ports,
    ...(protocol === PROTOCOL_TCP ? readTcp(bytes, at, length) : {}),
    ...(protocol === PROTOCOL_SCTP && bytes.length > at + 12 ? { chunkType: bytes[at + 12] as number } : {}),
  };
}

/**
 * A later fragment has no header, but rules that look no further than that it is TCP take for one what lies in its place
 * (xt_tcpmss.c, xt_ecn.c): of IPv4 the fragment's data, of IPv6 the packet itself.
 */
function readInPlace(bytes: Uint8Array, at: number, { length }: Internet): Partial<Packet> {
  if (bytes.length >= at + TCP_HEADER) return readTcp(bytes, at, length);
  return { tcpDataOffset: 0, tcpFlags: 0, optionsCut: true };
}

/** The options as rules look for them: an end is none, and one of no bytes has one. `length` is the packet's own. */
function readTcp(bytes: Uint8Array, at: number, length: number): Partial<Packet> {
  const tcpDataOffset = ((bytes[at + 12] as number) >> 4) * 4;
  const end = Math.min(bytes.length, at + tcpDataOffset);
  let tcpOptions = 0;
  let mss: number | undefined;
  for (let option = at + TCP_HEADER; option < end; ) {
    const kind = bytes[option] as number;
    const size = kind < 2 ? 1 : (bytes[option + 1] ?? 0) || 1;
    if (kind < 32) tcpOptions = (tcpOptions | (1 << kind)) >>> 0;
    if (kind === MSS_OPTION && size === 4 && option + size <= end) mss ??= word(bytes, option + 2);
    option += size;
  }
  const optionsCut = tcpDataOffset < TCP_HEADER || at + tcpDataOffset > length;
  return {
    tcpDataOffset,
    tcpFlags: bytes[at + 13] as number,
    tcpOptions,
    ...(optionsCut ? { optionsCut } : {}),
    ...(mss === undefined ? {} : { mss }),
  };
}

const word = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
