/**
 * Bitmap types: a bit an element and, where the set keeps more of them, a place an element. The MAC address of bitmap:ip,mac
 * is one word with the mark that it is known; an address that waits for it holds its seconds in place of when it ends.
 */
import {
  BODY_BYTES,
  BODY_EXPIRES_AT,
  BODY_FIRST,
  BODY_LAST,
  BODY_NETMASK,
  BODY_NODE_SIZE,
  BODY_OPTIONS,
  BODY_PARTS,
  BODY_SEGMENTS,
  BODY_TABLE,
  BODY_TIMEOUT,
  ELEMENT_EXIST,
  ELEMENT_FLAGS,
  ELEMENT_HAS_MAC,
  ELEMENT_RESTORE,
  ELEMENT_TIMEOUT,
  KEY_MAC,
  KEY_PORT,
  OPTION_NETMASK,
  OPTION_TIMEOUT,
  PART_MAC,
  PART_PLAIN_PORT,
  PLACE_MAC,
  SETS_CHANGED,
  SETS_DONE,
  SETS_ELEMENT_EXISTS,
  SETS_ELEMENT_MISSING,
} from "../../src/blob/sets";
import { heapAllocate } from "../heap";
import { endAfter, expired, extensionsMatch, extensionsRead, extensionsWrite, given, secondsGiven } from "./extensions";
import { lock, unlock } from "./lock";
import { address, mac, third } from "./key";

const KNOWN: u64 = (<u64>1) << 48;

/** Memory for the bits and places of an empty bitmap. False without memory. */
export function bitmapMake(body: usize): bool {
  const bits = (((count(body) + 63) >> 6) << 3) + 8;
  const bytes = ((bits + 15) & ~15) + count(body) * load<u32>(body, BODY_NODE_SIZE);
  const table = heapAllocate(bytes);
  if (!table) return false;
  memory.fill(table, 0, bytes);
  store<u32>(body, <u32>table, BODY_TABLE);
  store<u32>(body, <u32>table + ((bits + 15) & ~15), BODY_SEGMENTS);
  store<u32>(body, bytes, BODY_BYTES);
  return true;
}

/** The number of the packet's element; -1 out of range. */
export function bitmapOfPacket(body: usize): i32 {
  return numberOf(body, isPort(body) ? third & 0xffff : bswap(v128.extract_lane<u32>(address, 0)));
}

export function bitmapOfElement(body: usize, element: usize): i32 {
  return numberOf(body, isPort(body) ? <u32>load<u16>(element, KEY_PORT) : bswap(load<u32>(element)));
}

/** 1 in, 0 not; a packet may complete an element by its MAC address. */
export function bitmapTest(body: usize, number: i32): i32 {
  if (!isSet(body, number)) return 0;
  const place = placeOf(body, number);
  if (hasMac(body)) {
    const known = atomic.load<u64>(place, PLACE_MAC);
    if (!(known & KNOWN)) {
      bitmapAdd(body, number, false, 0);
      return 1;
    }
    if (known != (mac | KNOWN)) return 0;
  }
  return extensionsMatch(body, place) ? 1 : 0;
}

/** Adds element `number`; a SETS_*. How it was goes to `before`, unless that is 0. */
export function bitmapAdd(body: usize, number: i32, exist: bool, before: usize): u32 {
  lock(body);
  const result = addLocked(body, number, exist, before);
  unlock(body);
  return result;
}

function addLocked(body: usize, number: i32, exist: bool, before: usize): u32 {
  const place = placeOf(body, number);
  const there = isSet(body, number);
  const withMac = hasMac(body);
  const flags = given ? load<u32>(given, ELEMENT_FLAGS) : 0;
  const hadMac = withMac && (atomic.load<u64>(place, PLACE_MAC) & KNOWN) != 0;
  const getsMac = withMac && (!given || (flags & ELEMENT_HAS_MAC) != 0);
  const completes = there && getsMac && !hadMac;
  const waits = withMac && there && !hadMac;
  const over = there && (waits ? storedSeconds(body, place) != 0 : expired(body, place));
  if (there && !completes && !exist && !over) return SETS_ELEMENT_EXISTS;
  if (there && before) tell(body, number, before);
  const stored = waits ? storedSeconds(body, place) : 0;
  if (getsMac) atomic.store<u64>(place, (given ? macOf(given) : mac) | KNOWN, PLACE_MAC);
  else if (withMac && (!there || flags & ELEMENT_RESTORE)) atomic.store<u64>(place, 0, PLACE_MAC);
  extensionsWrite(body, place, !there);
  const expires = load<u32>(body, BODY_EXPIRES_AT);
  if (withMac && expires && !(flags & ELEMENT_RESTORE)) {
    const seconds = secondsGiven(body);
    let end = getsMac ? endAfter(seconds) : <u64>seconds;
    // The time that the address waited with begins, unless another is said.
    if (completes && seconds == load<u32>(body, BODY_TIMEOUT)) end = endAfter(stored);
    store<u64>(place + expires, end);
    // Linux takes the seconds of what has its MAC address and is added again without it for a time long past.
    if (there && hadMac && !getsMac && seconds) {
      atomic.and<u64>(wordOf(body, number), ~bitOf(number));
      return SETS_CHANGED;
    }
  }
  atomic.or<u64>(wordOf(body, number), bitOf(number));
  return there ? SETS_CHANGED : SETS_DONE;
}

/** Deletes element `number`; a SETS_*. What waits for its MAC address seems expired to Linux: it goes, but was not there. */
export function bitmapDelete(body: usize, number: i32, before: usize): u32 {
  lock(body);
  const place = placeOf(body, number);
  let result: u32 = SETS_ELEMENT_MISSING;
  if (isSet(body, number)) {
    const waits = hasMac(body) && !(atomic.load<u64>(place, PLACE_MAC) & KNOWN);
    if (before) tell(body, number, before);
    if (waits ? storedSeconds(body, place) == 0 : !expired(body, place)) result = SETS_DONE;
    else if (waits) result = SETS_CHANGED;
    atomic.and<u64>(wordOf(body, number), ~bitOf(number));
  }
  unlock(body);
  return result;
}

/** Tells of the next element from `cursor` on; the cursor behind it, 0 at the end. */
export function bitmapNext(body: usize, cursor: u32, into: usize): u32 {
  for (let number = cursor; number < count(body); number++) {
    if (!isSet(body, number)) continue;
    const place = placeOf(body, number);
    const waits = hasMac(body) && !(atomic.load<u64>(place, PLACE_MAC) & KNOWN);
    if (!waits && expired(body, place)) continue;
    tell(body, number, into);
    return number + 1;
  }
  return 0;
}

function tell(body: usize, number: u32, into: usize): void {
  const place = placeOf(body, number);
  memory.fill(into, 0, ELEMENT_FLAGS);
  extensionsRead(body, place, into);
  let flags: u32 = ELEMENT_RESTORE | ELEMENT_EXIST;
  if (hasMac(body)) {
    const known = atomic.load<u64>(place, PLACE_MAC);
    if (known & KNOWN) {
      flags |= ELEMENT_HAS_MAC;
      store<u32>(into, <u32>known, KEY_MAC);
      store<u16>(into, <u16>(known >> 32), KEY_MAC + 4);
    } else store<u32>(into, storedSeconds(body, place), ELEMENT_TIMEOUT);
  }
  store<u32>(into, flags, ELEMENT_FLAGS);
  const value = load<u32>(body, BODY_FIRST) + number * step(body);
  if (isPort(body)) store<u16>(into, <u16>value, KEY_PORT);
  else store<u32>(into, bswap(value));
}

function numberOf(body: usize, value: u32): i32 {
  const first = load<u32>(body, BODY_FIRST);
  if (value < first || value > load<u32>(body, BODY_LAST)) return -1;
  const kept = value & ~(step(body) - 1);
  return kept < first ? -1 : (kept - first) / step(body);
}

/** Addresses that one element stands for. */
function step(body: usize): u32 {
  return load<u32>(body, BODY_OPTIONS) & OPTION_NETMASK ? (<u32>1) << (32 - load<u8>(body, BODY_NETMASK)) : 1;
}

function count(body: usize): u32 {
  return (load<u32>(body, BODY_LAST) - load<u32>(body, BODY_FIRST)) / step(body) + 1;
}

function isPort(body: usize): bool {
  return load<u32>(body, BODY_PARTS) == PART_PLAIN_PORT;
}

function hasMac(body: usize): bool {
  return load<u32>(body, BODY_PARTS) >> 4 == PART_MAC;
}

function storedSeconds(body: usize, place: usize): u32 {
  if (!(load<u32>(body, BODY_OPTIONS) & OPTION_TIMEOUT)) return 0;
  return load<u32>(place + load<u32>(body, BODY_EXPIRES_AT));
}

function macOf(element: usize): u64 {
  return <u64>load<u32>(element, KEY_MAC) | ((<u64>load<u16>(element, KEY_MAC + 4)) << 32);
}

function placeOf(body: usize, number: u32): usize {
  return <usize>load<u32>(body, BODY_SEGMENTS) + number * load<u32>(body, BODY_NODE_SIZE);
}

function wordOf(body: usize, number: u32): usize {
  return <usize>load<u32>(body, BODY_TABLE) + ((number >> 6) << 3);
}

function bitOf(number: u32): u64 {
  return (<u64>1) << (number & 63);
}

function isSet(body: usize, number: u32): bool {
  return (atomic.load<u64>(wordOf(body, number)) & bitOf(number)) != 0;
}
