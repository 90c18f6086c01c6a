/** What a packet does with sets: being looked up, added and deleted (ip_set_test, ip_set_add, ip_set_del). */
import { PACKET_FAMILY } from "../../src/blob/layout";
import {
  BODY_BITMAP,
  BODY_DIMENSIONS,
  BODY_FAMILY,
  BODY_HASH,
  BODY_KIND,
  BODY_NETS,
  BODY_TABLE,
  IPSET_BODY,
  MEMBER_SET,
  MEMBERS_COUNT,
  SETS_CHANGED,
  SETS_DONE,
  SETS_ELEMENT_MISSING,
} from "../../src/blob/sets";
import { packet } from "../packet";
import { bitmapAdd, bitmapDelete, bitmapOfPacket, bitmapTest } from "./bitmap";
import { askCounters, askNoCounters, expired, extensionsMatch, skipsCounters } from "./extensions";
import { hashAdd, hashDelete, hashKeyToChange, hashTest } from "./hash";
import { keyOfPacket } from "./key";
import { memberAt } from "./list";

/** How a rule names a set: directions by dimension, how many, and what it says of it. */
let directions: u32 = 0;
let dimensions: u32 = 0;
let invertsExceptions: bool = false;
let skipsSubcounters: bool = false;

export function nameDirections(bits: u32, count: u32, exceptions: bool, subcounters: bool): void {
  directions = bits;
  dimensions = count;
  invertsExceptions = exceptions;
  skipsSubcounters = subcounters;
}

/** Whether the packet is in the set. */
export function setHasPacket(set: usize): bool {
  const body: usize = atomic.load<u32>(set, IPSET_BODY);
  if (!fits(body)) return false;
  const kind = load<u8>(body, BODY_KIND);
  if (kind != BODY_HASH && kind != BODY_BITMAP) return listHasPacket(body);
  if (!keyOfPacket(body, directions)) return false;
  if (kind == BODY_BITMAP) {
    const number = bitmapOfPacket(body);
    return number >= 0 && bitmapTest(body, number) > 0;
  }
  const found = hashTest(body);
  return (invertsExceptions && load<u8>(body, BODY_NETS) ? -found : found) > 0;
}

/** The first member that has the packet counts; members are not asked about counters. */
function listHasPacket(body: usize): bool {
  const skips = skipsCounters;
  const asked = askNoCounters(skips || skipsSubcounters);
  const members: usize = atomic.load<u32>(body, BODY_TABLE);
  let found = false;
  for (let i: u32 = 0; i < load<u32>(members, MEMBERS_COUNT) && !found; i++) {
    const member = memberAt(members, i);
    if (!setHasPacket(load<u32>(member, MEMBER_SET))) continue;
    askCounters(asked, skips);
    found = extensionsMatch(body, member);
    if (!found) askNoCounters(skips || skipsSubcounters);
  }
  askCounters(asked, skips);
  return found;
}

/** What a packet does to a set. */
export const ADD: u32 = 0;
/** The same, and what is there is set anew. */
export const ADD_EXISTING: u32 = 1;
export const DELETE: u32 = 2;

/** Adds or deletes the packet; of a list, at the first member that takes it or has it. Whether that was done. */
export function setChangedByPacket(set: usize, change: u32): bool {
  const body: usize = atomic.load<u32>(set, IPSET_BODY);
  if (!fits(body)) return false;
  const kind = load<u8>(body, BODY_KIND);
  if (kind != BODY_HASH && kind != BODY_BITMAP) {
    const members: usize = atomic.load<u32>(body, BODY_TABLE);
    for (let i: u32 = 0; i < load<u32>(members, MEMBERS_COUNT); i++) {
      const member = memberAt(members, i);
      if (!expired(body, member) && setChangedByPacket(load<u32>(member, MEMBER_SET), change)) return true;
    }
    return false;
  }
  if (!keyOfPacket(body, directions)) return false;
  const result = kind == BODY_BITMAP ? changeBitmap(body, change) : changeHash(body, change);
  return result == SETS_DONE || result == SETS_CHANGED;
}

function changeBitmap(body: usize, change: u32): u32 {
  const number = bitmapOfPacket(body);
  if (number < 0) return SETS_ELEMENT_MISSING;
  return change == DELETE ? bitmapDelete(body, number, 0) : bitmapAdd(body, number, change == ADD_EXISTING, 0);
}

function changeHash(body: usize, change: u32): u32 {
  hashKeyToChange(body);
  return change == DELETE ? hashDelete(body, 0) : hashAdd(body, change == ADD_EXISTING, 0);
}

function fits(body: usize): bool {
  if (dimensions < load<u8>(body, BODY_DIMENSIONS)) return false;
  const family = load<u8>(body, BODY_FAMILY);
  return !family || family == load<u8>(packet, PACKET_FAMILY);
}
