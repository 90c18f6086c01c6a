/** Chains of a linked table by name: a hash table whose buckets are linked through the heads. The writer's alone. */
import {
  BLOB_ARENA,
  BLOB_FIRST_CHAIN,
  BLOB_LAST_CHAIN,
  BLOB_LIVE_CHAINS,
  BLOB_NAMES,
  BLOB_TEXT,
  BLOB_LENGTH,
  CHAIN_BYTES,
  CHAIN_HASH_NEXT,
  CHAIN_HOOK,
  CHAIN_INDEX,
  CHAIN_KIND,
  CHAIN_NAME,
  CHAIN_NEXT,
  CHAIN_PREVIOUS,
  CHAIN_SIZE,
  CHAIN_TABLE,
  CHAIN_USER,
  RECORD_CHAIN,
} from "../src/blob/layout";
import { NAMES_COUNT, NAMES_FIRST, NAMES_MASK, RETIRED_MEMORY } from "../src/blob/memory";
import { arenaAllocate } from "./arena";
import { hashBytes, sameText, textAddress } from "./content";
import { retire, retireRecord } from "./retire";
import { own32, put32, touched, walked, wrote } from "./store";
import { indexRetire } from "./tuple-space";

/** The chain whose name is the text (u16 length, bytes) at `text`; 0 when there is none. */
export function chainFind(table: usize, text: usize): usize {
  const names: usize = load<u32>(table, BLOB_NAMES);
  for (let head: usize = load<u32>(bucket(names, text)); head; head = load<u32>(head, CHAIN_HASH_NEXT)) {
    walked(1);
    if (sameText(textAddress(table, load<u32>(head, CHAIN_NAME)), text)) return head;
  }
  return 0;
}

/** An empty table of names for about `count` chains. 0 without memory. */
export function namesMake(table: usize, count: u32): usize {
  let slots: u32 = 16;
  while (slots < count) slots <<= 1;
  const bytes = NAMES_FIRST + slots * 4;
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
  const text = textAddress(table, load<u32>(head, CHAIN_NAME));
  const slot = bucket(names, text);
  const first: usize = load<u32>(slot);
  for (let other = first; other; other = load<u32>(other, CHAIN_HASH_NEXT))
    if (sameText(textAddress(table, load<u32>(other, CHAIN_NAME)), text)) return false;
  store<u32>(head, <u32>first, CHAIN_HASH_NEXT);
  store<u32>(slot, <u32>head);
  store<u32>(names, load<u32>(names, NAMES_COUNT) + 1, NAMES_COUNT);
  return true;
}

/** Enters a linked head. False without memory. */
export function namesAdd(table: usize, head: usize): bool {
  let names: usize = load<u32>(table, BLOB_NAMES);
  const slots = load<u32>(names, NAMES_MASK) + 1;
  const count = load<u32>(names, NAMES_COUNT);
  if (count >= slots * 2) {
    const fresh = namesMake(table, slots * 4);
    if (!fresh) return false;
    for (let other: usize = load<u32>(table, BLOB_FIRST_CHAIN); other; other = load<u32>(other, CHAIN_NEXT))
      if (other != head) enter(fresh, table, other);
    if (!retire(RETIRED_MEMORY, <u32>names, load<u32>(table, BLOB_ARENA), NAMES_FIRST + slots * 4)) return false;
    own32(table + BLOB_NAMES, <u32>fresh);
    names = fresh;
  }
  enter(names, table, head);
  return true;
}

export function namesRemove(table: usize, head: usize): void {
  const names: usize = load<u32>(table, BLOB_NAMES);
  let link = bucket(names, textAddress(table, load<u32>(head, CHAIN_NAME)));
  while (load<u32>(link) != <u32>head) link = <usize>load<u32>(link) + CHAIN_HASH_NEXT;
  own32(link, load<u32>(head, CHAIN_HASH_NEXT));
  own32(names + NAMES_COUNT, load<u32>(names, NAMES_COUNT) - 1);
}

/** A new empty user chain of the name at `text`. 0 without memory. */
export function chainMake(table: usize, text: usize): usize {
  const arena: usize = load<u32>(table, BLOB_ARENA);
  const head = arenaAllocate(arena, CHAIN_SIZE);
  if (!head) return 0;
  memory.fill(head, 0, CHAIN_SIZE);
  store<u16>(head, CHAIN_SIZE, CHAIN_BYTES);
  store<u8>(head, CHAIN_USER, CHAIN_HOOK);
  store<u8>(head, RECORD_CHAIN, CHAIN_KIND);
  store<u32>(head, <u32>table, CHAIN_TABLE);
  wrote(CHAIN_SIZE);
  touched(1);
  if (!setName(table, head, text)) return 0;
  const last: usize = load<u32>(table, BLOB_LAST_CHAIN);
  store<u32>(head, <u32>last, CHAIN_PREVIOUS);
  own32(last + CHAIN_NEXT, <u32>head);
  own32(table + BLOB_LAST_CHAIN, <u32>head);
  own32(table + BLOB_LIVE_CHAINS, load<u32>(table, BLOB_LIVE_CHAINS) + 1);
  return namesAdd(table, head) ? head : 0;
}

/** Gives the chain another name. False without memory. */
export function chainRename(table: usize, head: usize, text: usize): bool {
  namesRemove(table, head);
  const old = textAddress(table, load<u32>(head, CHAIN_NAME));
  if (!setName(table, head, text) || !namesAdd(table, head)) return false;
  retireText(table, old);
  touched(1);
  return true;
}

/** Takes an empty, unreferenced user chain out. False without memory. */
export function chainRemove(table: usize, head: usize): bool {
  namesRemove(table, head);
  const next: usize = load<u32>(head, CHAIN_NEXT);
  const previous: usize = load<u32>(head, CHAIN_PREVIOUS);
  own32(previous + CHAIN_NEXT, <u32>next);
  if (next) own32(next + CHAIN_PREVIOUS, <u32>previous);
  else own32(table + BLOB_LAST_CHAIN, <u32>previous);
  own32(table + BLOB_LIVE_CHAINS, load<u32>(table, BLOB_LIVE_CHAINS) - 1);
  touched(1);
  const arena: usize = load<u32>(table, BLOB_ARENA);
  retireText(table, textAddress(table, load<u32>(head, CHAIN_NAME)));
  // Its dead rows wait in front of it in the same queue; emptying them frees the chunks.
  const index: usize = load<u32>(head, CHAIN_INDEX);
  if (index) indexRetire(arena, index);
  return retireRecord(table, head, CHAIN_SIZE);
}

function retireText(table: usize, text: usize): void {
  if (text < table || text >= table + load<u32>(table, BLOB_LENGTH))
    retire(RETIRED_MEMORY, <u32>text, load<u32>(table, BLOB_ARENA), 2 + load<u16>(text));
}

function setName(table: usize, head: usize, text: usize): bool {
  const bytes = 2 + <u32>load<u16>(text);
  const name = arenaAllocate(load<u32>(table, BLOB_ARENA), bytes);
  if (!name) return false;
  memory.copy(name, text, bytes);
  wrote(bytes);
  put32(head + CHAIN_NAME, <u32>(name - table - load<u32>(table, BLOB_TEXT)));
  return true;
}

function enter(names: usize, table: usize, head: usize): void {
  const slot = bucket(names, textAddress(table, load<u32>(head, CHAIN_NAME)));
  own32(head + CHAIN_HASH_NEXT, load<u32>(slot));
  own32(slot, <u32>head);
  own32(names + NAMES_COUNT, load<u32>(names, NAMES_COUNT) + 1);
}

function bucket(names: usize, text: usize): usize {
  const hash = hashBytes(text + 2, load<u16>(text));
  return names + NAMES_FIRST + ((hash & load<u32>(names, NAMES_MASK)) << 2);
}
