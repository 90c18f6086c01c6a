/** Declarations of chains, as iptables-save prints those of the user's. */
import {
  NAME_ABSENT,
  NAME_FIRST_CHAIN,
  READING_BUILTINS,
  READING_CHAIN_COUNT,
  READING_CHAINS,
  READING_CHAINS_MOST,
  READING_NAME_LIMIT,
  READING_SORTED,
  READING_TEXTS,
  STOPPED_CHAINS,
  STOPPED_LINE,
  TEXT_REFERENCE,
  TEXT_VALUE,
} from "../../src/blob/reading";
import { textIntern, textRefusal } from "./texts";
import { wordEnd } from "./values";

const NEWLINE: u32 = 10;
const COLON: u32 = 58;
const CLOSE: u32 = 93;
/** ` - [` and ` - [0:0]`. */
const BEGINNING: u32 = 0x5b202d20;
const DECLARED: u64 = 0x5d303a305b202d20;

/** Names that no chain may have. */
const ACCEPT: u64 = 0x545045434341;
const DROP: u64 = 0x504f5244;
const QUEUE: u64 = 0x4555455551;
const RETURN: u64 = 0x4e5255544552;

/** Why the last declaration was not read: STOPPED_*. */
export let declarationRefusal: u32 = 0;
/** Behind the name of the last declaration. */
export let declaredEnd: usize = 0;

/** `NAME - [packets:bytes]` as of a user's chain, whether it is one or not; the address of the next line, 0 when it is something else. */
export function readDeclaration(start: usize): usize {
  const end = wordEnd(start);
  const length = end - start;
  if (!length || length > <usize>READING_NAME_LIMIT) return 0;
  if (length <= 6 && isVerdict(load<u64>(start) & (((<u64>1) << ((<u64>length) << 3)) - 1))) return 0;
  declaredEnd = end;
  let at = end + 8;
  if (load<u64>(end) != DECLARED) {
    if (load<u32>(end) != BEGINNING) return 0;
    at = skipDigits(end + 4);
    if (!at || load<u8>(at) != COLON) return 0;
    at = skipDigits(at + 1);
    if (!at || load<u8>(at) != CLOSE) return 0;
    at++;
  }
  if (load<u8>(at) != NEWLINE) return 0;
  // Other than ASCII has to be looked at.
  for (let i: usize = 0; i < length; i++) if (load<i8>(start + i) < 0) return 0;
  return at + 1;
}

/** A declaration that makes a new chain; the address of the next line, 0 when it is something else. */
export function declare(start: usize): usize {
  declarationRefusal = STOPPED_LINE;
  const next = readDeclaration(start);
  if (!next) return 0;
  const number = load<u32>(READING_CHAIN_COUNT);
  if (number == load<u32>(READING_CHAINS_MOST)) {
    declarationRefusal = STOPPED_CHAINS;
    return 0;
  }
  const slot = textIntern(start, declaredEnd);
  if (!slot) {
    declarationRefusal = textRefusal;
    return 0;
  }
  if (load<u32>(slot, TEXT_VALUE) > <u32>NAME_ABSENT) return 0;
  const chains: usize = load<u32>(READING_CHAINS);
  const texts: usize = load<u32>(READING_TEXTS);
  const reference = load<u32>(slot, TEXT_REFERENCE) - 1;
  if (load<u32>(READING_SORTED) && number > load<u32>(READING_BUILTINS)) {
    const previous = texts + load<u32>(chains + ((number - 1) << 2));
    if (!isBefore(previous, texts + reference)) store<u32>(READING_SORTED, 0);
  }
  store<u32>(slot, NAME_FIRST_CHAIN + number, TEXT_VALUE);
  store<u32>(chains + (number << 2), reference);
  store<u32>(READING_CHAIN_COUNT, number + 1);
  return next;
}

function isVerdict(name: u64): bool {
  return name == ACCEPT || name == DROP || name == QUEUE || name == RETURN;
}

/** At least one digit and at most 15; 0 otherwise. */
function skipDigits(start: usize): usize {
  let at = start;
  while (<u32>load<u8>(at) - 48 <= 9) at++;
  return at > start && at - start <= 15 ? at : 0;
}

/** Whether the text at `a` comes before that at `b`, byte by byte. */
function isBefore(a: usize, b: usize): bool {
  const lengthA = <usize>load<u16>(a);
  const lengthB = <usize>load<u16>(b);
  const length = lengthA < lengthB ? lengthA : lengthB;
  let i: usize = 2;
  for (; i + 6 <= length; i += 8) {
    const first = bswap<u64>(load<u64>(a + i));
    const second = bswap<u64>(load<u64>(b + i));
    if (first != second) return first < second;
  }
  for (; i < length + 2; i++) {
    const first = load<u8>(a + i);
    const second = load<u8>(b + i);
    if (first != second) return first < second;
  }
  return lengthA < lengthB;
}
