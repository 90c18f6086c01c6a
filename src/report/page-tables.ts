/** The page's tables: what each plot shows, as numbers, to read and to take away. */
import type { ContentionRecord, WriterResult } from "../measure/contention.js";
import type { GrowthMetric, GrowthRecord, ResultFile, ResultRecord } from "../measure/result.js";
import { bySize, sizeOf, titleOf } from "./answer.js";
import { byCell, type Column, COLUMNS, exponent, GROWTH_HEADS } from "./columns.js";
import { html, type Html, join as all } from "./markup.js";
import { labelOf } from "./page-data.js";
import { CONTENTION_COLUMNS } from "./contention.js";
import { bytes, digits, duration, whole } from "./units.js";

/** Rows of a table that is printed on one page. */
const SHORT_ROWS = 24;

interface TableParts {
  /** Names the table's file. */
  readonly id: string;
  readonly caption: string;
  readonly heads: readonly (string | Html)[];
  readonly rows: readonly (readonly string[])[];
  readonly open?: boolean;
}

function table({ id, caption, heads, rows, open = false }: TableParts): Html {
  const lines = rows.map((cells) => html`<tr>${all(cells.map((cell) => html`<td>${cell}</td>`))}</tr>\n`);
  const body = html`<summary>${caption}</summary>
<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table id="${id}"><thead><tr>${all(
    heads.map((head) => (typeof head === "string" ? html`<th scope="col">${head}</th>` : head)),
  )}</tr></thead><tbody>
${all(lines)}</tbody></table></div>
<button type="button" class="csv" data-csv="${id}">CSV</button>`;
  const kind = rows.length > SHORT_ROWS ? "long" : "short";
  return open
    ? html`<details class="${kind}" open>${body}</details>`
    : html`<details class="${kind}">${body}</details>`;
}

/** With the sign that a terminal may lack. */
const micro = (text: string): string => text.replace(/ us$/, " \u00b5s");
const titled = ({ head, title }: Pick<Column, "head" | "title">): Html =>
  html`<th scope="col" title="${title}">${head}</th>`;

/** The same columns as on the terminal, a table a size. */
export function sizeTables({ results }: ResultFile): Html[] {
  return [...bySize(results).values()].map((records, nth) =>
    table({
      id: `update-${nth + 1}`,
      caption: titleOf(records[0] as ResultRecord),
      heads: COLUMNS.map(titled),
      rows: records.map((record) => COLUMNS.map(({ text }) => micro(text(record)))),
      open: true,
    }),
  );
}

export function latencyTable({ results }: ResultFile): Html {
  return table({
    id: "latency",
    caption: "Update latency in microseconds",
    heads: ["what", "size", "changes", "p50", "p90", "p99", "p99.9", "max", "service p50", "unfinished", "failed"],
    rows: results.map((record) => {
      const { update } = record;
      const { count, p50_us, p90_us, p99_us, p99_9_us, max_us, unfinished, failed } = update;
      const times = [p50_us, p90_us, p99_us, p99_9_us, max_us, update.service?.p50_us].map(optional);
      return [...nameOf(record), String(count), ...times, String(unfinished ?? 0), String(failed)];
    }),
  });
}

export function phaseTable({ results }: ResultFile): Html {
  const phased = results.filter(({ update }) => update.phases_us);
  const names = Object.keys(phased[0]?.update.phases_us ?? {});
  return table({
    id: "phases",
    caption: "Parts of an update in microseconds, medians",
    heads: ["what", "size", ...names],
    rows: phased.map((record) => [
      ...nameOf(record),
      ...Object.values(record.update.phases_us ?? {}).map((value) => optional(value)),
    ]),
  });
}

export function matchTable({ results }: ResultFile): Html {
  return table({
    id: "matching",
    caption: "Matching and time to effect",
    heads: [
      "what",
      "size",
      "idle ns p50",
      "idle ns p99",
      "idle M/s",
      "updating ns p50",
      "updating ns p99",
      "updating M/s",
      "worst gap \u00b5s",
      "effect p50 \u00b5s",
      "effect p99 \u00b5s",
    ],
    rows: results.flatMap((record) => {
      if (!record.match) return [];
      const { idle, updating } = record.match;
      const parts = [idle, updating].flatMap(({ ns_per_packet_p50, p99, mpps }) => [ns_per_packet_p50, p99, mpps]);
      const { p50_us, p99_us } = record.timeToEffect ?? {};
      return [[...nameOf(record), ...[...parts, updating.worst_gap_us, p50_us, p99_us].map(optional)]];
    }),
  });
}

export function memoryTable({ results }: ResultFile): Html {
  return table({
    id: "memory",
    caption: "Memory",
    heads: ["what", "size", "live", "peak during an update", "live a rule"],
    rows: results.flatMap((record) => {
      if (!record.memory) return [];
      const { live_bytes, peak_bytes, live_bytes_per_rule } = record.memory;
      return [[...nameOf(record), bytes(live_bytes), bytes(peak_bytes), bytes(live_bytes_per_rule)]];
    }),
  });
}

/** All writers together, as on the terminal, then each. */
export function contentionTables(records: readonly ContentionRecord[]): Html {
  const shown = (of: WriterResult | ContentionRecord): string[] =>
    CONTENTION_COLUMNS.map(({ text }) => micro(text(of)));
  const together = table({
    id: "contention",
    caption: "Several writers, all together",
    heads: ["what", "size", ...CONTENTION_COLUMNS.map(titled)],
    rows: records.map((record) => [labelOf(record), `${whole(record.services)} each`, ...shown(record)]),
    open: true,
  });
  const each = table({
    id: "writers",
    caption: "Several writers, one by one",
    heads: ["writer", "what", "each", ...CONTENTION_COLUMNS.map(titled), ...WRITER_HEADS],
    rows: records.flatMap((record) =>
      record.writers.map((one) => [
        one.workload,
        labelOf(record),
        whole(record.services),
        ...shown(one),
        ...[one.changes, one.retried, one.most_attempts].map(whole),
        micro(duration(one.change.p99_us)),
        one.wait ? micro(duration(one.wait.max_us)) : "-",
        ...[one.unfinished, one.failed].map(whole),
      ]),
    ),
  });
  return html`${together}
${each}`;
}

const WRITER_HEADS: readonly Html[] = [
  ["changes", "Changes that were made"],
  ["retried", "Changes that took more than one attempt"],
  ["attempts", "Attempts at the change that took the most"],
  ["change p99", "99 of 100 changes took no longer, waiting included"],
  ["longest wait", "The longest that a change waited for the lock"],
  ["unfinished", "Changes that had arrived but were not done at the end"],
  ["failed", "Changes that were refused"],
].map(([head = "", title = ""]) => titled({ head, title }));

export function growthTable(growth: readonly GrowthRecord[]): Html {
  const metrics = Object.keys(GROWTH_HEADS) as GrowthMetric[];
  return html`<h2>Growth with size</h2>
<p>The exponent of each cost, 1 where it grows as size does and 0 where it stays, with half its 95 % interval.</p>
${table({
  id: "growth",
  caption: "Exponents",
  heads: ["what", ...metrics.map((metric) => GROWTH_HEADS[metric])],
  rows: byCell(growth).map((records) => [
    labelOf(records[0] as GrowthRecord),
    ...metrics.map((one) => exponent(records.find(({ metric }) => metric === one)).replace("+-", "\u00b1")),
  ]),
  open: true,
})}`;
}

export function environmentTable({ environment, options, elapsed_s }: ResultFile): Html {
  const { versions, ...where } = environment;
  const lines = Object.entries({ ...where, ...versions, measured_for: `${whole(elapsed_s)} s`, ...options }).map(
    ([name, value]: [string, unknown]) =>
      html`<tr><th scope="row">${name.replace(/_bytes$/, "").replaceAll("_", " ")}</th><td>${saying(name, value)}</td></tr>\n`,
  );
  return html`<div class="wide" tabindex="0" role="region" aria-label="Environment"><table class="environment"><tbody>
${all(lines)}</tbody></table></div>`;
}

function saying(name: string, value: unknown): string {
  if (typeof value === "number" && name.endsWith("_bytes")) return bytes(value);
  if (Array.isArray(value)) return value.length > 0 ? value.join(", ") : "none";
  return value === null ? "-" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

const nameOf = (record: ResultRecord): [string, string] => [labelOf(record), sizeOf(record)];
const optional = (value: number | undefined): string => (value === undefined ? "-" : digits(value, 4));
