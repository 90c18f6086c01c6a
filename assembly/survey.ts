/**
 * A look at a chain before its index is built: shapes that many rows have get tuples that hash all the rows fix, so that
 * the services of a cluster, say, are found by one probe and one comparison.
 */
import { CHAIN_CHUNKS, CHAIN_LIVE_ROWS } from "../src/blob/layout";
import { CHUNK_NEXT, CHUNK_USED } from "../src/blob/memory";
import { arenaAllocate, arenaFree } from "./arena";
import { chunkRow } from "./chunk";
import { shape, shapeHigh, shapeLanes, shapeLow, shapeOf } from "./relax";
import { tupleMake } from "./tuple";

/** Shape that hashes all a row fixes. */
const WHOLE: u32 = 5;
/** Rows to look at, shapes to tell apart. */
const SAMPLES: u32 = 512;
const SHAPES_SEEN: u32 = 64;
/** One in so many rows, and so many at least, make a shape worth its tuple. */
const SHARE: u32 = 4;
const LEAST: u32 = 8;

/** Shape seen: u64 low, u64 high, u32 lanes, u32 rows. */
const SEEN_SIZE: u32 = 24;

/** Makes the tuples of the commonest shapes. False without memory. */
export function survey(arena: usize, index: usize, head: usize): bool {
  const seen = arenaAllocate(arena, SHAPES_SEEN * SEEN_SIZE);
  if (!seen) return false;
  const step = load<u32>(head, CHAIN_LIVE_ROWS) / SAMPLES + 1;
  let shapes: u32 = 0;
  let rows: u32 = 0;
  let skip: u32 = 0;
  for (let chunk: usize = load<u32>(head, CHAIN_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    const used = <u32>load<u16>(chunk, CHUNK_USED);
    for (let i = skip; i < used; i += step) {
      const row = chunkRow(chunk, i);
      if (!row) continue;
      rows++;
      shapeOf(row);
      if (shape(row, WHOLE)) shapes = note(seen, shapes);
    }
    skip = used > skip ? (step - ((used - skip) % step)) % step : skip - used;
  }
  let good = true;
  for (let at = seen; at < seen + shapes * SEEN_SIZE && good; at += SEEN_SIZE) {
    const count = load<u32>(at, 20);
    if (count < LEAST || count * SHARE < rows) continue;
    good = tupleMake(arena, index, load<u32>(at, 16), load<u64>(at), load<u64>(at, 8)) != 0;
  }
  arenaFree(arena, seen, SHAPES_SEEN * SEEN_SIZE);
  return good;
}

/** Counts the shape that was told last; how many shapes there are now. */
function note(seen: usize, shapes: u32): u32 {
  let at = seen;
  for (let i: u32 = 0; i < shapes; i++, at += SEEN_SIZE) {
    if (load<u64>(at) != shapeLow || load<u64>(at, 8) != shapeHigh || load<u32>(at, 16) != shapeLanes) continue;
    store<u32>(at, load<u32>(at, 20) + 1, 20);
    return shapes;
  }
  if (shapes == SHAPES_SEEN) return shapes;
  store<u64>(at, shapeLow);
  store<u64>(at, shapeHigh, 8);
  store<u32>(at, shapeLanes, 16);
  store<u32>(at, 1, 20);
  return shapes + 1;
}
