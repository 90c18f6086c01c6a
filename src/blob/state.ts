/** State cell of a match that remembers. */
export const STATE_LOCK = 0; // i32, atomic
export const STATE_COUNT = 4; // u32, atomic (statistic nth)
export const STATE_CREDIT = 8; // u32 (limit)
export const STATE_TIME = 12; // u32 ms (limit)
export const STATE_QUOTA = 16; // u64 bytes left (quota)
export const STATE_SIZE = 32;
