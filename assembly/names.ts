/**
 * Chains of a linked table by name: open addressing with each name's hash beside its head, so that a name that is not there costs a
 * cache line and no look at any chain. The writer's alone.
 */
import {
  BLOB_ARENA,
  BLOB_FIRST_CHAIN,
  BLOB_LAST_CHAIN,
  BLOB_LIVE_CHAINS,
  BLOB_NAMES,
  BLOB_TEXT,
  CHAIN_BYTES,
  CHAIN_HASH,
  CHAIN_HOOK,
  CHAIN_INDEX,
  CHAIN_KIND,
  CHAIN_NAME,
  CHAIN_NEXT,
  CHAIN_PREVIOUS,
  CHAIN_ROWS_END,
  CHAIN_SIZE,
  CHAIN_TABLE,
  CHAIN_USER,
  CHAIN_WALKED,
  RECORD_CHAIN,
} from "../src/blob/layout";
import {
  NAMES_COUNT,
  NAMES_FIRST,
  NAMES_HEAD,
  NAMES_MASK,
  NAMES_SLOT,
  RETIRED_CHAIN,
  RETIRED_MEMORY,
} from "../src/blob/memory";
import { arenaAllocate, arenaAllocateAligned } from "./arena";
import { hashBytes, inBlob, sameText, textAddress } from "./content";
import { retire } from "./retire";
import { own32, put32, touched, walked, wrote } from "./store";
import { indexRetire } from "./tuple-space";

/** The chain whose name is the text (u16 length, bytes) at `text`; 0 when there is none. */
export function chainFind(table: usize, text: usize): usize {
  return chainFindHashed(table, text, hashOf(text));
}

/** The same of a name whose hash is known. */
export function chainFindHashed(table: usize, text: usize, hash: u32): usize {
  return find(load<u32>(table, BLOB_NAMES), table, text, hash);
}

/** What lies where a search for `hash` begins: to have it here when that is asked for. */
export function nameFetch(table: usize, hash: u32): u32 {
  const names: usize = load<u32>(table, BLOB_NAMES);
  return load<u32>(slotAt(names, hash & load<u32>(names, NAMES_MASK)));
}

/** An empty table of names for about `count` chains. 0 without memory. */
export function namesMake(table: usize, count: u32): usize {
  let slots: u32 = 16;
  while (tooFull(count, slots)) slots <<= 1;
  const bytes = namesBytes(slots);
  const names = arenaAllocate(load<u32>(table, BLOB_ARENA), bytes);
  if (!names) return 0;
  memory.fill(names, 0, bytes);
  store<u32>(names, slots - 1, NAMES_MASK);
  wrote(bytes);
  return names;
}

/** Enters a head of a table that is being linked, whose names have room. False when there is a chain of this name. */
export function namesEnter(table: usize, head: usize): bool {
  const names: usize = load<u32>(table, BLOB_NAMES);
  const text = chainName(table, head);
  const hash = hashOf(text);
  if (find(names, table, text, hash)) return false;
  store<u32>(head, hash, CHAIN_HASH);
  const slot = freeSlot(names, hash);
  store<u32>(slot, hash);
  store<u32>(slot, <u32>head, NAMES_HEAD);
  store<u32>(names, load<u32>(names, NAMES_COUNT) + 1, NAMES_COUNT);
  return true;
}

/** Enters a linked head. False without memory. */
function namesAdd(table: usize, head: usize): bool {
  let names: usize = load<u32>(table, BLOB_NAMES);
  const slots = load<u32>(names, NAMES_MASK) + 1;
  if (tooFull(load<u32>(names, NAMES_COUNT) + 1, slots)) {
    const fresh = namesMake(table, slots * 2);
    if (!fresh) return false;
    for (let other: usize = load<u32>(table, BLOB_FIRST_CHAIN); other; other = load<u32>(other, CHAIN_NEXT))
      if (other != head) enter(fresh, other);
    if (!retire(RETIRED_MEMORY, <u32>names, load<u32>(table, BLOB_ARENA), namesBytes(slots))) return false;
    own32(table + BLOB_NAMES, <u32>fresh);
    names = fresh;
  }
  enter(names, head);
  return true;
}

/** Takes a head out; those that stand behind their places move up, so that a search may end at a free slot. */
function namesRemove(table: usize, head: usize): void {
  const names: usize = load<u32>(table, BLOB_NAMES);
  const mask = load<u32>(names, NAMES_MASK);
  let hole = load<u32>(head, CHAIN_HASH) & mask;
  while (load<u32>(slotAt(names, hole), NAMES_HEAD) != <u32>head) hole = (hole + 1) & mask;
  for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
    const slot = slotAt(names, at);
    const other = load<u32>(slot, NAMES_HEAD);
    if (!other) break;
    const hash = load<u32>(slot);
    if (((at - hash) & mask) < ((at - hole) & mask)) continue;
    own32(slotAt(names, hole), hash);
    own32(slotAt(names, hole) + NAMES_HEAD, other);
    hole = at;
  }
  own32(slotAt(names, hole) + NAMES_HEAD, 0);
  own32(names + NAMES_COUNT, load<u32>(names, NAMES_COUNT) - 1);
}

/**
 * A new empty user chain of the name at `text`, whose hash is known, with `room` bytes behind its head for `rules` that come
 * next, and behind the name the writer's notes of them (see runNote): all one piece of memory, which goes when the chain does. 0 without
 * memory.
 */
export function chainMake(table: usize, text: usize, hash: u32, room: u32, rules: u32): usize {
  const size = CHAIN_SIZE + room;
  const textBytes = (2 + <u32>load<u16>(text) + 3) & ~3;
  const bytes = size + textBytes + (rules << 2);
  const head = arenaAllocateAligned(load<u32>(table, BLOB_ARENA), bytes, CHAIN_WALKED);
  if (!head) return 0;
  memory.fill(head, 0, CHAIN_SIZE);
  store<u16>(head, CHAIN_SIZE, CHAIN_BYTES);
  store<u8>(head, CHAIN_USER, CHAIN_HOOK);
  store<u8>(head, RECORD_CHAIN, CHAIN_KIND);
  store<u32>(head, <u32>table, CHAIN_TABLE);
  const name = head + size;
  memory.copy(name, text, 2 + load<u16>(text));
  store<u32>(head, textOffset(table, name), CHAIN_NAME);
  store<u32>(head, hash, CHAIN_HASH);
  store<u32>(head, <u32>(head + bytes - table), CHAIN_ROWS_END);
  wrote(CHAIN_SIZE + textBytes);
  touched(1);
  const last: usize = load<u32>(table, BLOB_LAST_CHAIN);
  store<u32>(head, <u32>last, CHAIN_PREVIOUS);
  own32(last + CHAIN_NEXT, <u32>head);
  own32(table + BLOB_LAST_CHAIN, <u32>head);
  own32(table + BLOB_LIVE_CHAINS, load<u32>(table, BLOB_LIVE_CHAINS) + 1);
  return namesAdd(table, head) ? head : 0;
}

/** Whether `address` lies in memory that a chain has had since an edit made it, and that goes with the chain. */
export function chainHolds(table: usize, head: usize, address: usize): bool {
  return !inBlob(table, head) && address > head && address < table + load<u32>(head, CHAIN_ROWS_END);
}

/** Gives the chain another name. False without memory. */
export function chainRename(table: usize, head: usize, text: usize): bool {
  namesRemove(table, head);
  const old = chainName(table, head);
  const bytes = 2 + <u32>load<u16>(text);
  const name = arenaAllocate(load<u32>(table, BLOB_ARENA), bytes);
  if (!name) return false;
  memory.copy(name, text, bytes);
  wrote(bytes);
  put32(head + CHAIN_NAME, textOffset(table, name));
  own32(head + CHAIN_HASH, hashOf(name));
  touched(1);
  const apart = nameApart(table, head, old);
  if (apart && !retire(RETIRED_MEMORY, <u32>old, load<u32>(table, BLOB_ARENA), apart)) return false;
  return namesAdd(table, head);
}

/** Takes an unreferenced user chain out that is empty, or whose rules end with it (runEnds). False without memory. */
export function chainRemove(table: usize, head: usize): bool {
  namesRemove(table, head);
  const next: usize = load<u32>(head, CHAIN_NEXT);
  const previous: usize = load<u32>(head, CHAIN_PREVIOUS);
  own32(previous + CHAIN_NEXT, <u32>next);
  if (next) own32(next + CHAIN_PREVIOUS, <u32>previous);
  else own32(table + BLOB_LAST_CHAIN, <u32>previous);
  own32(table + BLOB_LIVE_CHAINS, load<u32>(table, BLOB_LIVE_CHAINS) - 1);
  touched(1);
  // Its dead rows wait in front of it in the same queue; emptying them frees the chunks.
  const index: usize = load<u32>(head, CHAIN_INDEX);
  if (index) indexRetire(load<u32>(table, BLOB_ARENA), index);
  return retire(RETIRED_CHAIN, <u32>head, 0, 0);
}

export function chainName(table: usize, head: usize): usize {
  return textAddress(table, load<u32>(head, CHAIN_NAME));
}

/** How many bytes a chain's name takes of the arena by itself. */
export function nameApart(table: usize, head: usize, name: usize): u32 {
  return inBlob(table, name) || chainHolds(table, head, name) ? 0 : 2 + <u32>load<u16>(name);
}

function textOffset(table: usize, text: usize): u32 {
  return <u32>(text - table - load<u32>(table, BLOB_TEXT));
}

function enter(names: usize, head: usize): void {
  const hash = load<u32>(head, CHAIN_HASH);
  const slot = freeSlot(names, hash);
  own32(slot, hash);
  own32(slot + NAMES_HEAD, <u32>head);
  own32(names + NAMES_COUNT, load<u32>(names, NAMES_COUNT) + 1);
}

function find(names: usize, table: usize, text: usize, hash: u32): usize {
  const mask = load<u32>(names, NAMES_MASK);
  let slot = slotAt(names, hash & mask);
  for (let at = hash & mask; load<u32>(slot, NAMES_HEAD); at = (at + 1) & mask, slot = slotAt(names, at)) {
    if (load<u32>(slot) != hash) continue;
    walked(1);
    const head: usize = load<u32>(slot, NAMES_HEAD);
    if (sameText(chainName(table, head), text)) return head;
  }
  return 0;
}

function freeSlot(names: usize, hash: u32): usize {
  const mask = load<u32>(names, NAMES_MASK);
  let at = hash & mask;
  while (load<u32>(slotAt(names, at), NAMES_HEAD)) at = (at + 1) & mask;
  return slotAt(names, at);
}

function slotAt(names: usize, at: u32): usize {
  return names + NAMES_FIRST + <usize>at * NAMES_SLOT;
}

function namesBytes(slots: u32): u32 {
  return <u32>NAMES_FIRST + slots * <u32>NAMES_SLOT;
}

/** At most three slots of four are used: searches stay within a cache line or two. */
function tooFull(count: u32, slots: u32): bool {
  return count > slots - (slots >> 2);
}

export function hashOf(text: usize): u32 {
  return hashBytes(text + 2, load<u16>(text));
}
