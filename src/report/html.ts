/** The page that bench writes: one file, no network, the answer first. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GrowthMetric, GrowthRecord, ResultFile, ResultRecord } from "../measure/result.js";
import { answers, bySize, titleOf } from "./answer.js";
import { cautions } from "./cautions.js";
import { chartScript, chartStyle } from "./chart.js";
import { byCell, COLUMNS, exponent, GROWTH_HEADS } from "./columns.js";
import { html, type Html, join as all, raw } from "./markup.js";

/** Writes `folder`/index.html, the folder as well where it is missing, and returns the path. */
export function writeReport(result: ResultFile, folder: string): string {
  const path = join(folder, "index.html");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, renderHtml(result));
  return path;
}

export function renderHtml(result: ResultFile): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ruleswap: what a change costs</title>
<style>${raw(chartStyle())}${raw(STYLE)}</style>
</head>
<body>
<h1>What a change of rules costs</h1>
${all(answers(result).map((sentence) => html`<p class="answer">${sentence}</p>\n`))}
${all(cautions(result).map((sentence) => html`<p class="caution">${sentence}</p>\n`))}
<h2>Update latency by size</h2>
<p>The median, from the moment a change was meant to begin until it is in force. Both axes are logarithmic.
Dashed lines are the linear classifier's.</p>
<div id="chart"></div>
<noscript><p>The chart needs JavaScript; the tables below hold the same numbers.</p></noscript>
${all([...bySize(result.results).values()].map(sizeTable))}
${result.growth.length > 0 ? growthTable(result.growth) : ""}
<h2>Where and how</h2>
${environmentTable(result)}
<script>${raw(chartScript(result.results))}</script>
</body>
</html>
`;
  return page.text;
}

function sizeTable(records: readonly ResultRecord[]): Html {
  const first = records[0] as ResultRecord;
  const heads = COLUMNS.map(({ head, title }) => html`<th title="${title}">${head}</th>`);
  const lines = records.map(
    (record) => html`<tr>${all(COLUMNS.map(({ text }) => html`<td>${text(record)}</td>`))}</tr>\n`,
  );
  return html`<h2>${titleOf(first)}</h2>
<div class="wide"><table><thead><tr>${all(heads)}</tr></thead><tbody>
${all(lines)}</tbody></table></div>
`;
}

function growthTable(growth: readonly GrowthRecord[]): Html {
  const metrics = Object.keys(GROWTH_HEADS) as GrowthMetric[];
  const heads = metrics.map((metric) => html`<th>${GROWTH_HEADS[metric]}</th>`);
  const lines = byCell(growth).map((records) => {
    const { strategy, classifier } = records[0] as GrowthRecord;
    const cells = metrics.map((one) => exponent(records.find(({ metric }) => metric === one)).replace("+-", "\u00b1"));
    return html`<tr><td>${strategy}</td><td>${classifier}</td>${all(cells.map((cell) => html`<td>${cell}</td>`))}</tr>\n`;
  });
  return html`<h2>Growth with size</h2>
<p>The exponent of each cost, 1 where it grows as size does and 0 where it stays, with half its 95 % interval.</p>
<div class="wide"><table><thead><tr><th>strategy</th><th>classifier</th>${all(heads)}</tr></thead><tbody>
${all(lines)}</tbody></table></div>
`;
}

function environmentTable({ environment, options, elapsed_s }: ResultFile): Html {
  const { versions, ...where } = environment;
  const lines = Object.entries({ ...where, ...versions, measured_for_s: elapsed_s.toFixed(1), ...options }).map(
    ([name, value]) =>
      html`<tr><td>${name.replaceAll("_", " ")}</td><td>${Array.isArray(value) ? value.join(", ") : String(value)}</td></tr>\n`,
  );
  return html`<div class="wide"><table class="environment"><tbody>
${all(lines)}</tbody></table></div>`;
}

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.answer { font-size: 1.15rem; font-weight: 600; margin: .3rem 0; }
.caution { border-left: 4px solid #c80; padding-left: .7rem; }
.wide { overflow-x: auto; }
.wide table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.wide :is(th, td) { text-align: right; padding: .2rem .7rem; border-bottom: 1px solid #8885; white-space: nowrap; }
.wide :is(th, td):nth-child(-n+2), .environment td { text-align: left; }
.wide .environment td { white-space: normal; }
#chart { background: #fff; color: #222; border-radius: 6px; padding: .5rem; }
`;
