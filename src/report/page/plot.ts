/** What all plots share: size, axes in the page's colours, and a tooltip that lists what is under the pointer. */
import uPlot from "uplot";
import { css, FONT } from "./theme.js";

export interface PlotOptions {
  readonly place: HTMLElement;
  readonly height: number;
  readonly x: { readonly label: string; readonly axis?: Partial<uPlot.Axis>; readonly scale: uPlot.Scale };
  readonly y: {
    readonly label: string;
    readonly scale: uPlot.Scale;
    /** A value as text: on the axis, and in the tooltip. */
    readonly say: (value: number) => string;
  };
  /** Pixels kept free on the right, for names at the ends of lines. */
  readonly right?: number;
  /** The tooltip's first line. */
  readonly at: (index: number) => string;
  readonly series: readonly uPlot.Series[];
  readonly data: uPlot.AlignedData;
  /** Draw behind and over the lines. */
  readonly under?: (plot: uPlot) => void;
  readonly over?: (plot: uPlot) => void;
  /** Series that the tooltip leaves out. */
  readonly silent?: (nth: number) => boolean;
}

/** A plot that fills the width of its place, now and later. */
export function makePlot(options: PlotOptions): uPlot {
  const { place, height, x, y, right } = options;
  const width = (): number => Math.max(260, place.clientWidth);
  const grid = { stroke: () => css("grid"), width: 1 };
  const axis = { stroke: () => css("ink"), font: FONT, labelFont: FONT, grid, ticks: grid };
  const plot = new uPlot(
    {
      width: width(),
      height,
      padding: [12, right ?? 24, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 7 } },
      scales: { x: { time: false, ...x.scale }, y: y.scale },
      axes: [
        { ...axis, label: x.label, labelSize: 22, size: 34, ...x.axis },
        {
          ...axis,
          label: y.label,
          labelSize: 22,
          size: 64,
          ...(y.scale.distr === 3 ? { splits: logSplits } : {}),
          values: (_, at) => at.map((value) => (value === null ? "" : y.say(value))),
        },
      ],
      series: [{}, ...options.series],
      hooks: {
        drawClear: options.under ? [options.under] : [],
        draw: options.over ? [options.over] : [],
        setCursor: [tooltip(options)],
      },
    },
    options.data,
    place,
  );
  new ResizeObserver(() => plot.setSize({ width: width(), height })).observe(place);
  return plot;
}

/** Whole powers of ten; where there are fewer than three, twice and five times them as well. */
function logSplits(_: uPlot, __: number, min: number, max: number): number[] {
  const first = Math.floor(Math.log10(min));
  const decades = Array.from({ length: Math.ceil(Math.log10(max)) - first + 1 }, (___, nth) => 10 ** (first + nth));
  const steps = decades.length > 3 ? [1] : [1, 2, 5];
  return decades.flatMap((decade) => steps.map((step) => step * decade)).filter((at) => at >= min && at <= max);
}

function tooltip({ place, at, y, silent }: PlotOptions): (plot: uPlot) => void {
  const box = document.createElement("div");
  box.className = "tip";
  box.hidden = true;
  place.append(box);
  place.addEventListener("mouseleave", () => {
    box.hidden = true;
  });
  return (plot) => {
    const { idx, left = -1, top = 0 } = plot.cursor;
    if (idx === null || idx === undefined || left < 0) {
      box.hidden = true;
      return;
    }
    const rows = plot.series.flatMap((series, nth) => {
      const value = plot.data[nth]?.[idx];
      const hidden = nth === 0 || series.show === false || silent?.(nth) || value === null || value === undefined;
      return hidden ? [] : [{ series, value }];
    });
    rows.sort((a, b) => b.value - a.value);
    box.replaceChildren(
      line(at(idx), ""),
      ...rows.map(({ series, value }) => line(`${String(series.label)}: ${y.say(value)}`, strokeOf(plot, series))),
    );
    box.hidden = rows.length === 0;
    const half = plot.over.clientWidth / 2;
    const start = plot.over.offsetLeft;
    box.style.top = `${Math.max(0, top - 10)}px`;
    box.style.left = left < half ? `${start + left + 14}px` : "auto";
    box.style.right = left < half ? "auto" : `${place.clientWidth - start - left + 14}px`;
  };
}

function strokeOf(plot: uPlot, { stroke }: uPlot.Series): string {
  const found: unknown = typeof stroke === "function" ? stroke(plot, 0) : stroke;
  return typeof found === "string" ? found : "";
}

function line(text: string, color: string): HTMLElement {
  const row = document.createElement("div");
  if (color !== "") {
    const mark = document.createElement("i");
    mark.style.background = color;
    row.append(mark);
  }
  row.append(text);
  return row;
}
