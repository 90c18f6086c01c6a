/**
 * SNPT and DNPT (ip6t_NPT.c, RFC 6296): one prefix for another, without a connection. The address keeps its sum, so that
 * checksums above stay right: what the prefix takes from it is added to its fourth word, or behind a prefix of more than 48
 * bits to the first word of the host's part that is not all ones. Where all are, nothing can be done: the packet is dropped.
 *
 * An ICMPv6 error quotes a packet of the other way, whose address is mapped as well.
 */
import {
  PACKET_DESTINATION,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  RESULT_QUOTED_DESTINATION,
  RESULT_QUOTED_SOURCE,
  VERDICT_CONTINUE,
  VERDICT_DROP,
} from "../../src/blob/layout";
import { NPT_DESTINATION, NPT_DESTINATION_LENGTH, NPT_SOURCE, NPT_SOURCE_LENGTH } from "../../src/blob/payloads";
import { showQuoted } from "../conntrack/icmp";
import { scratchTuple } from "../conntrack/track";
import { packet, result } from "../packet";
import { payload } from "../payload";
import { complain } from "../reply";

const LONGEST: u8 = 64;
const SITE: u32 = 48;
const ALL_ONES: u32 = 0xffff;
const ICMPV6: u8 = 58;
const PARAMETER_PROBLEM: u16 = 4;

export function mapPrefix(record: usize, ofSource: bool): u32 {
  if (!map(record, packet + (ofSource ? PACKET_SOURCE : PACKET_DESTINATION))) {
    complain(PARAMETER_PROBLEM, 0);
    return VERDICT_DROP;
  }
  if (!quotes()) return VERDICT_CONTINUE;
  const quoted = result + (ofSource ? RESULT_QUOTED_DESTINATION : RESULT_QUOTED_SOURCE);
  if (showQuoted(scratchTuple(4)) && begins(quoted, record + NPT_SOURCE, load<u8>(record, NPT_SOURCE_LENGTH)))
    map(record, quoted);
  return VERDICT_CONTINUE;
}

export function checkPrefixes(record: usize): bool {
  return load<u8>(record, NPT_SOURCE_LENGTH) <= LONGEST && load<u8>(record, NPT_DESTINATION_LENGTH) <= LONGEST;
}

/** Gives `address` the new prefix, to the longer of both lengths. False where its sum cannot be kept. */
function map(record: usize, address: usize): bool {
  const bits = <u32>max(load<u8>(record, NPT_SOURCE_LENGTH), load<u8>(record, NPT_DESTINATION_LENGTH));
  for (let bit: u32 = 0; bit < bits; bit += 32) {
    const mask = maskAt(bits, bit);
    const word = address + (bit >> 3);
    store<u32>(word, (load<u32>(word) & ~mask) | (load<u32>(record + NPT_DESTINATION + (bit >> 3)) & mask));
  }
  let at: u32 = 6;
  if (bits > SITE) for (at = 8; at < 16 && load<u16>(address + at) == ALL_ONES; ) at += 2;
  if (at == 16) return false;
  let sum = <u32>load<u16>(address + at);
  for (let word: usize = 0; word < 16; word += 2)
    sum += <u32>load<u16>(record + word, NPT_SOURCE) + (<u32>load<u16>(record + word, NPT_DESTINATION) ^ ALL_ONES);
  sum = (sum & ALL_ONES) + (sum >>> 16);
  sum = (sum & ALL_ONES) + (sum >>> 16);
  store<u16>(address + at, <u16>(sum == ALL_ONES ? 0 : sum));
  return true;
}

/** Of a prefix of `bits`, the part in the four bytes at bit `at`, as they lie there. */
function maskAt(bits: u32, at: u32): u32 {
  const left = bits - at;
  return left >= 32 ? 0xffffffff : bswap<u32>(~(0xffffffff >>> left));
}

function begins(address: usize, prefix: usize, bits: u32): bool {
  for (let bit: u32 = 0; bit < bits; bit += 32)
    if ((load<u32>(address + (bit >> 3)) ^ load<u32>(prefix + (bit >> 3))) & maskAt(bits, bit)) return false;
  return true;
}

/** Linux looks for an error right behind the IPv6 header. */
function quotes(): bool {
  const bytes = payload();
  const type = load<u16>(packet, PACKET_SOURCE_PORT);
  return (
    bytes != 0 && load<u8>(packet, PACKET_PROTOCOL) == ICMPV6 && load<u8>(bytes, 6) == ICMPV6 && type >= 1 && type <= 4
  );
}
