/** What rehearsals leave behind is gone when something is measured. */
import { getHeapSpaceStatistics } from "node:v8";
import { expect, it } from "vitest";
import { collectYoung } from "../src/measure/young.js";

const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_used_size ?? 0;

it("collects young objects that nobody holds", () => {
  collectYoung();
  let last: number[] = [];
  for (let n = 0; n < 100; n++) last = Array.from({ length: 500 }, (_, i) => n + i);
  expect(last).toHaveLength(500);
  const before = youngBytes();
  expect(before).toBeGreaterThan(200_000);
  collectYoung();
  expect(youngBytes()).toBeLessThan(before / 2);
});

it("leaves room whose pages are there", () => {
  collectYoung();
  const before = process.resourceUsage().minorPageFault;
  let last: number[] = [];
  for (let bytes = 0; bytes < 4 << 20; bytes += 8000) last = new Array<number>(1000).fill(0);
  expect(last).toHaveLength(1000);
  // A page is 4 KiB: a thousand faults where each is got as it is met.
  expect(process.resourceUsage().minorPageFault - before).toBeLessThan(500);
});
