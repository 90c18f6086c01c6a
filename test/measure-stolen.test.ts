import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stolenSeconds } from "../src/measure/stolen.js";
import { temporaryFolder } from "./temporary-folder.js";

describe("the time that the host has kept", () => {
  const folder = temporaryFolder();

  it("is the eighth number of the first line, in hundredths of a second", () => {
    const path = join(folder, "stat");
    writeFileSync(path, "cpu  100 200 300 400 500 600 700 1234 900 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n");
    expect(stolenSeconds(path)).toBe(12.34);
  });

  it("is not known where nobody says", () => {
    const path = join(folder, "old");
    writeFileSync(path, "cpu  100 200 300 400\n");
    expect(stolenSeconds(path)).toBeNull();
    expect(stolenSeconds(join(folder, "absent"))).toBeNull();
  });
});
