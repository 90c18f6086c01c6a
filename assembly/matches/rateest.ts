/**
 * rateest and RATEEST (xt_rateest.c, xt_RATEEST.c, gen_estimator.c): what passes a second, as an average that forgets.
 *
 * A tick ends an interval of 250 ms to 8 s: the average moves by 1/2^ewma of its distance to what the interval had a second.
 * Here nothing runs by itself: who looks at an estimator first does the ticks that are due on the packets' clock.
 */
import { PACKET_LENGTH, PACKET_TIME } from "../../src/blob/layout";
import {
  CONTROL_ADDRESS,
  CONTROL_ESTIMATORS,
  ESTIMATOR_BYTE_RATE,
  ESTIMATOR_BYTES,
  ESTIMATOR_EWMA,
  ESTIMATOR_INTERVAL,
  ESTIMATOR_LAST_BYTES,
  ESTIMATOR_LAST_PACKETS,
  ESTIMATOR_LOCK,
  ESTIMATOR_NAME,
  ESTIMATOR_NEXT,
  ESTIMATOR_PACKET_RATE,
  ESTIMATOR_PACKETS,
  ESTIMATOR_REFERENCES,
  ESTIMATOR_SIZE,
  ESTIMATOR_TICK,
} from "../../src/blob/memory";
import * as P from "../../src/blob/payloads";
import { arenaAllocate, arenaFree } from "../arena";
import { latestTime } from "../clock";
import { packet } from "../packet";
import { engineArena } from "../retire";
import { put32 } from "../store";

const INVERT: u8 = 1;
const SECOND: u8 = 2;
const DELTA: u8 = 4;
const BYTES: u8 = 8;
const PACKETS: u8 = 16;
const LESS: u8 = 1;
const GREATER: u8 = 2;
const EQUAL: u8 = 3;
/** Milliseconds of the shortest interval. */
const SHORTEST: u32 = 250;
/** Averages have eight binary places, and an interval is a quarter of a second: 2^10 for a second of the shortest. */
const SCALE: u64 = 10;

/** What a look at an estimator finds, a second. */
let bytesFound: u32 = 0;
let packetsFound: u32 = 0;

function estimatorFind(name: usize): usize {
  let estimator: usize = load<u32>(CONTROL_ADDRESS, CONTROL_ESTIMATORS);
  while (estimator && memory.compare(estimator + ESTIMATOR_NAME, name, P.RATEEST_NAME_BYTES))
    estimator = load<u32>(estimator, ESTIMATOR_NEXT);
  return estimator;
}

/** Whether there is no estimator of this name, or one that measures as the target's record says. */
export function estimatorAgrees(record: usize): bool {
  const estimator = estimatorFind(record + P.SETRATEEST_NAME);
  if (!estimator) return true;
  return (
    load<u8>(estimator, ESTIMATOR_INTERVAL) == load<u8>(record, P.SETRATEEST_INTERVAL) &&
    load<u8>(estimator, ESTIMATOR_EWMA) == load<u8>(record, P.SETRATEEST_EWMA)
  );
}

/** The rule of a target measures for the estimator of its name. False without memory. */
export function estimatorJoin(record: usize): bool {
  let estimator = estimatorFind(record + P.SETRATEEST_NAME);
  if (!estimator) {
    estimator = arenaAllocate(engineArena(), ESTIMATOR_SIZE);
    if (!estimator) return false;
    memory.fill(estimator, 0, ESTIMATOR_SIZE);
    memory.copy(estimator + ESTIMATOR_NAME, record + P.SETRATEEST_NAME, P.RATEEST_NAME_BYTES);
    store<u8>(estimator, load<u8>(record, P.SETRATEEST_INTERVAL), ESTIMATOR_INTERVAL);
    store<u8>(estimator, load<u8>(record, P.SETRATEEST_EWMA), ESTIMATOR_EWMA);
    store<u32>(estimator, latestTime() + interval(estimator), ESTIMATOR_TICK);
    store<u32>(estimator, load<u32>(CONTROL_ADDRESS, CONTROL_ESTIMATORS), ESTIMATOR_NEXT);
    put32(CONTROL_ADDRESS + CONTROL_ESTIMATORS, <u32>estimator);
  }
  refer(estimator, 1);
  store<u32>(record, <u32>estimator, P.SETRATEEST_OBJECT);
  return true;
}

/** The estimators that a match names are there already: by rules in front of it, or elsewhere. False when one is not. */
export function estimatorsJoin(record: usize): bool {
  const first = estimatorFind(record + P.RATEEST_FIRST);
  const needed = (load<u8>(record, P.RATEEST_FLAGS) & SECOND) != 0;
  const second = needed ? estimatorFind(record + P.RATEEST_SECOND) : 0;
  if (!first || (needed && !second)) return false;
  refer(first, 1);
  if (second) refer(second, 1);
  store<u32>(record, <u32>first, P.RATEEST_FIRST_OBJECT);
  store<u32>(record, <u32>second, P.RATEEST_SECOND_OBJECT);
  return true;
}

export function estimatorsLeave(record: usize): void {
  estimatorLeave(load<u32>(record, P.RATEEST_FIRST_OBJECT));
  const second: usize = load<u32>(record, P.RATEEST_SECOND_OBJECT);
  if (second) estimatorLeave(second);
}

/** A rule that named it is gone, and no reader sees it; the last one takes the estimator along. */
export function estimatorLeave(estimator: usize): void {
  refer(estimator, -1);
  if (load<u32>(estimator, ESTIMATOR_REFERENCES)) return;
  let link: usize = CONTROL_ADDRESS + CONTROL_ESTIMATORS;
  while (load<u32>(link) != <u32>estimator) link = <usize>load<u32>(link) + ESTIMATOR_NEXT;
  put32(link, load<u32>(estimator, ESTIMATOR_NEXT));
  arenaFree(engineArena(), estimator, ESTIMATOR_SIZE);
}

/** -j RATEEST. */
export function measure(record: usize): void {
  const estimator: usize = load<u32>(record, P.SETRATEEST_OBJECT);
  lock(estimator);
  catchUp(estimator);
  store<u64>(estimator, load<u64>(estimator, ESTIMATOR_BYTES) + load<u32>(packet, PACKET_LENGTH), ESTIMATOR_BYTES);
  store<u64>(estimator, load<u64>(estimator, ESTIMATOR_PACKETS) + 1, ESTIMATOR_PACKETS);
  unlock(estimator);
}

export function matchRateest(record: usize): bool {
  const flags = load<u8>(record, P.RATEEST_FLAGS);
  const delta = (flags & DELTA) != 0;
  look(load<u32>(record, P.RATEEST_FIRST_OBJECT));
  let bytes = bytesFound;
  let packets = packetsFound;
  if (delta) {
    bytes = short(load<u32>(record, P.RATEEST_FIRST_BYTES), bytes);
    packets = short(load<u32>(record, P.RATEEST_FIRST_PACKETS), packets);
  }
  let thanBytes = load<u32>(record, P.RATEEST_SECOND_BYTES);
  let thanPackets = load<u32>(record, P.RATEEST_SECOND_PACKETS);
  if (flags & SECOND) {
    look(load<u32>(record, P.RATEEST_SECOND_OBJECT));
    thanBytes = delta ? short(thanBytes, bytesFound) : bytesFound;
    thanPackets = delta ? short(thanPackets, packetsFound) : packetsFound;
  }
  const mode = load<u8>(record, P.RATEEST_COMPARE);
  const holds =
    (!(flags & BYTES) || compares(mode, bytes, thanBytes)) &&
    (!(flags & PACKETS) || compares(mode, packets, thanPackets));
  return holds != ((flags & INVERT) != 0);
}

export function checkRateest(record: usize): bool {
  const mode = load<u8>(record, P.RATEEST_COMPARE);
  return mode >= LESS && mode <= EQUAL && !load<u64>(record, P.RATEEST_FIRST_OBJECT);
}

export function checkRateestTarget(record: usize): bool {
  const ewma = load<u8>(record, P.SETRATEEST_EWMA);
  return (
    load<u8>(record, P.SETRATEEST_INTERVAL) <= 5 && ewma > 0 && ewma < 31 && !load<u32>(record, P.SETRATEEST_OBJECT)
  );
}

/** How much less than `bound` it is. */
function short(bound: u32, found: u32): u32 {
  return bound >= found ? bound - found : 0;
}

function compares(mode: u8, value: u32, than: u32): bool {
  if (mode == LESS) return value < than;
  return mode == GREATER ? value > than : value == than;
}

function look(estimator: usize): void {
  lock(estimator);
  catchUp(estimator);
  bytesFound = <u32>(load<u64>(estimator, ESTIMATOR_BYTE_RATE) >> 8);
  packetsFound = <u32>(load<u64>(estimator, ESTIMATOR_PACKET_RATE) >> 8);
  unlock(estimator);
}

/** The ticks that are due. An average that no longer moves needs none of those without a packet. */
function catchUp(estimator: usize): void {
  const now = load<u32>(packet, PACKET_TIME);
  let next = load<u32>(estimator, ESTIMATOR_TICK);
  if (<i32>(now - next) < 0) return;
  const step = interval(estimator);
  let moves = true;
  while (<i32>(now - next) >= 0 && moves) {
    moves = tick(estimator, ESTIMATOR_BYTES, ESTIMATOR_LAST_BYTES, ESTIMATOR_BYTE_RATE);
    moves = tick(estimator, ESTIMATOR_PACKETS, ESTIMATOR_LAST_PACKETS, ESTIMATOR_PACKET_RATE) || moves;
    next += step;
  }
  if (<i32>(now - next) >= 0) next += ((now - next) / step + 1) * step;
  store<u32>(estimator, next, ESTIMATOR_TICK);
}

/** Whether the average has moved. */
function tick(estimator: usize, seen: usize, last: usize, rate: usize): bool {
  const ewma = <u64>load<u8>(estimator, ESTIMATOR_EWMA);
  const average = load<u64>(estimator + rate);
  const passed =
    (load<u64>(estimator + seen) - load<u64>(estimator + last)) << (SCALE - load<u8>(estimator, ESTIMATOR_INTERVAL));
  const change = (passed >> ewma) - (average >> ewma);
  store<u64>(estimator + rate, average + change);
  store<u64>(estimator + last, load<u64>(estimator + seen));
  return change != 0 || passed != 0;
}

function interval(estimator: usize): u32 {
  return SHORTEST << load<u8>(estimator, ESTIMATOR_INTERVAL);
}

function refer(estimator: usize, change: i32): void {
  put32(estimator + ESTIMATOR_REFERENCES, load<u32>(estimator, ESTIMATOR_REFERENCES) + change);
}

function lock(estimator: usize): void {
  while (atomic.cmpxchg<i32>(estimator, 0, 1, ESTIMATOR_LOCK) != 0) {}
}

function unlock(estimator: usize): void {
  atomic.store<i32>(estimator, 0, ESTIMATOR_LOCK);
}
