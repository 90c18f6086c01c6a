/** statistic (xt_statistic.c): random by this reader's seeded generator, nth by a counter that all readers share. */
import { READER_RANDOM, STATE_COUNT } from "../../src/blob/memory";
import * as P from "../../src/blob/payloads";
import { reader } from "../packet";

export function matchStatistic(record: usize): bool {
  const invert = load<u8>(record, P.STATISTIC_INVERT) != 0;
  if (load<u8>(record, P.STATISTIC_MODE) == 0)
    return random() >> 33 < load<u32>(record, P.STATISTIC_PROBABILITY) != invert;
  const cell: usize = load<u32>(record, P.STATISTIC_STATE);
  const every = load<u32>(record, P.STATISTIC_EVERY);
  while (true) {
    const old = atomic.load<u32>(cell, STATE_COUNT);
    const next = old == every ? 0 : old + 1;
    if (atomic.cmpxchg<u32>(cell, old, next, STATE_COUNT) == old) return (next == 0) != invert;
  }
}

/** xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled"). */
function random(): u64 {
  let state = load<u64>(reader, READER_RANDOM);
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  store<u64>(reader, state, READER_RANDOM);
  return state * 0x2545f4914f6cdd1d;
}
