/** A hash of bytes `start` to `end`, four at a time: names in a ruleset often differ in their last bytes only. */
export function hashBytes(view: DataView, start: number, end: number): number {
  let hash = end - start;
  let i = start;
  for (const last = end - 4; i <= last; i += 4) {
    hash = Math.imul(hash ^ view.getInt32(i, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  let rest = 0;
  for (; i < end; i++) rest = (rest << 8) | view.getUint8(i);
  hash = Math.imul(hash ^ rest, 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
