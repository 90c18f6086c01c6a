/** A result for a terminal of 80 columns: the answer first, then the numbers behind it. */
import { styleText } from "node:util";
import Table from "cli-table3";
import type { GrowthMetric, GrowthRecord, ResultFile, ResultRecord } from "../measure/result.js";
import { answers, bySize, titleOf } from "./answer.js";
import { cautions } from "./cautions.js";
import { byCell, COLUMNS, exponent, GROWTH_HEADS } from "./columns.js";

export interface TextOptions {
  readonly color: boolean;
}

export function renderText(result: ResultFile, { color }: TextOptions): string {
  const style = (name: "bold" | "yellow", text: string): string =>
    color ? styleText(name, text, { validateStream: false }) : text;
  const parts = [answers(result).map((sentence) => style("bold", sentence))];
  parts.push(cautions(result).map((sentence) => style("yellow", wrap(`! ${sentence}`))));
  for (const records of bySize(result.results).values()) parts.push([sizeTable(records)]);
  if (result.growth.length > 0) parts.push([growthTable(result.growth)]);
  const said = parts.filter((part) => part.length > 0).map((part) => part.join("\n"));
  return `${said.join("\n\n")}\n`;
}

/** Columns of growth for which there is room. */
const GROWTH_SHOWN = 4;
const WIDTH = 80;

function sizeTable(records: readonly ResultRecord[]): string {
  const first = records[0] as ResultRecord;
  const table = plainTable(
    COLUMNS.map(({ head }) => head),
    2,
  );
  for (const record of records) table.push(COLUMNS.map(({ text }) => text(record)));
  return `${titleOf(first)}\n${table}`;
}

function growthTable(growth: readonly GrowthRecord[]): string {
  const metrics = (Object.keys(GROWTH_HEADS) as GrowthMetric[]).slice(0, GROWTH_SHOWN);
  const table = plainTable(["strategy", "classifier", ...metrics.map((metric) => GROWTH_HEADS[metric])], 2);
  for (const records of byCell(growth)) {
    const { strategy, classifier } = records[0] as GrowthRecord;
    table.push([strategy, classifier, ...metrics.map((one) => exponent(records.find(({ metric }) => metric === one)))]);
  }
  return `growth with size (1 linear, 0 flat) and half its 95 % interval\n${table}`;
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
