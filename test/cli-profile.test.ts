/** A profile of a bench, as clinic makes it and a browser shows it. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { describe, expect, it } from "vitest";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const CHROMIUM = "/usr/bin/chromium";
const folder = mkdtempSync(join(tmpdir(), "ruleswap-profile-"));

const missing = [...(existsSync(CHROMIUM) ? [] : ["no /usr/bin/chromium"]), ...(hasClinic() ? [] : ["no clinic"])].join(
  ", ",
);

function hasClinic(): boolean {
  try {
    return existsSync(createRequire(import.meta.url).resolve("clinic/package.json"));
  } catch {
    return false;
  }
}

const ruleswap = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: "utf8" });

it("is of a bench and of nothing else", () => {
  expect(ruleswap("profile", "flame", "--", "check")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("bench"),
  });
  expect(ruleswap("profile", "sunburst", "--", "bench").status).toBe(2);
});

describe.skipIf(missing !== "")(`a flame graph${missing && ` (skipped: ${missing})`}`, () => {
  it("names the functions of a bench's thread and the engine's, and is drawn by a browser", async () => {
    const ran = ruleswap(
      "profile",
      "flame",
      "--",
      "bench",
      "--sizes",
      "200",
      "--strategies",
      "full",
      "--duration",
      "0.3",
    );
    expect(ran.status, ran.stderr).toBe(0);
    const name = readdirSync(join(folder, "ruleswap-profile")).find((file) => file.endsWith(".html")) as string;
    const path = join(folder, "ruleswap-profile", name);
    const page = readFileSync(path, "utf8");
    // Threads write one log, and clinic draws one of them: the writer or a reader.
    expect(/dist\/measure\/(updater|reader)-task\.js/.test(page)).toBe(true);
    expect(/assembly\/\w+/.test(page)).toBe(true);
    expect(/wasm-function\[\d+\]/.test(page)).toBe(false);
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
    try {
      const shown = await browser.newPage();
      await shown.goto(pathToFileURL(path).href);
      await expect.poll(() => shown.locator("canvas").count(), { timeout: 30_000 }).toBeGreaterThan(0);
    } finally {
      await browser.close();
    }
  }, 180_000);
});
