/**
 * The part of ahead.ts that is about rules: what the first packets of connections will ask, from an index on. Each step is a
 * loop of its own with little in it, so that the processor has the waits of many packets in flight at once; of a page its
 * first line is asked for first, the others when the page is known.
 */
import { CHAIN_ROWS_END, CHAIN_RUN, CHAIN_TABLE, PACKET_SIZE, ROW_PROTOCOL, ROW_TARGET } from "../src/blob/layout";

import { ENTRY_ROW, INDEX_TUPLES, TUPLE_DIRECTORY } from "../src/blob/tuple-space";
import { CHUNK_CAPACITY, CHUNK_ROW_SLOTS } from "../src/blob/memory";
import { chunkRow } from "./chunk";
import { keep } from "./fetch";
import { callee, chunkApart, foresee, rowsOf } from "./foresee";
import { hashIn } from "./probe";
import { bucketIn, groupOf } from "./slots";

const LINE: usize = 64;
/** Lines of a chain's rules that are fetched at most. */
const LINES_MOST: usize = 8;

/** What has been loaded. */
let sum: u32 = 0;

/**
 * Fetches the rules that the packets whose bits are set will hit first in `index`, and those of the chains that these lead to.
 * `steps` and `others` are room for a word each packet.
 */
export function aheadIn(index: usize, packets: usize, begins: u32, steps: usize, others: usize): void {
  const tuple: usize = load<u32>(index, INDEX_TUPLES);
  if (!tuple) return;
  sum = 0;
  let found = entries(tuple, packets, begins, steps, others);
  for (let bits = found; bits; bits &= bits - 1) {
    const step = stepOf(steps, bits);
    const row: usize = load<u32>(load<u32>(step), ENTRY_ROW);
    store<u32>(step, <u32>row);
    touch(row);
  }
  for (let bits = found; bits; bits &= bits - 1) {
    const row: usize = load<u32>(stepOf(steps, bits));
    touch(row + ROW_PROTOCOL);
    touch(row + load<u16>(row, ROW_TARGET));
  }
  for (let bits = found; bits; bits &= bits - 1) {
    const step = stepOf(steps, bits);
    const head = callee(load<u32>(step));
    store<u32>(step, <u32>head);
    touch(head);
    if (!head) found ^= bits & -bits;
  }
  rows(found, steps);
  for (let bits = found; bits; bits &= bits - 1) {
    const i = <u32>ctz(bits);
    const next = foresee(load<u32>(steps + (i << 2)), packets + i * PACKET_SIZE, i);
    store<u32>(steps + (i << 2), <u32>next);
    if (!next) found ^= bits & -bits;
  }
  for (let bits = found; bits; bits &= bits - 1) touch(load<u32>(stepOf(steps, bits)));
  rows(found, steps);
  keep(sum);
}

/** Fetches the entries that packets will find in `tuple` and writes where they are to `steps`; the bits of the packets that have one. */
function entries(tuple: usize, packets: usize, begins: u32, steps: usize, groups: usize): u32 {
  const directory: usize = load<u32>(tuple, TUPLE_DIRECTORY);
  for (let bits = begins; bits; bits &= bits - 1) {
    const hash = hashIn(tuple, packets + <usize>ctz(bits) * PACKET_SIZE);
    store<u32>(stepOf(steps, bits), hash);
    store<u32>(stepOf(groups, bits), <u32>groupOf(directory, hash));
  }
  for (let bits = begins; bits; bits &= bits - 1) touch(load<u32>(stepOf(groups, bits)));
  let found: u32 = 0;
  for (let bits = begins; bits; bits &= bits - 1) {
    const step = stepOf(steps, bits);
    const entry = bucketIn(load<u32>(stepOf(groups, bits)), load<u32>(step));
    store<u32>(step, <u32>entry);
    if (entry) found |= bits & -bits;
  }
  for (let bits = found; bits; bits &= bits - 1) touch(load<u32>(stepOf(steps, bits)));
  return found;
}

/** Fetches the rules of the chains that `steps` names, whose heads are here. */
function rows(found: u32, steps: usize): void {
  let apart: u32 = 0;
  for (let bits = found; bits; bits &= bits - 1) {
    const head: usize = load<u32>(stepOf(steps, bits));
    if (load<u8>(head, CHAIN_RUN)) {
      const end = <usize>load<u32>(head, CHAIN_TABLE) + load<u32>(head, CHAIN_ROWS_END);
      const last = min<usize>(end - 8, head + LINES_MOST * LINE);
      for (let at = head + LINE; at < last; at += LINE) touch(at);
      touch(last);
      continue;
    }
    const chunk = chunkApart(head);
    if (!chunk) continue;
    apart |= bits & -bits;
    touch(chunk);
  }
  for (let bits = apart; bits; bits &= bits - 1) {
    const head: usize = load<u32>(stepOf(steps, bits));
    const chunk = chunkApart(head);
    const last = chunk + CHUNK_ROW_SLOTS + 12 * <usize>load<u16>(chunk, CHUNK_CAPACITY) - 4;
    for (let at = chunk + LINE; at < last; at += LINE) touch(at);
    touch(last);
    for (let n: u32 = 0, count = rowsOf(head, chunk); n < count; n++) touch(chunkRow(chunk, n));
  }
  for (let bits = apart; bits; bits &= bits - 1) {
    const head: usize = load<u32>(stepOf(steps, bits));
    const chunk = chunkApart(head);
    for (let n: u32 = 0, count = rowsOf(head, chunk); n < count; n++) {
      const row = chunkRow(chunk, n);
      touch(row + ROW_PROTOCOL);
      touch(row + load<u16>(row, ROW_TARGET));
    }
  }
}

/** The word at `steps` of the packet whose bit is the least of these. */
function stepOf(steps: usize, bits: u32): usize {
  return steps + ((<usize>ctz(bits)) << 2);
}

function touch(address: usize): void {
  sum ^= load<u32>(address);
}
