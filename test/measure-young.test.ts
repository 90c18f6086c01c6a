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
