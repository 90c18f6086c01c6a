/** A comparison of two results, for a terminal and for a pull request. */
import type { CompareMetric, ComparedCell, Comparison, Interval } from "../measure/compare.js";
import { sizeOf } from "./answer.js";
import { labelOf } from "./page-data.js";
import { bytes, digits, duration, whole } from "./units.js";

interface MetricWords {
  readonly name: string;
  readonly lower: string;
  readonly higher: string;
  readonly text: (value: number) => string;
}

const time = { lower: "faster", higher: "slower" } as const;
const nanoseconds = (value: number): string => `${digits(value)} ns`;

const WORDS: Readonly<Record<CompareMetric, MetricWords>> = {
  "update.p50_us": { name: "update", ...time, text: duration },
  "update.bytes_written_p50": { name: "written", lower: "less", higher: "more", text: bytes },
  "timeToEffect.p50_us": { name: "effect", ...time, text: duration },
  "match.idle.ns_per_packet_p50": { name: "match", ...time, text: nanoseconds },
  "match.updating.ns_per_packet_p50": { name: "match, updating", ...time, text: nanoseconds },
  "contention.us_per_change": { name: "a change", ...time, text: duration },
  "memory.live_bytes": { name: "memory", lower: "less", higher: "more", text: bytes },
};

/** The cells that got worse, and whose whole interval lies beyond `share` (0.05 is 5 %). */
export function regressions({ cells }: Comparison, share: number): ComparedCell[] {
  return cells.filter(({ verdict, ci95 }) => verdict === "higher" && ci95[0] > 1 + share);
}

export function verdictOf({ metric, verdict }: ComparedCell): string {
  return verdict === "none" ? "no difference seen" : WORDS[metric][verdict];
}

/** The sentences that come first: what differs, and what a reader must know. */
export function comparisonAnswers({ cells, machine, unmatched }: Comparison): string[] {
  const changed = cells.filter(({ verdict }) => verdict !== "none");
  const said = [
    changed.length === 0
      ? `no difference seen in ${whole(cells.length)} comparisons`
      : `${whole(changed.length)} of ${whole(cells.length)} comparisons differ`,
  ];
  if (Math.abs(Math.log(machine)) > 0.05)
    said.push(
      `the machine itself was ${digits(machine > 1 ? machine : 1 / machine)} times ${machine > 1 ? "slower" : "faster"} in the second run: intervals allow for it`,
    );
  if (unmatched > 0)
    said.push(`${whole(unmatched)} cells are in one of the results only, or have no rounds to compare`);
  return said;
}

export function comparisonText(comparison: Comparison): string {
  const lines = groups(comparison).flatMap(([size, cells]) => {
    const rows = cells.map((cell) => [WORDS[cell.metric].name, labelOf(cell.record), ...numbers(cell)]);
    return ["", size, ...aligned([["", "", "before", "after", "ratio", "95 % interval", ""], ...rows])];
  });
  return `${[...comparisonAnswers(comparison), ...lines].join("\n")}\n`;
}

/** GitHub's Markdown: what differs in sight, the rest folded. */
export function comparisonMarkdown(comparison: Comparison): string {
  const head =
    "| what | cost | size | before | after | ratio | 95 % interval | |\n| --- | --- | --- | ---: | ---: | ---: | ---: | --- |";
  const rows = (cells: readonly ComparedCell[]): string =>
    cells
      .map((cell) => [labelOf(cell.record), WORDS[cell.metric].name, sizeOf(cell.record), ...numbers(cell)])
      .map((row) => `| ${row.map(escaped).join(" | ")} |`)
      .join("\n");
  const changed = comparison.cells.filter(({ verdict }) => verdict !== "none");
  const answers = comparisonAnswers(comparison).map((sentence, nth) =>
    nth === 0 ? `**${sentence}**` : `* ${sentence}`,
  );
  return [
    "### ruleswap: what a change of rules costs",
    ...answers,
    ...(changed.length > 0 ? [`${head}\n${rows(changed)}`] : []),
    `<details><summary>All comparisons</summary>\n\n${head}\n${rows(comparison.cells)}\n\n</details>`,
  ]
    .join("\n\n")
    .concat("\n");
}

function numbers(cell: ComparedCell): string[] {
  const { text } = WORDS[cell.metric];
  return [text(cell.before), text(cell.after), cell.ratio.toFixed(2), interval(cell.ci95), verdictOf(cell)];
}

const interval = ([low, high]: Interval): string => `${low.toFixed(2)} to ${high.toFixed(2)}`;
const escaped = (text: string): string => text.replace(/[|<>&\\`]/g, (one) => `&#${one.charCodeAt(0)};`);

function groups({ cells }: Comparison): [string, ComparedCell[]][] {
  const bySize = new Map<string, ComparedCell[]>();
  for (const cell of cells) {
    const size = `${cell.record.workload}, ${sizeOf(cell.record)}`;
    bySize.set(size, [...(bySize.get(size) ?? []), cell]);
  }
  return [...bySize];
}

/** Columns two spaces apart, names to the left, numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((text, column) =>
        column < 2 || column === row.length - 1 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
