/**
 * The walk of one table at one hook (ipt_do_table): chunks or index offer rows, a row is checked whole, its target acts,
 * jumps push where to go on.
 *
 * A packet that exact netfilter could drop in the middle of a rule (PACKET_FLAGS_DROPPED) is offered every row, since a hint
 * would skip the match that drops it; so is every packet in a table that may move it, since hints for what is left of a
 * chain, and of its callers, were taken before.
 */
import {
  BLOB_ADDRESS_BYTES,
  BLOB_HOOK_ENTRY,
  BLOB_MOVES,
  BLOB_TABLE,
  CHAIN_CHUNKS,
  CHAIN_POLICY,
  CHAIN_RUN,
  CHAIN_SIZE,
  CHAIN_TABLE,
  PACKET_FLAGS,
  PACKET_FLAGS_DROPPED,
  PACKET_FRAGMENT_OFFSET,
  RECORD_TYPE,
  RESULT_ROW,
  ROW_BORN,
  ROW_FLAG_GOTO,
  ROW_FLAGS,
  ROW_NEXT,
  ROW_NEXT_SAME,
  ROW_ORDER,
  ROW_TARGET,
  TABLE_NAT,
  VERDICT_ACCEPT,
  VERDICT_CONTINUE,
  VERDICT_DROP,
  VERDICT_RETURN,
} from "../src/blob/layout";
import {
  CHUNK_NEXT,
  CHUNK_USED,
  FRAME_BITS,
  FRAME_CHUNK,
  FRAME_INDEX,
  FRAME_RUN,
  FRAME_SIZE,
  READER_STACK,
} from "../src/blob/memory";
import { JUMP_CHAIN, TARGET_JUMP, TARGET_VERDICT, VERDICT_VALUE } from "../src/blob/payloads";
import { INDEX_CHUNKS } from "../src/blob/tuple-space";
import { aheadAsked } from "./ahead";
import { walkedIndex } from "./chain-index";
import { chunkHits, chunkRow } from "./chunk";
import { chunkCompared, counting } from "./effort";
import { hit } from "./hits";
import { generationSeen, hook, hotdrop, packet, reader, result, setAddressBytes, setFired } from "./packet";
import { indexNext, proven, restChunk } from "./probe";
import { rowHits } from "./row-hits";
import { fire } from "./target";
import { trace, traceNote } from "./trace";

/** Where a walk begins to note where it jumps from: behind another one's notes, where a rule sends a copy meanwhile. */
let frames: usize = 0;

/** Walks begin at `to` from here on; where they began before. 0 is where the reader's stack begins. */
export function framesBegin(to: usize): usize {
  const before = frames;
  frames = to;
  return before;
}

/** Walks `table` from its chain of the current hook; VERDICT_ACCEPT, DROP, QUEUE or REJECT. */
export function walk(table: usize): u32 {
  const base = load<u32>(table + BLOB_HOOK_ENTRY + (hook << 2));
  if (!base) return VERDICT_ACCEPT;
  setAddressBytes(load<u32>(table, BLOB_ADDRESS_BYTES));
  const policyHead = table + base;
  const stack: usize = frames ? frames : <usize>load<u32>(reader, READER_STACK);
  const odd =
    (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAGS_DROPPED) != 0 ||
    load<u16>(packet, PACKET_FRAGMENT_OFFSET) == 1 ||
    load<u8>(table, BLOB_MOVES) != 0;
  let top = stack;
  let head = policyHead;
  let index: usize = 0;
  let chunk: usize = 0;
  let bits: u64 = 0;
  let enter = true;
  let row: usize = 0;
  let verdict: u32 = VERDICT_CONTINUE;
  while (verdict == VERDICT_CONTINUE) {
    if (enter) {
      enter = false;
      const run = load<u8>(head, CHAIN_RUN);
      if (run) {
        index = FRAME_RUN;
        chunk = head + CHAIN_SIZE;
        bits = run;
      } else {
        index = odd ? 0 : walkedIndex(head);
        if (index && load<u8>(table, BLOB_TABLE) == TABLE_NAT) aheadAsked(index);
        chunk = index ? load<u32>(index, INDEX_CHUNKS) : load<u32>(head, CHAIN_CHUNKS);
        bits = index || !chunk ? 0 : hits(chunk, odd);
      }
    }
    row = 0;
    if (index == FRAME_RUN) {
      if (bits) {
        bits--;
        row = chunk;
        chunk = row + load<u16>(row, ROW_NEXT);
      }
    } else if (index) {
      row = indexNext(index, packet, bits, generationSeen, chunk);
      chunk = restChunk;
      if (row) bits = load<u64>(row, ROW_ORDER);
    } else {
      while (chunk) {
        if (!bits) {
          chunk = load<u32>(chunk, CHUNK_NEXT);
          if (chunk) bits = hits(chunk, odd);
          continue;
        }
        row = chunkRow(chunk, <u32>ctz(bits));
        bits &= bits - 1;
        if (row) break;
      }
    }
    if (!row) {
      // The end of the chain is a RETURN.
      if (top == stack) return policy(policyHead);
      top -= FRAME_SIZE;
      index = load<u32>(top, FRAME_INDEX);
      chunk = load<u32>(top, FRAME_CHUNK);
      bits = load<u64>(top, FRAME_BITS);
      continue;
    }
    if (!(index > <usize>FRAME_RUN && proven) && !rowHits(row)) {
      if (hotdrop) return VERDICT_DROP;
      continue;
    }
    hit(row);
    if (hotdrop) return actAndDrop(table, row, top);
    const target = row + load<u16>(row, ROW_TARGET);
    const type = <u32>load<u16>(target, RECORD_TYPE);
    if (type == TARGET_JUMP) {
      if (trace) traceNote(table, row, VERDICT_CONTINUE);
      if (!(load<u8>(row, ROW_FLAGS) & ROW_FLAG_GOTO)) {
        store<u32>(top, <u32>index, FRAME_INDEX);
        store<u32>(top, <u32>chunk, FRAME_CHUNK);
        store<u64>(top, bits, FRAME_BITS);
        top += FRAME_SIZE;
      }
      head = load<u32>(target, JUMP_CHAIN);
      enter = true;
      continue;
    }
    if (type == TARGET_VERDICT) {
      verdict = load<u32>(target, VERDICT_VALUE);
      if (trace) traceNote(table, row, verdict);
      if (verdict == VERDICT_RETURN) {
        if (top == stack) return policy(policyHead);
        top -= FRAME_SIZE;
        index = load<u32>(top, FRAME_INDEX);
        chunk = load<u32>(top, FRAME_CHUNK);
        bits = load<u64>(top, FRAME_BITS);
        verdict = VERDICT_CONTINUE;
      }
    } else {
      setFired(row, top);
      verdict = fire(type, target);
      if (trace) traceNote(table, row, verdict);
    }
  }
  store<u32>(result, <u32>row, RESULT_ROW);
  return verdict;
}

/** A match may hit, being inverted, and drop all the same: the rule counts and acts, and its verdict is not asked for. */
function actAndDrop(table: usize, row: usize, top: usize): u32 {
  const target = row + load<u16>(row, ROW_TARGET);
  const type = <u32>load<u16>(target, RECORD_TYPE);
  setFired(row, top);
  if (type != TARGET_JUMP && type != TARGET_VERDICT) fire(type, target);
  if (trace) traceNote(table, row, VERDICT_DROP);
  store<u32>(result, <u32>row, RESULT_ROW);
  return VERDICT_DROP;
}

/** The verdict of the chain's policy that this packet's generation sees. */
function policy(head: usize): u32 {
  let row: usize = load<u32>(head, CHAIN_POLICY);
  while (load<u32>(row, ROW_BORN) > generationSeen) row = load<u32>(row, ROW_NEXT_SAME);
  hit(row);
  const verdict = load<u32>(row + load<u16>(row, ROW_TARGET), VERDICT_VALUE);
  if (trace) traceNote(load<u32>(head, CHAIN_TABLE), row, verdict);
  store<u32>(result, <u32>row, RESULT_ROW);
  return verdict;
}

/** Slots of the chunk whose rows are to be checked. */
export function hits(chunk: usize, odd: bool): u64 {
  if (counting) chunkCompared();
  if (!odd) return chunkHits(chunk, packet);
  const used = <u32>load<u16>(chunk, CHUNK_USED);
  return used == 64 ? 0xffffffffffffffff : ((<u64>1) << used) - 1;
}
