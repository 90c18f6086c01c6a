/**
 * Grace periods: what was unlinked is freed once no reader can still hold it.
 *
 * A reader stores an odd sequence, then takes the root, then says its generation. A writer that unlinked something and
 * then published generation P may free it when every reader is either outside (even) or says P or more: a reader that
 * is inside but has not said its generation yet still says an older one, which only delays.
 */
import { BLOB_ARENA } from "../src/blob/layout";
import {
  CONTROL_ADDRESS,
  CONTROL_ARENA,
  CONTROL_READERS,
  CONTROL_RETIRED_COUNT,
  CONTROL_RETIRED_FIRST,
  CONTROL_RETIRED_LAST,
  CONTROL_URGENT_UNTIL,
  CONTROL_ROOT,
  READER_GENERATION,
  READER_SEQUENCE,
  READER_SIZE,
  READERS_ADDRESS,
  RETIRED_ADDRESS,
  RETIRED_ARENA,
  RETIRED_BODY,
  RETIRED_BYTES,
  RETIRED_CHAIN,
  RETIRED_GENERATION,
  RETIRED_KIND,
  RETIRED_MEMORY,
  RETIRED_NEXT,
  RETIRED_ROW,
  RETIRED_RUN,
  RETIRED_SIZE,
  RETIRED_TABLE,
  ROOT_GENERATION,
} from "../src/blob/memory";
import { arenaAdopt, arenaAllocate, arenaFree, arenaFreeWalked } from "./arena";
import { bodyRelease } from "./sets/body";
import { inBlob } from "./content";
import { heapFree } from "./heap";
import { own32 } from "./store";
import { releaseTable } from "./table";
import { releaseChain, unlinkRow } from "./row-end";

export function engineArena(): usize {
  return load<u32>(CONTROL_ADDRESS, CONTROL_ARENA);
}

/** The generation in force. */
export function generation(): u32 {
  return load<u32>(atomic.load<u32>(CONTROL_ADDRESS, CONTROL_ROOT), ROOT_GENERATION);
}

/** Entries that the update being made has queued so far. */
let retired: u32 = 0;

export function countRetired(): u32 {
  return retired;
}

/** The entry that is being queued does more than take memory. */
export function retireUrgently(): void {
  own32(CONTROL_ADDRESS + CONTROL_URGENT_UNTIL, generation() + 1);
}

/** Queues what nobody may enter any more once the update being made is published. False when memory is used up. */
export function retire(kind: u32, address: u32, arena: usize, bytes: u32): bool {
  const entry = arenaAllocate(engineArena(), RETIRED_SIZE);
  if (!entry) return false;
  retired++;
  if (kind == RETIRED_TABLE || kind == RETIRED_BODY) retireUrgently();
  store<u32>(entry, 0, RETIRED_NEXT);
  store<u32>(entry, kind, RETIRED_KIND);
  store<u32>(entry, generation() + 1, RETIRED_GENERATION);
  store<u32>(entry, address, RETIRED_ADDRESS);
  store<u32>(entry, <u32>arena, RETIRED_ARENA);
  store<u32>(entry, bytes, RETIRED_BYTES);
  const last: usize = load<u32>(CONTROL_ADDRESS, CONTROL_RETIRED_LAST);
  if (last) own32(last + RETIRED_NEXT, <u32>entry);
  else own32(CONTROL_ADDRESS + CONTROL_RETIRED_FIRST, <u32>entry);
  own32(CONTROL_ADDRESS + CONTROL_RETIRED_LAST, <u32>entry);
  own32(CONTROL_ADDRESS + CONTROL_RETIRED_COUNT, load<u32>(CONTROL_ADDRESS, CONTROL_RETIRED_COUNT) + 1);
  return true;
}

/**
 * Retires a record of `table`. One of the blob itself goes to the table's arena in the end; records there are aligned to 8
 * and arenas to 16, so its ends may be lost.
 */
export function retireRecord(table: usize, record: usize, bytes: u32): bool {
  const arena: usize = load<u32>(table, BLOB_ARENA);
  if (!inBlob(table, record)) return retire(RETIRED_MEMORY, <u32>record, arena, bytes);
  return retire(RETIRED_MEMORY, <u32>pieceOf(record), arena, adopt(arena, record, bytes));
}

/** The same at once, of a record of a blob that nobody sees. */
export function freeOfBlob(arena: usize, record: usize, bytes: u32): void {
  arenaFree(arena, pieceOf(record), adopt(arena, record, bytes));
}

/** Where the piece of a record begins that an arena can use. */
function pieceOf(record: usize): usize {
  return (record + 15) & ~15;
}

/** Counts that piece as handed out by the arena; how many bytes it has. */
function adopt(arena: usize, record: usize, bytes: u32): u32 {
  const piece = <u32>(((record + bytes) & ~15) - pieceOf(record));
  arenaAdopt(arena, piece);
  return piece;
}

export function retireBegin(): void {
  retired = 0;
}

/** The least generation that a reader inside a walk may be using; the one in force when none is inside. */
export function oldestReader(): u32 {
  let oldest = generation();
  const readers = load<u32>(CONTROL_ADDRESS, CONTROL_READERS);
  for (let i: u32 = 0; i < readers; i++) {
    const line: usize = READERS_ADDRESS + i * READER_SIZE;
    if (!(atomic.load<u32>(line, READER_SEQUENCE) & 1)) continue;
    const inside = atomic.load<u32>(line, READER_GENERATION);
    if (inside < oldest) oldest = inside;
  }
  return oldest;
}

/** Frees what has passed its grace period, at most `limit` entries so that no update pays for another's leavings. */
export function reclaim(limit: u32): u32 {
  const oldest = oldestReader();
  let freed: u32 = 0;
  while (freed < limit) {
    const entry: usize = load<u32>(CONTROL_ADDRESS, CONTROL_RETIRED_FIRST);
    if (!entry || load<u32>(entry, RETIRED_GENERATION) > oldest) break;
    const next = load<u32>(entry, RETIRED_NEXT);
    own32(CONTROL_ADDRESS + CONTROL_RETIRED_FIRST, next);
    if (!next) own32(CONTROL_ADDRESS + CONTROL_RETIRED_LAST, 0);
    const address = load<u32>(entry, RETIRED_ADDRESS);
    const arena: usize = load<u32>(entry, RETIRED_ARENA);
    const bytes = load<u32>(entry, RETIRED_BYTES);
    const kind = load<u32>(entry, RETIRED_KIND);
    arenaFree(engineArena(), entry, RETIRED_SIZE);
    if (kind == RETIRED_ROW) unlinkRow(address);
    else if (kind == RETIRED_CHAIN) releaseChain(address);
    else if (kind == RETIRED_MEMORY) arenaFreeWalked(arena, address, bytes);
    else if (kind == RETIRED_TABLE) releaseTable(address);
    else if (kind == RETIRED_BODY) bodyRelease(address);
    else if (kind == RETIRED_RUN) heapFree(address, bytes);
    freed++;
  }
  const first: usize = load<u32>(CONTROL_ADDRESS, CONTROL_RETIRED_FIRST);
  const urgent = load<u32>(CONTROL_ADDRESS, CONTROL_URGENT_UNTIL);
  if (urgent && (!first || load<u32>(first, RETIRED_GENERATION) > urgent))
    own32(CONTROL_ADDRESS + CONTROL_URGENT_UNTIL, 0);
  if (freed) own32(CONTROL_ADDRESS + CONTROL_RETIRED_COUNT, load<u32>(CONTROL_ADDRESS, CONTROL_RETIRED_COUNT) - freed);
  return freed;
}
