/** SET (xt_set.c): adds what the packet is to a set, deletes it from one, takes mark and priority from one. */
import { PACKET_MARK, PACKET_PRIORITY, VERDICT_CONTINUE } from "../../src/blob/layout";
import {
  SETTARGET_ADD,
  SETTARGET_DELETE,
  SETTARGET_FLAGS,
  SETTARGET_MAP,
  SETTARGET_PART_DIMENSIONS,
  SETTARGET_PART_DIRECTIONS,
  SETTARGET_PART_NAME,
  SETTARGET_PART_OBJECT,
  SETTARGET_PART_SIZE,
  SETTARGET_TIMEOUT,
} from "../../src/blob/payloads";
import { packet } from "../packet";
import { causedByPacket, causedWithTimeout, infoMark, infoMask, infoPriority } from "../sets/extensions";
import { setLeave, setRefer } from "../sets/names";
import { ADD, ADD_EXISTING, DELETE, nameDirections, setChangedByPacket, setHasPacket } from "../sets/packet";

const TIMEOUT: u8 = 1;
const EXIST: u8 = 2;
const MAP_MARK: u8 = 4;
const MAP_PRIORITY: u8 = 8;
const MOST_DIMENSIONS: u8 = 6;
/** Seconds (IPSET_MAX_TIMEOUT). */
const LONGEST_TIMEOUT: u32 = 2147483;

export function changeSets(record: usize): u32 {
  const flags = load<u8>(record, SETTARGET_FLAGS);
  if (take(record + SETTARGET_ADD)) {
    if (flags & TIMEOUT) {
      const seconds = load<u32>(record, SETTARGET_TIMEOUT);
      causedWithTimeout(seconds < LONGEST_TIMEOUT ? seconds : LONGEST_TIMEOUT);
    }
    setChangedByPacket(objectOf(record + SETTARGET_ADD), flags & EXIST ? ADD_EXISTING : ADD);
  }
  if (take(record + SETTARGET_DELETE)) setChangedByPacket(objectOf(record + SETTARGET_DELETE), DELETE);
  if (take(record + SETTARGET_MAP) && setHasPacket(objectOf(record + SETTARGET_MAP))) {
    if (flags & MAP_MARK) store<u32>(packet, (load<u32>(packet, PACKET_MARK) & ~infoMask) ^ infoMark, PACKET_MARK);
    if (flags & MAP_PRIORITY) store<u32>(packet, infoPriority, PACKET_PRIORITY);
  }
  return VERDICT_CONTINUE;
}

/** Readies the part; false when the rule does not have it. */
function take(part: usize): bool {
  const dimensions = load<u8>(part, SETTARGET_PART_DIMENSIONS);
  if (!dimensions) return false;
  causedByPacket(false, 0);
  nameDirections(load<u8>(part, SETTARGET_PART_DIRECTIONS), dimensions, false, false);
  return true;
}

function objectOf(part: usize): usize {
  return load<u32>(part, SETTARGET_PART_OBJECT);
}

export function checkSetTarget(record: usize): bool {
  for (let part = record + SETTARGET_ADD; part < record + SETTARGET_TIMEOUT; part += SETTARGET_PART_SIZE)
    if (load<u8>(part, SETTARGET_PART_DIMENSIONS) > MOST_DIMENSIONS || load<u32>(part, SETTARGET_PART_OBJECT))
      return false;
  return true;
}

/** A rule with this target is linked. False without memory. */
export function setTargetJoin(record: usize): bool {
  for (let part = record + SETTARGET_ADD; part < record + SETTARGET_TIMEOUT; part += SETTARGET_PART_SIZE) {
    if (!load<u8>(part, SETTARGET_PART_DIMENSIONS)) continue;
    const feeds = part == record + SETTARGET_ADD;
    if (!setRefer(part + SETTARGET_PART_NAME, part + SETTARGET_PART_OBJECT, feeds)) return false;
  }
  return true;
}

/** The rule is gone, and no reader sees it. */
export function setTargetLeave(record: usize): void {
  for (let part = record + SETTARGET_ADD; part < record + SETTARGET_TIMEOUT; part += SETTARGET_PART_SIZE)
    if (objectOf(part)) setLeave(objectOf(part));
}
