/**
 * Directories: rule n of a long chain without walking to it.
 *
 * Problem. Rules are named by position (-I CHAIN 25000, -D CHAIN 7), chunks are a list: the way there grows with the chain.
 * Idea. A B-tree over the chain's chunks whose entries count the rules in force below them (Knuth 3, 6.2.4: position trees).
 * Example. 50,000 rules are 782 chunks, 25 leaves, one root. Rule 25,000: entries of the root are added up until they
 *   pass 25,000, then those of one leaf, then the slots of one chunk.
 * Build. At load for chains of more than WALKED_CHUNKS chunks; when a position further in is asked for in one that grew.
 * Cost. 272 bytes for 16 to 32 chunks, and a count on each level, three for a million rules, for every rule that comes or
 *   goes. A node that empties leaves; half-empty ones are not merged, as chunks come and go in runs.
 * Threads. The writer's alone: readers follow CHUNK_NEXT and see nothing of this.
 */
import { BLOB_ARENA, CHAIN_CHUNKS, CHAIN_DIRECTORY, CHAIN_TABLE } from "../src/blob/layout";
import {
  CHUNK_CHAIN,
  CHUNK_LIVE,
  CHUNK_NEXT,
  CHUNK_NODE,
  CHUNK_PREVIOUS,
  NODE_COUNT,
  NODE_ENTRIES,
  NODE_ENTRIES_COUNT,
  NODE_LEVEL,
  NODE_PARENT,
  NODE_SIZE,
} from "../src/blob/memory";
import { arenaAllocate, arenaFree } from "./arena";
import { own32, touched, walked, wrote } from "./store";

/** Chunks that are walked before a directory is worth its while. */
export const WALKED_CHUNKS: u32 = 8;
const FULL: u32 = NODE_ENTRIES_COUNT;

/** How many rules in force of the chunk that directoryFind gave lie in front of the one asked for. */
export let positionInChunk: u32 = 0;

/** The chunk that holds rule `position` (from 0) of a chain that has so many. */
export function directoryFind(head: usize, position: u32): usize {
  let node: usize = load<u32>(head, CHAIN_DIRECTORY);
  if (!node) {
    const chunk = walk(load<u32>(head, CHAIN_CHUNKS), position, WALKED_CHUNKS);
    if (chunk) return chunk;
    // Without memory for a directory there is still the long way.
    if (!directoryBuild(head)) return walk(load<u32>(head, CHAIN_CHUNKS), position, 0xffffffff);
    node = load<u32>(head, CHAIN_DIRECTORY);
  }
  let left = position;
  while (true) {
    let entry = node + NODE_ENTRIES;
    while (left >= load<u32>(entry, 4)) {
      left -= load<u32>(entry, 4);
      entry += 8;
    }
    walked(1);
    const child: usize = load<u32>(entry);
    if (!load<u32>(node, NODE_LEVEL)) {
      positionInChunk = left;
      return child;
    }
    node = child;
  }
}

/** Makes the directory of a chain that has none. False without memory. */
export function directoryBuild(head: usize): bool {
  let leaf = makeNode(head, 0);
  if (!leaf) return false;
  own32(head + CHAIN_DIRECTORY, <u32>leaf);
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    if (!insert(head, leaf, load<u32>(leaf, NODE_COUNT), chunk, load<u16>(chunk, CHUNK_LIVE))) return false;
    leaf = load<u32>(chunk, CHUNK_NODE);
  }
  return true;
}

/** Enters a chunk that was linked beside others. False without memory. */
export function directoryInsert(chunk: usize): bool {
  const previous: usize = load<u32>(chunk, CHUNK_PREVIOUS);
  const next: usize = load<u32>(chunk, CHUNK_NEXT);
  const neighbour = previous ? previous : next;
  const node: usize = neighbour ? <usize>load<u32>(neighbour, CHUNK_NODE) : 0;
  if (!node) return true;
  const at = previous ? indexOf(node, previous) + 1 : 0;
  return insert(load<u32>(chunk, CHUNK_CHAIN), node, at, chunk, load<u16>(chunk, CHUNK_LIVE));
}

/** Lets a chunk take another's place. */
export function directoryReplace(old: usize, chunk: usize): void {
  const node: usize = load<u32>(old, CHUNK_NODE);
  if (!node) return;
  own32(entryAt(node, indexOf(node, old)), <u32>chunk);
  store<u32>(chunk, <u32>node, CHUNK_NODE);
  directoryCount(chunk, <u32>load<u16>(chunk, CHUNK_LIVE) - <u32>load<u16>(old, CHUNK_LIVE));
}

/** So many more rules of the chunk are in force. */
export function directoryCount(chunk: usize, more: u32): void {
  const node: usize = load<u32>(chunk, CHUNK_NODE);
  if (node && more) countUp(node, chunk, more);
}

/** Takes out a chunk without rules in force. */
export function directoryRemove(chunk: usize): void {
  const node: usize = load<u32>(chunk, CHUNK_NODE);
  if (node) remove(load<u32>(chunk, CHUNK_CHAIN), node, chunk);
}

function walk(first: usize, position: u32, limit: u32): usize {
  let left = position;
  let chunk = first;
  for (let steps: u32 = 0; chunk && steps < limit; steps++) {
    walked(1);
    const live = <u32>load<u16>(chunk, CHUNK_LIVE);
    if (left < live) {
      positionInChunk = left;
      return chunk;
    }
    left -= live;
    chunk = load<u32>(chunk, CHUNK_NEXT);
  }
  return 0;
}

/** Puts an entry in front of entry `at` of a node, splitting it when it is full. */
function insert(head: usize, node: usize, at: u32, child: usize, live: u32): bool {
  let to = node;
  let index = at;
  if (load<u32>(node, NODE_COUNT) == FULL) {
    // At the end the new node begins empty: lists that grow there leave full nodes behind.
    const half: u32 = at == FULL ? FULL : FULL >> 1;
    const fresh = split(head, node, half);
    if (!fresh) return false;
    if (at > half || half == FULL) {
      to = fresh;
      index -= half;
    }
  }
  const count = load<u32>(to, NODE_COUNT);
  for (let i = count; i > index; i--) put64Entry(entryAt(to, i), entryAt(to, i - 1));
  own32(entryAt(to, index), <u32>child);
  own32(entryAt(to, index) + 4, live);
  own32(to + NODE_COUNT, count + 1);
  setParent(to, child);
  const parent: usize = load<u32>(to, NODE_PARENT);
  if (parent) countUp(parent, to, live);
  return true;
}

/** Moves the entries from `half` on to a new node behind `node`; that node, 0 without memory. */
function split(head: usize, node: usize, half: u32): usize {
  const level = load<u32>(node, NODE_LEVEL);
  const fresh = makeNode(head, level);
  if (!fresh) return 0;
  let parent: usize = load<u32>(node, NODE_PARENT);
  let total: u32 = 0;
  for (let i: u32 = 0; i < FULL; i++) total += load<u32>(entryAt(node, i), 4);
  if (!parent) {
    parent = makeNode(head, level + 1);
    if (!parent) return 0;
    store<u32>(entryAt(parent, 0), <u32>node);
    store<u32>(entryAt(parent, 0), total, 4);
    store<u32>(parent, 1, NODE_COUNT);
    own32(node + NODE_PARENT, <u32>parent);
    own32(head + CHAIN_DIRECTORY, <u32>parent);
  }
  let moved: u32 = 0;
  for (let i = half; i < FULL; i++) {
    const from = entryAt(node, i);
    const to = entryAt(fresh, i - half);
    store<u64>(to, load<u64>(from));
    moved += load<u32>(from, 4);
    setParent(fresh, load<u32>(from));
  }
  store<u32>(fresh, FULL - half, NODE_COUNT);
  own32(node + NODE_COUNT, half);
  if (moved) countUp(parent, node, 0 - moved);
  return insert(head, parent, indexOf(parent, node) + 1, fresh, moved) ? fresh : 0;
}

function remove(head: usize, node: usize, child: usize): void {
  const count = load<u32>(node, NODE_COUNT) - 1;
  if (count) {
    for (let i = indexOf(node, child); i < count; i++) put64Entry(entryAt(node, i), entryAt(node, i + 1));
    own32(node + NODE_COUNT, count);
    return;
  }
  const parent: usize = load<u32>(node, NODE_PARENT);
  if (parent) remove(head, parent, node);
  else own32(head + CHAIN_DIRECTORY, 0);
  arenaFree(arenaOf(head), node, NODE_SIZE);
}

/** Adds to the count of `child` in `node`, and of what holds that. */
function countUp(node: usize, child: usize, more: u32): void {
  let at = node;
  let below = child;
  while (at) {
    const entry = entryAt(at, indexOf(at, below));
    own32(entry + 4, load<u32>(entry, 4) + more);
    below = at;
    at = load<u32>(at, NODE_PARENT);
  }
}

function makeNode(head: usize, level: u32): usize {
  const node = arenaAllocate(arenaOf(head), NODE_SIZE);
  if (!node) return 0;
  store<u32>(node, 0, NODE_PARENT);
  store<u32>(node, 0, NODE_COUNT);
  store<u32>(node, level, NODE_LEVEL);
  wrote(NODE_ENTRIES);
  touched(1);
  return node;
}

function arenaOf(head: usize): usize {
  return load<u32>(load<u32>(head, CHAIN_TABLE), BLOB_ARENA);
}

function entryAt(node: usize, i: u32): usize {
  return node + NODE_ENTRIES + (i << 3);
}

/** From the end, where most changes are. */
function indexOf(node: usize, child: usize): u32 {
  let i = load<u32>(node, NODE_COUNT) - 1;
  while (load<u32>(entryAt(node, i)) != <u32>child) i--;
  return i;
}

function setParent(node: usize, child: usize): void {
  own32(child + (load<u32>(node, NODE_LEVEL) ? NODE_PARENT : CHUNK_NODE), <u32>node);
}

function put64Entry(to: usize, from: usize): void {
  own32(to, load<u32>(from));
  own32(to + 4, load<u32>(from, 4));
}
