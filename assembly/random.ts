/** Chance: a seeded generator for each reader. */
import { READER_RANDOM } from "../src/blob/memory";
import { reader } from "./packet";

/** 32 bits of xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled"). */
export function random32(): u32 {
  let state = load<u64>(reader, READER_RANDOM);
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  store<u64>(reader, state, READER_RANDOM);
  return <u32>((state * 0x2545f4914f6cdd1d) >> 32);
}
