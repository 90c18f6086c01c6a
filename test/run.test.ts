import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { output, run, start } from "./run.js";
import { temporaryFolder } from "./temporary-folder.js";

const folder = temporaryFolder();
/** A program that says something, starts another that writes its number, and waits for ever, as the other does. */
const WAITING = 'echo said; sh -c \'echo $$ > "$0"; exec sleep 600\' "$0" & wait';

/** Whether process `pid` lives: it may wait for whoever takes note of its end. */
function lives(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const other = (name: string): string => {
  const path = join(folder, name);
  writeFileSync(path, "");
  return path;
};

describe.skipIf(process.platform !== "linux")("a program that a test runs", () => {
  it("is ended with what it has started when its time is over, and the error says what it was and what it said", () => {
    const file = other("run");
    expect(() => run("sh", ["-c", WAITING, file], { limitMs: 500 })).toThrow(
      /not ended after 0\.5 s: sh -c [\s\S]*stdout: said/,
    );
    const pid = readFileSync(file, "utf8").trim();
    expect(pid).toMatch(/^\d+$/);
    return expect.poll(() => lives(pid)).toBe(false);
  });

  it("says how it ended", () => {
    expect(run("sh", ["-c", "cat; echo no >&2; exit 3"], { input: "yes" })).toEqual({
      status: 3,
      stdout: "yes",
      stderr: "no\n",
    });
    expect(() => output("sh", ["-c", "echo no >&2; exit 3"])).toThrow(/exit 3: sh[\s\S]*no/);
    expect(run(join(folder, "none"), [])).toEqual({ status: null, stdout: "", stderr: "" });
  });

  const file = other("start");
  it("may be left running when a test ends", async () => {
    const { child } = start("sh", ["-c", WAITING, file]);
    await expect.poll(() => readFileSync(file, "utf8")).not.toBe("");
    expect(lives(String(child.pid))).toBe(true);
  });

  it("is ended then, with what it has started", async () => {
    const pid = readFileSync(file, "utf8").trim();
    await expect.poll(() => lives(pid)).toBe(false);
  });
});
