/** The page that bench and report write: one file, no network, the answer first. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { ResultFile } from "../measure/result.js";
import { answers } from "./answer.js";
import { cautions } from "./cautions.js";
import { DASHES } from "./dashes.js";
import { html, type Html, join as all, raw, scriptValue } from "./markup.js";
import { type PageData, pageData } from "./page-data.js";
import { PAGE_STYLE } from "./page-style.js";
import {
  contentionTables,
  environmentTable,
  growthTable,
  latencyTable,
  matchTable,
  memoryTable,
  phaseTable,
  sizeTables,
} from "./page-tables.js";
import { commandOf } from "./repeat.js";

/** Writes `folder`/index.html, the folder as well where it is missing, and returns the path. */
export function writeReport(result: ResultFile, folder: string): string {
  const path = join(folder, "index.html");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, renderHtml(result));
  return path;
}

export function renderHtml(result: ResultFile): string {
  const data = pageData(result);
  const timed = data.lines.some(({ cells }) => cells.some((cell) => cell?.timeline));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ruleswap: what a change costs</title>
<style>${raw(libraryStyle())}${raw(PAGE_STYLE)}</style>
</head>
<body>
<main>
<header>
<p class="brand">ruleswap</p>
<h1>What a change of rules costs</h1>
${answersPart(result)}
${cautionPart(cautions(result))}
</header>
<noscript><p class="caution">The plots need JavaScript; the tables below hold the same numbers.</p></noscript>
${switches(data)}
${figure("update", "Update latency by size", "From the moment a change was meant to begin until it is in force, the median. Both axes are logarithmic; n^1 at a line's end means that it grows as size does, n^0 that it stays.")}
${all(sizeTables(result))}
${publishedNotes(data)}
${figure("distribution", "Latency distribution", "Every change counts from its intended arrival; none is left out. Each nine gets as much room as the one before.", sizeSelect(data, "distribution"))}
${latencyTable(result)}
${figure("phase", "Where the time goes", "Parts of an update, medians of each, as shares. What incremental frees behind a change is in quiesce, and not in its latency.", sizeSelect(data, "phase"), html`<p class="key" id="phase-key"></p>`)}
${phaseTable(result)}
${contentionPart(result, data)}${figure("effect", "Time to effect", "From when a change was meant to begin until a reader's packet first got the new verdict, the median.")}
${figure("match", "Matching one packet", "Whole way through all hooks and tables, nothing else going on, the median.")}
${figure("timeline", "Matching while rules change", "One reader's packets; a stripe is an update from begin to end.", html`${sizeSelect(data, "timeline")} <label>of <select id="timeline-line"></select></label>`, timed ? "" : html`<p>This result holds no timeline.</p>`)}
${matchTable(result)}
${figure("memory", "Memory", "Shared memory in use, and what an update needs more while it is made.", sizeSelect(data, "memory"), html`<p class="key" id="memory-key"></p>`)}
${memoryTable(result)}
${result.growth.length > 0 ? growthTable(result.growth) : ""}
<h2>Where and how</h2>
<p>To repeat:</p>
<pre tabindex="0">${commandOf(result.options)}</pre>
${environmentTable(result)}
</main>
<script type="application/json" id="data">${raw(scriptValue(data))}</script>
<script>${raw(pageScript())}</script>
</body>
</html>
`;
  return page.text;
}

type Part = Html | "";

/** What is asked, up to the colon, and the figures. */
function answerPart(sentence: string): Html {
  const [asked, figures] = sentence.replaceAll(/(?<=\d) us\b/g, " \u00b5s").split(/(?<=:) (.*)/);
  return html`<p class="answer"><span>${asked ?? ""}</span> ${figures ?? ""}</p>\n`;
}

/** Of the largest size, which is what one asks for; those of others are a click away. */
function answersPart(result: ResultFile): Html {
  const { results, contention } = result;
  const largest = Math.max(...results.map(sizeCount));
  const most = Math.max(...contention.map(({ services }) => services));
  const first = answers({
    ...result,
    results: results.filter((record) => sizeCount(record) === largest),
    contention: contention.filter(({ services }) => services === most),
  });
  const others = answers(result).filter((sentence) => !first.includes(sentence));
  const folded = html`<details class="others"><summary>At smaller sizes</summary>
${all(others.map(answerPart))}</details>`;
  return html`${all(first.map(answerPart))}${others.length > 0 ? folded : ""}`;
}

const sizeCount = ({ services, rules }: ResultFile["results"][number]): number => services ?? rules;

/** The first few in sight; a dozen in front of the picture would be all that one sees on a phone. */
function cautionPart(sentences: readonly string[]): Html {
  const paragraph = (sentence: string): Html => html`<p class="caution">${sentence}</p>\n`;
  const inSight = sentences.length > CAUTIONS_IN_SIGHT + 1 ? CAUTIONS_IN_SIGHT : sentences.length;
  const more = sentences.slice(inSight);
  const folded = html`<details class="cautions"><summary>${more.length} more to know before believing this</summary>
${all(more.map(paragraph))}</details>`;
  return html`${all(sentences.slice(0, inSight).map(paragraph))}${more.length > 0 ? folded : ""}`;
}

const CAUTIONS_IN_SIGHT = 3;

/** Nothing where there was one writer. */
function contentionPart(result: ResultFile, data: PageData): Part {
  const [first] = result.contention;
  if (!first) return "";
  const names = first.writers.map(({ workload }) => workload).join(", ");
  const { rate, lockTimeout } = result.options;
  const pace = rate === "auto" ? "as fast as each can" : `each ${rate} a second`;
  const drawn = data.lines.some(({ cells }) => cells.some((cell) => cell?.contention));
  if (!drawn) return contentionTables(result.contention);
  return html`${figure("throughput", "Several writers", `${names} change one ruleset at once, ${pace}: how many changes a second are made, all together. Both axes are logarithmic.`)}
${figure("wait", "Waiting for the lock", `How long a change waited for other writers, attempts that gave up after ${lockTimeout} s included.`, sizeSelect(data, "wait"))}
${contentionTables(result.contention)}
`;
}

function figure(name: string, title: string, about: string, controls: Part = "", extra: Part = ""): Html {
  return html`<section aria-labelledby="${name}-title">
<h2 id="${name}-title">${title}</h2>
<p>${about}</p>
${controls === "" ? "" : html`<p class="controls">${controls}</p>`}${extra}
<div class="plot" id="${name}-plot" role="img" aria-label="${title}: ${about} The table below holds the same numbers."></div>
</section>`;
}

/** Buttons that show and hide strategies, classifiers and targets in every plot. */
function switches({ lines, published }: PageData): Html {
  const names = (of: (line: PageData["lines"][number]) => string): string[] => [
    ...new Set(lines.map(of).filter((name) => name !== "")),
  ];
  const groups = [
    names(({ strategy }) => strategy),
    names(({ classifier, target }) => (target === "ruleswap" ? classifier : "")),
    names(({ target }) => target),
  ].filter((group, nth) => group.length > 1 || nth === 0);
  const button = (name: string): Html =>
    html`<button type="button" data-toggle="${name}" aria-pressed="true"><i class="s-${name}"></i>${dashOf(name)}${name}</button>`;
  return html`<nav class="switches" aria-label="What the plots show">
${all(groups.map((group) => html`<span>${all(group.map(button))}</span>\n`))}
${published.length > 0 ? html`<span><button type="button" data-published aria-pressed="true">published figures</button></span>` : ""}
</nav>`;
}

/** A piece of the lines that a switch is for, where it is their dashes that tell them from others. */
function dashOf(name: string): Part {
  const dash = DASHES[name];
  if (!dash) return "";
  return html`<svg class="dash" viewBox="0 0 28 4" aria-hidden="true"><path d="M0 2H28" stroke-dasharray="${dash.join(" ")}"/></svg>`;
}

function sizeSelect({ sizeTexts }: PageData, name: string): Html {
  const options = sizeTexts.map((text, nth) =>
    nth === sizeTexts.length - 1
      ? html`<option value="${nth}" selected>${text}</option>`
      : html`<option value="${nth}">${text}</option>`,
  );
  return html`<label>at <select data-size id="${name}-size">${all(options)}</select></label>`;
}

function publishedNotes({ published }: PageData): Part {
  if (published.length === 0) return "";
  const notes = published.map(({ label, source }) => html`<li><b>${label}</b>: ${source}</li>`);
  return html`<details><summary>Published figures</summary>
<p>Faint points. Other machines, other workloads and partly other quantities: they set the scale, no more.</p>
<ul>${all(notes)}</ul></details>`;
}

function libraryStyle(): string {
  const require = createRequire(import.meta.url);
  return readFileSync(join(dirname(require.resolve("uplot/package.json")), "dist", "uPlot.min.css"), "utf8");
}

/** src/report/page, bundled by the build, also where this module itself runs from source as in tests. */
function pageScript(): string {
  const bundle = readFileSync(new URL("../../dist/report/page.bundle.js", import.meta.url), "utf8");
  return bundle.replaceAll("</script", "<\\/script");
}
