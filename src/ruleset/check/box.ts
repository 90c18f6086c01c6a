/**
 * Sets of packets as boxes: for some fields of a packet, the values that the field may have. A field that a box does not
 * name may have any. A packet is a point, and all is exact arithmetic on sets.
 *
 * Fields are taken for independent although they may depend on each other (a port of a protocol that has none). That
 * makes a set seem larger than it is, never smaller: what is empty, or covered, is so in truth.
 */
import {
  type Bound,
  complement,
  difference,
  type IntervalSet,
  intersection,
  isDisjoint,
  isSubset,
  union,
} from "./interval-set.js";

/** Fields are compared as objects. */
export interface Field {
  readonly name: string;
  /** Values run from 0 to below this. */
  readonly limit: Bound;
}

export type Box = ReadonlyMap<Field, IntervalSet>;

export const EVERYTHING: Box = new Map();

export function fullSet({ limit }: Field): IntervalSet {
  return complement([], limit);
}

/** The packets of both boxes, undefined where there are none. */
export function intersectBoxes(a: Box, b: Box): Box | undefined {
  const found = new Map(a);
  for (const [field, values] of b) {
    const own = found.get(field);
    const both = own ? intersection(own, values) : values;
    if (both.length === 0) return undefined;
    found.set(field, both);
  }
  return found;
}

/** Whether there are packets of both. */
export function touches(a: Box, b: Box): boolean {
  for (const [field, values] of b) {
    const own = a.get(field);
    if (own && isDisjoint(own, values)) return false;
  }
  return true;
}

/** Whether every packet of `inner` is one of `outer`. */
export function containsBox(outer: Box, inner: Box): boolean {
  for (const [field, values] of outer) {
    const own = inner.get(field) ?? fullSet(field);
    if (!isSubset(own, values)) return false;
  }
  return true;
}

/** The packets of `box` that are not in `other`, as boxes that do not overlap. */
export function subtractBox(box: Box, other: Box): Box[] {
  if (!touches(box, other)) return [box];
  const left: Box[] = [];
  const common = new Map(box);
  for (const [field, values] of other) {
    const own = common.get(field) ?? fullSet(field);
    const outside = difference(own, values);
    if (outside.length > 0) left.push(new Map(common).set(field, outside));
    common.set(field, intersection(own, values));
  }
  return left;
}

/** A box around both: fields that only one of them names are left open. */
export function hullOf(a: Box, b: Box, mostIntervals: number): Box {
  const hull = new Map<Field, IntervalSet>();
  for (const [field, values] of a) {
    const other = b.get(field);
    if (!other) continue;
    const both = union(values, other);
    if (both.length <= 2 * mostIntervals) hull.set(field, both);
  }
  return hull;
}
