/** A result for a terminal of 80 columns: the answer first, then the numbers behind it. */
import { styleText } from "node:util";
import Table from "cli-table3";
import type { ContentionRecord } from "../measure/contention.js";
import type { GrowthMetric, GrowthRecord, ResultFile, ResultRecord, Target, UpdateResult } from "../measure/result.js";
import { answers, bySize, cost, titleOf } from "./answer.js";
import { cautions } from "./cautions.js";
import { byCell, COLUMNS, exponent, GROWTH_HEADS } from "./columns.js";
import { CONTENTION_COLUMNS, contentionBySize, contentionTitle } from "./contention.js";
import { duration, whole } from "./units.js";

export interface TextOptions {
  readonly color: boolean;
}

export function renderText(result: ResultFile, { color }: TextOptions): string {
  const style = (name: Style, text: string): string =>
    color ? styleText(name, text, { validateStream: false }) : text;
  const parts = [answers(result).map((sentence) => style("bold", wrap(sentence)))];
  parts.push(cautions(result).map((sentence) => style("yellow", wrap(`! ${sentence}`))));
  for (const records of bySize(result.results).values()) parts.push([sizeTable(records, style)]);
  for (const records of contentionBySize(result.contention).values()) parts.push([contentionTable(records)]);
  if (result.growth.length > 0) parts.push([growthTable(result.growth)]);
  const said = parts.filter((part) => part.length > 0).map((part) => part.join("\n"));
  return `${said.join("\n\n")}\n`;
}

type Style = "bold" | "yellow" | "dim";

/** Columns of growth for which there is room. */
const GROWTH_SHOWN = 4;
const WIDTH = 80;

function sizeTable(records: readonly ResultRecord[], style: (name: Style, text: string) => string): string {
  const groups = byTarget(records);
  const rows = groups.flat();
  const table = plainTable(
    COLUMNS.map(({ head }) => head),
    2,
  );
  for (const record of rows)
    table.push(COLUMNS.map(({ head, text }) => (head === "strategy" ? record.strategy : text(record))));
  const lines = String(table).split("\n");
  const widest = Math.max(...lines.map(({ length }) => length));
  const room = WIDTH - widest - 2;
  const bars = logBars(rows.map(cost));
  const barred = lines.map((line, nth) => {
    const length = room < LEAST_BAR ? 0 : Math.round((bars[nth - 1] ?? 0) * room);
    return length === 0 ? line : `${line.padEnd(widest + 2)}${style("dim", "#".repeat(length))}`;
  });
  return [titleOf(records[0] as ResultRecord), ...withGroups(barred, groups)].join("\n");
}

/** Lines of a table, the first its head, with a line in front of each program of the kernel. */
function withGroups(
  lines: readonly string[],
  groups: readonly (readonly { readonly target: Target; readonly update?: UpdateResult }[])[],
): string[] {
  let at = 1;
  const said = groups.flatMap((group) => {
    const { target, update } = group[0] as (typeof group)[0];
    const idle = update?.process ? `; a process that changes nothing: ${duration(update.process.p50_us)}` : "";
    const own = lines.slice(at, at + group.length);
    at += group.length;
    return target === "ruleswap" ? own : [`in the kernel, by ${target}${idle}`, ...own];
  });
  return [...lines.slice(0, 1), ...said];
}

/** A bar shorter than this tells nothing. */
const LEAST_BAR = 5;

/** Lengths from 0 to 1 of bars on a logarithmic scale that begins a decade below the least. */
function logBars(costs: readonly number[]): number[] {
  const logs = costs.map((cost) => Math.log10(Math.max(cost, 1e-3)));
  const least = Math.min(...logs) - 1;
  const span = Math.max(...logs) - least;
  return logs.map((log) => (log - least) / span);
}

function byTarget<R extends { readonly target: Target }>(records: readonly R[]): R[][] {
  const targets = [...new Set(records.map(({ target }) => target))];
  return targets.map((wanted) => records.filter(({ target }) => target === wanted));
}

/** All writers of a strategy together; the page has them one by one. */
function contentionTable(records: readonly ContentionRecord[]): string {
  const first = records[0] as ContentionRecord;
  const groups = byTarget(records);
  const table = plainTable(["strategy", "classifier", ...CONTENTION_COLUMNS.map(({ head }) => head)], 2);
  for (const record of groups.flat())
    table.push([record.strategy, record.classifier, ...CONTENTION_COLUMNS.map(({ text }) => text(record))]);
  const head = wrap(`${contentionTitle(first)}, ${whole(first.rules)} rules`);
  return [head, ...withGroups(String(table).split("\n"), groups)].join("\n");
}

function growthTable(growth: readonly GrowthRecord[]): string {
  const metrics = (Object.keys(GROWTH_HEADS) as GrowthMetric[]).slice(0, GROWTH_SHOWN);
  const heads = ["strategy", "classifier", ...metrics.map((metric) => GROWTH_HEADS[metric])];
  const table = plainTable(heads, 2);
  const groups = byTarget(growth).map(byCell);
  for (const records of groups.flat()) {
    const { strategy, classifier } = records[0] as GrowthRecord;
    const fits = metrics.map((one) => exponent(records.find(({ metric }) => metric === one)));
    table.push([strategy, classifier, ...fits]);
  }
  const lines = withGroups(
    String(table).split("\n"),
    groups.map((group) => group.map((records) => records[0] as GrowthRecord)),
  );
  return ["growth with size (1 linear, 0 flat) and half its 95 % interval", ...lines].join("\n");
}

/** Lines of at most WIDTH characters, but for longer words; all but the first indented. */
function wrap(text: string): string {
  let column = 0;
  return text
    .split(" ")
    .map((word) => {
      const fits = column + 1 + word.length <= WIDTH;
      const before = column === 0 ? "" : fits ? " " : "\n  ";
      column = (before === " " ? column + 1 : before === "" ? 0 : 2) + word.length;
      return before + word;
    })
    .join("");
}

/** Columns two spaces apart; the first `left` to the left, the others to the right. */
function plainTable(head: string[], left: number): Table.Table {
  const none = [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
  ] as const;
  const chars = Object.fromEntries(
    [...none, "left", "left-mid", "mid", "mid-mid", "right", "right-mid"].map((name) => [name, ""]),
  );
  return new Table({
    head,
    chars: { ...chars, middle: "  " },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
    colAligns: head.map((_, column) => (column < left ? "left" : "right")),
  });
}
