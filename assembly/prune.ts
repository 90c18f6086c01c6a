/**
 * Which tuples are worth a look: for parts of an address a word with a bit for each tuple that holds a rule for such
 * addresses. A packet looks only into tuples that all parts of both of its addresses point to.
 *
 * Two parts of each address. The first bits tell nets apart. The first 24, folded, tell hosts and small nets apart within one
 * large net, where all of an access list's addresses often lie. What a rule leaves open of a part is set for all values of
 * it, or, where that would be many, for none: the tuple's bit in `any` stands for all.
 *
 * Cost: 16 KiB a chain of PRUNE_THRESHOLD rules and more, 64 where PRUNE_LARGE rules are loaded at once; four loads a look-up
 * where there are more than two tuples. On ClassBench's sets the first bits spare half to two thirds of the probes, the
 * folded ones up to a half of the rest.
 */
import { PACKET_DESTINATION, PACKET_SOURCE } from "../src/blob/layout";
import {
  INDEX_PRUNE,
  PRUNE_ANY,
  PRUNE_BITS,
  PRUNE_BITS_LARGE,
  PRUNE_BITS_SMALL,
  PRUNE_LARGE,
  PRUNE_TABLES,
} from "../src/blob/tuple-space";
import { arenaAllocate } from "./arena";
import { put32, wrote } from "./store";
import { rowWord, wordMask, wordValue } from "./words";

/** Bits that a rule must fix of an address to be told apart by its first ones, and by the folded ones. */
const FIRST_LEAST: u32 = 4;
const FOLDED_LEAST: u32 = 20;
const FOLDED: u32 = 24;

/** An empty table for a chain of so many rules; 0 without memory. Nothing is said about rows that are there already. */
export function pruneMake(arena: usize, rules: u32): usize {
  const bits: u32 = rules < <u32>PRUNE_LARGE ? PRUNE_BITS_SMALL : PRUNE_BITS_LARGE;
  const bytes = bytesOf(bits);
  const prune = arenaAllocate(arena, bytes);
  if (!prune) return 0;
  memory.fill(prune, 0, bytes);
  store<u32>(prune, bits, PRUNE_BITS);
  wrote(bytes);
  return prune;
}

export function pruneBytes(prune: usize): u32 {
  return bytesOf(load<u32>(prune, PRUNE_BITS));
}

/** Says that the tuple of this number holds `row`. */
export function pruneAdd(prune: usize, number: u32, row: usize): void {
  const bits = load<u32>(prune, PRUNE_BITS);
  rowWord(row, PACKET_SOURCE);
  addFirst(prune, bits, 0, number);
  addFolded(prune, bits, 2, number);
  rowWord(row, PACKET_DESTINATION);
  addFirst(prune, bits, 1, number);
  addFolded(prune, bits, 3, number);
}

/** A bit for each tuple that may hold a rule for the packet. */
export function pruneFor(index: usize, packet: usize): u32 {
  const prune: usize = load<u32>(index, INDEX_PRUNE);
  if (!prune) return 0xffffffff;
  const bits = load<u32>(prune, PRUNE_BITS);
  const source = bswap<u32>(load<u32>(packet, PACKET_SOURCE));
  const destination = bswap<u32>(load<u32>(packet, PACKET_DESTINATION));
  return (
    (load<u32>(tableAt(prune, bits, 0) + (first(source, bits) << 2)) | load<u32>(prune, PRUNE_ANY)) &
    (load<u32>(tableAt(prune, bits, 1) + (first(destination, bits) << 2)) | load<u32>(prune, PRUNE_ANY + 4)) &
    (load<u32>(tableAt(prune, bits, 2) + (folded(source, bits) << 2)) | load<u32>(prune, PRUNE_ANY + 8)) &
    (load<u32>(tableAt(prune, bits, 3) + (folded(destination, bits) << 2)) | load<u32>(prune, PRUNE_ANY + 12))
  );
}

function bytesOf(bits: u32): u32 {
  return PRUNE_TABLES + (16 << bits);
}

function tableAt(prune: usize, bits: u32, n: u32): usize {
  return prune + PRUNE_TABLES + (n << (bits + 2));
}

/** The first bits of an address in the order of its digits. */
function first(address: u32, bits: u32): u32 {
  return address >>> (32 - bits);
}

function folded(address: u32, bits: u32): u32 {
  const part = address >>> (32 - FOLDED);
  return (part ^ (part >>> (FOLDED - bits))) & ((1 << bits) - 1);
}

/** Sets the tuple's bit in table `n` for the first bits of all addresses that rowWord's answer allows. */
function addFirst(prune: usize, bits: u32, n: u32, number: u32): void {
  const length = lengthOr(prune, n, number, FIRST_LEAST);
  if (!length) return;
  const free = length < bits ? bits - length : 0;
  // Behind its first bits a mask may fix others.
  const from = (first(bswap(wordValue), bits) >>> free) << free;
  for (let i: u32 = 0; i < (<u32>1) << free; i++) set(tableAt(prune, bits, n) + ((from + i) << 2), number);
}

/** The same for the folded ones. */
function addFolded(prune: usize, bits: u32, n: u32, number: u32): void {
  const length = lengthOr(prune, n, number, FOLDED_LEAST);
  if (!length) return;
  const free = length < FOLDED ? FOLDED - length : 0;
  const open = free + 32 - FOLDED;
  const from = (bswap(wordValue) >>> open) << open;
  for (let i: u32 = 0; i < (<u32>1) << free; i++)
    set(tableAt(prune, bits, n) + (folded(from + (i << (32 - FOLDED)), bits) << 2), number);
}

/** How many bits rowWord's answer fixes; 0 where the tuple is among those that any address points to, now if not before. */
function lengthOr(prune: usize, n: u32, number: u32, least: u32): u32 {
  const any = prune + PRUNE_ANY + (n << 2);
  if (load<u32>(any) & ((<u32>1) << number)) return 0;
  const length = <u32>clz(~bswap(wordMask));
  if (length >= least) return length;
  set(any, number);
  return 0;
}

function set(word: usize, number: u32): void {
  const bit: u32 = (<u32>1) << number;
  if (!(load<u32>(word) & bit)) put32(word, load<u32>(word) | bit);
}
