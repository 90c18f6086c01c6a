/**
 * The texts of a table that is being read: names of chains and comments, each kept once, as a blob's text section has them.
 * Open addressing on the hash of the bytes (see src/blob/reading.ts for the slot), at most 5/8 full; a text that names a
 * chain has the chain's number in its slot.
 */
import {
  READING_SLOT_MASK,
  READING_SLOTS,
  READING_SLOTS_USED,
  READING_TEXTS,
  READING_TEXTS_END,
  READING_TEXTS_MOST,
  STOPPED_SLOTS,
  STOPPED_TEXTS,
  TEXT_HASH,
  TEXT_REFERENCE,
  TEXT_SLOT_SIZE,
  TEXT_VALUE,
} from "../../src/blob/reading";
import { hashBytes } from "../content";

/** Why textIntern found no room: STOPPED_*. */
export let textRefusal: u32 = 0;
/** Hash and slot of what textFind looked for last. */
let hash: u32 = 0;
let slot: usize = 0;

/** The slot of bytes `start` to `end`, 0 when they were never interned. Reads up to 7 bytes behind `end`. */
export function textFind(start: usize, end: usize): usize {
  return textFindHashed(start, end - start, hashBytes(start, end - start));
}

/** The same of `length` bytes of which the hash is known. */
export function textFindHashed(start: usize, length: usize, known: u32): usize {
  hash = known;
  const slots: usize = load<u32>(READING_SLOTS);
  const texts: usize = load<u32>(READING_TEXTS);
  const mask = load<u32>(READING_SLOT_MASK);
  let i = hash & mask;
  while (true) {
    slot = slots + i * TEXT_SLOT_SIZE;
    const reference = load<u32>(slot, TEXT_REFERENCE);
    if (!reference) return 0;
    if (load<u32>(slot, TEXT_HASH) == hash && sameText(texts + reference - 1, start, length)) return slot;
    i = (i + 1) & mask;
  }
}

/** A word of the slot where looking for a hash begins. */
export function slotTouch(hash: u32): u32 {
  return load<u32>(<usize>load<u32>(READING_SLOTS) + (hash & load<u32>(READING_SLOT_MASK)) * TEXT_SLOT_SIZE);
}

/** A word of the first text that has the hash. */
export function textTouch(hash: u32): u32 {
  const slots: usize = load<u32>(READING_SLOTS);
  const mask = load<u32>(READING_SLOT_MASK);
  let i = hash & mask;
  while (true) {
    const at = slots + i * TEXT_SLOT_SIZE;
    const reference = load<u32>(at, TEXT_REFERENCE);
    if (!reference) return 0;
    if (load<u32>(at, TEXT_HASH) == hash) return load<u32>(<usize>load<u32>(READING_TEXTS) + reference - 1);
    i = (i + 1) & mask;
  }
}

/** The slot of the text, made when it is new; 0 when there is no room (see textRefusal). At most 65,535 bytes. */
export function textIntern(start: usize, end: usize): usize {
  return textInternHashed(start, end - start, hashBytes(start, end - start));
}

/** The same of `length` bytes of which the hash is known. */
export function textInternHashed(start: usize, length: usize, known: u32): usize {
  const found = textFindHashed(start, length, known);
  if (found) return found;
  const size = (length + 9) & ~7;
  const reference = load<u32>(READING_TEXTS_END);
  textRefusal = STOPPED_TEXTS;
  if (<usize>reference + size + 16 > <usize>load<u32>(READING_TEXTS_MOST)) return 0;
  const used = load<u32>(READING_SLOTS_USED) + 1;
  textRefusal = STOPPED_SLOTS;
  if (used * 8 > load<u32>(READING_SLOT_MASK) * 5) return 0;
  store<u32>(READING_SLOTS_USED, used);
  const at: usize = <usize>load<u32>(READING_TEXTS) + reference;
  // The padding first: it is zero in a blob, and this memory has been used before.
  store<u64>(at + size - 8, 0);
  store<u16>(at, <u16>length);
  copyShort(at + 2, start, length);
  store<u32>(READING_TEXTS_END, reference + <u32>size);
  store<u32>(slot, hash, TEXT_HASH);
  store<u32>(slot, reference + 1, TEXT_REFERENCE);
  store<u32>(slot, 0, TEXT_VALUE);
  return slot;
}

/** Whether the text record at `text` is these bytes. */
export function sameText(text: usize, start: usize, length: usize): bool {
  if (load<u16>(text) != <u16>length) return false;
  const bytes = text + 2;
  if (length < 8) {
    for (let i: usize = 0; i < length; i++) if (load<u8>(bytes + i) != load<u8>(start + i)) return false;
    return true;
  }
  const last = length - 8;
  // Names begin alike, so their ends are compared first.
  if (load<u64>(bytes + last) != load<u64>(start + last)) return false;
  for (let i: usize = 0; i < last; i += 8) if (load<u64>(bytes + i) != load<u64>(start + i)) return false;
  return true;
}

/** Moves every text into a table of `mask` + 1 zeroed slots at `to`. */
export function textsRehash(to: usize, mask: u32): void {
  let from: usize = load<u32>(READING_SLOTS);
  const end = from + (load<u32>(READING_SLOT_MASK) + 1) * TEXT_SLOT_SIZE;
  for (; from < end; from += TEXT_SLOT_SIZE) {
    if (!load<u32>(from, TEXT_REFERENCE)) continue;
    let i = load<u32>(from, TEXT_HASH) & mask;
    while (load<u32>(to + i * TEXT_SLOT_SIZE, TEXT_REFERENCE)) i = (i + 1) & mask;
    v128.store(to + i * TEXT_SLOT_SIZE, v128.load(from));
  }
}

function copyShort(to: usize, from: usize, length: usize): void {
  if (length < 8) {
    for (let i: usize = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i));
    return;
  }
  const last = length - 8;
  for (let i: usize = 0; i < last; i += 8) store<u64>(to + i, load<u64>(from + i));
  store<u64>(to + last, load<u64>(from + last));
}
