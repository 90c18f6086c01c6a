/**
 * What TypeScript may call: setting up an engine, a writer's updates, a reader's walks. Addresses are byte offsets in the
 * shared memory. Nothing here throws; faults are FAULT_* codes of src/blob/memory.ts.
 */
import { ROOT_GENERATION, ROOT_IPV4, ROOT_IPV6, ROOT_SIZE, ROOT_TABLES } from "../src/blob/memory";
import {
  ARENA_SIZE,
  CONTROL_ADDRESS,
  CONTROL_ARENA,
  CONTROL_BASE_DIRECTORY,
  CONTROL_CLASSIFIER,
  CONTROL_CONNECTIONS,
  CONTROL_COUNTER_TOP,
  CONTROL_HEAP_TOP,
  CONTROL_MAGIC,
  CONTROL_MAGIC_VALUE,
  CONTROL_READERS,
  CONTROL_ROOT,
  CONTROL_SCRATCH,
  CONTROL_SCRATCH_BYTES,
  CONTROL_SEED,
  CONTROL_STACK_DEPTH,
  CONTROL_UNDO,
  COUNTER_DIRECTORY_COUNT,
  FRAME_SIZE,
  READER_COUNTERS,
  READER_HITS,
  READER_RANDOM,
  READER_REWRITTEN,
  READER_SCRATCH,
  READER_SIZE,
  READER_STACK,
  READER_TUPLES,
  READERS_ADDRESS,
} from "../src/blob/memory";
import { FAMILY_IPV4, PACKET_FAMILY, PACKET_SIZE, RESULT_SIZE, TABLE_COUNT } from "../src/blob/layout";
import { AHEAD, AHEAD_BYTES, aheadOf } from "./ahead";
import { SCRATCH_BYTES } from "./own";
import { REWRITTEN_BYTES } from "./rewritten-sums";
import { arenaAllocate } from "./arena";
import { counterBytes, counterPackets } from "./counters";
import { classify } from "./classify";
import { connectionsInit } from "./conntrack/layout";
import { expect, forgetExpectations } from "./conntrack/expect";
import { removeAll, removeMasqueraded } from "./conntrack/table";
import { chunkStaging } from "./chunk-insert";
import { fragmentsInit } from "./fragments/cells";
import { heapAllocate, roomTo } from "./heap";
import { HITS_BYTES } from "./hits";
import { setReader } from "./packet";
import { HEAP_ADDRESS } from "./piece-room";
import { logBegin, logCommit } from "./store";
import { readBegin, readEnd, traverse } from "./traverse";
import { traceInto, traceNext } from "./trace";

export { editBatch, editZero, failedEdit } from "./edit";
export { editVerify } from "./levels";
export { faultRow } from "./call-graph";
export { policyRemove } from "./conntrack/policies";
export { accountAdd, accountRemove } from "./matches/nfacct";
export { chunksCompared, entriesCompared, rowsChecked, tuplesProbed } from "./effort";
export { chainFind } from "./names";
export { pieceEdit, pieceFirst, pieceNext, pieceRead } from "./piece";
export { readLines } from "./reading/lines";
export { probeValue } from "./reading/match-shape";
export { placeChain, placeRest } from "./reading/placed";
export { tableClose, tableOpen } from "./reading/table-open";
export { textFind, textIntern, textRefusal, textsRehash } from "./reading/texts";
export { commentEnd, commentStart } from "./reading/values";
export { countRetired, oldestReader } from "./retire";
export { countCosts } from "./store";
export {
  updateAllocate,
  updateBegin,
  updateCommit,
  updateFree,
  updateHooks,
  updateReclaim,
  updateRegistered,
  updateRemove,
  updateReplace,
  updateRollback,
  updateRouting,
  updateTable,
} from "./update";
export {
  setsAdd,
  setsCreate,
  setsDelete,
  setsExchange,
  setsFlush,
  setsForget,
  setsForgetBody,
  setsNext,
  setsRemove,
  setsRename,
  setsReserve,
  setsRestore,
  setsSwap,
} from "./sets/commands";
export { faultOffset } from "./validate";

const UNDO_BYTES: u32 = 65536;
const FIRST_DEPTH: u32 = 64;
const STAGING_BYTES: u32 = 512;
/** Room for the tuples that a reader works with. */
const TUPLES_BYTES: u32 = 512;
const LINE_BYTES: u32 = 64;
/** What each reader has of its own beside its counters: whole cache lines, so that it writes none of another's. */
const READER_BYTES: u32 =
  (SCRATCH_BYTES + TUPLES_BYTES + HITS_BYTES + AHEAD_BYTES + REWRITTEN_BYTES + LINE_BYTES - 1) & ~(LINE_BYTES - 1);

/** Sets up the engine in fresh, zeroed memory. `scratchBytes` is the writer's staging area. False without memory. */
export function engineInit(readers: u32, classifier: u32, seed: u32, scratchBytes: u32): bool {
  if (!roomTo(HEAP_ADDRESS + UNDO_BYTES)) return false;
  store<u32>(CONTROL_ADDRESS, readers, CONTROL_READERS);
  store<u32>(CONTROL_ADDRESS, classifier, CONTROL_CLASSIFIER);
  store<u32>(CONTROL_ADDRESS, seed, CONTROL_SEED);
  store<u32>(CONTROL_ADDRESS, HEAP_ADDRESS, CONTROL_UNDO);
  store<u32>(CONTROL_ADDRESS, HEAP_ADDRESS + UNDO_BYTES, CONTROL_HEAP_TOP);
  store<u32>(CONTROL_ADDRESS, 1, CONTROL_COUNTER_TOP);
  logBegin();
  const directory: u32 = 4 * COUNTER_DIRECTORY_COUNT;
  const fixed = ARENA_SIZE + directory * (readers + 1) + READER_BYTES * readers + LINE_BYTES + STAGING_BYTES;
  let at = heapAllocate(fixed);
  const scratch = heapAllocate(scratchBytes);
  if (!at || !scratch) return false;
  memory.fill(at, 0, fixed);
  store<u32>(CONTROL_ADDRESS, <u32>scratch, CONTROL_SCRATCH);
  store<u32>(CONTROL_ADDRESS, scratchBytes, CONTROL_SCRATCH_BYTES);
  const arena = at;
  store<u32>(CONTROL_ADDRESS, <u32>arena, CONTROL_ARENA);
  at += ARENA_SIZE;
  store<u32>(CONTROL_ADDRESS, <u32>at, CONTROL_BASE_DIRECTORY);
  at += directory;
  for (let i: u32 = 0; i < readers; i++) {
    const line: usize = READERS_ADDRESS + i * READER_SIZE;
    store<u32>(line, <u32>at, READER_COUNTERS);
    at += directory;
    const stack = arenaAllocate(arena, FIRST_DEPTH * FRAME_SIZE);
    if (!stack) return false;
    store<u32>(line, <u32>stack, READER_STACK);
    store<u64>(line, ((<u64>seed + 1) << 32) ^ ((<u64>i + 1) * 0x9e3779b97f4a7c15), READER_RANDOM);
  }
  at = (at + LINE_BYTES - 1) & ~(<usize>LINE_BYTES - 1);
  for (let i: u32 = 0; i < readers; i++, at += READER_BYTES) {
    const line: usize = READERS_ADDRESS + i * READER_SIZE;
    store<u32>(line, <u32>at, READER_SCRATCH);
    store<u32>(line, <u32>at + SCRATCH_BYTES, READER_TUPLES);
    store<u32>(line, <u32>at + SCRATCH_BYTES + TUPLES_BYTES, READER_HITS);
    store<u32>(line, <u32>at + SCRATCH_BYTES + TUPLES_BYTES + HITS_BYTES + AHEAD_BYTES, READER_REWRITTEN);
  }
  store<u32>(CONTROL_ADDRESS, FIRST_DEPTH, CONTROL_STACK_DEPTH);
  const root = arenaAllocate(arena, ROOT_SIZE);
  if (!root) return false;
  memory.fill(root, 0, ROOT_SIZE);
  store<u32>(root, 1, ROOT_GENERATION);
  store<u32>(CONTROL_ADDRESS, <u32>root, CONTROL_ROOT);
  if (!fragmentsInit()) return false;
  logCommit();
  engineAttach();
  store<u32>(CONTROL_ADDRESS, CONTROL_MAGIC_VALUE, CONTROL_MAGIC);
  return true;
}

/** Tracks connections from now on, at most `limit` at a time. False without memory. Under the writers' lock. */
export function engineTrack(limit: u32): bool {
  logBegin();
  const table = connectionsInit(limit, load<u32>(CONTROL_ADDRESS, CONTROL_SEED));
  logCommit();
  store<u32>(CONTROL_ADDRESS, <u32>table, CONTROL_CONNECTIONS);
  return table != 0;
}

/** Forgets every connection, and what is expected. */
export function engineForget(): void {
  forgetExpectations(true);
  removeAll();
}

/** Forgets connections that are masqueraded for the interface named at `name` by the address at `address`, 0: by any. */
export function engineForgetMasqueraded(name: usize, address: usize): void {
  removeMasqueraded(name, address);
}

/** Notes the expectation at `from` for the connection with the tuple at `master`. False when there is none, or no room. */
export function engineExpect(master: usize, from: usize, now: u32): bool {
  return expect(master, from, now);
}

/** Readies this instance for an engine that exists. */
export function engineAttach(): void {
  const readers = load<u32>(CONTROL_ADDRESS, CONTROL_READERS);
  const directory: usize = 4 * COUNTER_DIRECTORY_COUNT;
  chunkStaging(
    <usize>load<u32>(CONTROL_ADDRESS, CONTROL_ARENA) + ARENA_SIZE + directory * (readers + 1) + READER_BYTES * readers,
  );
}

/** Memory for a reader's packets or results, for good. 0 when memory is at its maximum. Under the writers' lock. */
export function engineAllocate(bytes: u32): usize {
  logBegin();
  const address = heapAllocate(bytes);
  logCommit();
  return address;
}

/** Writes u64 packets and u64 bytes of a counter to `into`. */
export function counterRead(index: u32, into: usize): void {
  store<u64>(into, counterPackets(index));
  store<u64>(into, counterBytes(index), 8);
}

/** Makes this instance walk as reader `id`. */
export function readerAttach(id: u32): void {
  setReader(READERS_ADDRESS + id * READER_SIZE);
}

/** Walks `count` packets under one root; results lie as packets do. */
export function readerMatch(packets: usize, results: usize, count: u32): void {
  const root = readBegin();
  for (let i: u32 = 0; i < count; i++) {
    if (i % AHEAD == 0) aheadOf(packets + i * PACKET_SIZE, min<u32>(count - i, AHEAD));
    traverse(root, packets + i * PACKET_SIZE, results + i * RESULT_SIZE);
  }
  readEnd();
}

/**
 * Stores for each of `count` packets, all of one family, the row that it hits first in `table`'s chain at `hook`; 0 for none.
 */
export function readerClassify(table: u32, hook: u32, packets: usize, rows: usize, count: u32): void {
  const root = readBegin();
  const family = load<u8>(packets, PACKET_FAMILY) == FAMILY_IPV4 ? ROOT_IPV4 : ROOT_IPV6;
  const blob: usize = load<u32>(root + ROOT_TABLES + ((family * TABLE_COUNT + table) << 2));
  if (blob) classify(blob, hook, packets, rows, count);
  else memory.fill(rows, 0, count << 2);
  readEnd();
}

/** Walks one packet and writes a TRACE record for each rule that matched; the address behind the last. */
export function readerTrace(packet: usize, into: usize, trace: usize, bytes: u32): usize {
  traceInto(trace, bytes);
  const root = readBegin();
  traverse(root, packet, into);
  readEnd();
  const end = traceNext();
  traceInto(0, 0);
  return end;
}
