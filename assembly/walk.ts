/**
 * The walk of one table at one hook (ipt_do_table): chunks or index offer rows, a row is checked whole, its target acts,
 * jumps push where to go on.
 *
 * A packet that exact netfilter could drop in the middle of a rule (PACKET_FLAG_ODD) is offered every row, since a hint
 * would skip the match that drops it; so is every packet in a table that may move it, since hints for what is left of a
 * chain, and of its callers, were taken before.
 */
import {
  BLOB_ADDRESS_BYTES,
  BLOB_HOOK_ENTRY,
  BLOB_MOVES,
  BLOB_TABLE,
  CHAIN_CHUNKS,
  CHAIN_INDEX,
  CHAIN_POLICY,
  CHAIN_RUN,
  CHAIN_SIZE,
  CHAIN_TABLE,
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_FLAGS,
  PACKET_FLAG_ODD,
  PACKET_FRAGMENT_OFFSET,
  PACKET_INPUT,
  PACKET_MARK,
  PACKET_OUTPUT,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TOS,
  PACKET_TTL,
  RECORD_TYPE,
  RESULT_ROW,
  ROW_BORN,
  ROW_DIED,
  ROW_FLAGS,
  ROW_FLAG_FRAGMENT,
  ROW_FLAG_GOTO,
  ROW_FLAG_INPUT,
  ROW_FLAG_OUTPUT,
  ROW_INVERT,
  ROW_INVERT_DESTINATION,
  ROW_INVERT_FRAGMENT,
  ROW_INVERT_INPUT,
  ROW_INVERT_OUTPUT,
  ROW_INVERT_PROTOCOL,
  ROW_INVERT_SOURCE,
  ROW_NEXT,
  ROW_NEXT_SAME,
  ROW_ORDER,
  ROW_PROTOCOL,
  ROW_SOURCE,
  ROW_TARGET,
  TABLE_NAT,
  TRACE_CT_MARK,
  TRACE_CT_STATE,
  TRACE_DESTINATION,
  TRACE_DESTINATION_PORT,
  TRACE_HOOK,
  TRACE_MARK,
  TRACE_OWN,
  TRACE_ROW,
  TRACE_SIZE,
  TRACE_SOURCE,
  TRACE_SOURCE_PORT,
  TRACE_TABLE,
  TRACE_TOS,
  TRACE_TTL,
  TRACE_VERDICT,
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
import { INDEX_CHUNKS } from "../src/blob/tuple-space";
import { JUMP_CHAIN, TARGET_JUMP, TARGET_VERDICT, VERDICT_VALUE } from "../src/blob/payloads";
import { aheadAsked } from "./ahead";
import { chunkHits, chunkRow } from "./chunk";
import { chunkCompared, counting, effortBegin, effortEnd, rowChecked } from "./effort";
import { eventTrace, traced } from "./events";
import { hit } from "./hits";
import { interfaceMatches } from "./interface";
import { matches } from "./match";
import {
  addressBytes,
  generationSeen,
  hook,
  hotdrop,
  ownNumber,
  packet,
  reader,
  result,
  setAddressBytes,
  setFired,
} from "./packet";
import { fire } from "./target";
import { indexNext, proven, restChunk } from "./probe";

/** Where matched rows are written for a trace; 0 when nobody asks. */
let trace: usize = 0;
let traceEnd: usize = 0;
/** Where a walk begins to note where it jumps from: behind another one's notes, where a rule sends a copy meanwhile. */
let frames: usize = 0;
/** Value of `trace`: rules are noted, but not written. */
const NOWHERE: usize = 1;

export function traceInto(address: usize, bytes: u32): void {
  if (address) effortBegin();
  else effortEnd();
  trace = address;
  traceEnd = address + bytes;
}

/** Rules are noted until the packet's way ends, if only for whoever listens to events (-j TRACE). */
export function traceOn(): void {
  if (!trace) trace = NOWHERE;
}

export function traceOff(): void {
  if (trace == NOWHERE) trace = 0;
}

/** Walks begin at `to` from here on; where they began before. 0 is where the reader's stack begins. */
export function framesBegin(to: usize): usize {
  const before = frames;
  frames = to;
  return before;
}

/** The next free trace record. */
export function traceNext(): usize {
  return trace;
}

/** Walks `table` from its chain of the current hook; VERDICT_ACCEPT, DROP, QUEUE or REJECT. */
export function walk(table: usize): u32 {
  const base = load<u32>(table + BLOB_HOOK_ENTRY + (hook << 2));
  if (!base) return VERDICT_ACCEPT;
  setAddressBytes(load<u32>(table, BLOB_ADDRESS_BYTES));
  const policyHead = table + base;
  const stack: usize = frames ? frames : <usize>load<u32>(reader, READER_STACK);
  const odd =
    (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_ODD) != 0 ||
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
        index = odd ? 0 : load<u32>(head, CHAIN_INDEX);
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
      if (trace) note(table, row, VERDICT_CONTINUE);
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
      if (trace) note(table, row, verdict);
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
      if (trace) note(table, row, verdict);
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
  if (trace) note(table, row, VERDICT_DROP);
  store<u32>(result, <u32>row, RESULT_ROW);
  return VERDICT_DROP;
}

/** The verdict of the chain's policy that this packet's generation sees. */
function policy(head: usize): u32 {
  let row: usize = load<u32>(head, CHAIN_POLICY);
  while (load<u32>(row, ROW_BORN) > generationSeen) row = load<u32>(row, ROW_NEXT_SAME);
  hit(row);
  const verdict = load<u32>(row + load<u16>(row, ROW_TARGET), VERDICT_VALUE);
  if (trace) note(load<u32>(head, CHAIN_TABLE), row, verdict);
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

/** Whether the packet's generation sees the row, and the packet satisfies it. */
export function rowHits(row: usize): bool {
  if (counting) rowChecked();
  if (load<u32>(row, ROW_BORN) > generationSeen || generationSeen >= load<u32>(row, ROW_DIED)) return false;
  const flags = load<u8>(row, ROW_FLAGS);
  const invert = load<u8>(row, ROW_INVERT);
  const protocol = load<u8>(row, ROW_PROTOCOL);
  const addresses = row + ROW_SOURCE;
  if (addressBytes == 4) {
    const source = (load<u32>(packet, PACKET_SOURCE) & load<u32>(addresses, 4)) == load<u32>(addresses);
    if (source == ((invert & ROW_INVERT_SOURCE) != 0)) return false;
    const destination = (load<u32>(packet, PACKET_DESTINATION) & load<u32>(addresses, 12)) == load<u32>(addresses, 8);
    if (destination == ((invert & ROW_INVERT_DESTINATION) != 0)) return false;
  } else {
    if (inPrefix(packet + PACKET_SOURCE, addresses) == ((invert & ROW_INVERT_SOURCE) != 0)) return false;
    if (inPrefix(packet + PACKET_DESTINATION, addresses + 32) == ((invert & ROW_INVERT_DESTINATION) != 0)) return false;
  }
  let at = addresses + 4 * addressBytes;
  if (flags & ROW_FLAG_INPUT) {
    if (interfaceMatches(packet + PACKET_INPUT, at) == ((invert & ROW_INVERT_INPUT) != 0)) return false;
    at += 32;
  }
  if (flags & ROW_FLAG_OUTPUT) {
    if (interfaceMatches(packet + PACKET_OUTPUT, at) == ((invert & ROW_INVERT_OUTPUT) != 0)) return false;
    at += 32;
  }
  if (protocol && (load<u8>(packet, PACKET_PROTOCOL) == protocol) == ((invert & ROW_INVERT_PROTOCOL) != 0))
    return false;
  if (
    flags & ROW_FLAG_FRAGMENT &&
    (load<u16>(packet, PACKET_FRAGMENT_OFFSET) != 0) == ((invert & ROW_INVERT_FRAGMENT) != 0)
  )
    return false;
  const target = row + load<u16>(row, ROW_TARGET);
  while (at < target) {
    const record = load<u32>(at);
    if (!matches(record >>> 16, at)) return false;
    at += record & 0xffff;
  }
  return true;
}

/** 16 bytes of address, and behind them 16 of mask. */
function inPrefix(address: usize, prefix: usize): bool {
  const masked = v128.and(v128.load(address), v128.load(prefix + 16));
  return !v128.any_true(v128.xor(masked, v128.load(prefix)));
}

function note(table: usize, row: usize, verdict: u32): void {
  if (traced) eventTrace(row, verdict);
  if (trace + TRACE_SIZE > traceEnd) return;
  store<u32>(trace, <u32>row, TRACE_ROW);
  store<u8>(trace, <u8>hook, TRACE_HOOK);
  store<u8>(trace, load<u8>(table, BLOB_TABLE), TRACE_TABLE);
  store<u8>(trace, <u8>verdict, TRACE_VERDICT);
  store<u8>(trace, <u8>ownNumber, TRACE_OWN);
  store<u32>(trace, load<u32>(packet, PACKET_MARK), TRACE_MARK);
  store<u32>(trace, load<u32>(packet, PACKET_CT_MARK), TRACE_CT_MARK);
  v128.store(trace, v128.load(packet, PACKET_SOURCE), TRACE_SOURCE);
  v128.store(trace, v128.load(packet, PACKET_DESTINATION), TRACE_DESTINATION);
  store<u16>(trace, load<u16>(packet, PACKET_SOURCE_PORT), TRACE_SOURCE_PORT);
  store<u16>(trace, load<u16>(packet, PACKET_DESTINATION_PORT), TRACE_DESTINATION_PORT);
  store<u16>(trace, load<u16>(packet, PACKET_CT_STATE), TRACE_CT_STATE);
  store<u8>(trace, load<u8>(packet, PACKET_TTL), TRACE_TTL);
  store<u8>(trace, load<u8>(packet, PACKET_TOS), TRACE_TOS);
  trace += TRACE_SIZE;
}
