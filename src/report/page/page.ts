/** Runs in the report's page: draws the plots, and lets one choose what they show. */
import type uPlot from "uplot";
import type { PageData, PageLine } from "../page-data.js";
import { barPlot } from "./bar-plot.js";
import { distributionPlot } from "./distribution-plot.js";
import { sizePlot } from "./size-plot.js";
import { unfoldForPrint } from "./print.js";
import { offerCsv } from "./tables.js";
import { timelinePlot } from "./timeline-plot.js";
import { bytes, whole } from "./units.js";

interface LinePlot {
  readonly plot: uPlot;
  readonly seriesOf: (nth: number) => number[];
}

const data = JSON.parse(document.getElementById("data")?.textContent ?? "") as PageData;
const hidden = new Set<string>();
let size = data.sizes.length - 1;
let timelineLine = -1;
const contended = data.lines.some(({ cells }) => cells.some((cell) => cell?.contention));

const place = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;
const isShown = ({ strategy, classifier, target }: PageLine): boolean =>
  ![strategy, target === "ruleswap" ? classifier : "", target].some((name) => hidden.has(name));

const bySize: LinePlot[] = [];
let ofOneSize: LinePlot[] = [];
let redrawn: uPlot[] = [];

function drawBySize(): void {
  const common = { data, published: [], exponents: false };
  const published = (plot: "update" | "match") => data.published.filter((one) => one.plot === plot);
  bySize.push(
    sizePlot({
      ...common,
      place: place("update-plot"),
      label: "update latency, median",
      value: ({ p50 }) => p50,
      exponents: data.sizes.length > 1,
      published: published("update"),
    }),
    sizePlot({
      ...common,
      place: place("effect-plot"),
      label: "time to effect, median",
      value: ({ effectP50 }) => effectP50,
    }),
    sizePlot({
      ...common,
      place: place("match-plot"),
      label: "one packet, median",
      value: ({ matchIdle }) => matchIdle,
      published: published("match"),
    }),
  );
  if (contended)
    bySize.push(
      sizePlot({
        ...common,
        place: place("throughput-plot"),
        label: "changes a second",
        value: ({ contention }) => contention?.perSecond ?? null,
        say: whole,
      }),
    );
}

/** Draws anew what belongs to the chosen size. */
function drawOneSize(): void {
  for (const { plot } of ofOneSize) plot.destroy();
  ofOneSize = [
    distributionPlot({
      place: place("distribution-plot"),
      data,
      size,
      label: "update latency",
      values: ({ distribution }) => distribution,
    }),
  ];
  if (contended)
    ofOneSize.push(
      distributionPlot({
        place: place("wait-plot"),
        data,
        size,
        label: "wait for the lock",
        values: ({ contention }) => contention?.waits ?? [],
      }),
    );
  drawBars();
  showLines();
}

function drawBars(): void {
  for (const plot of redrawn) plot.destroy();
  redrawn = [];
  const lines = data.lines.filter((line) => isShown(line));
  const cellOf = (line: PageLine) => line.cells[size];
  const phased = lines.filter((line) => cellOf(line)?.phases);
  const names = Object.keys(phased[0] ? (cellOf(phased[0])?.phases ?? {}) : {});
  const total = (line: PageLine): number =>
    Object.values(cellOf(line)?.phases ?? {}).reduce((sum, one) => sum + one, 0) || 1;
  place("phase-key").replaceChildren(...names.map(keyOf));
  redrawn.push(
    barPlot({
      place: place("phase-plot"),
      label: "share of an update",
      bars: phased.map(({ label }) => label),
      parts: names.map((name) => ({
        name,
        values: phased.map((line) => (100 * (cellOf(line)?.phases?.[name] ?? 0)) / total(line)),
      })),
      say: (share) => `${Number(share.toFixed(1))} %`,
      top: 100,
    }),
  );
  const kept = lines.filter((line) => cellOf(line)?.liveBytes);
  const live = kept.map((line) => cellOf(line)?.liveBytes ?? 0);
  const parts = ["live", "more during an update"];
  place("memory-key").replaceChildren(...parts.map(keyOf));
  redrawn.push(
    barPlot({
      place: place("memory-plot"),
      label: "shared memory",
      bars: kept.map(({ label }) => label),
      parts: [
        { name: parts[0] as string, values: live },
        {
          name: parts[1] as string,
          values: kept.map((line, nth) => (cellOf(line)?.peakBytes ?? 0) - (live[nth] as number)),
        },
      ],
      say: bytes,
    }),
  );
  drawTimeline();
}

function drawTimeline(): void {
  const select = place("timeline-line") as HTMLSelectElement;
  const timed = data.lines.flatMap((line, nth) => (line.cells[size]?.timeline && isShown(line) ? [nth] : []));
  if (!timed.includes(timelineLine)) timelineLine = timed.at(-1) ?? -1;
  select.replaceChildren(...timed.map((nth) => new Option(data.lines[nth]?.label, String(nth))));
  select.value = String(timelineLine);
  const line = data.lines[timelineLine];
  const timeline = line?.cells[size]?.timeline;
  if (line && timeline) redrawn.push(timelinePlot(place("timeline-plot"), line, timeline));
}

function keyOf(name: string, nth: number): HTMLElement {
  const item = document.createElement("span");
  const mark = document.createElement("i");
  mark.style.background = `var(--part-${nth + 1})`;
  item.append(mark, name);
  return item;
}

function showLines(): void {
  for (const { plot, seriesOf } of [...bySize, ...ofOneSize])
    data.lines.forEach((line, nth) => {
      for (const series of seriesOf(nth)) plot.setSeries(series, { show: isShown(line) });
    });
}

function control(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-toggle]"))
    button.addEventListener("click", () => {
      const name = button.dataset.toggle as string;
      const pressed = hidden.has(name);
      if (pressed) hidden.delete(name);
      else hidden.add(name);
      button.setAttribute("aria-pressed", String(pressed));
      showLines();
      drawBars();
    });
  const published = document.querySelector<HTMLButtonElement>("button[data-published]");
  published?.addEventListener("click", () => {
    const shown = published.getAttribute("aria-pressed") !== "true";
    published.setAttribute("aria-pressed", String(shown));
    for (const { plot } of bySize)
      for (let nth = data.lines.length + 1; nth < plot.series.length; nth++) plot.setSeries(nth, { show: shown });
  });
  for (const select of document.querySelectorAll<HTMLSelectElement>("select[data-size]"))
    select.addEventListener("change", () => {
      size = Number(select.value);
      for (const other of document.querySelectorAll<HTMLSelectElement>("select[data-size]")) other.value = select.value;
      drawOneSize();
    });
  place("timeline-line").addEventListener("change", (event) => {
    timelineLine = Number((event.target as HTMLSelectElement).value);
    drawBars();
  });
  const repaint = (): void => {
    // Their paths as well: bars keep their colour with them.
    for (const plot of [...bySize, ...ofOneSize].map((one) => one.plot).concat(redrawn)) plot.redraw(true, true);
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  matchMedia("print").addEventListener("change", repaint);
}

drawBySize();
drawOneSize();
control();
offerCsv();
unfoldForPrint();
