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

/** Adds the packet; of a list, to the first member that takes it. Whether that was done. */
export function setAddsPacket(set: usize, exist: bool): bool {
  const body: usize = atomic.load<u32>(set, IPSET_BODY);
  if (!fits(body)) return false;
  const kind = load<u8>(body, BODY_KIND);
  if (kind != BODY_HASH && kind != BODY_BITMAP) {
    const members: usize = atomic.load<u32>(body, BODY_TABLE);
    for (let i: u32 = 0; i < load<u32>(members, MEMBERS_COUNT); i++) {
      const member = memberAt(members, i);
      if (!expired(body, member) && setAddsPacket(load<u32>(member, MEMBER_SET), exist)) return true;
    }
    return false;
  }
  if (!keyOfPacket(body, directions)) return false;
  let result: u32;
  if (kind == BODY_BITMAP) {
    const number = bitmapOfPacket(body);
    if (number < 0) return false;
    result = bitmapAdd(body, number, exist, 0);
  } else {
    hashKeyToChange(body);
    result = hashAdd(body, exist, 0);
  }
  return result == SETS_DONE || result == SETS_CHANGED;
}

/** Deletes the packet; of a list, from the first member that has it. Whether that was done. */
export function setDeletesPacket(set: usize): bool {
  const body: usize = atomic.load<u32>(set, IPSET_BODY);
  if (!fits(body)) return false;
  const kind = load<u8>(body, BODY_KIND);
  if (kind != BODY_HASH && kind != BODY_BITMAP) {
    const members: usize = atomic.load<u32>(body, BODY_TABLE);
    for (let i: u32 = 0; i < load<u32>(members, MEMBERS_COUNT); i++) {
      const member = memberAt(members, i);
      if (!expired(body, member) && setDeletesPacket(load<u32>(member, MEMBER_SET))) return true;
    }
    return false;
  }
  if (!keyOfPacket(body, directions)) return false;
  if (kind == BODY_BITMAP) {
    const number = bitmapOfPacket(body);
    return number >= 0 && bitmapDelete(body, number, 0) == SETS_DONE;
  }
  hashKeyToChange(body);
  return hashDelete(body, 0) == SETS_DONE;
}

function fits(body: usize): bool {
  if (dimensions < load<u8>(body, BODY_DIMENSIONS)) return false;
  const family = load<u8>(body, BODY_FAMILY);
  return !family || family == load<u8>(packet, PACKET_FAMILY);
}
