/** Packets matched over time while updates are made, each update a stripe. */
import type uPlot from "uplot";
import type { PageLine, PageTimeline } from "../page-data.js";
import { makePlot } from "./plot.js";
import { colorOf, css } from "./theme.js";
import { rate } from "./units.js";

export function timelinePlot(place: HTMLElement, line: PageLine, timeline: PageTimeline): uPlot {
  const { binMs, mpps } = timeline;
  const xs = mpps.map((_, bin) => (bin + 0.5) * binMs);
  return makePlot({
    place,
    height: 260,
    x: { label: "milliseconds", scale: { range: [0, mpps.length * binMs] } },
    y: { label: "packets matched", scale: { range: (_, __, max) => [0, max * 1.1] }, say: rate },
    at: (bin) => `${xs[bin]} ms`,
    series: [{ label: line.label, stroke: () => colorOf(line), width: 1.5, points: { show: false } }],
    data: [xs, [...mpps]],
    under: (plot) => drawUpdates(plot, timeline),
  });
}

function drawUpdates(plot: uPlot, { updates }: PageTimeline): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = css("stripe");
  for (const [begun, ended] of updates) {
    const from = Math.max(bbox.left, plot.valToPos(begun, "x", true));
    const to = Math.min(bbox.left + bbox.width, plot.valToPos(ended, "x", true));
    if (to >= from) ctx.fillRect(from, bbox.top, Math.max(devicePixelRatio, to - from), bbox.height);
  }
  ctx.restore();
}
