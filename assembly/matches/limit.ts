/**
 * limit (xt_limit.c): a token bucket in units of 1/10,000 second, on the packets' virtual clock. Readers share it under a
 * spin lock, as the kernel's CPUs do.
 */
import { PACKET_TIME } from "../../src/blob/layout";
import { STATE_CREDIT, STATE_LOCK, STATE_TIME } from "../../src/blob/state";
import * as P from "../../src/blob/payloads";
import { packet } from "../packet";

/** Credit that a millisecond brings. */
const CREDIT_PER_MS: u64 = 10;

export function matchLimit(record: usize): bool {
  const cell: usize = load<u32>(record, P.LIMIT_STATE);
  const cost = <u64>load<u32>(record, P.LIMIT_AVERAGE);
  const cap = limitCap(record);
  const now = load<u32>(packet, PACKET_TIME);
  while (atomic.cmpxchg<i32>(cell, 0, 1, STATE_LOCK) != 0) {}
  let credit = <u64>load<u32>(cell, STATE_CREDIT) + <u64>(now - load<u32>(cell, STATE_TIME)) * CREDIT_PER_MS;
  if (credit > cap) credit = cap;
  const allowed = credit >= cost;
  store<u32>(cell, <u32>(allowed ? credit - cost : credit), STATE_CREDIT);
  store<u32>(cell, now, STATE_TIME);
  atomic.store<i32>(cell, 0, STATE_LOCK);
  return allowed;
}

/** The most credit that can be saved up. */
export function limitCap(record: usize): u64 {
  const cap = <u64>load<u32>(record, P.LIMIT_AVERAGE) * <u64>load<u32>(record, P.LIMIT_BURST);
  return cap > 0xffffffff ? 0xffffffff : cap;
}
