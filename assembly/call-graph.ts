/**
 * Levels and hooks of all chains of a table, computed from its rules (see levels.ts for what they are).
 *
 * Problem. Calls lead all over a table; following them through heads, chunks and rows misses the cache at every step.
 * Idea. One pass in the order of memory copies what matters into a graph of numbers: a node a chain, an edge a jump. All
 *   following is done there.
 * Cost. 32 bytes a chain and 8 a rule of memory that is given back.
 *
 * Node:  0 head | 4 first edge | 8 next edge | 12 caller | 16 height | 20 order | 24 forbidden, reached, visit
 * Edge:  0 node that is called | 4 row
 */
import {
  BLOB_FIRST_CHAIN,
  BLOB_LIVE_CHAINS,
  BLOB_MAX_DEPTH,
  CHAIN_CHUNKS,
  CHAIN_HOOK,
  CHAIN_LEVEL,
  CHAIN_LIVE_ROWS,
  CHAIN_NEXT,
  CHAIN_REACHED,
  CHAIN_TWIN,
  CHAIN_USER,
  GENERATION_NEVER,
  ROW_DIED,
  ROW_FORBIDDEN,
  ROW_TARGET,
} from "../src/blob/layout";
import { CHUNK_NEXT, CHUNK_USED, FAULT_LOOP, FAULT_MEMORY, FAULT_NONE, FAULT_REACHED } from "../src/blob/memory";
import { JUMP_CHAIN } from "../src/blob/payloads";
import { chunkRow } from "./chunk";
import { endsChain, isJump } from "./content";
import { heapAllocate, heapFree } from "./heap";
import { put32, put8, walked } from "./store";

const NODE_HEAD: usize = 0;
const NODE_EDGES: usize = 4;
const NODE_NEXT: usize = 8;
const NODE_CALLER: usize = 12;
const NODE_HEIGHT: usize = 16;
const NODE_ORDER: usize = 20;
const NODE_FORBIDDEN: usize = 24;
const NODE_REACHED: usize = 25;
const NODE_VISIT: usize = 26;
const NODE_SIZE: usize = 32;
const EDGE_NODE: usize = 0;
const EDGE_ROW: usize = 4;
const EDGE_SIZE: usize = 8;

const INSIDE: u8 = 1;
const DONE: u8 = 2;

/** The row that is at fault: whose jump closes a loop, or which a wrong hook reaches. */
export let faultRow: usize = 0;
let nodes: usize = 0;
let edges: usize = 0;
/** Nodes that were measured, callers in front of callees, linked by NODE_ORDER. */
let ordered: usize = 0;

/**
 * Computes levels and hooks of every chain; a FAULT_* (see faultRow), and then nothing is changed. `fresh`: nobody has seen
 * the table yet, so nothing needs to be undone.
 */
export function relevel(table: usize, fresh: bool): u32 {
  faultRow = 0;
  const chains = load<u32>(table, BLOB_LIVE_CHAINS);
  let rules: u32 = 0;
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT))
    rules += load<u32>(head, CHAIN_LIVE_ROWS);
  const bytes = (chains + 1) * <u32>NODE_SIZE + rules * <u32>EDGE_SIZE;
  nodes = heapAllocate(bytes);
  if (!nodes) return FAULT_MEMORY;
  edges = nodes + <usize>(chains + 1) * NODE_SIZE;
  build(table, fresh);
  let fault: u32 = measureAll(table, chains);
  if (!fault) fault = reachAll(load<u32>(table, BLOB_MAX_DEPTH));
  if (!fault) keep(chains, fresh);
  heapFree(nodes, bytes);
  return fault;
}

/** Nodes and edges. Rules behind one that ends its chain count for nothing. */
function build(table: usize, fresh: bool): void {
  let node = nodes;
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    store<u32>(node, <u32>head, NODE_HEAD);
    if (fresh) store<u32>(head, <u32>node, CHAIN_TWIN);
    else put32(head + CHAIN_TWIN, <u32>node);
    node += NODE_SIZE;
  }
  const end = node;
  let edge = edges;
  let rows: u32 = 0;
  for (node = nodes; node < end; node += NODE_SIZE) {
    store<u32>(node, <u32>edge, NODE_EDGES);
    store<u32>(node, 0, NODE_FORBIDDEN);
    const head: usize = load<u32>(node, NODE_HEAD);
    let forbidden: u8 = 0;
    let hidden = false;
    for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk && !hidden; chunk = load<u32>(chunk, CHUNK_NEXT)) {
      const used = <u32>load<u16>(chunk, CHUNK_USED);
      rows += used;
      for (let i: u32 = 0; i < used && !hidden; i++) {
        const row = chunkRow(chunk, i);
        if (!row || load<u32>(row, ROW_DIED) != GENERATION_NEVER) continue;
        forbidden |= load<u8>(row, ROW_FORBIDDEN);
        const target = row + load<u16>(row, ROW_TARGET);
        if (isJump(target)) {
          store<u32>(edge, load<u32>(load<u32>(target, JUMP_CHAIN), CHAIN_TWIN), EDGE_NODE);
          store<u32>(edge, <u32>row, EDGE_ROW);
          edge += EDGE_SIZE;
        } else hidden = endsChain(row);
      }
    }
    store<u8>(node, forbidden, NODE_FORBIDDEN);
  }
  store<u32>(end, <u32>edge, NODE_EDGES);
  walked(rows);
}

/** Heights of all chains that a hook reaches: 1 + the greatest height of those called. Leaves the greatest in the table. */
function measureAll(table: usize, chains: u32): u32 {
  ordered = 0;
  let deepest: u32 = 0;
  const end = nodes + <usize>chains * NODE_SIZE;
  for (let node = nodes; node < end; node += NODE_SIZE) {
    if (load<u8>(load<u32>(node, NODE_HEAD), CHAIN_HOOK) == CHAIN_USER) continue;
    if (!measure(node)) return FAULT_LOOP;
    if (load<u32>(node, NODE_HEIGHT) > deepest) deepest = load<u32>(node, NODE_HEIGHT);
  }
  put32(table + BLOB_MAX_DEPTH, deepest);
  return FAULT_NONE;
}

/** Follows all calls from `start`, on a stack that is linked through the nodes; false for a loop. */
function measure(start: usize): bool {
  let node = start;
  enter(node, 0);
  while (node) {
    const edge: usize = load<u32>(node, NODE_NEXT);
    if (edge == <usize>load<u32>(node + NODE_SIZE, NODE_EDGES)) {
      store<u8>(node, DONE, NODE_VISIT);
      store<u32>(node, <u32>ordered, NODE_ORDER);
      ordered = node;
      const caller: usize = load<u32>(node, NODE_CALLER);
      if (caller) raise(caller, node);
      node = caller;
      continue;
    }
    store<u32>(node, <u32>(edge + EDGE_SIZE), NODE_NEXT);
    const callee: usize = load<u32>(edge, EDGE_NODE);
    const visit = load<u8>(callee, NODE_VISIT);
    if (visit == INSIDE) {
      faultRow = load<u32>(edge, EDGE_ROW);
      return false;
    }
    if (visit == DONE) raise(node, callee);
    else {
      enter(callee, node);
      node = callee;
    }
  }
  return true;
}

function enter(node: usize, caller: usize): void {
  store<u8>(node, INSIDE, NODE_VISIT);
  store<u32>(node, <u32>caller, NODE_CALLER);
  store<u32>(node, 1, NODE_HEIGHT);
  store<u32>(node, load<u32>(node, NODE_EDGES), NODE_NEXT);
}

function raise(caller: usize, callee: usize): void {
  const height = load<u32>(callee, NODE_HEIGHT) + 1;
  if (height > load<u32>(caller, NODE_HEIGHT)) store<u32>(caller, height, NODE_HEIGHT);
}

/** Hooks of all chains, callers first, and levels in place of heights; notes the first rule that a hook must not reach. */
function reachAll(deepest: u32): u32 {
  for (let node = ordered; node; node = load<u32>(node, NODE_ORDER)) {
    const head: usize = load<u32>(node, NODE_HEAD);
    const hook = load<u8>(head, CHAIN_HOOK);
    // Heights count from the leaves; levels from the hooks, so that a callee's is the greater one.
    if (hook == CHAIN_USER) store<u32>(node, deepest - load<u32>(node, NODE_HEIGHT) + 1, NODE_HEIGHT);
    else {
      store<u32>(node, 1, NODE_HEIGHT);
      store<u8>(node, <u8>(1 << hook), NODE_REACHED);
    }
    const reached = load<u8>(node, NODE_REACHED);
    if (load<u8>(node, NODE_FORBIDDEN) & reached) {
      faultRow = forbiddenRow(head, reached);
      return FAULT_REACHED;
    }
    const end: usize = load<u32>(node + NODE_SIZE, NODE_EDGES);
    for (let edge: usize = load<u32>(node, NODE_EDGES); edge < end; edge += EDGE_SIZE) {
      const callee: usize = load<u32>(edge, EDGE_NODE);
      store<u8>(callee, load<u8>(callee, NODE_REACHED) | reached, NODE_REACHED);
    }
  }
  return FAULT_NONE;
}

/** The first rule in force of the chain that these hooks must not reach. */
function forbiddenRow(head: usize, reached: u8): usize {
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    for (let i: u32 = 0; i < used; i++) {
      const row = chunkRow(chunk, i);
      if (row && load<u32>(row, ROW_DIED) == GENERATION_NEVER && load<u8>(row, ROW_FORBIDDEN) & reached) return row;
    }
  }
  return 0;
}

/** Writes levels and hooks into the heads. */
function keep(chains: u32, fresh: bool): void {
  const end = nodes + <usize>chains * NODE_SIZE;
  for (let node = nodes; node < end; node += NODE_SIZE) {
    const head: usize = load<u32>(node, NODE_HEAD);
    const level: u32 = load<u8>(node, NODE_VISIT) ? load<u32>(node, NODE_HEIGHT) : 0;
    const reached = load<u8>(node, NODE_REACHED);
    if (fresh) {
      store<u32>(head, level, CHAIN_LEVEL);
      store<u8>(head, reached, CHAIN_REACHED);
    } else {
      if (load<u32>(head, CHAIN_LEVEL) != level) put32(head + CHAIN_LEVEL, level);
      if (load<u8>(head, CHAIN_REACHED) != reached) put8(head + CHAIN_REACHED, reached);
    }
  }
}
