/**
 * Levels and hooks of all chains of a table, computed from its rules (see levels.ts for what they are).
 *
 * Problem. Calls lead all over a table; following them through heads, chunks and rows misses the cache at every step.
 * Idea. What matters is copied into a compact graph while rules are looked at in the order of memory anyway: a node a chain,
 *   an edge a jump. All following is done there.
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
let nodesEnd: usize = 0;
let edgesEnd: usize = 0;
let bytes: u32 = 0;
/** The chain whose rules are being added, and whether they are hidden by now. */
let current: usize = 0;
let hidden = false;
/** Nodes that were measured, callers in front of callees, linked by NODE_ORDER. */
let ordered: usize = 0;

/** Room for a graph of so many chains and rules in force. False without memory. */
export function graphMake(chains: u32, rules: u32): bool {
  bytes = (chains + 1) * <u32>NODE_SIZE + rules * <u32>EDGE_SIZE;
  nodes = heapAllocate(bytes);
  if (!nodes) return false;
  nodesEnd = nodes;
  edgesEnd = nodes + <usize>(chains + 1) * NODE_SIZE;
  return true;
}

/** Adds the next chain's node. All chains are there before the first rule; CHAIN_LEVEL holds their nodes meanwhile. */
export function graphHead(head: usize, fresh: bool): void {
  store<u32>(nodesEnd, <u32>head, NODE_HEAD);
  if (fresh) store<u32>(head, <u32>nodesEnd, CHAIN_LEVEL);
  else put32(head + CHAIN_LEVEL, <u32>nodesEnd);
  nodesEnd += NODE_SIZE;
}

/** The rules of this chain are next; chains come in the order of their nodes. */
export function graphChain(head: usize): void {
  current = load<u32>(head, CHAIN_LEVEL);
  store<u32>(current, <u32>edgesEnd, NODE_EDGES);
  store<u32>(current, 0, NODE_FORBIDDEN);
  hidden = false;
}

/** Adds the chain's next rule in force, linked. Rules behind one that ends the chain count for nothing. */
export function graphRow(row: usize): void {
  if (hidden) return;
  const forbidden = load<u8>(row, ROW_FORBIDDEN);
  if (forbidden) store<u8>(current, load<u8>(current, NODE_FORBIDDEN) | forbidden, NODE_FORBIDDEN);
  const target = row + load<u16>(row, ROW_TARGET);
  if (isJump(target)) {
    store<u32>(edgesEnd, load<u32>(load<u32>(target, JUMP_CHAIN), CHAIN_LEVEL), EDGE_NODE);
    store<u32>(edgesEnd, <u32>row, EDGE_ROW);
    edgesEnd += EDGE_SIZE;
  } else hidden = endsChain(row);
}

/**
 * Writes levels and hooks of every chain from the graph, which is freed; a FAULT_* (see faultRow). `fresh`: nobody has seen
 * the table yet, so nothing needs to be undone.
 */
export function graphLevels(table: usize, fresh: bool): u32 {
  faultRow = 0;
  store<u32>(nodesEnd, <u32>edgesEnd, NODE_EDGES);
  let fault = measureAll(table);
  if (!fault) fault = reachAll(load<u32>(table, BLOB_MAX_DEPTH));
  if (!fault) keep(fresh);
  heapFree(nodes, bytes);
  return fault;
}

/** The same for a table that is in use, whose graph is made here. */
export function relevel(table: usize): u32 {
  let rules: u32 = 0;
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT))
    rules += load<u32>(head, CHAIN_LIVE_ROWS);
  if (!graphMake(load<u32>(table, BLOB_LIVE_CHAINS), rules)) return FAULT_MEMORY;
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT))
    graphHead(head, false);
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    graphChain(head);
    for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
      const used = <u32>load<u16>(chunk, CHUNK_USED);
      for (let i: u32 = 0; i < used; i++) {
        const row = chunkRow(chunk, i);
        if (row && load<u32>(row, ROW_DIED) == GENERATION_NEVER) graphRow(row);
      }
    }
  }
  walked(rules);
  return graphLevels(table, false);
}

/** Heights of all chains that a hook reaches: 1 + the greatest height of those called. Leaves the greatest in the table. */
function measureAll(table: usize): u32 {
  ordered = 0;
  let deepest: u32 = 0;
  for (let node = nodes; node < nodesEnd; node += NODE_SIZE) {
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
function keep(fresh: bool): void {
  for (let node = nodes; node < nodesEnd; node += NODE_SIZE) {
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
