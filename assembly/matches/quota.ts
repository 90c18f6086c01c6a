/** quota (xt_quota.c): matches until so many bytes have passed. Readers share what is left under a spin lock. */
import { PACKET_LENGTH } from "../../src/blob/layout";
import { STATE_LOCK, STATE_QUOTA } from "../../src/blob/state";
import { QUOTA_INVERT, QUOTA_STATE } from "../../src/blob/payloads";
import { packet } from "../packet";

export function matchQuota(record: usize): bool {
  const cell: usize = load<u32>(record, QUOTA_STATE);
  const length = <u64>load<u32>(packet, PACKET_LENGTH);
  while (atomic.cmpxchg<i32>(cell, 0, 1, STATE_LOCK) != 0) {}
  const left = load<u64>(cell, STATE_QUOTA);
  const enough = left >= length;
  // One packet that is too long ends it for shorter ones as well.
  store<u64>(cell, enough ? left - length : 0, STATE_QUOTA);
  atomic.store<i32>(cell, 0, STATE_LOCK);
  return enough != (load<u8>(record, QUOTA_INVERT) != 0);
}
