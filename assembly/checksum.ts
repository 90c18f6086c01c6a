/** The checksum of a portable blob; src/blob/compile.ts has the same in its plain form. */
import { BLOB_CHECKSUM } from "../src/blob/layout";

/**
 * Two sums over the blob's n words, its own field taken as zero: a = 1 + the sum of all words w(i), b = the sum of a behind
 * every word, which is n + the sum of (n - i) w(i). Four words a step: lane k adds up w(4j + k) in `sums`, and `sums` behind
 * every step in `totals`, so that lane k of that has the sum of (steps - j) w(4j + k).
 */
export function checksum(blob: usize, length: u32): u32 {
  let sums = i32x4.splat(0);
  let totals = i32x4.splat(0);
  const end = blob + (length & ~15);
  for (let at = blob; at < end; at += 16) {
    sums = i32x4.add(sums, v128.load(at));
    totals = i32x4.add(totals, sums);
  }
  const words = length >>> 2;
  let a: u32 = 1;
  let b: u32 = words;
  for (let lane: u32 = 0; lane < 4; lane++) {
    const sum = laneOf(sums, lane);
    a += sum;
    // (n - 4j - k) = 4 (steps - j) - k, and what the last words do not fill up.
    b += 4 * laneOf(totals, lane) - lane * sum;
  }
  const rest = words & 3;
  b += rest * (a - 1);
  for (let i: u32 = 0; i < rest; i++) {
    const word = load<u32>(end + (i << 2));
    a += word;
    b += (rest - i) * word;
  }
  const field = load<u32>(blob, BLOB_CHECKSUM);
  a -= field;
  b -= (words - (BLOB_CHECKSUM >> 2)) * field;
  return (b << 7) ^ (b >>> 9) ^ a;
}

function laneOf(vector: v128, lane: u32): u32 {
  if (lane == 0) return i32x4.extract_lane(vector, 0);
  if (lane == 1) return i32x4.extract_lane(vector, 1);
  return lane == 2 ? i32x4.extract_lane(vector, 2) : i32x4.extract_lane(vector, 3);
}
