/** Hash types: whether a packet is in a set, and adding and deleting, by a packet or by the writer. */
import { FAMILY_IPV4 } from "../../src/blob/layout";
import {
  BODY_COUNT,
  BODY_FAMILY,
  BODY_MAXELEM,
  BODY_NETS,
  BODY_NODE_SIZE,
  BODY_OPTIONS,
  BODY_SEGMENTS,
  BODY_TABLE,
  BODY_VECTORS,
  ELEMENT_EXIST,
  ELEMENT_FLAGS,
  ELEMENT_NOMATCH,
  ELEMENT_RESTORE,
  ELEMENT_WILDCARD,
  NODE_FLAGS,
  NODE_KEY,
  NODE_VERSION,
  OPTION_FORCEADD,
  SEGMENT_COUNT,
  SEGMENT_NEXT,
  SEGMENT_NODES,
  SETS_CHANGED,
  SETS_DONE,
  SETS_ELEMENT_EXISTS,
  SETS_ELEMENT_MISSING,
  SETS_FULL,
  SETS_MEMORY,
  TABLE_BUCKETS,
  TABLE_LINK,
  TABLE_MASK,
} from "../../src/blob/sets";
import { expired, extensionsMatch, extensionsRead, extensionsWrite, given } from "./extensions";
import { hasDevice, keyFirst, keySecond, keyThird, keyWithPrefixes } from "./key";
import { lock, unlock } from "./lock";
import { linkTo, nodeCount, nodeFind, nodeHeld, nodeLink, nodeTake, nodeUnlink } from "./nodes";
import { countPrefixes, prefixBelow } from "./prefixes";

const NO: i32 = 0;
const YES: i32 = 1;
/** In, but as an exception. */
const EXCEPTION: i32 = -1;

/** Whether the packet, whose parts are taken, is in the set: prefix lengths from the longest, the first net first. */
export function hashTest(body: usize): i32 {
  const nets = load<u8>(body, BODY_NETS);
  const host = hostBits(body);
  if (!nets) {
    keyWithPrefixes(body, 0, 0);
    return answer(body);
  }
  for (let prefix = prefixBelow(body, 0, host + 1); prefix >= 0; prefix = prefixBelow(body, 0, prefix)) {
    if (nets != 3) {
      keyWithPrefixes(body, prefix, 0);
      const found = hasDevice(body) ? answerByDevice(body) : answer(body);
      if (found != NO || stopped) return found;
      continue;
    }
    for (let other = prefixBelow(body, 1, host + 1); other >= 0; other = prefixBelow(body, 1, other)) {
      keyWithPrefixes(body, prefix, other);
      const found = answer(body);
      if (found != NO) return found;
    }
  }
  return NO;
}

/** Set when a net was found, though not with the packet's device: then Linux looks for no wider one. */
let stopped: bool = false;

function answer(body: usize): i32 {
  stopped = false;
  const node = nodeFind(body, 0);
  return node ? answerOf(body, node) : NO;
}

/** Several nodes may stand for a device, the oldest last in the bucket. */
function answerByDevice(body: usize): i32 {
  for (let left = nodeCount(body, true); left; left--) {
    const node = nodeFind(body, left - 1);
    const found = node ? answerOf(body, node) : NO;
    if (found != NO) return found;
  }
  stopped = nodeCount(body, false) != nodeCount(body, true);
  return NO;
}

function answerOf(body: usize, node: usize): i32 {
  const exception = (load<u32>(node, NODE_FLAGS) & ELEMENT_NOMATCH) != 0;
  return extensionsMatch(body, node) ? (exception ? EXCEPTION : YES) : NO;
}

/** Composes the key by which a packet is added or deleted: nets get the longest prefix that the set has. */
export function hashKeyToChange(body: usize): void {
  const host = hostBits(body);
  const first = prefixBelow(body, 0, host + 1);
  const second = prefixBelow(body, 1, host + 1);
  keyWithPrefixes(body, first < 0 ? host : first, second < 0 ? host : second);
}

/** Adds the element of the key in hand; a SETS_*. Where it was there, how it was goes to `before`, unless that is 0. */
export function hashAdd(body: usize, exist: bool, before: usize): u32 {
  lock(body);
  const result = addLocked(body, exist, before);
  unlock(body);
  return result;
}

function addLocked(body: usize, exist: bool, before: usize): u32 {
  const flags = given ? load<u32>(given, ELEMENT_FLAGS) : 0;
  const there = nodeHeld(body);
  if (there) {
    if (!exist && !expired(body, there)) return SETS_ELEMENT_EXISTS;
    if (before) tell(body, there, before);
    extensionsWrite(body, there, false);
    const kept = load<u32>(there, NODE_FLAGS) & ELEMENT_WILDCARD;
    atomic.store<u32>(there, kept | (flags & ELEMENT_NOMATCH), NODE_FLAGS);
    return SETS_CHANGED;
  }
  if (load<u32>(body, BODY_COUNT) >= load<u32>(body, BODY_MAXELEM)) {
    sweep(body);
    if (load<u32>(body, BODY_COUNT) >= load<u32>(body, BODY_MAXELEM)) {
      if (!(load<u32>(body, BODY_OPTIONS) & OPTION_FORCEADD)) return SETS_FULL;
      evict(body);
    }
  }
  const node = nodeTake(body, flags & (ELEMENT_NOMATCH | ELEMENT_WILDCARD));
  if (!node) return SETS_MEMORY;
  extensionsWrite(body, node, true);
  countPrefixes(body, node + NODE_KEY, 1);
  nodeLink(body, node);
  return SETS_DONE;
}

/** Deletes the element of the key in hand; a SETS_*. How it was goes to `before`, unless that is 0. */
export function hashDelete(body: usize, before: usize): u32 {
  lock(body);
  const there = nodeHeld(body);
  let result: u32 = SETS_ELEMENT_MISSING;
  if (there && !expired(body, there)) {
    if (before) tell(body, there, before);
    remove(body, linkTo, there);
    result = SETS_DONE;
  }
  unlock(body);
  return result;
}

/**
 * Tells of the next node in force from node `cursor` (segments in order) on; the cursor behind it, 0 at the end.
 * An element that expired is passed over.
 */
export function hashNext(body: usize, cursor: u32, into: usize): u32 {
  let left = cursor;
  const size = load<u32>(body, BODY_NODE_SIZE);
  for (let segment: usize = load<u32>(body, BODY_SEGMENTS); segment; segment = load<u32>(segment, SEGMENT_NEXT)) {
    const count = load<u32>(segment, SEGMENT_COUNT);
    if (left >= count) {
      left -= count;
      continue;
    }
    for (let i = left; i < count; i++, cursor++) {
      const node = segment + SEGMENT_NODES + i * size;
      const version = atomic.load<u32>(node, NODE_VERSION);
      if (!version || version & 1) {
        // Nodes are taken in order: behind one that was never taken there are none in this segment.
        if (version) continue;
        cursor += count - i;
        break;
      }
      if (expired(body, node)) continue;
      tell(body, node, into);
      if (atomic.load<u32>(node, NODE_VERSION) == version) return cursor + 1;
      // A packet deleted it meanwhile, and may have put another there: it is looked at again.
      i--;
      cursor--;
    }
    left = 0;
  }
  return 0;
}

/** As ELEMENT_*, so that adding it restores the node. */
function tell(body: usize, node: usize, into: usize): void {
  memory.fill(into, 0, ELEMENT_FLAGS);
  memory.copy(into, node + NODE_KEY, (<usize>load<u8>(body, BODY_VECTORS)) << 4);
  extensionsRead(body, node, into);
  store<u32>(into, load<u32>(node, NODE_FLAGS) | ELEMENT_RESTORE | ELEMENT_EXIST, ELEMENT_FLAGS);
}

function remove(body: usize, at: usize, node: usize): void {
  countPrefixes(body, node + NODE_KEY, -1);
  nodeUnlink(body, at, node);
}

/** Takes out what expired. */
function sweep(body: usize): void {
  const table: usize = load<u32>(body, BODY_TABLE);
  const link = load<u32>(table, TABLE_LINK);
  for (let bucket: u32 = 0; bucket <= load<u32>(table, TABLE_MASK); bucket++) {
    let at = table + TABLE_BUCKETS + (bucket << 2);
    for (let node = load<u32>(at); node && !(node & 1); node = load<u32>(at))
      if (expired(body, node)) remove(body, at, node);
      else at = <usize>node + link;
  }
}

/** Makes room for one: the first element of a bucket, whichever comes next to where the key in hand belongs. */
function evict(body: usize): void {
  const table: usize = load<u32>(body, BODY_TABLE);
  const mask = load<u32>(table, TABLE_MASK);
  const from =
    v128.extract_lane<u32>(keyFirst, 0) ^ v128.extract_lane<u32>(keySecond, 3) ^ v128.extract_lane<u32>(keyThird, 0);
  for (let i: u32 = 0; i <= mask; i++) {
    const at = table + TABLE_BUCKETS + (((from + i) & mask) << 2);
    const node = load<u32>(at);
    if (!node || node & 1) continue;
    remove(body, at, node);
    return;
  }
}

function hostBits(body: usize): i32 {
  return load<u8>(body, BODY_FAMILY) == FAMILY_IPV4 ? 32 : 128;
}
