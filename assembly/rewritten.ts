/**
 * The packet's bytes as Linux has them by now: what targets, NAT and routing have rewritten stands in its record, and is written
 * over the bytes for as long as somebody looks at them. Most packets are as they came, and nothing is written.
 *
 * Checksums are carried on as the kernel carries them on (RFC 1624), so a wrong one stays as wrong; SCTP's is computed anew.
 * A segment that TCPMSS has made longer is laid out beside.
 */
import {
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_FLAG_ODD,
  PACKET_FLAG_OPTIONS_REWRITTEN,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_ICMP_ID,
  PACKET_MSS,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TCP_DATA_OFFSET,
  PACKET_TCP_FLAGS,
  PACKET_TCP_OPTIONS,
  PACKET_TCP_STRIPPED,
  PACKET_TOS,
  PACKET_TTL,
  RESULT_FLAG_QUOTED,
  RESULT_FLAGS,
  RESULT_QUOTED_DESTINATION,
  RESULT_QUOTED_DESTINATION_PORT,
  RESULT_QUOTED_SOURCE,
  RESULT_QUOTED_SOURCE_PORT,
} from "../src/blob/layout";
import { hasPorts, ICMPV6, isIcmp } from "./conntrack/tuple";
import { crc32c } from "./crc32c";
import { addressBytes, hook, packet, result } from "./packet";
import { HEADER_CUT, HEADER_TRANSPORT, headerOffset, optionSize, payload, transportOffset } from "./payload";
import {
  base,
  carryOn,
  count,
  LONGER_MOST,
  NETWORK,
  networkSum,
  NONE,
  patchByte,
  patchBytes,
  patches,
  patchesBegin,
  patchesMove,
  patchHalf,
  patchPorts,
  QUOTED_NETWORK,
  QUOTED_TRANSPORT,
  quotedNetworkSum,
  quotedTransportSum,
  TRANSPORT,
  transportSum,
} from "./rewritten-sums";

const ICMP: u8 = 1;
const PLAIN_IPV4: u32 = 0x45;
const TCP: u8 = 6;
const SCTP: u8 = 132;
const TCP_HEADER: u32 = 20;
const ICMP_HEADER: u32 = 8;
const SCTP_HEADER: u32 = 12;
const NO_OPERATION: u8 = 1;
const MSS_OPTION: u8 = 2;
const MSS_OPTION_BYTES: u32 = 4;

/** How many bytes there are, since `rewrittenBytes`. */
export let rewrittenLength: u32 = 0;
/** Whether the packet is an error that quotes another which NAT has rewritten. */
let quotes: bool = false;

/** Address of the bytes; 0 where none are known. Whoever asks calls `asTheyCame` before the packet goes on. */
export function rewrittenBytes(): usize {
  const bytes = payload();
  patchesBegin(bytes);
  if (!bytes) return 0;
  rewrittenLength = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const ipv4 = addressBytes == 4;
  quotes = false;
  // Who asks about a chain alone has no way, and no result.
  if (!result) return bytes;
  if (rewrittenLength < <u32>(ipv4 ? 20 : 40)) return bytes;
  const unread =
    load<u16>(packet, PACKET_FRAGMENT_OFFSET) != 0 || (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_ODD) != 0;
  const at = unread ? HEADER_CUT : transportOffset(base, rewrittenLength);
  // HEADER_CUT lies behind all bytes.
  if (at <= rewrittenLength) rewriteTransport(at);
  rewriteNetwork(ipv4);
  if (patches || quotes) settle(at, ipv4);
  return base;
}

function rewriteNetwork(ipv4: bool): void {
  const tos = load<u8>(packet, PACKET_TOS);
  const ttl = load<u8>(packet, PACKET_TTL);
  const both = NETWORK | pseudo(load<u8>(packet, PACKET_PROTOCOL), TRANSPORT);
  if (ipv4) {
    if (hook != <u32>HOOK_PREROUTING && hook != <u32>HOOK_OUTPUT && load<u8>(base) != <u8>PLAIN_IPV4) endOptions();
    patchByte(base + 1, tos, NETWORK);
    patchByte(base + 8, ttl, NETWORK);
    patchBytes(base + 12, packet + PACKET_SOURCE, 4, both);
    patchBytes(base + 16, packet + PACKET_DESTINATION, 4, both);
    return;
  }
  patchByte(base, (load<u8>(base) & 0xf0) | (tos >> 4), NONE);
  patchByte(base + 1, (load<u8>(base, 1) & 15) | (tos << 4), NONE);
  patchByte(base + 7, ttl, NONE);
  patchBytes(base + 8, packet + PACKET_SOURCE, 16, TRANSPORT);
  patchBytes(base + 24, packet + PACKET_DESTINATION, 16, TRANSPORT);
}

/**
 * IPv4's options behind their end are zeros from behind PREROUTING on (ip_options_compile); the checksum is carried on when the packet
 * is sent on.
 */
function endOptions(): void {
  const size = (<u32>load<u8>(base) & 15) << 2;
  const bits: u32 = hook == <u32>HOOK_POSTROUTING ? NETWORK : NONE;
  let at: u32 = 20;
  while (at < size && load<u8>(base + at)) at += optionSize(base + at, base + size);
  for (at++; at < size && at < rewrittenLength; at++) patchByte(base + at, 0, bits);
}

/** Whether the addresses count in a transport's sum: `bits` where they do. */
function pseudo(protocol: u8, bits: u32): u32 {
  return protocol == ICMP ? NONE : bits;
}

/** What is rewritten behind the IP header at `at`. */
function rewriteTransport(at: u32): void {
  const protocol = load<u8>(packet, PACKET_PROTOCOL);
  const left = rewrittenLength - at;
  if (protocol == TCP && left >= TCP_HEADER) rewriteSegment(at);
  if (hasPorts(protocol)) {
    if (left >= 4)
      patchPorts(
        base + at,
        load<u16>(packet, PACKET_SOURCE_PORT),
        load<u16>(packet, PACKET_DESTINATION_PORT),
        TRANSPORT,
      );
  } else if (isIcmp(protocol) && left >= ICMP_HEADER) {
    if (isQuery(protocol, load<u8>(base + at)))
      patchHalf(base + at + 4, bswap<u16>(load<u16>(packet, PACKET_ICMP_ID)), TRANSPORT);
    else if (load<u8>(result, RESULT_FLAGS) & RESULT_FLAG_QUOTED) rewriteQuoted(at + ICMP_HEADER);
  }
}

/** Types that have an identifier, which NAT may change. */
function isQuery(protocol: u8, type: u8): bool {
  if (protocol == ICMPV6) return type == 128 || type == 129;
  return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

function rewriteSegment(at: u32): void {
  if (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_OPTIONS_REWRITTEN) rewriteOptions(at);
  patchByte(base + at + 13, load<u8>(packet, PACKET_TCP_FLAGS), TRANSPORT);
}

function rewriteOptions(at: u32): void {
  let size = (<u32>load<u8>(base + at, 12) >> 4) << 2;
  if (size < TCP_HEADER || at + size > rewrittenLength) return;
  const grown = <u32>load<u8>(packet, PACKET_TCP_DATA_OFFSET) - size;
  if (grown) {
    if (grown & 3 || grown > 40 || rewrittenLength + grown > LONGER_MOST) return;
    lengthen(at, grown);
    size += grown;
  }
  const header = base + at;
  const stripped = load<u32>(packet, PACKET_TCP_STRIPPED);
  let announced = grown != 0;
  for (let option = TCP_HEADER + grown; option + 1 < size; ) {
    const kind = load<u8>(header + option);
    const bytes = optionSize(header + option, header + size);
    if (option + bytes > size) return;
    if (kind < 32 && stripped & (1 << kind))
      for (let i: u32 = 0; i < bytes; i++) patchByte(header + option + i, NO_OPERATION, TRANSPORT);
    else if (kind == MSS_OPTION && bytes == MSS_OPTION_BYTES && !announced) {
      patchHalf(header + option + 2, bswap<u16>(load<u16>(packet, PACKET_MSS)), TRANSPORT);
      announced = true;
    }
    option += bytes;
  }
}

/** TCP's header at `at` with `grown` bytes more of options, in front of the others. */
function lengthen(at: u32, grown: u32): void {
  const options = at + TCP_HEADER;
  const before = base;
  const longer = patchesMove();
  memory.copy(longer, before, options);
  memory.copy(longer + options + grown, before + options, rewrittenLength - options);
  // As if nothing had been there: sums are those of what is.
  memory.fill(longer + options, 0, grown);
  rewrittenLength += grown;
  let kept: u32 = 0;
  if (load<u32>(packet, PACKET_TCP_OPTIONS) & (1 << MSS_OPTION)) {
    kept = MSS_OPTION_BYTES;
    patchHalf(base + options, ((<u16>MSS_OPTION_BYTES) << 8) | MSS_OPTION, TRANSPORT);
    patchHalf(base + options + 2, bswap<u16>(load<u16>(packet, PACKET_MSS)), TRANSPORT);
  }
  for (let i = kept; i < grown; i++) patchByte(base + options + i, NO_OPERATION, TRANSPORT);
  patchByte(base + at + 12, load<u8>(base + at, 12) + <u8>(grown << 2), TRANSPORT);
  const ipv4 = addressBytes == 4;
  const field = base + (ipv4 ? 2 : 4);
  const length = bswap<u16>(load<u16>(field));
  // It counts in TCP's sum as well, as the length of the segment.
  patchHalf(field, bswap<u16>(length + <u16>grown), ipv4 ? NETWORK : NONE);
  const segment = <u16>(length - (ipv4 ? at : at - 40));
  count(bswap<u16>(segment), bswap<u16>(segment + <u16>grown), TRANSPORT);
}

/** The packet that the error quotes, `at` bytes from the start. */
function rewriteQuoted(at: u32): void {
  const inner = base + at;
  const left = rewrittenLength - at;
  const ipv4 = addressBytes == 4;
  if (left < <u32>(ipv4 ? 20 : 40)) return;
  const head: u32 = ipv4 ? (<u32>load<u8>(inner) & 15) << 2 : headerOffset(inner, left, HEADER_TRANSPORT);
  if (head == HEADER_CUT) return;
  const protocol = load<u8>(inner + (ipv4 ? 9 : 6));
  const bits = pseudo(protocol, QUOTED_TRANSPORT) | (ipv4 ? QUOTED_NETWORK : NONE);
  patchBytes(inner + (ipv4 ? 12 : 8), result + RESULT_QUOTED_SOURCE, addressBytes, bits);
  patchBytes(inner + (ipv4 ? 16 : 24), result + RESULT_QUOTED_DESTINATION, addressBytes, bits);
  const ports = inner + head;
  const source = load<u16>(result, RESULT_QUOTED_SOURCE_PORT);
  const long = head + 8 <= left;
  if (long && hasPorts(protocol))
    patchPorts(ports, source, load<u16>(result, RESULT_QUOTED_DESTINATION_PORT), QUOTED_TRANSPORT);
  else if (long && isIcmp(protocol)) patchHalf(ports + 4, bswap<u16>(source), QUOTED_TRANSPORT);
  quotes = true;
  if (ipv4 && quotedNetworkSum) carryOn(inner + 10, quotedNetworkSum);
  settleTransport(protocol, at + head, quotedTransportSum);
}

/** Checksums as they are by now. */
function settle(at: u32, ipv4: bool): void {
  if (ipv4 && networkSum) carryOn(base + 10, networkSum);
  if (quotes) sumError(at, ipv4);
  else if (at <= rewrittenLength) settleTransport(load<u8>(packet, PACKET_PROTOCOL), at, transportSum);
}

/** The checksum of the transport header at `at`, where all of it is there. */
function settleTransport(protocol: u8, at: u32, sum: u32): void {
  if (!sum) return;
  const header = base + at;
  const left = rewrittenLength - at;
  if (protocol == TCP) {
    if (left >= TCP_HEADER) carryOn(header + 16, sum);
  } else if (protocol == SCTP) {
    if (left >= SCTP_HEADER) sumAnew(header, left);
  } else if (isIcmp(protocol)) {
    if (left >= 4) carryOn(header + 2, sum);
  } else if (hasPorts(protocol) && left >= 8 && load<u16>(header, 6)) {
    carryOn(header + 6, sum);
    if (!load<u16>(header, 6)) patchHalf(header + 6, 0xffff, NONE);
  }
}

/** SCTP's checksum, of all that there is of the packet. */
function sumAnew(header: usize, length: u32): void {
  const before = load<u32>(header, 8);
  store<u32>(header, 0, 8);
  const sum = crc32c(header, length);
  store<u32>(header, before, 8);
  patchHalf(header + 8, <u16>sum, NONE);
  patchHalf(header + 10, <u16>(sum >> 16), NONE);
}

/** The checksum of an error that quotes what NAT has rewritten is made anew (nf_nat_icmp_reply_translation). */
function sumError(at: u32, ipv4: bool): void {
  const field = base + at + 2;
  patchHalf(field, 0, NONE);
  let sum: u32 = ipv4 ? 0 : sumOf(base + 8, 32) + bswap<u16>(<u16>(rewrittenLength - at)) + bswap<u16>(ICMPV6);
  sum += sumOf(base + at, rewrittenLength - at);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  patchHalf(field, <u16>~sum, NONE);
}

function sumOf(at: usize, length: u32): u32 {
  let sum: u32 = 0;
  let i: u32 = 0;
  for (; i + 2 <= length; i += 2) sum += load<u16>(at + i);
  return i < length ? sum + load<u8>(at + i) : sum;
}
