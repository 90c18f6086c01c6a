/** A profile of a bench, as clinic makes it and a browser shows it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "./run.js";
import { temporaryFolder } from "./temporary-folder.js";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const CHROMIUM = "/usr/bin/chromium";
const SMALL = ["--sizes", "100", "--classifiers", "linear", "--rounds", "1"];
const folder = temporaryFolder();

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

const ruleswap = (...args: string[]) => run(process.execPath, [MAIN, ...args], { cwd: folder });

it("is of a bench and of nothing else", () => {
  expect(ruleswap("profile", "flame", "--", "check")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("bench"),
  });
  expect(ruleswap("profile", "sunburst", "--", "bench").status).toBe(2);
});

describe.skipIf(missing !== "")(`a profile${missing && ` (skipped: ${missing})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  });
  afterAll(() => browser?.close());

  it("flame names the functions of a bench's thread and the engine's, and is drawn", async () => {
    const { path, page } = profileOf("flame", "--sizes", "200", "--classifiers", "linear");
    // Threads write one log, and clinic draws one of them: the writer or a reader.
    expect(/dist\/measure\/(updater|reader)-task\.js/.test(page)).toBe(true);
    expect(/assembly\/\w+/.test(page)).toBe(true);
    expect(/wasm-function\[\d+\]/.test(page)).toBe(false);
    const shown = await open(browser, path);
    await expect.poll(() => shown.locator("canvas").count(), { timeout: 30_000 }).toBeGreaterThan(0);
    await shown.close();
  }, 180_000);

  it("doctor draws one thread's samples, whose time never goes back", async () => {
    const { path } = profileOf("doctor");
    const shown = await open(browser, path);
    const curves = (): Promise<number[][]> =>
      shown.$$eval("svg path", (paths) =>
        paths
          .map((one) => one.getAttribute("d") ?? "")
          .filter((line) => /^M[^Z]*L[^Z]*$/.test(line))
          .map((line) => [...line.matchAll(/[ML]([\d.-]+),/g)].map(([, x]) => Number(x))),
      );
    await expect.poll(async () => (await curves()).filter(({ length }) => length > 5).length).toBeGreaterThan(2);
    for (const xs of await curves()) expect(xs).toEqual(xs.toSorted((a, b) => a - b));
    await shown.close();
  }, 180_000);

  it("bubbleprof reads the log of the thread that makes the updates, and draws what it waited for", async () => {
    const { path, said } = profileOf("bubbleprof");
    expect(said).not.toContain("decoding error");
    const shown = await open(browser, path);
    await expect.poll(() => shown.locator("svg circle, svg path").count(), { timeout: 30_000 }).toBeGreaterThan(20);
    await shown.close();
  }, 180_000);

  it("heapprofiler names the functions that took memory, and is drawn", async () => {
    const { path, page } = profileOf("heapprofiler");
    expect(page).toContain("runBench");
    const shown = await open(browser, path);
    await expect.poll(() => shown.locator("canvas").count(), { timeout: 30_000 }).toBeGreaterThan(0);
    await shown.close();
  }, 180_000);
});

/** Of a short bench: the page and its text, and what clinic said. */
function profileOf(kind: string, ...options: readonly string[]): { path: string; page: string; said: string } {
  const bench = ["bench", "--strategies", "full", "--duration", "0.09", ...(options.length > 0 ? options : SMALL)];
  const ran = ruleswap("profile", kind, "--", ...bench);
  expect(ran.status, ran.stderr).toBe(0);
  const made = readdirSync(join(folder, "ruleswap-profile"));
  // Logs of other threads are not left lying about.
  expect(made.filter((name) => name.startsWith("threads"))).toEqual([]);
  const path = join(folder, "ruleswap-profile", made.find((name) => name.endsWith(`${kind}.html`)) as string);
  return { path, page: readFileSync(path, "utf8"), said: ran.stdout + ran.stderr };
}

async function open(browser: Browser, path: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(pathToFileURL(path).href);
  return page;
}
