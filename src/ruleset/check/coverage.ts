/**
 * Which rules in front take all the packets of a rule.
 *
 * Problem: in a chain of thousands of rules, each may be covered by any one in front, or by several together (both
 * halves of a network, all states).
 * Idea: rules that end the chain are kept with the outermost ends of four fields as plain numbers, so that a scan leaves
 * only those that touch the rule. One of these may hold all of it; else they are cut away from it one after the other,
 * until nothing is left, or two sample packets show that something will be.
 * Cost: a comparison of numbers for every pair of rules, up to a limit a table; what lies behind it is not examined.
 */
import { type Box, containsBox, type Field, subtractBox, touches } from "./box.js";
import type { Bound, IntervalSet } from "./interval-set.js";

/** The fields by which rules are told apart before sets are compared. */
const NAMES = ["source", "destination", "destination port", "protocol"];
/** Rules that several others cover are looked for among at most so many that touch them, and so many pieces. */
const MOST_TOUCHING = 500;
const MOST_PIECES = 400;
/** Pieces of what a jump sends on. */
const MOST_SENT = 4;
/** Proofs up to this length are made as short as can be. */
const LONGEST_SHORTENED = 20;

export class Budget {
  /** Comparisons of two rules that a table may take. */
  left = 500_000_000;
}

/** The rules of one chain that end it, in order. */
export class Enders<Place> {
  private readonly boxes: Box[] = [];
  private readonly places: Place[] = [];
  private readonly fields = new Set<Field>();
  /** First and last value of each of NAMES, for every rule. */
  private hulls = new Float64Array(1024);

  constructor(private readonly budget: Budget) {}

  add(box: Box, place: Place): void {
    const at = 2 * NAMES.length * this.boxes.length;
    if (at + 2 * NAMES.length > this.hulls.length) {
      const larger = new Float64Array(2 * this.hulls.length);
      larger.set(this.hulls);
      this.hulls = larger;
    }
    this.hulls.set(hullOf(box), at);
    this.boxes.push(box);
    this.places.push(place);
    for (const field of box.keys()) this.fields.add(field);
  }

  /** Comparisons that `cover` takes for one piece. */
  get size(): number {
    return this.boxes.length;
  }

  /** Whether what `narrow` says beyond `wide` can matter. */
  distinguishes(narrow: Box, wide: Box): boolean {
    for (const field of narrow.keys()) if (!wide.has(field) && this.fields.has(field)) return true;
    return false;
  }

  /** The rules that together take every packet of `pieces`; undefined where they do not, or are too many to tell. */
  cover(pieces: readonly Box[]): Place[] | undefined {
    const touching = new Set<number>();
    for (const piece of pieces) for (const index of this.touching(piece)) touching.add(index);
    const rules = [...touching].sort((a, b) => a - b);
    const one = rules.find((index) => pieces.every((piece) => containsBox(this.boxes[index] as Box, piece)));
    if (one !== undefined) return [this.places[one] as Place];
    if (rules.length < 2 || rules.length > MOST_TOUCHING) return undefined;
    const several = this.cutAway(pieces, rules);
    return several && this.shortened(pieces, several).map((index) => this.places[index] as Place);
  }

  /** What is left of a box behind these rules, in few pieces: rules that would make more of them are left out. */
  leftOf(box: Box): { readonly boxes: readonly Box[]; readonly because: readonly Place[] } {
    const because: Place[] = [];
    let boxes: readonly Box[] = [box];
    for (const index of this.touching(box)) {
      const rule = this.boxes[index] as Box;
      const next = boxes.flatMap((piece) => subtractBox(piece, rule));
      if (next.length > MOST_SENT) continue;
      because.push(this.places[index] as Place);
      boxes = next;
    }
    return { boxes, because };
  }

  private touching(piece: Box): number[] {
    const { hulls } = this;
    const [a, b, c, d, e, f, g, h] = hullOf(piece) as [number, number, number, number, number, number, number, number];
    const found: number[] = [];
    this.budget.left -= this.boxes.length;
    for (let index = 0, at = 0; index < this.boxes.length; index++, at += 8) {
      if ((hulls[at] as number) > b || (hulls[at + 1] as number) < a) continue;
      if ((hulls[at + 2] as number) > d || (hulls[at + 3] as number) < c) continue;
      if ((hulls[at + 4] as number) > f || (hulls[at + 5] as number) < e) continue;
      if ((hulls[at + 6] as number) > h || (hulls[at + 7] as number) < g) continue;
      if (touches(this.boxes[index] as Box, piece)) found.push(index);
    }
    return found;
  }

  /** The rules that take something of the pieces, when nothing is left behind them. */
  private cutAway(pieces: readonly Box[], rules: readonly number[]): number[] | undefined {
    for (const piece of pieces)
      for (const last of [false, true]) {
        const packet = samplePacket(piece, last);
        if (!rules.some((index) => takes(this.boxes[index] as Box, packet))) return undefined;
      }
    const used: number[] = [];
    let left = pieces;
    for (const index of rules) {
      const box = this.boxes[index] as Box;
      const next = left.flatMap((piece) => subtractBox(piece, box));
      if (next.length > MOST_PIECES) return undefined;
      if (next.length !== left.length || next.some((piece, at) => piece !== left[at])) used.push(index);
      left = next;
      if (left.length === 0) return used;
    }
    return undefined;
  }

  private shortened(pieces: readonly Box[], rules: readonly number[]): readonly number[] {
    let proof = rules;
    if (proof.length > LONGEST_SHORTENED) return proof;
    for (const index of rules) {
      const without = proof.filter((one) => one !== index);
      if (this.cutAway(pieces, without)) proof = without;
    }
    return proof;
  }
}

function hullOf(box: Box): number[] {
  const hull = NAMES.flatMap(() => [0, Number.POSITIVE_INFINITY]);
  for (const [field, values] of box) {
    const place = NAMES.indexOf(field.name);
    if (place < 0) continue;
    hull[2 * place] = Number(values[0]);
    hull[2 * place + 1] = Number(values.at(-1));
  }
  return hull;
}

/** A packet of the box: of each field the first value, or the first of the last interval. Others are zero. */
function samplePacket(box: Box, last: boolean): ReadonlyMap<Field, Bound> {
  const packet = new Map<Field, Bound>();
  for (const [field, values] of box) packet.set(field, values[last ? values.length - 2 : 0] as Bound);
  return packet;
}

function takes(box: Box, packet: ReadonlyMap<Field, Bound>): boolean {
  for (const [field, values] of box) {
    const value = packet.get(field) ?? zeroOf(values);
    if (!isIn(values, value)) return false;
  }
  return true;
}

const zeroOf = (values: IntervalSet): Bound => (typeof values[0] === "bigint" ? 0n : 0);

function isIn(values: IntervalSet, value: Bound): boolean {
  for (let i = 0; i < values.length; i += 2)
    if ((values[i] as Bound) <= value && value < (values[i + 1] as Bound)) return true;
  return false;
}
