/** The report as a browser shows it: Debian's Chromium, driven by playwright-core. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeReport } from "../src/report/html.js";
import { SAMPLE, sampleContention } from "./report/sample-result.js";
import { temporaryFolder } from "./temporary-folder.js";

const CHROMIUM = "/usr/bin/chromium";
const missing = existsSync(CHROMIUM) ? "" : " (skipped: no /usr/bin/chromium)";
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let browser: Browser;
const said: string[] = [];

async function open(width: number, colorScheme: "light" | "dark" = "light", result = SAMPLE): Promise<Page> {
  const path = writeReport(result, temporaryFolder());
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(error.message));
  await page.goto(pathToFileURL(path).href);
  return page;
}

/** Pixels of a plot that are not its background. */
function inked(page: Page, plot: string): Promise<number> {
  return page.$eval(`#${plot} canvas`, (canvas) => {
    const { width, height } = canvas as HTMLCanvasElement;
    const { data } = (canvas as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height) ?? { data: [] };
    let count = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] !== 0) count++;
    return count;
  });
}

const PLOTS = ["update", "distribution", "phase", "effect", "match", "timeline", "memory"].map(
  (name) => `${name}-plot`,
);

describe.skipIf(missing !== "")(`the page in Chromium${missing}`, () => {
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
    });
  });
  afterAll(() => browser?.close());

  it("draws every plot in either theme and says nothing on the console", async () => {
    for (const theme of ["light", "dark"] as const) {
      const page = await open(1280, theme);
      for (const plot of PLOTS) expect(await inked(page, plot), `${plot}, ${theme}`).toBeGreaterThan(2000);
      await page.close();
    }
    expect(said).toEqual([]);
  });

  it("begins with the largest size, and has the others a click away", async () => {
    const page = await open(390);
    expect(await page.$$eval("header > .answer", (all) => all.map((one) => one.textContent))).toEqual([
      expect.stringContaining("at 5,000 services"),
    ]);
    await page.click(".others summary");
    expect(await page.isVisible(".others .answer")).toBe(true);
    await page.close();
  });

  describe("on a wide screen", () => {
    let page: Page;
    beforeAll(async () => {
      page = await open(1280);
    });
    afterAll(() => page?.close());

    it("writes what the parts of bars are", async () => {
      expect(await page.textContent("#memory-key")).toBe("livemore during an update");
      expect(await page.textContent("#phase-key")).toContain("quiesce");
    });

    it("hides a strategy in its plots when its switch is pressed, and shows it again", async () => {
      const before = await inked(page, "update-plot");
      await page.click('button[data-toggle="incremental"]');
      expect(await page.getAttribute('button[data-toggle="incremental"]', "aria-pressed")).toBe("false");
      await page.waitForTimeout(100);
      expect(await inked(page, "update-plot")).toBeLessThan(before);
      await page.click('button[data-toggle="incremental"]');
      await page.waitForTimeout(100);
      expect(await inked(page, "update-plot")).toBe(before);
    });

    it("shows what is under the pointer", async () => {
      const box = await (await page.$("#update-plot .u-over"))?.boundingBox();
      if (!box) throw new Error("no plot");
      await page.mouse.move(box.x + box.width - 20, box.y + 40);
      await page.mouse.move(box.x + box.width * 0.75, box.y + 60);
      const text = await page.textContent("#update-plot .tip");
      expect(text).toMatch(/services/);
      expect(text).toMatch(/full, tuple-space: 212 ms.*incremental, tuple-space: 9\.2 µs/);
    });

    it("draws another size when it is chosen, everywhere at once", async () => {
      await page.selectOption("#phase-size", { label: "1,000 services" });
      expect(await page.inputValue("#memory-size")).toBe("0");
      expect(await inked(page, "distribution-plot")).toBeGreaterThan(2000);
    });

    it("gives each table as CSV", async () => {
      await page.click("#latency >> xpath=ancestor::details/summary");
      const [download] = await Promise.all([page.waitForEvent("download"), page.click('button[data-csv="latency"]')]);
      const lines = readFileSync(await download.path(), "utf8").split("\r\n");
      expect(lines[0]).toBe("what,size,changes,p50,p90,p99,p99.9,max,service p50,unfinished,failed");
      expect(lines[1]).toMatch(/^"full, tuple-space","1,000 services",3,26600,/);
    });
  });

  it("draws what several writers did where there were some, and leaves it out where there was one", async () => {
    const alone = await open(1280);
    expect(await alone.$("#wait-plot")).toBeNull();
    await alone.close();
    const contention = [1000, 5000].flatMap((size) => [
      sampleContention(size, "full", 26 * size),
      sampleContention(size, "incremental", 9.2),
    ]);
    const page = await open(390, "dark", { ...SAMPLE, contention });
    for (const plot of ["throughput-plot", "wait-plot"]) expect(await inked(page, plot), plot).toBeGreaterThan(1500);
    expect(await page.$$eval("#contention tbody tr", (rows) => rows.length)).toBe(4);
    expect(await page.$$eval("#writers tbody tr", (rows) => rows.length)).toBe(8);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.close();
  });

  describe("on paper", () => {
    /** Pixels between the margins of A4 and of Letter, at 96 an inch. */
    const PAPERS = [
      ["A4", 688],
      ["Letter", 710],
    ] as const;

    it.each(PAPERS)(
      "%s holds every plot and table whole, with all that is folded on a screen",
      async (format, width) => {
        const contention = [1000, 5000].map((size) => sampleContention(size, "incremental", 9.2));
        const page = await open(1280, "dark", { ...SAMPLE, contention });
        await page.emulateMedia({ media: "print" });
        await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
        expect(await page.$$eval("details:not([open])", (all) => all.length)).toBe(0);
        await page.setViewportSize({ width, height: 900 });
        const wider = async (): Promise<string[]> => {
          const names = await page.$$eval(
            "main *",
            (all, most) =>
              all
                .filter((one) => one.getBoundingClientRect().right > most + 1 || one.scrollWidth > one.clientWidth + 1)
                .map(({ tagName, className }) => `${tagName} ${className}`),
            width,
          );
          return names.filter((name) => !/^(SPAN|A|B|I|LABEL|CODE|TBODY|THEAD|TR|svg|path)\b/.test(name));
        };
        // Plots are drawn anew for the paper's width when the page comes to it.
        await expect.poll(wider, { timeout: 10_000 }).toEqual([]);
        await page.evaluate(() => dispatchEvent(new Event("afterprint")));
        expect(await page.$$eval("details:not([open])", (all) => all.length)).toBeGreaterThan(0);
        const sheets = (await page.pdf({ format })).toString("latin1").match(/\/Type \/Page\b/g) ?? [];
        expect(sheets.length).toBeGreaterThan(2);
        expect(sheets.length).toBeLessThan(11);
        await page.close();
      },
    );

    it("is white, in the light theme's colours, whatever the screen is", async () => {
      const part = (page: Page) =>
        page.$eval("#memory-plot canvas", (canvas) => {
          const { width, height } = canvas as HTMLCanvasElement;
          const context = (canvas as HTMLCanvasElement).getContext("2d") as CanvasRenderingContext2D;
          const row = context.getImageData(0, Math.round(height * 0.7), width, 1).data;
          return [...new Set(Array.from({ length: width }, (_, x) => row.slice(4 * x, 4 * x + 4).join()))].sort();
        });
      const light = await open(1280);
      const dark = await open(1280, "dark");
      expect(await part(dark)).not.toEqual(await part(light));
      await dark.emulateMedia({ media: "print", colorScheme: "dark" });
      await expect.poll(() => part(dark)).toEqual(await part(light));
      expect(await dark.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(255, 255, 255)");
      await light.close();
      await dark.close();
    });

    it("shows which line is which and what is drawn as text, and nothing that is there to be pressed", async () => {
      const page = await open(1280);
      await page.click('button[data-toggle="full"]');
      await page.emulateMedia({ media: "print" });
      expect(await page.isVisible('button[data-toggle="full"]')).toBe(false);
      expect(await page.isVisible('button[data-toggle="incremental"] i')).toBe(true);
      expect(await page.isVisible("button.csv")).toBe(false);
      const looks = await page.$$eval("button, select", (all) =>
        all.map((one) => [getComputedStyle(one).borderTopWidth, getComputedStyle(one).appearance].join()),
      );
      expect(new Set(looks)).toEqual(new Set(["0px,none"]));
      await page.close();
    });
  });

  it("is not wider than a phone, whose plots and tables keep to themselves", async () => {
    const page = await open(390);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await page.evaluate(() => getComputedStyle(document.body).fontSize)).toBe("16px");
    await page.close();
  });

  it("has nothing serious that axe-core would find, in either theme", async () => {
    for (const theme of ["light", "dark"] as const) {
      const page = await open(1280, theme);
      await page.addScriptTag({ path: AXE });
      const found = await page.evaluate(async () => {
        const { axe } = window as unknown as {
          axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
        };
        const { violations } = await axe.run();
        return violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
      });
      expect(found, theme).toEqual([]);
      await page.close();
    }
  });

  it("runs nothing that a workload's name says", async () => {
    const name = '</script><script>document.title="taken"</script><img src=x onerror="document.title=1">';
    const results = SAMPLE.results.map((record) => ({ ...record, workload: name, services: null }));
    const page = await open(800, "light", { ...SAMPLE, results });
    expect(await page.title()).toBe("ruleswap: what a change costs");
    expect(await inked(page, "update-plot")).toBeGreaterThan(2000);
    await page.close();
  });
});
