/**
 * Sets of numbers as sorted intervals that neither meet nor touch: first, end, first, end, ..., an end not belonging to
 * its interval. Bounds are compared and never counted with, so that 128-bit addresses do as well as ports.
 */
export type Bound = number | bigint;
export type IntervalSet = readonly Bound[];

export const EMPTY: IntervalSet = [];

export function isSubset(inner: IntervalSet, outer: IntervalSet): boolean {
  let o = 0;
  for (let i = 0; i < inner.length; i += 2) {
    const first = inner[i] as Bound;
    while (o < outer.length && (outer[o + 1] as Bound) <= first) o += 2;
    if (o === outer.length || (outer[o] as Bound) > first || (outer[o + 1] as Bound) < (inner[i + 1] as Bound))
      return false;
  }
  return true;
}

export function intersection(a: IntervalSet, b: IntervalSet): IntervalSet {
  const found: Bound[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const first = larger(a[i] as Bound, b[j] as Bound);
    const end = smaller(a[i + 1] as Bound, b[j + 1] as Bound);
    if (first < end) found.push(first, end);
    if ((a[i + 1] as Bound) < (b[j + 1] as Bound)) i += 2;
    else j += 2;
  }
  return found;
}

export function isDisjoint(a: IntervalSet, b: IntervalSet): boolean {
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if ((a[i + 1] as Bound) <= (b[j] as Bound)) i += 2;
    else if ((b[j + 1] as Bound) <= (a[i] as Bound)) j += 2;
    else return false;
  }
  return true;
}

export function difference(a: IntervalSet, b: IntervalSet): IntervalSet {
  const found: Bound[] = [];
  let j = 0;
  for (let i = 0; i < a.length; i += 2) {
    let first = a[i] as Bound;
    const end = a[i + 1] as Bound;
    while (j < b.length && (b[j + 1] as Bound) <= first) j += 2;
    for (let k = j; k < b.length && (b[k] as Bound) < end; k += 2) {
      if ((b[k] as Bound) > first) found.push(first, b[k] as Bound);
      first = larger(first, b[k + 1] as Bound);
    }
    if (first < end) found.push(first, end);
  }
  return found;
}

export function union(a: IntervalSet, b: IntervalSet): IntervalSet {
  const found: Bound[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const fromA = j === b.length || (i < a.length && (a[i] as Bound) <= (b[j] as Bound));
    const first = (fromA ? a[i] : b[j]) as Bound;
    const end = (fromA ? a[i + 1] : b[j + 1]) as Bound;
    if (fromA) i += 2;
    else j += 2;
    const last = found.length - 1;
    if (last > 0 && (found[last] as Bound) >= first) found[last] = larger(found[last] as Bound, end);
    else found.push(first, end);
  }
  return found;
}

/** Every number that is in none of them, below `limit`. */
export function complement(set: IntervalSet, limit: Bound): IntervalSet {
  return difference([typeof limit === "bigint" ? 0n : 0, limit], set);
}

/** Of single numbers below `limit`, those that pass. */
export function filtered(limit: number, passes: (value: number) => boolean): IntervalSet {
  const found: number[] = [];
  for (let value = 0; value < limit; value++) {
    if (!passes(value)) continue;
    if (found.at(-1) === value) found[found.length - 1] = value + 1;
    else found.push(value, value + 1);
  }
  return found;
}

const larger = (a: Bound, b: Bound): Bound => (a > b ? a : b);
const smaller = (a: Bound, b: Bound): Bound => (a < b ? a : b);
