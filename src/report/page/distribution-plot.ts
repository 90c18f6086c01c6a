/** Latency by percentile, HDR style: each nine gets as much room as the one before. */
import type uPlot from "uplot";
import type { PageCell, PageData } from "../page-data.js";
import { makePlot } from "./plot.js";
import { colorOf, dashOf } from "./theme.js";
import { duration } from "./units.js";

/** Pixels between 0 % and 50 % below which only one of them has room. */
const FIRST_SPACE = 64;

export interface DistributionPlotOptions {
  readonly place: HTMLElement;
  readonly data: PageData;
  /** Which of the data's sizes. */
  readonly size: number;
  readonly label: string;
  readonly values: (cell: PageCell) => PageCell["distribution"];
}

export function distributionPlot(options: DistributionPlotOptions): {
  plot: uPlot;
  seriesOf: (nth: number) => number[];
} {
  const { place, data, size, label, values } = options;
  const curves = data.lines.map(({ cells }) => {
    const cell = cells[size];
    return new Map(cell ? values(cell) : []);
  });
  const xs = [...new Set(curves.flatMap((curve) => [...curve.keys()]))].sort((a, b) => a - b);
  const nines = Array.from({ length: Math.floor(xs.at(-1) ?? 0) + 1 }, (_, nine) => nine);
  const last = Math.max(1, xs.at(-1) ?? 1);
  const plot = makePlot({
    place,
    height: 320,
    x: {
      label: "percentile of changes",
      scale: { range: [0, last] },
      axis: {
        splits: () => [
          ...(place.clientWidth * Math.log10(2) < FIRST_SPACE * last ? [] : [0]),
          Math.log10(2),
          ...nines.slice(1),
        ],
        values: (_, at) => at.map(percentile),
      },
    },
    y: { label, scale: { distr: 3 }, say: duration },
    at: (index) => `${percentile(xs[index] as number)} of changes took no longer than`,
    series: data.lines.map((line) => ({
      label: line.label,
      stroke: () => colorOf(line),
      dash: dashOf(line),
      width: 2,
      spanGaps: true,
      points: { show: false },
    })),
    data: [xs, ...curves.map((curve) => xs.map((x) => curve.get(x) ?? null))],
  });
  return { plot, seriesOf: (nth) => [nth + 1] };
}

/** 2 is "99 %". */
function percentile(x: number): string {
  const share = 100 * (1 - 10 ** -x);
  return `${Number(share.toFixed(Math.max(0, Math.ceil(x) - 1)))} %`;
}
