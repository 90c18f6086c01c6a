/**
 * The rules of a chain one by one, in order, dead ones among them: for whoever looks at all of them. A chain of few rules that nobody has
 * edited yet is a *run*: they lie behind its head and it has no chunks (see endRun), so that most chains of a table never have any.
 */
import { CHAIN_CHUNKS, CHAIN_RUN, CHAIN_SIZE, ROW_NEXT } from "../src/blob/layout";
import { CHUNK_NEXT, CHUNK_USED } from "../src/blob/memory";
import { chunkRow } from "./chunk";

/** Where nextRule is: rules of a run that are left and the next of them, else a chunk and its next slot. One walk at a time. */
let left: u32 = 0;
let row: usize = 0;
let chunk: usize = 0;
let slot: u32 = 0;

/** The rules of the chain at `head` come next. */
export function rulesOf(head: usize): void {
  left = load<u8>(head, CHAIN_RUN);
  row = head + CHAIN_SIZE;
  chunk = left ? 0 : <usize>load<u32>(head, CHAIN_CHUNKS);
  slot = 0;
}

/** The next rule, 0 behind the last. */
export function nextRule(): usize {
  if (left) {
    left--;
    const rule = row;
    row += load<u16>(rule, ROW_NEXT);
    return rule;
  }
  while (chunk) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    while (slot < used) {
      const rule = chunkRow(chunk, slot++);
      if (rule) return rule;
    }
    chunk = load<u32>(chunk, CHUNK_NEXT);
    slot = 0;
  }
  return 0;
}
