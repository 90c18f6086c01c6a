/**
 * hashlimit (xt_hashlimit.c, revision 3) on the packets' virtual clock, a kernel's tick being one millisecond (HZ 1000).
 *
 * Three ways of counting. Packets: each costs credit, which time brings, up to a cap. Bytes: each 16 bytes cost credit,
 * which may be filled up from a burst a few times in an entry's life. Rate match: what an interval has seen is compared
 * with the rate, and the whole of the next one suffers for it.
 *
 * A packet that has no ports to look at, where the table asks for them, is dropped, as is one for which the table is full.
 */
import { PACKET_LENGTH, PACKET_TIME } from "../../src/blob/layout";
import * as M from "../../src/blob/memory";
import * as P from "../../src/blob/payloads";
import { packet, setHotdrop } from "../packet";
import { collectedAt, entryOfKey, findKey, hashTableJoin, RATE_MATCH } from "./hash-table";

const ABOVE: u32 = 16;
const BYTES: u32 = 32;
const MODES_KNOWN: u32 = 127;
/** Credit that a tick brings, of packets and of bytes, and the credit of bytes of a whole second. */
const PACKET_CREDIT: u64 = 1 << 37;
const BYTE_CREDIT: u64 = 1 << 22;
const BYTE_CREDIT_MAX: u64 = BYTE_CREDIT * 1000;
/** Credit of a microsecond. */
const MICROSECOND_CREDIT: u64 = (PACKET_CREDIT * 1000) / 1000000;
const MICROSECONDS: u64 = 1000000;
const TICKS_A_SECOND: u32 = 1000;
/** The kernel counts bytes in units of 16. */
const UNIT_SHIFT: u32 = 4;
const NEVER: u32 = 0xffffffff;
/** Milliseconds from which on the kernel takes a time for endless. */
const ENDLESS: u32 = 0x80000000;

/** Makes the rule share its table, and works out what a fresh entry of the table has. False without memory. */
export function hashlimitJoin(record: usize, address: u32): bool {
  if (!hashTableJoin(record, address)) return false;
  const table: usize = load<u32>(record, P.HASHLIMIT_OBJECT);
  const own = table + M.HASH_TABLE_RECORD;
  const average = load<u64>(own, P.HASHLIMIT_AVERAGE);
  const burst = load<u64>(own, P.HASHLIMIT_BURST);
  const mode = load<u32>(own, P.HASHLIMIT_MODE);
  if (load<u32>(table, M.HASH_TABLE_REFERENCES) != 1) return true;
  if (mode & RATE_MATCH) {
    const rate = mode & BYTES ? byteRate(average) : MICROSECONDS / average;
    store<u64>(table, rate, M.HASH_TABLE_RATE);
    store<u64>(table, mode & BYTES ? (burst ? burst * rate : rate) : burst + rate, M.HASH_TABLE_BURST);
  } else if (mode & BYTES) {
    store<u64>(table, BYTE_CREDIT_MAX, M.HASH_TABLE_CREDIT);
    store<u64>(table, byteCost(average), M.HASH_TABLE_COST);
    store<u64>(table, burst, M.HASH_TABLE_CAP);
  } else {
    store<u64>(table, average * burst * MICROSECOND_CREDIT, M.HASH_TABLE_CREDIT);
    store<u64>(table, average * MICROSECOND_CREDIT, M.HASH_TABLE_COST);
    store<u64>(table, average * burst * MICROSECOND_CREDIT, M.HASH_TABLE_CAP);
  }
  return true;
}

export function checkHashlimit(record: usize): bool {
  const mode = load<u32>(record, P.HASHLIMIT_MODE);
  const average = load<u64>(record, P.HASHLIMIT_AVERAGE);
  const burst = load<u64>(record, P.HASHLIMIT_BURST);
  if (load<u32>(record, P.HASHLIMIT_OBJECT) || mode & ~MODES_KNOWN) return false;
  if (!load<u32>(record, P.HASHLIMIT_COLLECT) || !load<u32>(record, P.HASHLIMIT_EXPIRE)) return false;
  if (load<u8>(record, P.HASHLIMIT_SOURCE_PREFIX) > 128 || load<u8>(record, P.HASHLIMIT_DESTINATION_PREFIX) > 128)
    return false;
  if (mode & RATE_MATCH) return average != 0 && average <= 0xffffffff && load<u32>(record, P.HASHLIMIT_INTERVAL) != 0;
  if (mode & BYTES) return byteCost(average) != 0;
  return burst != 0 && average * burst * MICROSECOND_CREDIT >= average * MICROSECOND_CREDIT;
}

export function matchHashlimit(record: usize): bool {
  const table: usize = load<u32>(record, P.HASHLIMIT_OBJECT);
  if (!findKey(table)) {
    setHotdrop();
    return false;
  }
  const mode = load<u32>(record, P.HASHLIMIT_MODE);
  while (atomic.cmpxchg<i32>(table, 0, 1, M.HASH_TABLE_LOCK) != 0) {}
  const entry = renewedEntry(table);
  const under = entry != 0 && (mode & RATE_MATCH ? withinRate(table, entry, mode) : paid(table, entry, mode));
  atomic.store<i32>(table, 0, M.HASH_TABLE_LOCK);
  if (!entry) {
    setHotdrop();
    return false;
  }
  return under == ((mode & ABOVE) == 0);
}

/** The entry of the packet's key with the credit it has by now; 0 when the table is full. */
function renewedEntry(table: usize): usize {
  const entry = entryOfKey(table);
  if (!entry) return 0;
  const now = load<u32>(packet, PACKET_TIME);
  if (load<u32>(entry, M.HASH_ENTRY_EXPIRES) <= collectedAt(table)) {
    store<u32>(entry, now, M.HASH_ENTRY_PREVIOUS);
    store<u32>(entry, 0, M.HASH_ENTRY_WINDOW);
    store<u64>(entry, load<u64>(table, M.HASH_TABLE_CREDIT), M.HASH_ENTRY_CREDIT);
    store<u64>(entry, load<u64>(table, M.HASH_TABLE_CAP), M.HASH_ENTRY_CAP);
  } else {
    const before = load<u32>(entry, M.HASH_ENTRY_PREVIOUS);
    if (now > before) renew(table, entry, now, now - before);
  }
  const expire = load<u32>(table + M.HASH_TABLE_RECORD, P.HASHLIMIT_EXPIRE);
  store<u32>(entry, expire >= ENDLESS || now > NEVER - expire ? NEVER : now + expire, M.HASH_ENTRY_EXPIRES);
  return entry;
}

/** `passed`: ticks since the entry's credit was last renewed. */
function renew(table: usize, entry: usize, now: u32, passed: u32): void {
  const mode = load<u32>(table + M.HASH_TABLE_RECORD, P.HASHLIMIT_MODE);
  let credit = load<u64>(entry, M.HASH_ENTRY_CREDIT);
  if (mode & RATE_MATCH) {
    const interval = load<u32>(table + M.HASH_TABLE_RECORD, P.HASHLIMIT_INTERVAL) * TICKS_A_SECOND;
    if (passed < interval) return;
    const over = credit * interval > <u64>passed * load<u64>(table, M.HASH_TABLE_RATE);
    store<u32>(entry, over ? 1 : 0, M.HASH_ENTRY_WINDOW);
    credit = 0;
  } else if (mode & BYTES) {
    credit += BYTE_CREDIT * passed;
    if (credit > BYTE_CREDIT_MAX) credit = BYTE_CREDIT_MAX;
  } else {
    credit += PACKET_CREDIT * passed;
    const cap = load<u64>(entry, M.HASH_ENTRY_CAP);
    if (credit > cap) credit = cap;
  }
  store<u64>(entry, credit, M.HASH_ENTRY_CREDIT);
  store<u32>(entry, now, M.HASH_ENTRY_PREVIOUS);
}

function withinRate(table: usize, entry: usize, mode: u32): bool {
  const seen = load<u64>(entry, M.HASH_ENTRY_CREDIT) + (mode & BYTES ? <u64>load<u32>(packet, PACKET_LENGTH) : 1);
  store<u64>(entry, seen, M.HASH_ENTRY_CREDIT);
  return !load<u32>(entry, M.HASH_ENTRY_WINDOW) && seen <= load<u64>(table, M.HASH_TABLE_BURST);
}

/** Takes what the packet costs off the credit; false where that is too much. */
function paid(table: usize, entry: usize, mode: u32): bool {
  let cost = load<u64>(table, M.HASH_TABLE_COST);
  if (mode & BYTES) {
    cost *= <u64>(load<u32>(packet, PACKET_LENGTH) >> UNIT_SHIFT) + 1;
    if (cost > BYTE_CREDIT_MAX) cost = BYTE_CREDIT_MAX;
    const refills = load<u64>(entry, M.HASH_ENTRY_CAP);
    if (load<u64>(entry, M.HASH_ENTRY_CREDIT) < cost && refills) {
      store<u64>(entry, refills - 1, M.HASH_ENTRY_CAP);
      store<u64>(entry, BYTE_CREDIT_MAX, M.HASH_ENTRY_CREDIT);
    }
  }
  const credit = load<u64>(entry, M.HASH_ENTRY_CREDIT);
  if (credit < cost) return false;
  store<u64>(entry, credit - cost, M.HASH_ENTRY_CREDIT);
  return true;
}

/** Of 16 bytes, from the record's 2^32nd parts of a second. */
function byteCost(average: u64): u64 {
  return (<u64>(<u32>average) * BYTE_CREDIT_MAX) >> 32;
}

/** Bytes a second. */
function byteRate(average: u64): u64 {
  const part = <u32>average;
  return (<u64>((part ? 0xffffffff / part : 0xffffffff) - 1)) << UNIT_SHIFT;
}
