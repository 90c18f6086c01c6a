/**
 * Tuples: which words of the packet a group of rows is hashed by. A tuple's lanes are four words; its mask says which of
 * their bits are hashed. A row may join when it demands all of these bits, however many more it demands.
 */
import {
  BLOB_ADDRESS_BYTES,
  CHAIN_TABLE,
  PACKET_DESTINATION,
  PACKET_FAMILY,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  ROW_CHAIN,
} from "../src/blob/layout";
import {
  INDEX_TUPLE_COUNT,
  INDEX_TUPLES,
  INDEX_TUPLES_COUNT,
  TUPLE_DIRECTORY,
  TUPLE_LANES,
  TUPLE_MASK,
  TUPLE_MAX_ORDER,
  TUPLE_MIN_ORDER,
  TUPLE_RANK,
  TUPLE_SIZE,
} from "../src/blob/tuple-space";
import { arenaAllocate } from "./arena";
import { slotsMake } from "./slots";
import { put32, wrote } from "./store";
import { portsLeast, portsMost, rowWord, wordMask, wordValue } from "./words";

const NO_ORDER: u64 = 0xffffffffffffffff;

/** The lanes of every tuple of IPv4 but those that look at interfaces: source, destination, ports, protocol. */
export const LANES_IPV4: u32 =
  PACKET_SOURCE | (PACKET_DESTINATION << 8) | (PACKET_SOURCE_PORT << 16) | (PACKET_FAMILY << 24);

/** The answer of demand: what a row demands of four words, two a 64-bit number, and of its ports. */
export let valueLow: u64 = 0;
export let valueHigh: u64 = 0;
export let maskLow: u64 = 0;
export let maskHigh: u64 = 0;
export let leastPorts: u32 = 0;
export let mostPorts: u32 = 0;

/** Of which row, in which lanes, that is; 0 none. */
let demanding: usize = 0;
let demandedOf: u32 = 0;

/** Rows that are asked about from now on may lie where others did. */
export function demandForget(): void {
  demanding = 0;
}

/** Sets what `row` demands of `lanes`. It is asked again and again until the row has its place. */
export function demand(row: usize, lanes: u32): void {
  if (row == demanding && lanes == demandedOf) return;
  demanding = row;
  demandedOf = lanes;
  rowWord(row, lanes & 0xff);
  valueLow = wordValue;
  maskLow = wordMask;
  rowWord(row, (lanes >>> 8) & 0xff);
  valueLow |= (<u64>wordValue) << 32;
  maskLow |= (<u64>wordMask) << 32;
  rowWord(row, (lanes >>> 16) & 0xff);
  leastPorts = portsLeast;
  mostPorts = portsMost;
  valueHigh = wordValue;
  maskHigh = wordMask;
  rowWord(row, lanes >>> 24);
  valueHigh |= (<u64>wordValue) << 32;
  maskHigh |= (<u64>wordMask) << 32;
}

/** Whether the row that demand last looked at, by the tuple's lanes, demands all that the tuple hashes. */
export function tupleFits(tuple: usize): bool {
  return ((load<u64>(tuple, TUPLE_MASK) & ~maskLow) | (load<u64>(tuple, TUPLE_MASK + 8) & ~maskHigh)) == 0;
}

/** The hash of what the tuple looks at: never 0. Its first bits choose a segment, its last ones a slot. */
export function tupleHash(tuple: usize, low: u64, high: u64): u32 {
  const a = (low & load<u64>(tuple, TUPLE_MASK)) * 0x9e3779b97f4a7c15;
  const b = (high & load<u64>(tuple, TUPLE_MASK + 8)) * 0xc2b2ae3d27d4eb4f;
  const mixed = a ^ rotr<u64>(b, 29);
  const hash = <u32>(((mixed ^ (mixed >> 32)) * 0x9fb21c651e98df25) >> 32);
  return hash | <u32>(hash == 0);
}

/** The number of the tuple with these lanes and this mask; the number of tuples when there is none. */
export function tupleNumber(index: usize, lanes: u32, low: u64, high: u64): u32 {
  const count = load<u32>(index, INDEX_TUPLE_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const tuple: usize = load<u32>(index + (i << 2), INDEX_TUPLES);
    if (
      load<u32>(tuple, TUPLE_LANES) == lanes &&
      load<u64>(tuple, TUPLE_MASK) == low &&
      load<u64>(tuple, TUPLE_MASK + 8) == high
    )
      return i;
  }
  return count;
}

/** A new tuple of the index, its last one; 0 without memory or when there are as many as may be. */
export function tupleMake(arena: usize, index: usize, lanes: u32, low: u64, high: u64): usize {
  const count = load<u32>(index, INDEX_TUPLE_COUNT);
  if (count == INDEX_TUPLES_COUNT) return 0;
  const tuple = arenaAllocate(arena, TUPLE_SIZE);
  const directory = tuple ? slotsMake(arena) : 0;
  if (!directory) return 0;
  store<u64>(tuple, low, TUPLE_MASK);
  store<u64>(tuple, high, TUPLE_MASK + 8);
  store<u32>(tuple, lanes, TUPLE_LANES);
  store<u32>(tuple, <u32>directory, TUPLE_DIRECTORY);
  store<u64>(tuple, NO_ORDER, TUPLE_MIN_ORDER);
  store<u64>(tuple, 0, TUPLE_MAX_ORDER);
  store<u32>(tuple, <u32>(popcnt(low) + popcnt(high)), TUPLE_RANK);
  wrote(TUPLE_SIZE);
  put32(index + INDEX_TUPLES + (count << 2), <u32>tuple);
  put32(index + INDEX_TUPLE_COUNT, count + 1);
  return tuple;
}

/** Bytes of an address in the row's table. */
export function rowAddressBytes(row: usize): u32 {
  return load<u32>(load<u32>(load<u32>(row, ROW_CHAIN), CHAIN_TABLE), BLOB_ADDRESS_BYTES);
}
