/** Which prefix lengths the nets of a set have: counted by who changes the set, read as bits by who looks up. */
import {
  BODY_NETS,
  BODY_PREFIX_COUNT,
  BODY_PREFIX_COUNTS,
  BODY_PREFIXES,
  KEY_PREFIX,
  KEY_PREFIX2,
} from "../../src/blob/sets";

/** The longest prefix below `limit` that the set's net number `net` (0 or 1) may have; -1 when there is none. */
export function prefixBelow(body: usize, net: u32, limit: i32): i32 {
  const words = body + BODY_PREFIXES + net * 24;
  for (let word = (limit - 1) >> 6; word >= 0; word--) {
    let bits = atomic.load<u64>(words + ((<usize>word) << 3));
    const top = limit - (word << 6);
    if (top < 64) bits &= ((<u64>1) << top) - 1;
    if (bits) return (word << 6) + 63 - <i32>clz(bits);
  }
  return -1;
}

/** Counts the nets of a key at `key` in or, with `by` -1, out. Under the body's lock. */
export function countPrefixes(body: usize, key: usize, by: i32): void {
  const nets = load<u8>(body, BODY_NETS);
  if (!nets) return;
  count(body, 0, load<u8>(key, KEY_PREFIX), by);
  if (nets == 3) count(body, 1, load<u8>(key, KEY_PREFIX2), by);
}

function count(body: usize, net: u32, prefix: u32, by: i32): void {
  const at = body + BODY_PREFIX_COUNTS + ((net * BODY_PREFIX_COUNT + prefix) << 2);
  const before = load<u32>(at);
  const after = before + by;
  store<u32>(at, after);
  if (before && after) return;
  const word = body + BODY_PREFIXES + net * 24 + ((prefix >> 6) << 3);
  const bit = (<u64>1) << (prefix & 63);
  atomic.store<u64>(word, after ? load<u64>(word) | bit : load<u64>(word) & ~bit);
}
