/** A cost against size, both logarithmic: a line for each way of changing rules, with its fitted exponent at its end. */
import type uPlot from "uplot";
import type { PageCell, PageData } from "../page-data.js";
import type { Published } from "../published.js";
import { makePlot } from "./plot.js";
import { colorOf, css, dashOf, FONT } from "./theme.js";
import { duration, whole } from "./units.js";

export interface SizePlotOptions {
  readonly place: HTMLElement;
  readonly data: PageData;
  readonly label: string;
  /** Null where there is none. */
  readonly value: (cell: PageCell) => number | null;
  /** A value as text; microseconds where it is not said. */
  readonly say?: (value: number) => string;
  readonly exponents: boolean;
  readonly published: readonly Published[];
}

/** Pixels for an exponent at a line's end. */
const MARGIN = 74;
const LINE_HEIGHT = 13;

/** The plot, and which of its series belongs to line `nth` of the data. */
export function sizePlot(options: SizePlotOptions): { plot: uPlot; seriesOf: (nth: number) => number[] } {
  const { place, data, label, value, say = duration, exponents, published } = options;
  const all = published.flatMap(({ points }) => points.map(([size]) => size));
  const sizes = [...new Set([...data.sizes, ...all])].sort((a, b) => a - b);
  const columns = data.lines.map(({ cells }) =>
    sizes.map((size) => {
      const cell = cells[data.sizes.indexOf(size)];
      return cell ? value(cell) : null;
    }),
  );
  const marks = published.map(({ points }) => sizes.map((size) => points.find(([at]) => at === size)?.[1] ?? null));
  const [first = 1, last = 1] = [sizes[0], sizes.at(-1)];
  const plot = makePlot({
    place,
    height: 440,
    x: {
      label: data.counts,
      scale: { distr: 3, range: [first / 1.25, last * 1.25] },
      axis: {
        splits: () => data.sizes as number[],
        filter: (_, at) => at,
        values: (_, at) => at.map((size) => whole(size)),
      },
    },
    y: { label, scale: { distr: 3 }, say },
    right: exponents ? MARGIN : 24,
    at: (index) => `${whole(sizes[index] as number)} ${data.counts}`,
    series: [
      ...data.lines.map((line) => ({
        label: line.label,
        stroke: () => colorOf(line),
        dash: dashOf(line),
        width: 2,
        spanGaps: true,
        points: { show: true, size: 7, fill: () => colorOf(line) },
      })),
      ...published.map((one) => ({
        label: one.label,
        stroke: () => css("faint"),
        paths: () => null,
        points: { show: true, size: 9, width: 2, stroke: () => css("faint"), fill: () => css("paper") },
      })),
    ],
    data: [sizes, ...columns, ...marks],
    ...(exponents ? { over: (drawn: uPlot) => drawExponents(drawn, data) } : {}),
  });
  return { plot, seriesOf: (nth) => [nth + 1] };
}

/** "n^1.02" beside the last point of each line that is shown, moved apart where they would lie on each other. */
function drawExponents(plot: uPlot, { lines }: PageData): void {
  const ratio = devicePixelRatio;
  const labels = lines.flatMap((line, nth) => {
    const column = plot.data[nth + 1] as (number | null)[];
    const last = column.findLastIndex((one) => one !== null);
    if (line.exponent === null || last < 0 || plot.series[nth + 1]?.show === false) return [];
    const x = plot.valToPos(plot.data[0][last] as number, "x", true);
    return [{ line, x, y: plot.valToPos(column[last] as number, "y", true) }];
  });
  labels.sort((a, b) => a.y - b.y);
  const { ctx } = plot;
  ctx.save();
  ctx.font = FONT.replace("12px", `${11 * ratio}px`);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const heights = apart(
    labels.map(({ y }) => y),
    LINE_HEIGHT * ratio,
    plot.bbox.top + plot.bbox.height,
  );
  for (const [nth, { line, x }] of labels.entries()) {
    ctx.fillStyle = colorOf(line);
    ctx.fillText(`n^${(line.exponent as number).toFixed(2)}`, x + 12 * ratio, heights[nth] as number);
  }
  ctx.restore();
}

/** Ascending heights moved down until no two are nearer than `space`, and up again where they would leave the plot. */
function apart(heights: readonly number[], space: number, bottom: number): number[] {
  const moved: number[] = [];
  for (const height of heights) moved.push(Math.max(height, (moved.at(-1) ?? Number.NEGATIVE_INFINITY) + space));
  for (let nth = moved.length - 1, limit = bottom; nth >= 0; nth--, limit -= space)
    moved[nth] = Math.min(moved[nth] as number, limit);
  return moved;
}
