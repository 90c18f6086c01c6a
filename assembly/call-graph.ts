/**
 * Levels and hooks of all chains of a table, computed from its rules (see levels.ts for what they are).
 *
 * Problem. Calls lead all over a table; following them through heads, chunks and rows misses the cache at every step.
 * Idea. What matters is copied into a compact graph while rules are looked at in the order of memory anyway: a node a
 *   chain (see chain-numbers.ts for their numbers), an edge a jump. All following is done there.
 * Cost. 24 bytes a chain and 4 a rule of memory that is given back.
 *
 * Node:  0 first edge | 4 order | 8 height | 12 forbidden, reached, visit
 * Edge:  0 number of the chain that is called
 * Frame: 0 number | 4 next edge            of the walk through the calls
 */
import {
  BLOB_FIRST_CHAIN,
  BLOB_LIVE_CHAINS,
  BLOB_MAX_DEPTH,
  CHAIN_LEVEL,
  CHAIN_LIVE_ROWS,
  CHAIN_NEXT,
  CHAIN_REACHED,
  CHAIN_REFERENCES,
  CHAIN_USER,
  GENERATION_NEVER,
  ROW_DIED,
  ROW_FORBIDDEN,
  ROW_TARGET,
} from "../src/blob/layout";
import { FAULT_LOOP, FAULT_MEMORY, FAULT_NONE, FAULT_REACHED } from "../src/blob/memory";
import { JUMP_CHAIN } from "../src/blob/payloads";
import {
  chainCount,
  numberHead,
  numberHook,
  numberReferences,
  numbersFree,
  numbersMake,
  numberTake,
} from "./chain-numbers";
import { nextRule, rulesOf } from "./chain-rules";
import { endsChain, isJump } from "./content";
import { heapAllocate, heapFree } from "./heap";
import { own32, put8, walked } from "./store";

const NODE_EDGES: usize = 0;
/** 1 + number of the node that was measured before it. */
const NODE_ORDER: usize = 4;
const NODE_HEIGHT: usize = 8;
const NODE_FORBIDDEN: usize = 12;
const NODE_REACHED: usize = 13;
const NODE_VISIT: usize = 14;
const NODE_SIZE: u32 = 16;
const FRAME_NUMBER: usize = 0;
const FRAME_EDGE: usize = 4;
const FRAME_SIZE: u32 = 8;
const EDGE_SIZE: u32 = 4;

const INSIDE: u8 = 1;
const DONE: u8 = 2;
/** In place of the number of a chain that a rule jumps to. */
export const NO_CALLEE: u32 = 0xffffffff;

/** The row that is at fault: whose jump closes a loop, or which a wrong hook reaches. */
export let faultRow: usize = 0;
let nodes: usize = 0;
let frames: usize = 0;
let edgesEnd: usize = 0;
let bytes: u32 = 0;
/** The node of the chain whose rules are being added, and whether they are hidden by now. */
let current: usize = 0;
let hidden = false;
/** 1 + number of the node that was measured last: callers in front of callees, linked by NODE_ORDER. */
let ordered: u32 = 0;

/** Room for a graph of at most so many chains, and rules in force. False without memory. Chains get their numbers meanwhile. */
export function graphMake(chains: u32, rules: u32): bool {
  bytes = (chains + 1) * (NODE_SIZE + FRAME_SIZE) + rules * EDGE_SIZE;
  nodes = heapAllocate(bytes);
  if (!nodes) return false;
  frames = nodes + (chains + 1) * NODE_SIZE;
  edgesEnd = frames + (chains + 1) * FRAME_SIZE;
  current = nodes - NODE_SIZE;
  return true;
}

/** The rules of the next chain are next. */
export function graphChain(): void {
  current += NODE_SIZE;
  store<u32>(current, <u32>edgesEnd, NODE_EDGES);
  store<u32>(current, 0, NODE_FORBIDDEN);
  hidden = false;
}

/** Adds the chain's next rule in force, linked, which jumps to chain `callee` or NO_CALLEE. Rules behind one that ends the chain count for nothing. */
export function graphRow(row: usize, callee: u32): void {
  if (hidden) return;
  const forbidden = load<u8>(row, ROW_FORBIDDEN);
  if (forbidden) store<u8>(current, load<u8>(current, NODE_FORBIDDEN) | forbidden, NODE_FORBIDDEN);
  if (callee != NO_CALLEE) {
    store<u32>(edgesEnd, callee);
    edgesEnd += EDGE_SIZE;
  } else hidden = endsChain(row);
}

/**
 * Writes levels, hooks and, where `fresh`, references of every chain from the graph, which is freed; a FAULT_* (see faultRow).
 * `fresh`: nobody has seen the table yet, so nothing needs to be undone, and its heads are zero there.
 */
export function graphLevels(table: usize, fresh: bool): u32 {
  faultRow = 0;
  store<u32>(current + NODE_SIZE, <u32>edgesEnd, NODE_EDGES);
  let fault = measureAll(table);
  if (!fault) fault = reachAll(load<u32>(table, BLOB_MAX_DEPTH));
  if (!fault) {
    if (fresh) write();
    else update();
  }
  heapFree(nodes, bytes);
  numbersFree();
  return fault;
}

/** The same for a table that is in use, whose graph is made here. */
export function relevel(table: usize): u32 {
  let rules: u32 = 0;
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT))
    rules += load<u32>(head, CHAIN_LIVE_ROWS);
  const chains = load<u32>(table, BLOB_LIVE_CHAINS);
  if (!numbersMake(chains) || !graphMake(chains, rules)) return FAULT_MEMORY;
  // Heads know their numbers until they get their levels.
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT))
    own32(head + CHAIN_LEVEL, numberTake(head, 0));
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    graphChain();
    rulesOf(head);
    for (let row = nextRule(); row; row = nextRule()) {
      if (load<u32>(row, ROW_DIED) != GENERATION_NEVER) continue;
      const target = row + load<u16>(row, ROW_TARGET);
      graphRow(row, isJump(target) ? load<u32>(load<u32>(target, JUMP_CHAIN), CHAIN_LEVEL) : NO_CALLEE);
    }
  }
  walked(rules);
  return graphLevels(table, false);
}

/** Heights of all chains that a hook reaches: 1 + the greatest height of those called. Leaves the greatest in the table. */
function measureAll(table: usize): u32 {
  ordered = 0;
  let deepest: u32 = 0;
  for (let number: u32 = 0; number < chainCount; number++) {
    if (numberHook(number) == CHAIN_USER) continue;
    if (!measure(number)) return FAULT_LOOP;
    const height = load<u32>(nodeAt(number), NODE_HEIGHT);
    if (height > deepest) deepest = height;
  }
  own32(table + BLOB_MAX_DEPTH, deepest);
  return FAULT_NONE;
}

/** Follows all calls from `start`; false for a loop. */
function measure(start: u32): bool {
  let frame = frames;
  enter(frame, start);
  while (true) {
    const number = load<u32>(frame, FRAME_NUMBER);
    const node = nodeAt(number);
    const edge: usize = load<u32>(frame, FRAME_EDGE);
    if (edge == <usize>load<u32>(node + NODE_SIZE, NODE_EDGES)) {
      store<u8>(node, DONE, NODE_VISIT);
      store<u32>(node, ordered, NODE_ORDER);
      ordered = number + 1;
      if (frame == frames) return true;
      frame -= FRAME_SIZE;
      raise(nodeAt(load<u32>(frame, FRAME_NUMBER)), node);
      continue;
    }
    store<u32>(frame, <u32>edge + EDGE_SIZE, FRAME_EDGE);
    const called = load<u32>(edge);
    const callee = nodeAt(called);
    const visit = load<u8>(callee, NODE_VISIT);
    if (visit == INSIDE) {
      faultRow = jumpingRow(numberHead(number), numberHead(called));
      return false;
    }
    if (visit == DONE) raise(node, callee);
    else {
      frame += FRAME_SIZE;
      enter(frame, called);
    }
  }
}

function nodeAt(number: u32): usize {
  return nodes + number * NODE_SIZE;
}

function enter(frame: usize, number: u32): void {
  const node = nodeAt(number);
  store<u8>(node, INSIDE, NODE_VISIT);
  store<u32>(node, 1, NODE_HEIGHT);
  store<u32>(frame, number, FRAME_NUMBER);
  store<u32>(frame, load<u32>(node, NODE_EDGES), FRAME_EDGE);
}

function raise(caller: usize, callee: usize): void {
  const height = load<u32>(callee, NODE_HEIGHT) + 1;
  if (height > load<u32>(caller, NODE_HEIGHT)) store<u32>(caller, height, NODE_HEIGHT);
}

/** Hooks of all chains, callers first, and levels in place of heights; notes the first rule that a hook must not reach. */
function reachAll(deepest: u32): u32 {
  for (let next = ordered; next; ) {
    const node = nodeAt(next - 1);
    const hook = numberHook(next - 1);
    // Heights count from the leaves; levels from the hooks, so that a callee's is the greater one.
    if (hook == CHAIN_USER) store<u32>(node, deepest - load<u32>(node, NODE_HEIGHT) + 1, NODE_HEIGHT);
    else {
      store<u32>(node, 1, NODE_HEIGHT);
      store<u8>(node, <u8>((<u32>1) << hook), NODE_REACHED);
    }
    const reached = load<u8>(node, NODE_REACHED);
    if (load<u8>(node, NODE_FORBIDDEN) & reached) {
      faultRow = forbiddenRow(numberHead(next - 1), reached);
      return FAULT_REACHED;
    }
    const end: usize = load<u32>(node + NODE_SIZE, NODE_EDGES);
    for (let edge: usize = load<u32>(node, NODE_EDGES); edge < end; edge += EDGE_SIZE) {
      const callee = nodeAt(load<u32>(edge));
      store<u8>(callee, load<u8>(callee, NODE_REACHED) | reached, NODE_REACHED);
    }
    next = load<u32>(node, NODE_ORDER);
  }
  return FAULT_NONE;
}

/** The first rule in force of the chain that these hooks must not reach. */
function forbiddenRow(head: usize, reached: u8): usize {
  rulesOf(head);
  for (let row = nextRule(); row; row = nextRule())
    if (load<u32>(row, ROW_DIED) == GENERATION_NEVER && load<u8>(row, ROW_FORBIDDEN) & reached) return row;
  return 0;
}

/** The first rule in force of the chain that jumps to the chain at `callee`. */
function jumpingRow(head: usize, callee: usize): usize {
  rulesOf(head);
  for (let row = nextRule(); row; row = nextRule()) {
    if (load<u32>(row, ROW_DIED) != GENERATION_NEVER) continue;
    const target = row + load<u16>(row, ROW_TARGET);
    if (isJump(target) && load<u32>(target, JUMP_CHAIN) == <u32>callee) return row;
  }
  return 0;
}

/** Writes levels, hooks and references into the heads of a fresh table. */
function write(): void {
  for (let number: u32 = 0; number < chainCount; number++) {
    const head = numberHead(number);
    const node = nodeAt(number);
    store<u32>(head, numberReferences(number), CHAIN_REFERENCES);
    store<u8>(head, load<u8>(node, NODE_REACHED), CHAIN_REACHED);
    if (load<u8>(node, NODE_VISIT)) store<u32>(head, load<u32>(node, NODE_HEIGHT), CHAIN_LEVEL);
  }
}

/** Writes levels and hooks into the heads of a table in use. */
function update(): void {
  for (let number: u32 = 0; number < chainCount; number++) {
    const head = numberHead(number);
    const node = nodeAt(number);
    const level: u32 = load<u8>(node, NODE_VISIT) ? load<u32>(node, NODE_HEIGHT) : 0;
    const reached = load<u8>(node, NODE_REACHED);
    if (load<u32>(head, CHAIN_LEVEL) != level) own32(head + CHAIN_LEVEL, level);
    if (load<u8>(head, CHAIN_REACHED) != reached) put8(head + CHAIN_REACHED, reached);
  }
}
