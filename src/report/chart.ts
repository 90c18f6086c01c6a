/** The page's chart: update latency against size, a line a strategy and classifier. Drawn by uPlot, which the page holds. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { ResultRecord } from "../measure/result.js";
import { scriptValue } from "./markup.js";

/** A colour a strategy (Okabe and Ito's, told apart by colour-blind people too), dashes a classifier. */
const COLORS: Readonly<Record<string, string>> = {
  "one-by-one": "#d55e00",
  full: "#e69f00",
  partial: "#0072b2",
  incremental: "#009e73",
};
const DASHES: Readonly<Record<string, readonly number[]>> = { linear: [6, 4], "tuple-space": [] };

interface Line {
  readonly label: string;
  readonly stroke: string;
  readonly dash: readonly number[];
  /** Microseconds by size, null where it was not measured. */
  readonly values: readonly (number | null)[];
}

/** The library and what draws with it into the element "chart". */
export function chartScript(records: readonly ResultRecord[]): string {
  const sizes = [...new Set(records.map(sizeOf))].sort((a, b) => a - b);
  const data = { sizes, lines: linesOf(records, sizes) };
  return `${bundled("uPlot.iife.min.js")}\n(${DRAW})(${scriptValue(data)});`;
}

export function chartStyle(): string {
  return bundled("uPlot.min.css");
}

const sizeOf = ({ services, rules }: ResultRecord): number => services ?? rules;

function linesOf(records: readonly ResultRecord[], sizes: readonly number[]): Line[] {
  const cells = new Map<string, ResultRecord[]>();
  for (const record of records) {
    const label = `${record.strategy}, ${record.classifier}`;
    cells.set(label, [...(cells.get(label) ?? []), record]);
  }
  return [...cells].map(([label, cell]) => {
    const { strategy, classifier } = cell[0] as ResultRecord;
    return {
      label,
      stroke: COLORS[strategy] ?? "#555555",
      dash: DASHES[classifier] ?? [],
      values: sizes.map((size) => cell.find((record) => sizeOf(record) === size)?.update.p50_us ?? null),
    };
  });
}

function bundled(file: string): string {
  const require = createRequire(import.meta.url);
  return readFileSync(join(dirname(require.resolve("uplot/package.json")), "dist", file), "utf8");
}

/** Runs in the page. */
const DRAW = `function (data) {
  var say = function (us) {
    if (us == null) return "-";
    var unit = us < 1 ? [us * 1e3, " ns"] : us < 1e3 ? [us, " us"] : us < 1e6 ? [us / 1e3, " ms"] : [us / 1e6, " s"];
    return Number(unit[0].toPrecision(3)) + unit[1];
  };
  var place = document.getElementById("chart");
  var width = function () { return Math.max(300, place.clientWidth - 16); };
  var first = data.sizes[0], last = data.sizes[data.sizes.length - 1];
  var plot = new uPlot({
    width: width(),
    height: 420,
    scales: { x: { time: false, distr: 3, range: [first / 1.3, last * 1.3] }, y: { distr: 3 } },
    axes: [
      { splits: function () { return data.sizes; }, filter: function (u, at) { return at; },
        values: function (u, at) { return at.map(function (n) { return n.toLocaleString("en-US"); }); } },
      { size: 70, values: function (u, at) { return at.map(function (us) { return us === null ? "" : say(us); }); } }
    ],
    series: [{ label: "size", value: function (u, n) { return n == null ? "-" : n.toLocaleString("en-US"); } }].concat(
      data.lines.map(function (line) {
        return { label: line.label, stroke: line.stroke, dash: line.dash, width: 2, points: { show: true, size: 7 },
          value: function (u, us) { return say(us); } };
      }))
  }, [data.sizes].concat(data.lines.map(function (line) { return line.values; })), place);
  addEventListener("resize", function () { plot.setSize({ width: width(), height: 420 }); });
}`;
