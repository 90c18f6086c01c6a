/** Which row of a chain comes where, in the writer's view: rows that have died lie among those in force until their grace period is over. */
import { CHAIN_CHUNKS, CHAIN_LIVE_ROWS, GENERATION_NEVER, ROW_CHUNK, ROW_DIED } from "../src/blob/layout";
import { CHUNK_LIVE, CHUNK_NEXT, CHUNK_PREVIOUS, CHUNK_USED } from "../src/blob/memory";
import { chunkRow, chunkSlot } from "./chunk";
import { directoryFind, positionInChunk } from "./directory";
import { walked } from "./store";

/** Rule number `position` (from 0) of a chain that has more, in the writer's view. */
export function rowAt(head: usize, position: u32): usize {
  const chunk = directoryFind(head, position);
  const used = <u32>load<u16>(chunk, CHUNK_USED);
  let left = positionInChunk;
  // Where no dead row is left in the chunk, rows need not be asked.
  let rows: u32 = 0;
  for (let i: u32 = 0; i < used; i++) if (chunkRow(chunk, i)) rows++;
  const ask = rows != <u32>load<u16>(chunk, CHUNK_LIVE);
  for (let i: u32 = 0; i < used; i++) {
    const row = chunkRow(chunk, i);
    if (row && (!ask || inForce(row)) && left-- == 0) return row;
  }
  return 0;
}

/** The next row in force; 0 at the end. */
export function rowAfter(row: usize): usize {
  let next = row;
  do {
    const chunk: usize = load<u32>(next, ROW_CHUNK);
    next = nextSlotRow(chunk, chunkSlot(chunk, next));
    walked(1);
  } while (next && !inForce(next));
  return next;
}

export function rowBefore(row: usize): usize {
  let chunk: usize = load<u32>(row, ROW_CHUNK);
  let i = chunkSlot(chunk, row);
  while (chunk) {
    while (i > 0) {
      const other = chunkRow(chunk, --i);
      walked(1);
      if (other && inForce(other)) return other;
    }
    chunk = load<u32>(chunk, CHUNK_PREVIOUS);
    if (chunk) i = load<u16>(chunk, CHUNK_USED);
  }
  return 0;
}

export function lastRow(head: usize): usize {
  // A chain that was flushed may hold thousands of dead rows.
  if (!load<u32>(head, CHAIN_LIVE_ROWS)) return 0;
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS + 4); chunk; chunk = load<u32>(chunk, CHUNK_PREVIOUS))
    for (let i = <u32>load<u16>(chunk, CHUNK_USED); i > 0; i--) {
      const row = chunkRow(chunk, i - 1);
      if (row && inForce(row)) return row;
    }
  return 0;
}

/** The row in the next taken slot behind slot `i`, dead or alive. */
export function nextSlotRow(chunk: usize, i: u32): usize {
  let at = i + 1;
  let here = chunk;
  while (here) {
    const used = <u32>load<u16>(here, CHUNK_USED);
    for (; at < used; at++) {
      const row = chunkRow(here, at);
      if (row) return row;
    }
    here = load<u32>(here, CHUNK_NEXT);
    at = 0;
  }
  return 0;
}

export function inForce(row: usize): bool {
  return load<u32>(row, ROW_DIED) == GENERATION_NEVER;
}
