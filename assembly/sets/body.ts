/** Bodies of sets: made by how a set is to be, released when no reader can be in them. */
import { RETIRED_BODY } from "../../src/blob/memory";
import {
  BODY_BITMAP,
  BODY_BYTES,
  BODY_COMMENT_AT,
  BODY_COUNT,
  BODY_COUNTERS_AT,
  BODY_EXPIRES_AT,
  BODY_HASH,
  BODY_HASHSIZE,
  BODY_INFO_AT,
  BODY_KIND,
  BODY_LOCK,
  BODY_MADE_SIZE,
  BODY_MAXELEM,
  BODY_NODE_SIZE,
  BODY_OPTIONS,
  BODY_PARTS,
  BODY_ROOM,
  BODY_SEGMENTS,
  BODY_SIZE,
  BODY_TABLE,
  BODY_VECTORS,
  ELEMENT_COMMENT_BYTES,
  MEMBER_SIZE,
  NODE_KEY,
  OPTION_COMMENT,
  OPTION_COUNTERS,
  OPTION_INFO,
  OPTION_TIMEOUT,
  PART_MAC,
  PLACE_SIZE,
  SEGMENT_BYTES,
  SEGMENT_NEXT,
  TABLE_BYTES,
  TABLE_LARGEST,
} from "../../src/blob/sets";
import { arenaAllocate, arenaFree } from "../arena";
import { heapFree } from "../heap";
import { engineArena, retire } from "../retire";
import { wrote } from "../store";
import { bitmapMake } from "./bitmap";
import { listMake, listRelease } from "./list";
import { nodesReserve, tableGrow, tableMake } from "./nodes";

const LEAST_BUCKETS: u32 = 64;

/** An empty body, made as `made` says (BODY_MADE_SIZE bytes). 0 without memory. */
export function bodyMake(made: usize): usize {
  const body = arenaAllocate(engineArena(), BODY_SIZE);
  if (!body) return 0;
  memory.fill(body, 0, BODY_SIZE);
  memory.copy(body, made, BODY_MADE_SIZE);
  store<i32>(body, 0, BODY_LOCK);
  wrote(BODY_SIZE);
  const kind = load<u8>(body, BODY_KIND);
  layOutNode(body, kind);
  if (kind == BODY_BITMAP) return bitmapMake(body) ? body : 0;
  if (kind != BODY_HASH) return listMake(body) ? body : 0;
  let buckets = LEAST_BUCKETS;
  while (buckets < load<u32>(body, BODY_HASHSIZE) && buckets < <u32>TABLE_LARGEST) buckets <<= 1;
  store<u32>(body, <u32>tableMake(buckets, 0), BODY_TABLE);
  return load<u32>(body, BODY_TABLE) ? body : 0;
}

/** Room for `more` elements beside those that are there. False without memory. */
export function bodyReserve(body: usize, more: u32): bool {
  if (load<u8>(body, BODY_KIND) != BODY_HASH) return true;
  const most = load<u32>(body, BODY_MAXELEM);
  const wanted = <u64>load<u32>(body, BODY_COUNT) + more;
  return nodesReserve(body, wanted < most ? <u32>wanted : most);
}

/** Enough buckets for all elements that there is room for. */
export function bodySpread(body: usize): void {
  if (load<u8>(body, BODY_KIND) == BODY_HASH) tableGrow(body, load<u32>(body, BODY_ROOM));
}

export function bodyRetire(body: usize): bool {
  return retire(RETIRED_BODY, <u32>body, 0, 0);
}

/** Frees a body that no reader can be in. */
export function bodyRelease(body: usize): void {
  const kind = load<u8>(body, BODY_KIND);
  if (kind == BODY_BITMAP) heapFree(load<u32>(body, BODY_TABLE), load<u32>(body, BODY_BYTES));
  else if (kind != BODY_HASH) listRelease(body);
  else {
    let segment: usize = load<u32>(body, BODY_SEGMENTS);
    while (segment) {
      const next: usize = load<u32>(segment, SEGMENT_NEXT);
      heapFree(segment, load<u32>(segment, SEGMENT_BYTES));
      segment = next;
    }
    const table: usize = load<u32>(body, BODY_TABLE);
    arenaFree(engineArena(), table, load<u32>(table, TABLE_BYTES));
  }
  arenaFree(engineArena(), body, BODY_SIZE);
}

/** Where in a node the set's extensions lie. */
function layOutNode(body: usize, kind: u8): void {
  const options = load<u32>(body, BODY_OPTIONS);
  let at: u32 = 0;
  if (kind == BODY_HASH) at = NODE_KEY + ((<u32>load<u8>(body, BODY_VECTORS)) << 4);
  else if (kind != BODY_BITMAP) at = MEMBER_SIZE;
  else if (load<u32>(body, BODY_PARTS) >> 4 == PART_MAC) at = PLACE_SIZE;
  else if (options & (OPTION_TIMEOUT | OPTION_COUNTERS | OPTION_INFO | OPTION_COMMENT)) at = PLACE_SIZE;
  if (options & OPTION_COUNTERS) {
    store<u32>(body, at, BODY_COUNTERS_AT);
    at += 16;
  }
  if (options & OPTION_INFO) {
    store<u32>(body, at, BODY_INFO_AT);
    at += 16;
  }
  if (options & OPTION_TIMEOUT) {
    store<u32>(body, at, BODY_EXPIRES_AT);
    at += 16;
  }
  if (options & OPTION_COMMENT) {
    store<u32>(body, at, BODY_COMMENT_AT);
    at += ELEMENT_COMMENT_BYTES;
  }
  store<u32>(body, at, BODY_NODE_SIZE);
}
