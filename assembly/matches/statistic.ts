/** statistic (xt_statistic.c): random by this reader's seeded generator, nth by a counter that all readers share. */
import { STATE_COUNT } from "../../src/blob/state";
import * as P from "../../src/blob/payloads";
import { random32 } from "../random";

export function matchStatistic(record: usize): bool {
  const invert = load<u8>(record, P.STATISTIC_INVERT) != 0;
  if (load<u8>(record, P.STATISTIC_MODE) == 0)
    return random32() >> 1 < load<u32>(record, P.STATISTIC_PROBABILITY) != invert;
  const cell: usize = load<u32>(record, P.STATISTIC_STATE);
  const every = load<u32>(record, P.STATISTIC_EVERY);
  while (true) {
    const old = atomic.load<u32>(cell, STATE_COUNT);
    const next = old == every ? 0 : old + 1;
    if (atomic.cmpxchg<u32>(cell, old, next, STATE_COUNT) == old) return (next == 0) != invert;
  }
}
