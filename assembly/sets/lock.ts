/** A body is changed by one at a time: packets, and the writer where packets may be changing it too. */
import { BODY_LOCK } from "../../src/blob/sets";

export function lock(body: usize): void {
  while (atomic.cmpxchg<i32>(body, 0, 1, BODY_LOCK) != 0) {}
}

export function unlock(body: usize): void {
  atomic.store<i32>(body, 0, BODY_LOCK);
}
