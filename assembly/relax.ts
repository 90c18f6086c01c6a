/**
 * Which tuple to make for a row that no tuple has room for.
 *
 * Problem. Grouping rows by the exact bits they fix gives hundreds of tuples on real rule sets, each a probe a packet.
 * Idea (Daly, Torng, "TupleMerge: Building Online Packet Classifiers by Omitting Bits", 2017). Hash fewer bits than a row
 *   fixes, so that rows of many shapes share a tuple, and check the rest at the entry; only when too many rows come
 *   together under one hash, make a finer tuple. The shapes to try, coarse first:
 *   0. both prefixes rounded down to 28, 24, 16, 8 bits, one much shorter than the other left out (/30 and /24: 28 and 0)
 *   1. and an exact destination port, and the protocol
 *   2. both prefixes rounded down by fours
 *   3. and an exact destination port, and the protocol
 *   4. and ports rounded down to 16, 12, 8 bits
 *   5. all that the row fixes
 *   6. interfaces in place of addresses, 7. the input interface in place of the source.
 */
import {
  PACKET_DESTINATION,
  PACKET_FAMILY,
  PACKET_INPUT,
  PACKET_OUTPUT,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
} from "../src/blob/layout";
import { LANES_IPV4, rowAddressBytes } from "./tuple";
import { rowWord, wordMask } from "./words";

export const SHAPES: u32 = 8;

/** The answer of shape. */
export let shapeLanes: u32 = LANES_IPV4;
export let shapeLow: u64 = 0;
export let shapeHigh: u64 = 0;

/** Words of the row that shapes are made of: where, which bits. */
let sourceAt: u32 = 0;
let source: u32 = 0;
let sourceLength: u32 = 0;
let destinationAt: u32 = 0;
let destination: u32 = 0;
let destinationLength: u32 = 0;
let ports: u32 = 0;
let protocol: u32 = 0;

/** Takes a look at the row that shapes are wanted for. */
export function shapeOf(row: usize): void {
  const words = rowAddressBytes(row) >> 2;
  sourceAt = lastWord(row, PACKET_SOURCE, words);
  source = wordMask;
  sourceLength = ((sourceAt - PACKET_SOURCE) << 3) + prefixOf(source);
  destinationAt = lastWord(row, PACKET_DESTINATION, words);
  destination = wordMask;
  destinationLength = ((destinationAt - PACKET_DESTINATION) << 3) + prefixOf(destination);
  rowWord(row, PACKET_SOURCE_PORT);
  ports = wordMask;
  rowWord(row, PACKET_FAMILY);
  protocol = wordMask;
}

/** Sets shapeLanes, shapeLow and shapeHigh to shape `n` of `row`; false when it hashes nothing. */
export function shape(row: usize, n: u32): bool {
  if (n >= 6) {
    const from = lastWord(row, PACKET_INPUT, 4);
    const input = wordMask;
    if (n == 7) return set(from, input, destinationAt, destination, ports, protocol) && input != 0;
    const to = lastWord(row, PACKET_OUTPUT, 4);
    return set(from, input, to, wordMask, ports, protocol) && (input | wordMask) != 0;
  }
  let from = source;
  let to = destination;
  let port: u32 = 0;
  let kind: u32 = 0;
  if (n < 2) {
    from = sourceLength + 4 < destinationLength ? 0 : prefix(coarse(prefixOf(from)));
    to = destinationLength + 4 < sourceLength ? 0 : prefix(coarse(prefixOf(to)));
  } else if (n < 5) {
    from = prefix(prefixOf(from) & ~3);
    to = prefix(prefixOf(to) & ~3);
  }
  if (n == 1 || n == 3) {
    port = (ports & 0xffff0000) == 0xffff0000 ? 0xffff0000 : 0;
    kind = protocol;
  } else if (n >= 4) {
    port = n == 5 ? ports : coarsePort(ports & 0xffff) | (coarsePort(ports >>> 16) << 16);
    kind = protocol;
  }
  return set(sourceAt, from, destinationAt, to, port, kind);
}

function set(firstAt: u32, first: u32, secondAt: u32, second: u32, port: u32, kind: u32): bool {
  shapeLanes = firstAt | (secondAt << 8) | (PACKET_SOURCE_PORT << 16) | (PACKET_FAMILY << 24);
  shapeLow = <u64>first | ((<u64>second) << 32);
  shapeHigh = <u64>port | ((<u64>kind) << 32);
  return (shapeLow | shapeHigh) != 0;
}

/** Offset of the last of the words at `at` that the row fixes bits of, the first when it fixes none; wordMask tells them. */
function lastWord(row: usize, at: u32, words: u32): u32 {
  for (let i = words; i > 0; i--) {
    rowWord(row, at + ((i - 1) << 2));
    if (wordMask) return at + ((i - 1) << 2);
  }
  return at;
}

/** Leading bits of a mask in network order. */
function prefixOf(mask: u32): u32 {
  return <u32>clz(~bswap(mask));
}

function prefix(length: u32): u32 {
  return length ? bswap(0xffffffff << (32 - length)) : 0;
}

function coarse(length: u32): u32 {
  return length >= 28 ? 28 : length >= 24 ? 24 : length >= 16 ? 16 : length >= 8 ? 8 : 0;
}

/** Leading bits of a port's mask, 16, 12, 8 or none of them. */
function coarsePort(mask: u32): u32 {
  const length = <u32>clz(~(mask << 16));
  return length >= 16 ? 0xffff : length >= 12 ? 0xfff0 : length >= 8 ? 0xff00 : 0;
}
