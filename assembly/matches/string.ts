/**
 * string (xt_string.c): the pattern somewhere in the packet's bytes, headers included. Both of Linux's algorithms find what a plain search finds, but for two quirks: Boyer-Moore finds
 * nothing that lies across two pieces of memory, as fragments are that tracking has put together, and
 * without regard to case it skips too far over the few Latin-1 letters that have no pair, so such patterns are refused. Knuth,
 * Morris and Pratt's goes on from piece to piece.
 * A packet whose bytes are not known neither matches nor fails to: it satisfies no such rule.
 */
import * as P from "../../src/blob/payloads";
import { acrossPieces } from "../fragments/whole";
import { rewrittenBytes, rewrittenLength } from "../rewritten";
import { asTheyCame } from "../rewritten-sums";

const INVERT: u8 = 1;
const IGNORE_CASE: u8 = 2;
/** "bm" and "kmp", zero-padded to four bytes. */
const BOYER_MOORE: u32 = 0x6d62;
const KNUTH_MORRIS_PRATT: u32 = 0x706d6b;

/** Whether the pattern in hand has to lie in one piece of the kernel's memory. */
let whole: bool = false;

export function matchString(record: usize): bool {
  const bytes = rewrittenBytes();
  if (!bytes) return false;
  const length = rewrittenLength;
  const to = <u32>load<u16>(record, P.STRING_TO);
  const flags = load<u8>(record, P.STRING_FLAGS);
  const size = <u32>load<u8>(record, P.STRING_LENGTH);
  const end = to < length ? to : length;
  const from = <u32>load<u16>(record, P.STRING_FROM);
  let found = false;
  if (end >= from + size) {
    const pattern = record + P.STRING_PATTERN;
    // Places where it may begin: from `first` up to, not with, `last`.
    const first = bytes + from;
    const last = bytes + end - size + 1;
    whole = load<u32>(record, P.STRING_ALGORITHM) == BOYER_MOORE;
    found = flags & IGNORE_CASE ? findAnyCase(first, last, pattern, size) : find(first, last, pattern, size);
  }
  asTheyCame();
  return found != ((flags & INVERT) != 0);
}

export function checkString(record: usize): bool {
  const algorithm = load<u32>(record, P.STRING_ALGORITHM);
  const size = load<u8>(record, P.STRING_LENGTH);
  const flags = load<u8>(record, P.STRING_FLAGS);
  if (algorithm != BOYER_MOORE && algorithm != KNUTH_MORRIS_PRATT) return false;
  if (!size || size > <u8>P.STRING_PATTERN_BYTES || flags & ~(INVERT | IGNORE_CASE)) return false;
  if (load<u16>(record, P.STRING_FROM) > load<u16>(record, P.STRING_TO)) return false;
  if (!(flags & IGNORE_CASE) || algorithm != BOYER_MOORE) return true;
  for (let i: u32 = 0; i < size; i++) {
    const byte = upper(load<u8>(record + i, P.STRING_PATTERN));
    if (byte == 0xbf || byte == 0xdf) return false;
  }
  return true;
}

/** Sixteen places at a time: those where the first and the last byte of the pattern are right are looked at closer. */
function find(first: usize, last: usize, pattern: usize, size: u32): bool {
  const head = i8x16.splat(load<i8>(pattern));
  const tail = i8x16.splat(load<i8>(pattern + size - 1));
  let at = first;
  for (; at + 16 <= last; at += 16) {
    const heads = i8x16.eq(v128.load(at), head);
    let hits = i8x16.bitmask(v128.and(heads, i8x16.eq(v128.load(at + size - 1), tail)));
    for (; hits; hits &= hits - 1) if (isAt(at + ctz(hits), pattern, size)) return true;
  }
  for (; at < last; at++) if (isAt(at, pattern, size)) return true;
  return false;
}

function isAt(at: usize, pattern: usize, size: u32): bool {
  return !memory.compare(at, pattern, size) && !(whole && acrossPieces(at, at + size));
}

function findAnyCase(first: usize, last: usize, pattern: usize, size: u32): bool {
  for (let at = first; at < last; at++) {
    let i: u32 = 0;
    while (i < size && upper(load<u8>(at + i)) == upper(load<u8>(pattern + i))) i++;
    if (i == size && !(whole && acrossPieces(at, at + size))) return true;
  }
  return false;
}

/** The kernel's letters are Latin-1's; what it has no capital for becomes the byte 32 lower all the same. */
function upper(byte: u8): u8 {
  return (byte >= 97 && byte <= 122) || (byte >= 0xdf && byte != 0xf7) ? byte - 32 : byte;
}
