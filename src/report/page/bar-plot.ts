/** Stacked bars, one a line of the data that is shown. */
import uPlot from "uplot";
import { makePlot } from "./plot.js";
import { css } from "./theme.js";

export interface BarPlotOptions {
  readonly place: HTMLElement;
  readonly label: string;
  /** A bar each. */
  readonly bars: readonly string[];
  /** From the bottom up: what a part is called, and how much of it each bar has. */
  readonly parts: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly say: (value: number) => string;
  readonly top?: number;
}

/** Colours of parts, by the page's style sheet. */
const PART_COLORS = 9;
/** Pixels a bar below which its name is written aslant. */
const NARROW = 84;

export function barPlot({ place, label, bars, parts, say, top }: BarPlotOptions): uPlot {
  const sums = parts.map((_, nth) =>
    bars.map((__, bar) => parts.slice(0, nth + 1).reduce((sum, { values }) => sum + (values[bar] as number), 0)),
  );
  const paths = uPlot.paths.bars?.({ size: [0.7, 64] });
  const color = (nth: number) => () => css(`part-${(nth % PART_COLORS) + 1}`);
  const narrow = place.clientWidth / bars.length < NARROW;
  // The tallest sum is drawn first, so that each part shows above the one below it.
  const order = parts.map((_, nth) => parts.length - 1 - nth);
  return makePlot({
    place,
    height: 340,
    x: {
      label: "",
      scale: { range: [-0.6, bars.length - 0.4] },
      axis: {
        labelSize: 0,
        size: narrow ? 150 : 56,
        splits: () => bars.map((_, bar) => bar),
        values: () => (narrow ? [...bars] : bars.map((name) => name.replace(/,? /, "\n"))),
        grid: { show: false },
        rotate: narrow ? -90 : 0,
      },
    },
    y: { label, scale: { range: (_, __, max) => [0, top ?? max * 1.05] }, say },
    at: (bar) =>
      `${bars[bar]}: ${parts
        .map(({ name, values }) => `${name} ${say(values[bar] as number)}`)
        .filter((_, nth) => (parts[nth]?.values[bar] as number) > 0)
        .join(", ")}`,
    silent: (nth) => nth < order.length,
    series: order.map((nth) => ({
      label: "all",
      fill: color(nth),
      stroke: color(nth),
      width: 0,
      points: { show: false },
      ...(paths ? { paths } : {}),
    })),
    data: [bars.map((_, bar) => bar), ...order.map((nth) => sums[nth] as number[])],
  });
}
