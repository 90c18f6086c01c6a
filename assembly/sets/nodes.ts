/**
 * Elements of a hash by key: buckets of nodes linked through.
 *
 * Problem. Packets look elements up while the writer and other packets add and delete; nobody may wait, and memory of a
 * deleted element is wanted again at once, long before a grace period is over.
 *
 * Idea. Nodes are nodes of this body for as long as it lives. A list ends with a mark that names its bucket, and a node has
 * a version that changes when it becomes free or taken. A reader that stood on a node which moved under its feet ends at
 * the mark of another bucket, and looks again; new nodes come first in a bucket, so it can miss none that was there all
 * along. A key that is equal counts only if the version was the same, and of a node in force, before and after.
 *
 * Growth. A node has two links, of which a table uses one. A larger table is built through the other, and takes the place
 * of the old one with one store; readers inside the old one go on undisturbed. The next growth must wait until they have
 * left. Sets that packets add to have all their nodes from the start: readers cannot take memory. Their table may grow
 * yet, under the lock.
 *
 * Cost. 16 bytes a node beside key and extensions; two more loads a lookup that hits. After Linux's hlist_nulls and the
 * double linking of Herbert Xu's bridge multicast hash.
 */
import {
  BODY_COUNT,
  BODY_FREE,
  BODY_FRESH,
  BODY_FRESH_END,
  BODY_NODE_SIZE,
  BODY_RELINKED,
  BODY_ROOM,
  BODY_SEGMENTS,
  BODY_TABLE,
  BODY_VECTORS,
  ELEMENT_WILDCARD,
  NODE_FLAGS,
  NODE_KEY,
  NODE_VERSION,
  SEGMENT_BYTES,
  SEGMENT_COUNT,
  SEGMENT_NEXT,
  SEGMENT_NODES,
  TABLE_BUCKETS,
  TABLE_BYTES,
  TABLE_LARGEST,
  TABLE_LINK,
  TABLE_MASK,
} from "../../src/blob/sets";
import { RETIRED_MEMORY } from "../../src/blob/memory";
import { arenaAllocate } from "../arena";
import { heapAllocate } from "../heap";
import { engineArena, generation, oldestReader, retire } from "../retire";
import { put32, wrote } from "../store";
import { hasDevice, keyFirst, keySecond, keyThird } from "./key";
import { lock, unlock } from "./lock";

const END: u32 = 1;

/** An empty table of `buckets`, a power of two, that uses link `link`. 0 without memory. */
export function tableMake(buckets: u32, link: u32): usize {
  const bytes: u32 = TABLE_BUCKETS + 4 * buckets;
  const table = arenaAllocate(engineArena(), bytes);
  if (!table) return 0;
  memory.fill(table, 0, bytes);
  store<u32>(table, buckets - 1, TABLE_MASK);
  store<u32>(table, link, TABLE_LINK);
  store<u32>(table, bytes, TABLE_BYTES);
  wrote(bytes);
  return table;
}

/** The node of the key in hand, for a reader; 0 when there is none. `skip`: so many equal ones, of a set with devices. */
export function nodeFind(body: usize, skip: u32): usize {
  const hash = hashOfKey(body);
  let complete = false;
  while (!complete) {
    const table: usize = atomic.load<u32>(body, BODY_TABLE);
    const link = load<u32>(table, TABLE_LINK);
    const bucket = hash & load<u32>(table, TABLE_MASK);
    let left = skip;
    let moved = false;
    let node = atomic.load<u32>(table + TABLE_BUCKETS + (bucket << 2));
    while (node && !(node & END)) {
      const version = atomic.load<u32>(node, NODE_VERSION);
      if (isKey(body, node)) {
        moved = !keyIsStill(body, node) || atomic.load<u32>(node, NODE_VERSION) != version || (version & 1) != 0;
        if (moved) break;
        if (!left--) return node;
      }
      node = atomic.load<u32>(<usize>node + link);
    }
    complete = !moved && (!node || node == ((bucket << 1) | END));
  }
  return 0;
}

/** How many nodes have the key in hand, its device apart, or, with `device`, its device too. */
export function nodeCount(body: usize, device: bool): u32 {
  const table: usize = atomic.load<u32>(body, BODY_TABLE);
  const link = load<u32>(table, TABLE_LINK);
  let node = atomic.load<u32>(table + TABLE_BUCKETS + ((hashOfKey(body) & load<u32>(table, TABLE_MASK)) << 2));
  let count: u32 = 0;
  while (node && !(node & END)) {
    if (device ? isKey(body, node) : isHashed(body, node)) count++;
    node = atomic.load<u32>(<usize>node + link);
  }
  return count;
}

/** Under the body's lock: the oldest node of the key in hand, and in `linkTo` where it hangs; 0 when there is none. */
export function nodeHeld(body: usize): usize {
  const table: usize = load<u32>(body, BODY_TABLE);
  const link = load<u32>(table, TABLE_LINK);
  let at = table + TABLE_BUCKETS + ((hashOfKey(body) & load<u32>(table, TABLE_MASK)) << 2);
  let found: usize = 0;
  for (let node = load<u32>(at); node && !(node & END); node = load<u32>(at)) {
    if (isKey(body, node)) {
      found = node;
      linkTo = at;
      if (!hasDevice(body)) break;
    }
    at = <usize>node + link;
  }
  return found;
}

export let linkTo: usize = 0;

/** Under the lock: a node for the key in hand, not linked; 0 when there is no room. */
export function nodeTake(body: usize, flags: u32): usize {
  let node: usize = load<u32>(body, BODY_FREE);
  if (node) store<u32>(body, load<u32>(node, NODE_FLAGS), BODY_FREE);
  else {
    node = load<u32>(body, BODY_FRESH);
    if (node == load<u32>(body, BODY_FRESH_END)) return 0;
    store<u32>(body, <u32>node + load<u32>(body, BODY_NODE_SIZE), BODY_FRESH);
    store<u32>(node, 1, NODE_VERSION);
  }
  const vectors = load<u8>(body, BODY_VECTORS);
  v128.store(node, keyFirst, NODE_KEY);
  if (vectors > 1) v128.store(node, keySecond, NODE_KEY + 16);
  if (vectors > 2) v128.store(node, keyThird, NODE_KEY + 32);
  store<u32>(node, flags, NODE_FLAGS);
  wrote(load<u32>(body, BODY_NODE_SIZE));
  return node;
}

/** Under the lock: makes a taken node visible, as the first of its bucket. */
export function nodeLink(body: usize, node: usize): void {
  const table: usize = load<u32>(body, BODY_TABLE);
  atomic.store<u32>(node, load<u32>(node, NODE_VERSION) + 1, NODE_VERSION);
  put(table, node, hashOfKey(body) & load<u32>(table, TABLE_MASK));
  atomic.store<u32>(body, load<u32>(body, BODY_COUNT) + 1, BODY_COUNT);
}

/** Under the lock: takes the node that hangs at `at` out; its memory may be taken again. */
export function nodeUnlink(body: usize, at: usize, node: usize): void {
  atomic.store<u32>(at, load<u32>(node + load<u32>(load<u32>(body, BODY_TABLE), TABLE_LINK)));
  atomic.store<u32>(node, load<u32>(node, NODE_VERSION) + 1, NODE_VERSION);
  store<u32>(node, load<u32>(body, BODY_FREE), NODE_FLAGS);
  store<u32>(body, <u32>node, BODY_FREE);
  atomic.store<u32>(body, load<u32>(body, BODY_COUNT) - 1, BODY_COUNT);
}

/** Room for so many nodes in all, while no packet takes any: one that has not all its room is not fed. False without memory. */
export function nodesReserve(body: usize, wanted: u32): bool {
  const room = load<u32>(body, BODY_ROOM);
  if (room >= wanted) return true;
  const size = load<u32>(body, BODY_NODE_SIZE);
  // What is left of the last segment would be forgotten: it goes to the free ones.
  while (load<u32>(body, BODY_FRESH) != load<u32>(body, BODY_FRESH_END)) {
    const node: usize = load<u32>(body, BODY_FRESH);
    put32(node + NODE_VERSION, 1);
    put32(node + NODE_FLAGS, load<u32>(body, BODY_FREE));
    put32(body + BODY_FREE, <u32>node);
    put32(body + BODY_FRESH, <u32>node + size);
  }
  const count = wanted - room;
  const bytes = <u64>count * size + SEGMENT_NODES;
  if (bytes > 0x7fffffff) return false;
  const segment = heapAllocate(<u32>bytes);
  if (!segment) return false;
  store<u32>(segment, load<u32>(body, BODY_SEGMENTS), SEGMENT_NEXT);
  store<u32>(segment, count, SEGMENT_COUNT);
  store<u32>(segment, <u32>bytes, SEGMENT_BYTES);
  put32(body + BODY_SEGMENTS, <u32>segment);
  put32(body + BODY_FRESH, <u32>segment + SEGMENT_NODES);
  put32(body + BODY_FRESH_END, <u32>segment + <u32>bytes);
  put32(body + BODY_ROOM, wanted);
  return true;
}

/** A table with as many buckets as there may be nodes. Left for another time without memory, or while readers use the last one. */
export function tableGrow(body: usize, nodes: u32): void {
  const old: usize = load<u32>(body, BODY_TABLE);
  let buckets = load<u32>(old, TABLE_MASK) + 1;
  if (buckets >= nodes || buckets >= <u32>TABLE_LARGEST || oldestReader() < load<u32>(body, BODY_RELINKED)) return;
  while (buckets < nodes && buckets < <u32>TABLE_LARGEST) buckets <<= 1;
  const table = tableMake(buckets, load<u32>(old, TABLE_LINK) ^ 4);
  if (!table) return;
  const link = load<u32>(old, TABLE_LINK);
  lock(body);
  for (let bucket: u32 = 0; bucket <= load<u32>(old, TABLE_MASK); bucket++)
    for (
      let node = load<u32>(old + TABLE_BUCKETS + (bucket << 2));
      node && !(node & END);
      node = load<u32>(<usize>node + link)
    )
      put(table, node, hashOfNode(body, node) & (buckets - 1));
  atomic.store<u32>(body, <u32>table, BODY_TABLE);
  unlock(body);
  store<u32>(body, generation() + 1, BODY_RELINKED);
  retire(RETIRED_MEMORY, <u32>old, engineArena(), load<u32>(old, TABLE_BYTES));
}

function put(table: usize, node: usize, bucket: u32): void {
  const at = table + TABLE_BUCKETS + (bucket << 2);
  const first = load<u32>(at);
  atomic.store<u32>(node + load<u32>(table, TABLE_LINK), first ? first : (bucket << 1) | END);
  atomic.store<u32>(at, <u32>node);
}

function isKey(body: usize, node: usize): bool {
  if (v128.any_true(v128.xor(v128.load(node, NODE_KEY), keyFirst))) return false;
  const vectors = load<u8>(body, BODY_VECTORS);
  if (vectors == 1) return true;
  const wild = (load<u32>(node, NODE_FLAGS) & ELEMENT_WILDCARD) != 0 && hasDevice(body);
  if (!sameVector(keySecond, node + NODE_KEY + 16, wild && vectors == 2)) return false;
  return vectors == 2 || sameVector(keyThird, node + NODE_KEY + 32, wild);
}

/** `wild`: of a device's name it is enough that it begins with the node's. */
function sameVector(key: v128, at: usize, wild: bool): bool {
  const own = v128.load(at);
  const compared = wild ? v128.and(key, v128.ne<u8>(own, v128.splat<u8>(0))) : key;
  return !v128.any_true(v128.xor(own, compared));
}

/** The same again word by word with loads that are ordered: what was equal above may have been half of two keys. */
function keyIsStill(body: usize, node: usize): bool {
  const at = node + NODE_KEY;
  if (atomic.load<u64>(at) != v128.extract_lane<u64>(keyFirst, 0)) return false;
  if (atomic.load<u64>(at, 8) != v128.extract_lane<u64>(keyFirst, 1)) return false;
  const vectors = load<u8>(body, BODY_VECTORS);
  if (vectors == 1 || hasDevice(body)) return true;
  if (atomic.load<u64>(at, 16) != v128.extract_lane<u64>(keySecond, 0)) return false;
  if (atomic.load<u64>(at, 24) != v128.extract_lane<u64>(keySecond, 1)) return false;
  if (vectors == 2) return true;
  return (
    atomic.load<u64>(at, 32) == v128.extract_lane<u64>(keyThird, 0) &&
    atomic.load<u64>(at, 40) == v128.extract_lane<u64>(keyThird, 1)
  );
}

/** The key but for a device. */
function isHashed(body: usize, node: usize): bool {
  if (v128.any_true(v128.xor(v128.load(node, NODE_KEY), keyFirst))) return false;
  return load<u8>(body, BODY_VECTORS) < 3 || !v128.any_true(v128.xor(v128.load(node, NODE_KEY + 16), keySecond));
}

function hashOfKey(body: usize): u32 {
  return hashOf(body, keyFirst, keySecond, keyThird);
}

function hashOfNode(body: usize, node: usize): u32 {
  const vectors = load<u8>(body, BODY_VECTORS);
  const zero = v128.splat<u32>(0);
  return hashOf(
    body,
    v128.load(node, NODE_KEY),
    vectors > 1 ? v128.load(node, NODE_KEY + 16) : zero,
    vectors > 2 ? v128.load(node, NODE_KEY + 32) : zero,
  );
}

/** A device is left out, so that all nodes of a net are in one bucket. */
function hashOf(body: usize, first: v128, second: v128, third: v128): u32 {
  const hashed = <u32>load<u8>(body, BODY_VECTORS) - (hasDevice(body) ? 1 : 0);
  let hash = mix(mix(0, v128.extract_lane<u64>(first, 0)), v128.extract_lane<u64>(first, 1));
  if (hashed > 1) hash = mix(mix(hash, v128.extract_lane<u64>(second, 0)), v128.extract_lane<u64>(second, 1));
  if (hashed > 2) hash = mix(mix(hash, v128.extract_lane<u64>(third, 0)), v128.extract_lane<u64>(third, 1));
  return <u32>(hash >> 32);
}

function mix(hash: u64, word: u64): u64 {
  const mixed = (hash ^ word) * 0x9e3779b97f4a7c15;
  return mixed ^ (mixed >> 29);
}
