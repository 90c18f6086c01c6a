import { expect, test } from "vitest";
import { Random, scramble } from "../src/workload/random.js";

test("from the state 1, 2, 3, 4 the generator gives the numbers of xoshiro128**", () => {
  const random = Random.ofState(1, 2, 3, 4);
  expect(Array.from({ length: 6 }, () => random.next())).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492]);
});

test("a seed and stream give the same numbers everywhere, other streams others", () => {
  const first = (seed: number, stream: number): number[] => {
    const random = new Random(seed, stream);
    return [random.next(), random.next()];
  };
  expect(first(1, 0)).toEqual([2779180284, 3920410835]);
  expect(first(1, 0)).toEqual(first(1, 0));
  expect(first(1, 1)).not.toEqual(first(1, 0));
  expect(first(2, 0)).not.toEqual(first(1, 0));
});

test("below gives every number of a small range about as often", () => {
  const random = new Random(7);
  const counts = new Array<number>(10).fill(0);
  for (let draw = 0; draw < 100_000; draw++) counts[random.below(10)] = (counts[random.below(10)] as number) + 1;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

test("chance of 0 never comes, of 1 always", () => {
  const random = new Random(7);
  for (let draw = 0; draw < 1000; draw++) {
    expect(random.chance(0)).toBe(false);
    expect(random.chance(1)).toBe(true);
  }
});

test.each([1, 7, 12, 16])("scramble is a bijection of %i bits", (bits) => {
  const seen = new Set<number>();
  for (let index = 0; index < 2 ** bits; index++) seen.add(scramble(index, bits, 5));
  expect(seen.size).toBe(2 ** bits);
  expect(Math.max(...seen)).toBe(2 ** bits - 1);
});

test("scramble of 32 bits gives no number twice", () => {
  const seen = new Set<number>();
  for (let index = 0; index < 100_000; index++) seen.add(scramble(index, 32, 5));
  expect(seen.size).toBe(100_000);
});
